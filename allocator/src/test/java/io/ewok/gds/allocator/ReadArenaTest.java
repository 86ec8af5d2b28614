package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadArenaTest {
  private static final int BLOCK = ReadArena.BLOCK_BYTES;
  private static final int PAGES = BLOCK / 4096;

  private final MemoryBudget core = MemoryBudget.root("core", 64L << 20);
  private ReadArena arena = arena(4, 8);

  private ReadArena arena(long minBlocks, long maxBlocks) {
    return new ReadArena(core, ReadArenaOptions.ofBytes(minBlocks * BLOCK, maxBlocks * BLOCK));
  }

  /** Another arena than the one of four to eight blocks. */
  private void use(long minBlocks, long maxBlocks) {
    arena.close();
    arena = arena(minBlocks, maxBlocks);
  }

  @AfterEach
  void close() {
    arena.close();
    assertEquals(0, core.usedBytes());
    assertEquals(List.of(), core.children());
  }

  /** Fills blocks with pages of 4096 bytes: for each block its handles. */
  private List<List<Long>> fill(int blocks) {
    List<List<Long>> filled = new ArrayList<>();
    for (int i = 0; i < blocks; i++) {
      List<Long> handles = new ArrayList<>();
      for (int page = 0; page < PAGES; page++) {
        long handle = arena.allocate(4096, 1);
        assertNotEquals(ReadArena.NONE, handle, "block=" + i + " page=" + page);
        handles.add(handle);
      }
      filled.add(handles);
    }
    return filled;
  }

  private void releaseAll(List<Long> handles) {
    handles.forEach(arena::release);
  }

  private long blocks() {
    return arena.committedBytes() / BLOCK;
  }

  // ---------------------------------------------------------------- pages

  @Test
  void pagesAreDisjointAndAlignedAndTheSizesShareNoBlock() {
    Random random = new Random(5);
    Set<Long> sectors = new HashSet<>();
    Set<Long> smallBlocks = new HashSet<>();
    Set<Long> largeBlocks = new HashSet<>();
    while (true) {
      boolean small = random.nextBoolean();
      int pageBytes = small ? 512 : 4096;
      int pages = 1 + random.nextInt(ReadArena.STRIDE_PAGES_MAX);
      long handle = arena.allocate(pageBytes, pages);
      if (handle == ReadArena.NONE) {
        break;
      }
      MemorySegment stride = arena.segment(handle);
      assertEquals((long) pages * pageBytes, stride.byteSize());
      assertEquals(stride.address(), arena.address(handle));
      assertEquals(0, stride.address() % pageBytes);
      long offset = arena.offset(handle);
      assertEquals(offset / BLOCK, (offset + stride.byteSize() - 1) / BLOCK);
      (small ? smallBlocks : largeBlocks).add(offset / BLOCK);
      for (long at = 0; at < stride.byteSize(); at += 512) {
        assertTrue(sectors.add(stride.address() + at), "issued twice: offset=" + (offset + at));
      }
    }
    assertEquals(8, smallBlocks.size() + largeBlocks.size());
    smallBlocks.retainAll(largeBlocks);
    assertEquals(Set.of(), smallBlocks);
  }

  @Test
  void strideIsReleasedWholeOrPageByPage() {
    long stride = arena.allocate(512, 3);
    arena.releasePage(stride, 1);
    assertThrows(StaleHandleException.class, () -> arena.releasePage(stride, 1));
    assertThrows(StaleHandleException.class, () -> arena.segment(stride), "a page is missing");
    assertThrows(StaleHandleException.class, () -> arena.segment(stride, 1));
    assertEquals(512, arena.segment(stride, 2).byteSize());
    assertEquals(arena.segment(stride, 0).address() + 1024, arena.segment(stride, 2).address());
    assertEquals(2, arena.stats().smallPages());
    arena.release(stride);
    assertEquals(0, arena.stats().smallPages());
    assertThrows(StaleHandleException.class, () -> arena.release(stride));
    assertThrows(StaleHandleException.class, () -> arena.releasePage(stride, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> arena.releasePage(stride, 3));
  }

  @Test
  void roomComesBackByWholeBlocksOnly() {
    List<List<Long>> blocks = fill(8);
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1));
    for (List<Long> handles : blocks) {
      releaseAll(handles.subList(1, PAGES));
    }
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1), "one page keeps its block");
    assertEquals(2, arena.stats().refusals());
    arena.release(blocks.get(3).getFirst());
    long again = arena.allocate(512, 4);
    assertNotEquals(ReadArena.NONE, again, "an empty block serves either size");
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1));
  }

  @Test
  void idleBlockOfTheOtherSizeServesWhenThereIsNoOther() {
    use(8, 8);
    fill(7);
    arena.release(arena.allocate(512, 1));
    assertEquals(8, blocks());
    assertNotEquals(ReadArena.NONE, arena.allocate(4096, 1));
    assertEquals(ReadArena.NONE, arena.allocate(512, 1));
  }

  @Test
  void blockWhosePagesAreAllReleasedIsUsedAgainBeforeAnother() {
    for (int round = 0; round < 10; round++) {
      releaseAll(fill(1).getFirst());
    }
    assertEquals(1, blocks());
  }

  @Test
  void handleOfAnEarlierLifeIsStale() {
    List<Long> first = fill(1).getFirst();
    releaseAll(first);
    List<Long> second = fill(1).getFirst();
    assertEquals(arena.address(second.getFirst()), arena.address(second.get(0)));
    for (int i = 0; i < PAGES; i++) {
      long stale = first.get(i);
      assertNotEquals(stale, second.get(i));
      assertThrows(StaleHandleException.class, () -> arena.release(stale));
      assertThrows(StaleHandleException.class, () -> arena.segment(stale));
      assertThrows(StaleHandleException.class, () -> arena.address(stale));
      assertThrows(StaleHandleException.class, () -> arena.offset(stale));
    }
    assertEquals(PAGES, arena.stats().largePages());
  }

  @Test
  void inventedHandlesAreStale() {
    long handle = arena.allocate(4096, 1);
    for (int bit = 0; bit < 64; bit++) {
      long invented = handle ^ 1L << bit;
      // The lowest bits are the length: the handle of a longer stride names pages never issued.
      if (bit >= 2) {
        assertThrows(StaleHandleException.class, () -> arena.release(invented), "bit=" + bit);
      }
      assertThrows(StaleHandleException.class, () -> arena.segment(invented), "bit=" + bit);
    }
    assertThrows(StaleHandleException.class, () -> arena.release(ReadArena.NONE));
    assertEquals(1, arena.stats().largePages());
  }

  @Test
  void handleOfAnotherArenaIsStaleAlsoAfterItWasClosed() {
    ReadArena other = arena(0, 8);
    long foreign = other.allocate(4096, 1);
    long own = arena.allocate(4096, 1);
    StaleHandleException e = assertThrows(StaleHandleException.class, () -> arena.release(foreign));
    assertTrue(e.getMessage().contains("not a handle of read arena"), e.getMessage());
    assertThrows(StaleHandleException.class, () -> other.release(own));
    other.close();
    assertThrows(StaleHandleException.class, () -> other.release(foreign));
    // The next one gets the same numbers, but other generations.
    try (ReadArena next = arena(0, 8)) {
      for (int i = 0; i < 3 * PAGES; i++) {
        assertNotEquals(foreign, next.allocate(4096, 1));
        assertThrows(StaleHandleException.class, () -> next.release(foreign));
      }
    }
    arena.release(own);
  }

  @Test
  void closedArenaServesNothing() {
    long handle = arena.allocate(4096, 1);
    MemorySegment page = arena.segment(handle);
    page.set(JAVA_BYTE, 0, (byte) 1);
    arena.close();
    assertThrows(IllegalStateException.class, () -> page.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> arena.allocate(4096, 1));
    assertThrows(IllegalStateException.class, () -> arena.whenAvailable(4096, 1, ignored -> {}));
    assertThrows(IllegalStateException.class, () -> arena.allocate(4096, 1, 1));
    assertThrows(StaleHandleException.class, () -> arena.segment(handle));
    assertThrows(StaleHandleException.class, () -> arena.release(handle));
    assertThrows(IllegalStateException.class, arena::commitAll);
  }

  @Test
  void badArgumentsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> arena.allocate(1024, 1));
    assertThrows(IllegalArgumentException.class, () -> arena.allocate(512, 0));
    assertThrows(IllegalArgumentException.class, () -> arena.allocate(512, 5));
    assertThrows(IllegalArgumentException.class, () -> arena(0, 1));
    assertThrows(IllegalArgumentException.class, () -> arena(3, 2));
    assertThrows(IllegalArgumentException.class, () -> arena(0, 1L << 40));
    assertThrows(BudgetExceededException.class, () -> arena(300, 300));
  }

  @Test
  void arenaLargerThanARegionIsOneRowOfBlocks() {
    arena.close();
    try (ReadArena large =
        new ReadArena(
            MemoryBudget.root("large", 2L << 30),
            ReadArenaOptions.ofBytes(0, (1L << 30) + 2 * BLOCK))) {
      assertEquals(2, large.regions().size());
      Set<Region> used = new HashSet<>();
      List<Long> handles = new ArrayList<>();
      for (long i = 0; i < (1L << 30) / BLOCK + 2; i++) {
        for (int page = 0; page < PAGES; page += 4) {
          long handle = large.allocate(4096, 4);
          used.add(large.region(handle));
          handles.add(handle);
        }
      }
      assertEquals(ReadArena.NONE, large.allocate(4096, 1));
      assertEquals(2, used.size());
      large.segment(handles.getLast()).fill((byte) 7);
      handles.forEach(large::release);
      assertEquals(0, large.committedBytes());
    }
  }

  // ---------------------------------------------------------------- minimum and maximum

  @Test
  void percentagesAreOfTheBudgetsLimit() {
    ReadArenaOptions options =
        ReadArenaOptions.DEFAULT.withMin(MemorySize.parse("25%")).withMax(MemorySize.parse("75%"));
    try (ReadArena sized = new ReadArena(core, options)) {
      assertEquals(16 << 20, sized.stats().minBytes());
      assertEquals(48 << 20, sized.stats().maxBytes());
    }
  }

  @Test
  void minimumIsThereWhateverOthersUse() {
    assertEquals(4 * BLOCK, core.usedBytes(), "set aside from the start");
    core.reserve(core.limitBytes() - 4 * BLOCK);
    fill(4);
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1), "the budget is full");
    core.release(BLOCK);
    fill(1);
    assertEquals(core.limitBytes(), core.usedBytes());
    core.release(core.limitBytes() - 5 * BLOCK);
  }

  @Test
  void upToTheMinimumBlocksAreKept() {
    List<List<Long>> blocks = fill(4);
    blocks.forEach(this::releaseAll);
    assertEquals(4, blocks());
    assertEquals(0, arena.stats().blocksGivenBack());
    assertEquals(3, arena.stats().emptyBlocks(), "the last one is still open");
    arena.compact();
    assertEquals(4, blocks());
  }

  @Test
  void aboveTheMinimumBlocksAreGivenBackToSystemAndBudget() {
    List<List<Long>> blocks = fill(8);
    assertEquals(8 * BLOCK, core.usedBytes());
    releaseAll(blocks.get(2));
    assertEquals(7, blocks());
    assertEquals(7 * BLOCK, core.usedBytes());
    releaseAll(blocks.get(5));
    assertEquals(6, blocks());
    blocks.stream().flatMap(List::stream).skip(6 * PAGES).forEach(arena::release);
    releaseAll(blocks.get(0));
    assertEquals(4, blocks());
    assertEquals(4, arena.stats().blocksGivenBack());
  }

  @Test
  void openBlockThatServesNothingIsGivenBackToo() {
    use(0, 8);
    long small = arena.allocate(512, 1);
    long large = arena.allocate(4096, 1);
    assertEquals(2, blocks());
    arena.release(large);
    arena.release(small);
    assertEquals(0, blocks());
    assertEquals(0, core.usedBytes());
  }

  @Test
  void spareBlocksKeepALoadAtTheEdgeFromThrashing() {
    use(0, 64);
    List<List<Long>> blocks = fill(16);
    for (int round = 0; round < 100; round++) {
      fill(2).forEach(this::releaseAll);
    }
    assertEquals(0, arena.stats().blocksGivenBack());
    assertEquals(18, blocks());
    blocks.forEach(this::releaseAll);
    assertEquals(0, blocks());
  }

  @Test
  void committedMemoryFollowsTheLawUnderRandomLoad() {
    long seed = 99;
    use(3, 40);
    Random random = new Random(seed);
    List<Long> live = new ArrayList<>();
    for (int round = 0; round < 200_000; round++) {
      boolean grows = round / 20_000 % 2 == 0;
      if (random.nextInt(10) < (grows ? 7 : 3)) {
        int pageBytes = random.nextInt(4) == 0 ? 512 : 4096;
        long handle = arena.allocate(pageBytes, 1 + random.nextInt(2));
        if (handle != ReadArena.NONE) {
          live.add(handle);
        } else {
          assertEquals(40, blocks(), "seed=" + seed + " round=" + round);
        }
      } else if (!live.isEmpty()) {
        // Mostly the oldest, as readers of a log do.
        int index = random.nextInt(Math.min(live.size(), 20));
        arena.release(live.remove(index));
      }
      if (round % 100 == 0) {
        ReadArenaStats stats = arena.stats();
        int used = stats.smallBlocks() + stats.largeBlocks();
        long most = Math.max(3, used + used / 8);
        assertTrue(blocks() <= most, "seed=" + seed + " round=" + round + " " + stats);
        assertEquals(blocks(), used + stats.emptyBlocks());
        assertEquals(Math.max(3, blocks()) * BLOCK, core.usedBytes());
      }
    }
    assertTrue(arena.stats().blocksGivenBack() > 10, arena.stats().toString());
    live.forEach(arena::release);
    assertEquals(3, blocks());
  }

  @Test
  void compactGivesTheSpareBlocksBackToo() {
    use(0, 64);
    List<List<Long>> blocks = fill(18);
    releaseAll(blocks.get(0));
    releaseAll(blocks.get(1));
    assertEquals(18, blocks());
    assertEquals(2 * BLOCK, arena.compact());
    assertEquals(16, blocks());
    assertEquals(0, arena.compact());
  }

  @Test
  void regionsArePlacedAsWanted() {
    ReadArenaOptions options =
        ReadArenaOptions.ofBytes(0, 2 * BLOCK).withPlacement(PlacementPolicy.preferred(0));
    try (ReadArena placed = new ReadArena(core, options)) {
      assertEquals(
          PlacementPolicy.preferred(0), placed.regions().getFirst().placement().requested());
    }
  }

  // ---------------------------------------------------------------- I/O

  private void lease(long handle) {
    RegionLeases.take(arena.region(handle), arena.offset(handle), arena.segment(handle).byteSize());
  }

  @Test
  void releasedPageUnderIoKeepsItsBlockUntilTheOperationEnds() {
    use(0, 8);
    long handle = arena.allocate(4096, 2);
    Region region = arena.region(handle);
    long offset = arena.offset(handle);
    lease(handle);
    lease(handle);
    arena.release(handle);
    assertThrows(StaleHandleException.class, () -> arena.segment(handle));
    assertEquals(1, blocks());
    assertEquals(1, arena.stats().blocksKeptByIo());
    assertEquals(0, arena.compact());
    RegionLeases.giveBack(region, offset, 8192);
    assertEquals(1, blocks());
    RegionLeases.giveBack(region, offset, 8192);
    assertEquals(0, blocks());
    assertEquals(0, arena.stats().blocksKeptByIo());
  }

  @Test
  void blockUnderIoIsNotUsedAnewAtTheMaximum() {
    List<List<Long>> blocks = fill(8);
    long handle = blocks.get(2).get(7);
    Region region = arena.region(handle);
    long offset = arena.offset(handle);
    lease(handle);
    releaseAll(blocks.get(2));
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1));
    RegionLeases.giveBack(region, offset, 4096);
    assertNotEquals(ReadArena.NONE, arena.allocate(4096, 1));
  }

  @Test
  void operationOnMemoryThatIsNotAllocatedIsRefused() {
    use(0, 8);
    long handle = arena.allocate(4096, 1);
    Region region = arena.region(handle);
    long offset = arena.offset(handle);
    assertThrows(
        IllegalStateException.class, () -> RegionLeases.take(region, offset, 4097), "beyond");
    assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, offset + 4096, 512));
    RegionLeases.take(region, offset + 512, 1024);
    arena.release(handle);
    assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, offset, 4096));
    RegionLeases.giveBack(region, offset + 512, 1024);
    assertEquals(0, blocks(), "what was refused has left no use behind");
    assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, offset, 4096));
  }

  @Test
  void operationAcrossBlocksUsesBoth() {
    List<List<Long>> blocks = fill(2);
    Region region = arena.region(blocks.get(0).getFirst());
    assertEquals(0, arena.offset(blocks.get(0).getFirst()));
    RegionLeases.take(region, BLOCK - 4096, 8192);
    blocks.forEach(this::releaseAll);
    assertEquals(2, arena.stats().blocksKeptByIo());
    assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, BLOCK - 4096, 8192));
    assertEquals(2, arena.stats().blocksKeptByIo());
    RegionLeases.giveBack(region, BLOCK - 4096, 8192);
    assertEquals(0, arena.stats().blocksKeptByIo());
    List<List<Long>> again = fill(2);
    assertEquals(2, blocks());
    again.forEach(this::releaseAll);
  }

  @Test
  void arenaUnderIoIsClosedOnlyAfterwards() {
    long handle = arena.allocate(4096, 1);
    Region region = arena.region(handle);
    long offset = arena.offset(handle);
    lease(handle);
    assertThrows(IllegalStateException.class, arena::close);
    assertEquals(4096, arena.segment(handle).byteSize(), "what there is can still be used");
    assertThrows(IllegalStateException.class, () -> arena.allocate(4096, 1));
    RegionLeases.giveBack(region, offset, 4096);
    arena.release(handle);
    arena.close();
    arena.close();
  }

  @Test
  void closeThatOneOfManyRegionsRefusesLeavesAllOfThem() throws Exception {
    arena.close();
    arena = new ReadArena(core, ReadArenaOptions.ofBytes(0, 7 * BLOCK), 2);
    List<List<Long>> blocks = fill(7);
    List<Region> regions = arena.regions();
    assertEquals(4, regions.size());
    assertEquals(BLOCK, regions.getLast().sizeBytes());
    for (Region region : regions) {
      RegionLeases.take(region, 0, 4096);
      assertThrows(IllegalStateException.class, arena::close);
      assertAllIsThere(blocks);
      RegionLeases.giveBack(region, 0, 4096);
      RegionLeases.register(region);
      assertThrows(IllegalStateException.class, arena::close);
      assertAllIsThere(blocks);
      RegionLeases.unregister(region);
    }
    whileInANativeCall(
        regions.get(1).segment(),
        () -> {
          assertThrows(IllegalStateException.class, arena::close);
          assertAllIsThere(blocks);
        });
    arena.close();
    assertEquals(0, core.usedBytes());
    for (Region region : regions) {
      assertThrows(IllegalStateException.class, () -> region.segment().get(JAVA_BYTE, 0));
      assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, 0, 4096));
    }
  }

  private void assertAllIsThere(List<List<Long>> blocks) {
    for (List<Long> handles : blocks) {
      arena.segment(handles.getFirst()).set(JAVA_BYTE, 0, (byte) 1);
    }
  }

  private static void whileInANativeCall(MemorySegment memory, Runnable action) throws Exception {
    Pipe pipe = Pipe.open();
    try (Pipe.SinkChannel sink = pipe.sink();
        Pipe.SourceChannel source = pipe.source()) {
      FutureTask<Integer> write = new FutureTask<>(() -> sink.write(memory.asByteBuffer()));
      Thread.ofPlatform().start(write);
      ByteBuffer drain = ByteBuffer.allocate(1 << 16);
      // Larger than a pipe holds: once the first bytes are out, the writer is inside the call.
      long drained = source.read(drain.limit(1));
      action.run();
      while (drained < memory.byteSize()) {
        drained += source.read(drain.clear());
      }
      assertEquals(memory.byteSize(), (long) write.get());
    }
  }

  @Test
  void compactionPausesWhileRegisteredAndSaysSo() {
    assertTrue(arena.commitAll());
    assertEquals(8, blocks());
    Region region = arena.regions().getFirst();
    RegionLeases.register(region);
    fill(8).forEach(this::releaseAll);
    assertEquals(8, blocks());
    assertNotEquals("", arena.stats().compactionPaused());
    assertEquals(0, arena.compact(), "tried and refused");
    assertTrue(
        arena.stats().compactionPaused().contains("registered"), arena.stats().compactionPaused());
    RegionLeases.unregister(region);
    assertEquals(4 * BLOCK, arena.compact());
    assertEquals("", arena.stats().compactionPaused());
    assertEquals(4, blocks());
  }

  @Test
  void allMemoryIsNotCommittedBeyondTheBudget() {
    core.reserve(core.limitBytes() - 6 * BLOCK);
    assertThrows(IllegalStateException.class, () -> RegionLeases.register(region()));
    assertEquals(false, arena.commitAll());
    assertEquals(4, blocks(), "what is above the minimum has been given back");
    core.release(core.limitBytes() - 6 * BLOCK);
    assertTrue(arena.commitAll());
  }

  @Test
  void allMemoryIsThereAlsoIfAnotherThreadCommitsTheLastOfIt() throws Exception {
    use(1, 4);
    fill(3);
    Region region = region();
    FutureTask<Long> last = new FutureTask<>(() -> arena.allocate(4096, 1));
    FutureTask<Long> all = new FutureTask<>(() -> arena.commitAll() ? region.committedBytes() : -1);
    Thread allocating = new Thread(last);
    Thread committing = new Thread(all);
    core.tree().lock();
    try {
      allocating.start();
      await(() -> allocating.getState() == Thread.State.WAITING);
      committing.start();
      int[] seen = {0};
      await(() -> !committing.isAlive() || (isInCommitAll(committing) && ++seen[0] == 50));
    } finally {
      core.tree().unlock();
    }
    assertEquals(4 * BLOCK, all.get());
    arena.release(last.get());
    arena.compact();
  }

  private static boolean isInCommitAll(Thread thread) {
    return Arrays.stream(thread.getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("commitAll"));
  }

  private static void await(BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.MINUTES.toNanos(2), "nothing happens");
      Thread.onSpinWait();
    }
  }

  private Region region() {
    return arena.regions().getFirst();
  }

  // ---------------------------------------------------------------- heap

  @Test
  void allocationAndReleaseMakeNoGarbage() {
    long[] ring = new long[300];
    churn(ring, 200_000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().threadId();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) {
      long before = threads.getThreadAllocatedBytes(thread);
      churn(ring, 100_000);
      least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
    }
    // 100 000 rounds through some 300 lives of blocks; the measuring itself costs a little.
    assertTrue(least < 2_000, "bytes=" + least);
  }

  private void churn(long[] ring, int rounds) {
    for (int i = 0; i < rounds; i++) {
      int slot = i % ring.length;
      if (ring[slot] != ReadArena.NONE) {
        arena.release(ring[slot]);
      }
      ring[slot] = arena.allocate((i & 7) == 0 ? 4096 : 512, 1 + (i & 1));
    }
  }

  @Test
  void oneLineSaysWhatThereIs() {
    arena.allocate(512, 1);
    assertTrue(
        arena.toString().matches("read arena \\d+ \\(262144 of 1048576 to 2097152 bytes\\)"),
        arena.toString());
  }

  // ---------------------------------------------------------------- misuse

  @Test
  void aMadeUpStrideReachesIntoNoOtherBlock() {
    for (List<Long> handles : fill(2)) {
      long last = handles.getLast();
      assertThrows(StaleHandleException.class, () -> arena.segment(last | 3));
      assertThrows(StaleHandleException.class, () -> arena.offset(last | 3));
      assertThrows(StaleHandleException.class, () -> arena.release(last | 3));
      assertEquals(4096, arena.segment(last).byteSize());
    }
  }

  @Test
  void aCallbackOfTheBudgetThatClosesTheArenaWhileItGrowsLeavesNothingBehind() {
    use(1, 8);
    releaseAll(fill(1).getFirst());
    try (BudgetWatermark _ = core.watch(0, 2 * BLOCK, arena::close, () -> {})) {
      arena.allocate(4096, 1);
      assertThrows(IllegalStateException.class, () -> arena.allocate(512, 1));
    }
    assertEquals(0, core.usedBytes());
    assertEquals(List.of(), core.children());
  }

  @Test
  void aCallbackOfTheBudgetCommitsAllWhileTheArenaGrows() {
    use(0, 4);
    List<Long> committedBytes = new ArrayList<>();
    Runnable commitAll =
        () -> committedBytes.add(arena.commitAll() ? region().committedBytes() : -1);
    try (BudgetWatermark _ = core.watch(0, BLOCK, commitAll, () -> {})) {
      arena.release(arena.allocate(4096, 1));
      assertEquals(List.of(4L * BLOCK), committedBytes);
    }
    arena.compact();
  }

  @Test
  void aCallbackOfTheBudgetCommitsAllWhileABlockIsGivenBack() {
    use(0, 4);
    List<Boolean> committed = new ArrayList<>();
    List<List<Long>> filled = fill(2);
    try (BudgetWatermark _ =
        core.watch(BLOCK, 2 * BLOCK, () -> {}, () -> committed.add(arena.commitAll()))) {
      filled.forEach(this::releaseAll);
      assertEquals(List.of(true), committed);
      assertEquals(4, blocks());
    }
    arena.compact();
  }
}
