package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class CachedBlockFileTest {
  private static final Path FILE = Path.of("/blocks");
  private static final int FRAME = 4096;
  private static final int UNITS = 2048;
  private static final BufferOptions EIGHT_FRAMES =
      new BufferOptions(8 * FRAME, FRAME, null).withWaitMax(Duration.ofMillis(50));

  private final SimEngine engine = new SimEngine(1);

  @BeforeEach
  void writeFile() throws IOException {
    BufferFixture.writeBlocks(engine, FILE, UNITS);
  }

  private BufferManager manager() {
    return new BufferManager(engine, BufferFixture.budget(), EIGHT_FRAMES);
  }

  private static CachedBlockFile open(BufferManager manager) throws IOException {
    return manager.openBlocks(FILE, BufferFixture::verifyBlock);
  }

  @Test
  void aBlockIsReadOnce() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      for (int i = 0; i < 3; i++) {
        file.fix(1024, 1536, fix);
        assertEquals(1536, fix.segment().byteSize());
        assertEquals(1024, fix.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        assertEquals(1024, fix.number());
        fix.unfix();
      }
      assertEquals(1, manager.stats().misses());
      assertEquals(2, manager.stats().hits());
      assertEquals(1536, manager.stats().bytesRead());
    }
  }

  @Test
  void aBlockThatIsNotInThePoolIsNotReadForWhoWantsNoneElse() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix();
        Fix second = new Fix()) {
      second.onlyCached(true);
      assertThrows(NotCachedException.class, () -> file.fix(1024, 1536, second));
      assertFalse(second.isFixed());
      assertEquals(0, manager.stats().misses());
      file.fix(1024, 1536, fix);
      assertEquals(1, fix.misses());
      file.fix(1024, 1536, second);
      assertSame(fix.segment(), second.segment());
      assertEquals(0, second.misses());
      second.unfix();
      second.onlyCached(false);
      file.fix(4096, 512, second);
      assertEquals(1, second.misses());
    }
  }

  @Test
  void aHitGivesTheSameSegmentAgainAndItCannotBeWritten() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      file.fix(0, 512, fix);
      MemorySegment first = fix.segment();
      assertTrue(first.isReadOnly());
      assertThrows(IllegalStateException.class, () -> fix.markDirty(0));
      fix.unfix();
      file.fix(0, 512, fix);
      assertSame(first, fix.segment());
    }
  }

  @Test
  void aHitAllocatesNothing() throws IOException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int rounds = 100_000;
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      long least = Long.MAX_VALUE;
      // Compilers and collectors may come between.
      for (int attempt = 0; attempt < 10 && least > rounds / 10; attempt++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < rounds; i++) {
          file.fix(1024, 1536, fix);
          fix.unfix();
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertTrue(least <= rounds / 10, "rounds=" + rounds + " bytes=" + least);
    }
  }

  @ParameterizedTest
  @EnumSource
  void blocksOfAnyLengthComeAndGoInAFragmentedPool(EvictionKind eviction) throws IOException {
    long seed = 42;
    BufferOptions options = EIGHT_FRAMES.withEviction(eviction);
    SplittableRandom random = new SplittableRandom(seed);
    MemoryBudget budget = BufferFixture.budget();
    try (BufferManager manager = new BufferManager(engine, budget, options)) {
      CachedBlockFile file = open(manager);
      List<Fix> held = new ArrayList<>();
      for (int i = 0; i < 5000; i++) {
        // One or two small blocks stay fixed and wander through the pool.
        if (held.size() == 2) {
          held.remove(random.nextInt(2)).close();
        }
        Fix fix = new Fix();
        int slot = random.nextInt(60);
        boolean small = random.nextInt(3) > 0;
        // Large blocks lie behind the small ones, so that an offset has one length.
        long offset = small ? slot * 512L : 65536 + slot * 512L * 16;
        file.fix(offset, small ? 512 : 8192, fix);
        BufferFixture.verifyBlock(FILE, offset, fix.segment());
        if (small) {
          held.add(fix);
        } else {
          fix.close();
        }
      }
      held.forEach(Fix::close);
      assertTrue(manager.stats().evictions() > 1000);
      assertTrue(budget.peakBytes() <= options.blockMemoryBytes());
    }
    assertEquals(0, budget.usedBytes());
  }

  /** The second of three neighbours is fixed, so a block of two frames needs those behind it. */
  @Test
  void neighboursThatAreUsedStay() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix second = new Fix();
        Fix fix = new Fix()) {
      for (int i = 0; i < 8; i++) {
        file.fix(i * 512L, 512, fix);
        fix.unfix();
      }
      file.fix(512, 512, second);
      MemorySegment stays = second.segment();
      for (int i = 0; i < 20; i++) {
        file.fix(65536 + i * 8192L, 2 * FRAME, fix);
        fix.unfix();
      }
      BufferFixture.verifyBlock(FILE, 512, stays);
      file.fix(512, 512, fix);
      assertSame(stays, fix.segment());
    }
  }

  @Test
  void aBlockMayFillThePoolAndNotMore() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      file.fix(0, 512, fix);
      fix.unfix();
      file.fix(512, 8 * FRAME, fix);
      fix.unfix();
      assertThrows(IllegalArgumentException.class, () -> file.fix(1024, 8 * FRAME + 512, fix));
    }
  }

  @Test
  void fixedBlocksStayAndAnExhaustedPoolSaysSo() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager)) {
      List<Fix> held = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Fix fix = new Fix();
        file.fix(i * 512L, 512, fix);
        held.add(fix);
      }
      Fix more = new Fix();
      PoolExhaustedException e =
          assertThrows(PoolExhaustedException.class, () -> file.fix(9 * 512, 512, more));
      assertTrue(e.getMessage().contains("framesPinned=8"), e.getMessage());
      assertFalse(more.isFixed());
      for (int i = 0; i < 8; i++) {
        assertEquals(i * 512L, held.get(i).segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
      }
      held.get(3).close();
      file.fix(9 * 512, 512, more);
      more.close();
      held.forEach(Fix::close);
    }
  }

  @Test
  void whoWaitsForRoomGetsItWhenSomethingIsUnfixed() throws Exception {
    BufferOptions patient = EIGHT_FRAMES.withWaitMax(Duration.ofMinutes(1));
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), patient);
        CachedBlockFile file = open(manager);
        Fix all = new Fix()) {
      file.fix(0, 8 * FRAME, all);
      ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
      Thread waiter = start(failures, () -> fixOnce(file, 8 * FRAME, 512));
      BufferFixture.awaitWaiting(List.of(waiter));
      all.unfix();
      waiter.join();
      assertTrue(failures.isEmpty(), failures::toString);
    }
  }

  @Test
  void missesOfOneBlockAtTheSameTimeMakeOneRead() throws Exception {
    CountDownLatch othersWait = new CountDownLatch(1);
    IoEngine gated = GatedEngine.before("read", engine, () -> await(othersWait));
    try (BufferManager manager = new BufferManager(gated, BufferFixture.budget(), EIGHT_FRAMES);
        CachedBlockFile file = open(manager)) {
      ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
      List<Thread> readers = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        readers.add(start(failures, () -> fixOnce(file, 512, 512)));
      }
      BufferFixture.awaitWaiting(readers);
      long before = engine.stats().reads();
      othersWait.countDown();
      join(readers);
      assertTrue(failures.isEmpty(), failures::toString);
      assertEquals(1, engine.stats().reads() - before);
      assertEquals(1, manager.stats().misses());
    }
  }

  @Test
  void aFailedReadReachesAllWaitersAndTheNextTryWorks() throws Exception {
    CountDownLatch othersWait = new CountDownLatch(1);
    IoEngine gated = GatedEngine.before("read", engine, () -> await(othersWait));
    try (BufferManager manager = new BufferManager(gated, BufferFixture.budget(), EIGHT_FRAMES);
        CachedBlockFile file = open(manager)) {
      engine.failNth(SimOperation.READ, 1, Errno.EIO);
      ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
      List<Thread> readers = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        readers.add(start(failures, () -> fixOnce(file, 512, 512)));
      }
      BufferFixture.awaitWaiting(readers);
      othersWait.countDown();
      join(readers);
      assertEquals(6, failures.size());
      for (Throwable failure : failures) {
        assertInstanceOf(StorageException.class, failure);
      }
      assertEquals(8, manager.stats().freeFrames());
      fixOnce(file, 512, 512);
    }
  }

  @Test
  void aVerifierThatRefusesOrFailsLeavesNoTrace() throws IOException {
    engine.flipBit(FILE, 512);
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        CachedBlockFile broken =
            manager.openBlocks(
                FILE,
                (path, offset, block) -> {
                  throw new IllegalStateException("a bug");
                });
        Fix fix = new Fix()) {
      assertThrows(CorruptFileException.class, () -> file.fix(512, 512, fix));
      assertThrows(IllegalStateException.class, () -> broken.fix(0, 512, fix));
      assertEquals(8, manager.stats().freeFrames());
      assertFalse(fix.isFixed());
      engine.flipBit(FILE, 512);
      file.fix(512, 512, fix);
    }
  }

  @Test
  void aBlockBehindTheEndIsCorrupt() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      assertEquals(UNITS * 512L, file.sizeBytes());
      assertThrows(CorruptFileException.class, () -> file.fix((UNITS - 1) * 512L, 1024, fix));
      assertThrows(CorruptFileException.class, () -> file.fix(1L << 40, 512, fix));
    }
  }

  @Test
  void badArgumentsAreRefused() throws IOException {
    try (BufferManager manager = manager();
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      assertThrows(IllegalArgumentException.class, () -> file.fix(100, 512, fix));
      assertThrows(IllegalArgumentException.class, () -> file.fix(-512, 512, fix));
      assertThrows(IllegalArgumentException.class, () -> file.fix(0, 0, fix));
      assertThrows(IllegalArgumentException.class, () -> file.fix(0, 100, fix));
      assertThrows(IllegalStateException.class, fix::segment);
      file.fix(0, 512, fix);
      assertThrows(IllegalStateException.class, () -> file.fix(512, 512, fix));
      fix.unfix();
      fix.unfix();
      assertThrows(IllegalArgumentException.class, () -> file.fix(0, 1024, fix));
      assertThrows(
          MissingFileException.class,
          () -> manager.openBlocks(Path.of("/no"), BufferFixture::verifyBlock));
    }
  }

  @Test
  void closingAFileDropsItsBlocksUnlessTheyAreFixed() throws IOException {
    try (BufferManager manager = manager()) {
      CachedBlockFile file = open(manager);
      Fix fix = new Fix();
      file.fix(0, 512, fix);
      assertThrows(IllegalStateException.class, file::close);
      assertEquals(0, fix.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
      fix.close();
      file.close();
      file.close();
      assertEquals(8, manager.stats().freeFrames());
      assertThrows(IllegalStateException.class, () -> file.fix(0, 512, fix));
    }
  }

  @Test
  void theManagerDoesNotCloseWhileSomethingIsFixed() throws IOException {
    BufferManager manager = manager();
    CachedBlockFile file = open(manager);
    Fix one = new Fix();
    Fix two = new Fix();
    file.fix(0, 512, one);
    file.fix(0, 512, two);
    IllegalStateException e = assertThrows(IllegalStateException.class, manager::close);
    assertTrue(e.getMessage().endsWith("pins=2"), e.getMessage());
    one.close();
    MemorySegment kept = two.segment();
    two.close();
    manager.close();
    manager.close();
    assertThrows(IllegalStateException.class, () -> file.fix(0, 512, one));
    assertThrows(IllegalStateException.class, () -> open(manager));
    assertThrows(IllegalStateException.class, () -> kept.get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void aBudgetWithoutRoomRefusesAndKeepsNothing() {
    MemoryBudget budget = MemoryBudget.root("tight", EIGHT_FRAMES.blockMemoryBytes() - 1);
    assertThrows(
        BudgetExceededException.class, () -> new BufferManager(engine, budget, EIGHT_FRAMES));
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void optionsOutsideTheirLimitsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new BufferOptions(1 << 20, 2048, null));
    assertThrows(IllegalArgumentException.class, () -> new BufferOptions(1 << 20, 5000, null));
    assertThrows(IllegalArgumentException.class, () -> new BufferOptions(7 * 4096, 4096, null));
    assertThrows(IllegalArgumentException.class, () -> new BufferOptions(2L << 43, 4096, null));
  }

  @Test
  void waitsOutsideTheirLimitsAreRefused() {
    Duration nano = Duration.ofNanos(1);
    Duration shortest = Duration.ofMillis(1);
    Duration longest = Duration.ofHours(1);
    EIGHT_FRAMES.withWaitMax(shortest);
    EIGHT_FRAMES.withWaitMax(longest);
    List<Duration> refused =
        List.of(
            Duration.ofDays(-1),
            Duration.ZERO,
            shortest.minus(nano),
            longest.plus(nano),
            Duration.ofSeconds(Long.MAX_VALUE));
    for (Duration wait : refused) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> EIGHT_FRAMES.withWaitMax(wait));
      assertTrue(e.getMessage().endsWith("waitMax=" + wait), e.getMessage());
    }
  }

  @Test
  void aVerifierThatFixesItsOwnBlockIsToldSo() {
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          CachedBlockFile[] opened = new CachedBlockFile[1];
          BlockVerifier circular =
              (path, offset, block) -> {
                try (Fix again = new Fix()) {
                  opened[0].fix(offset, 512, again);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              };
          try (BufferManager manager = manager();
              CachedBlockFile file = manager.openBlocks(FILE, circular);
              Fix fix = new Fix()) {
            opened[0] = file;
            IllegalStateException e =
                assertThrows(IllegalStateException.class, () -> file.fix(1024, 512, fix));
            assertTrue(e.getMessage().endsWith("path=/blocks offset=1024"), e.getMessage());
            assertFalse(fix.isFixed());
            assertEquals(8, manager.stats().freeFrames());
          }
        });
  }

  private interface Work {
    void run() throws Exception;
  }

  private static Thread start(ConcurrentLinkedQueue<Throwable> failures, Work work) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                work.run();
              } catch (Throwable e) {
                failures.add(e);
              }
            });
  }

  private static void fixOnce(CachedBlockFile file, long offset, int length) throws IOException {
    try (Fix fix = new Fix()) {
      file.fix(offset, length, fix);
      BufferFixture.verifyBlock(FILE, offset, fix.segment());
    }
  }

  private static void join(List<Thread> threads) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
