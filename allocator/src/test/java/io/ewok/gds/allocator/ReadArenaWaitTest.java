package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests at the maximum, or while the budget is full, in a known order of events. */
class ReadArenaWaitTest {
  private static final int BLOCK = ReadArena.BLOCK_BYTES;
  private static final int PAGES = BLOCK / 4096;
  private static final long LONG_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final MemoryBudget core = MemoryBudget.root("core", 16L << 20);
  private final ReadArena arena =
      new ReadArena(core, ReadArenaOptions.ofBytes(2 * BLOCK, 4 * BLOCK));
  private final List<String> granted = new ArrayList<>();
  private Thread thread;

  @AfterEach
  void close() {
    arena.close();
    assertEquals(0, core.usedBytes());
  }

  /** Blocks full of pages of 4096 bytes, as far as there is room. */
  private Deque<List<Long>> fill() {
    Deque<List<Long>> blocks = new ArrayDeque<>();
    while (true) {
      List<Long> handles = new ArrayList<>();
      for (int page = 0; page < PAGES; page++) {
        long handle = arena.allocate(4096, 1);
        if (handle == ReadArena.NONE) {
          assertEquals(List.of(), handles);
          return blocks;
        }
        handles.add(handle);
      }
      blocks.add(handles);
    }
  }

  private void release(List<Long> handles) {
    handles.forEach(arena::release);
  }

  private ReadRequest ask(int pageBytes, int pages, String name) {
    return arena.whenAvailable(
        pageBytes,
        pages,
        handle -> {
          if (handle != ReadArena.NONE) {
            assertEquals((long) pages * pageBytes, arena.segment(handle).byteSize());
            granted.add(name);
          }
        });
  }

  private FutureTask<Long> waiting(Thread.Builder builder, long timeoutNanos) {
    int before = arena.stats().waiting();
    FutureTask<Long> task = new FutureTask<>(() -> arena.allocate(4096, 2, timeoutNanos));
    thread = builder.start(task);
    long start = System.nanoTime();
    while (arena.stats().waiting() != before + 1) {
      assertTrue(System.nanoTime() - start < LONG_NANOS, "nobody waits: " + arena);
      Thread.onSpinWait();
    }
    return task;
  }

  @Test
  void roomIsGrantedAtOnce() {
    ReadRequest request = ask(512, 3, "a");
    assertTrue(request.isGranted());
    assertFalse(request.cancel());
    assertEquals(List.of("a"), granted);
  }

  @Test
  void blockThatBecomesEmptyGoesToTheOldestRequestAndWhoeverFits() {
    Deque<List<Long>> blocks = fill();
    ask(4096, 2, "a");
    ask(512, 1, "small");
    ask(4096, 1, "b");
    List<Long> block = blocks.poll();
    release(block.subList(0, PAGES - 1));
    assertEquals(List.of(), granted);
    arena.release(block.getLast());
    assertEquals(List.of("a", "b"), granted, "one block serves one size");
    release(blocks.poll());
    assertEquals(List.of("a", "b", "small"), granted);
  }

  @Test
  void oldestRequestIsServedFirstThoughTheOtherSizeAsksMore() {
    Deque<List<Long>> blocks = fill();
    ask(512, 4, "small");
    for (int i = 0; i < 3 * PAGES; i++) {
      ask(4096, 1, "large");
    }
    release(blocks.poll());
    assertEquals(List.of("small"), granted);
    release(blocks.poll());
    assertEquals(1 + PAGES, granted.size());
  }

  @Test
  void nobodyOvertakesWhoWaits() {
    Deque<List<Long>> blocks = fill();
    ask(4096, 4, "first");
    for (int i = 0; i < PAGES; i++) {
      ask(4096, 4, "more");
    }
    release(blocks.poll());
    assertEquals(PAGES / 4, granted.size());
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1));
    assertEquals(ReadArena.NONE, arena.allocate(512, 1));
  }

  @Test
  void canceledRequestIsNotGranted() {
    Deque<List<Long>> blocks = fill();
    ReadRequest first = ask(4096, 1, "a");
    ask(4096, 1, "b");
    assertTrue(first.cancel());
    assertFalse(first.cancel());
    release(blocks.poll());
    assertEquals(List.of("b"), granted);
    assertFalse(first.isGranted());
    assertEquals(0, arena.stats().waiting());
  }

  @Test
  void completionOfAnOperationServesWhoWaits() {
    Deque<List<Long>> blocks = fill();
    long handle = blocks.peek().getFirst();
    Region region = arena.region(handle);
    long offset = arena.offset(handle);
    RegionLeases.take(region, offset, 4096);
    release(blocks.poll());
    ask(4096, 1, "a");
    assertEquals(List.of(), granted);
    RegionLeases.giveBack(region, offset, 4096);
    assertEquals(List.of("a"), granted);
  }

  @Test
  void openBlockThatBecomesIdleServesTheOtherSize() {
    Deque<List<Long>> blocks = fill();
    release(blocks.poll());
    long small = arena.allocate(512, 1);
    ask(4096, 1, "a");
    assertEquals(List.of(), granted);
    arena.release(small);
    assertEquals(List.of("a"), granted);
  }

  @Test
  void memoryThatOthersReleaseServesWhoWaits() {
    core.reserve(core.limitBytes() - 2 * BLOCK);
    Deque<List<Long>> blocks = fill();
    assertEquals(2, blocks.size(), "what is set aside");
    ask(4096, 1, "a");
    ask(512, 1, "small");
    core.release(BLOCK - 1);
    assertEquals(List.of(), granted);
    core.release(1);
    assertEquals(List.of("a"), granted);
    core.release(BLOCK);
    assertEquals(List.of("a", "small"), granted);
    assertEquals(4 * BLOCK, arena.committedBytes());
    core.release(core.limitBytes() - 4 * BLOCK);
  }

  @Test
  void budgetIsNotAskedAnyMoreWhenNobodyWaits() {
    core.reserve(core.limitBytes() - 2 * BLOCK);
    Deque<List<Long>> blocks = fill();
    ReadRequest request = ask(4096, 1, "a");
    MemoryBudget own = core.children().getFirst();
    assertEquals(1, own.waitingCount());
    assertFalse(core.tryReserve(1), "kept for the arena");
    request.cancel();
    assertEquals(0, own.waitingCount());
    ask(4096, 1, "b");
    assertEquals(1, own.waitingCount());
    release(blocks.poll());
    assertEquals(List.of("b"), granted);
    assertEquals(0, own.waitingCount());
    core.release(core.limitBytes() - 2 * BLOCK);
  }

  @Test
  void waitForTheBudgetEndsWithTheArena() {
    core.reserve(core.limitBytes() - 2 * BLOCK);
    fill();
    List<Long> handles = new ArrayList<>();
    arena.whenAvailable(4096, 1, handles::add);
    arena.close();
    assertEquals(List.of(ReadArena.NONE), handles);
    core.release(core.limitBytes() - 2 * BLOCK);
    assertEquals(0, core.usedBytes());
  }

  @Test
  void limitLoweredBelowOneBlockLeavesTheArenaWithItsOwn() {
    Deque<List<Long>> blocks = fill();
    release(blocks.poll());
    release(blocks.poll());
    core.setLimitBytes(2 * BLOCK);
    assertEquals(2, arena.committedBytes() / BLOCK);
    ask(4096, 1, "a");
    assertEquals(List.of(), granted);
    release(blocks.poll());
    assertEquals(List.of("a"), granted);
  }

  @Test
  void limitRaisedAgainServesWhoCameWhileItWasTooLowForOneBlock() {
    try (ReadArena bare = new ReadArena(core, ReadArenaOptions.ofBytes(0, 4 * BLOCK))) {
      arena.close();
      core.setLimitBytes(BLOCK - 1);
      List<Long> handles = new ArrayList<>();
      bare.whenAvailable(4096, 1, handles::add);
      bare.whenAvailable(512, 1, handles::add);
      core.reserve(BLOCK - 1);
      core.setLimitBytes(2 * BLOCK - 1);
      assertEquals(1, handles.size());
      core.release(BLOCK - 1);
      assertEquals(1, handles.size());
      core.setLimitBytes(2 * BLOCK);
      assertEquals(2, handles.size());
      handles.forEach(bare::release);
    }
  }

  @Test
  void nobodyTakesTheMemoryThatIsOnItsWayToWhoWaits() {
    core.reserve(core.limitBytes() - 2 * BLOCK);
    fill();
    ask(4096, 1, "a");
    // In a callback, so that the one by which the arena gets its block comes only afterwards.
    List<Long> newcomers = new ArrayList<>();
    core.whenAvailable(
        0,
        () -> {
          core.release(2 * BLOCK);
          newcomers.add(arena.allocate(4096, 1));
          newcomers.add(arena.allocate(512, 1));
          granted.add("newcomers refused");
        });
    assertEquals(List.of(ReadArena.NONE, ReadArena.NONE), newcomers);
    assertEquals(List.of("newcomers refused", "a"), granted);
    assertNotEquals(ReadArena.NONE, arena.allocate(512, 1), "nobody waits any more");
    core.release(core.limitBytes() - 4 * BLOCK);
  }

  @Test
  void callbackThatReleasesSetsOffTheNextWithoutNesting() {
    Deque<List<Long>> blocks = fill();
    AtomicInteger calls = new AtomicInteger();
    for (int i = 0; i < 50_000; i++) {
      arena.whenAvailable(
          512,
          1,
          handle -> {
            calls.incrementAndGet();
            arena.release(handle);
          });
    }
    release(blocks.poll());
    assertEquals(50_000, calls.get());
  }

  @Test
  void throwingCallbackKeepsItsPagesAndHarmsNobody() {
    Deque<List<Long>> blocks = fill();
    arena.whenAvailable(
        4096,
        1,
        handle -> {
          throw new IllegalStateException("thrown on purpose");
        });
    ask(4096, 1, "a");
    release(blocks.poll());
    assertEquals(List.of("a"), granted);
    assertEquals(3 * PAGES + 2, arena.stats().largePages());
  }

  @Test
  void threadWaitsForABlock() throws Exception {
    for (Thread.Builder builder : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      Deque<List<Long>> blocks = fill();
      FutureTask<Long> task = waiting(builder, LONG_NANOS);
      release(blocks.poll());
      long handle = task.get();
      assertEquals(8192, arena.segment(handle).byteSize());
      arena.release(handle);
      blocks.forEach(this::release);
    }
  }

  @Test
  void waitEndsWithItsTime() throws Exception {
    fill();
    long start = System.nanoTime();
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1, 2_000_000));
    assertTrue(System.nanoTime() - start >= 2_000_000);
    assertEquals(ReadArena.NONE, arena.allocate(4096, 1, 0));
    assertEquals(0, arena.stats().waiting());
  }

  @Test
  void interruptEndsTheWaitWithNothingAllocated() throws Exception {
    Deque<List<Long>> blocks = fill();
    FutureTask<Long> task = waiting(Thread.ofVirtual(), LONG_NANOS);
    thread.interrupt();
    Exception e = assertThrows(ExecutionException.class, task::get);
    assertTrue(e.getCause() instanceof InterruptedException, e.toString());
    assertEquals(0, arena.stats().waiting());
    release(blocks.poll());
    assertEquals(3 * PAGES, arena.stats().largePages());
  }

  @Test
  void closeEndsEveryWait() throws Exception {
    fill();
    List<Long> handles = new ArrayList<>();
    ReadRequest request = arena.whenAvailable(4096, 1, handles::add);
    FutureTask<Long> task = waiting(Thread.ofVirtual(), LONG_NANOS);
    arena.close();
    assertEquals(List.of(ReadArena.NONE), handles);
    assertFalse(request.isGranted());
    assertFalse(request.cancel());
    Exception e = assertThrows(ExecutionException.class, task::get);
    assertTrue(e.getCause() instanceof IllegalStateException, e.toString());
  }

  @Test
  void waitsAreRecordedWithTheirOutcome(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("waits.jfr");
    Deque<List<Long>> blocks = fill();
    try (Recording recording = new Recording()) {
      recording.enable("io.ewok.gds.BudgetWait").withoutThreshold();
      recording.start();
      ask(4096, 3, "a");
      assertEquals(ReadArena.NONE, arena.allocate(512, 1, 1_000_000));
      release(blocks.poll());
      assertNotEquals(ReadArena.NONE, arena.allocate(4096, 1, LONG_NANOS));
      recording.stop();
      recording.dump(file);
    }
    List<String> waits = new ArrayList<>();
    for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
      waits.add(
          event.getString("budget")
              + " "
              + event.getLong("bytes")
              + " "
              + event.getString("outcome"));
    }
    waits.sort(null);
    assertEquals(List.of("read arena 12288 granted", "read arena 512 timeout"), waits);
  }
}
