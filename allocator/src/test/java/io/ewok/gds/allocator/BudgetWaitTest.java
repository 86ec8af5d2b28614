package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that wait, by callback or with a thread, in a known order of events. */
class BudgetWaitTest {
  private static final long LONG_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final MemoryBudget root = MemoryBudget.root("store", 100);
  private final List<String> granted = new ArrayList<>();

  private BudgetRequest ask(MemoryBudget budget, long bytes, String name) {
    return budget.whenAvailable(bytes, () -> granted.add(name));
  }

  /** A thread that waits for memory, once it waits. */
  private FutureTask<Boolean> waiting(Thread.Builder builder, long bytes, long timeoutNanos) {
    int before = root.waitingCount();
    FutureTask<Boolean> task = new FutureTask<>(() -> root.tryReserve(bytes, timeoutNanos));
    thread = builder.start(task);
    awaitWaiting(before + 1);
    return task;
  }

  private Thread thread;

  private void awaitWaiting(int count) {
    long start = System.nanoTime();
    while (root.waitingCount() != count) {
      assertTrue(System.nanoTime() - start < LONG_NANOS, "nobody waits: " + root);
      Thread.onSpinWait();
    }
  }

  @Test
  void roomIsGrantedAtOnce() {
    BudgetRequest request = ask(root, 100, "a");
    assertEquals(List.of("a"), granted);
    assertTrue(request.isGranted());
    assertFalse(request.cancel());
    assertEquals(100, root.usedBytes());
  }

  @Test
  void requestsAreGrantedInOrderAndOnlyThoseThatFit() {
    root.reserve(100);
    ask(root, 30, "a");
    ask(root, 30, "b");
    ask(root, 30, "c");
    root.release(29);
    assertEquals(List.of(), granted);
    root.release(31);
    assertEquals(List.of("a", "b"), granted);
    assertEquals(1, root.waitingCount());
    root.release(40);
    assertEquals(List.of("a", "b", "c"), granted);
  }

  @Test
  void largeRequestAtTheHeadIsNotStarvedBySmallOnes() {
    root.reserve(100);
    ask(root, 90, "large");
    ask(root, 10, "small");
    root.release(50);
    assertEquals(List.of(), granted);
    BudgetExceededException e = assertThrows(BudgetExceededException.class, () -> root.reserve(1));
    assertTrue(e.getMessage().contains("kept for earlier requests: budget=store"), e.getMessage());
    assertFalse(root.tryReserve(1), "nobody overtakes");
    root.release(40);
    assertEquals(List.of("large"), granted);
    root.release(10);
    assertEquals(List.of("large", "small"), granted);
  }

  @Test
  void canceledRequestMakesWayForTheNext() {
    root.reserve(50);
    BudgetRequest large = ask(root, 90, "large");
    ask(root, 10, "small");
    assertEquals(List.of(), granted);
    assertTrue(large.cancel());
    assertFalse(large.isGranted());
    assertEquals(List.of("small"), granted);
    root.release(50);
    assertEquals(List.of("small"), granted, "a canceled request is never granted");
    assertFalse(large.cancel());
    assertEquals(10, root.usedBytes());
  }

  @Test
  void requestElsewhereInTheTreePassesOneThatWaitsForItsOwnBudget() {
    MemoryBudget log = root.child("log", 20);
    MemoryBudget pool = root.child("pool", 100);
    log.reserve(20);
    ask(log, 10, "log");
    ask(pool, 50, "pool");
    assertEquals(List.of("pool"), granted);
    assertTrue(pool.tryReserve(30));
    assertFalse(log.tryReserve(0x7f));
    log.release(10);
    assertEquals(List.of("pool", "log"), granted);
  }

  @Test
  void requestThatWaitsForTheRootKeepsItsOwnBudgetToo() {
    MemoryBudget log = root.child("log", 60, 10);
    MemoryBudget segments = log.child("segments", 60);
    root.reserve(70);
    ask(log, 50, "log");
    assertFalse(root.tryReserve(1), "kept for log");
    assertTrue(segments.tryReserve(10), "set aside for log and what is under it");
    assertFalse(segments.tryReserve(1));
    segments.release(10);
    ask(segments, 10, "segments");
    assertEquals(List.of(), granted, "log keeps its own budget too");
    root.release(20);
    assertEquals(List.of("log"), granted);
    log.release(50);
    assertEquals(List.of("log", "segments"), granted);
  }

  @Test
  void higherLimitAndClosedChildMakeRoom() {
    MemoryBudget child = root.child("pool", 60, 60);
    root.reserve(40);
    ask(root, 20, "a");
    ask(root, 40, "b");
    root.setLimitBytes(120);
    assertEquals(List.of("a"), granted);
    child.close();
    assertEquals(List.of("a", "b"), granted);
  }

  @Test
  void requestThatCanNeverFitIsRefusedAtOnce() {
    root.child("log", 60, 30);
    MemoryBudget pool = root.child("pool", 200);
    assertThrows(BudgetExceededException.class, () -> ask(root, 101, "a"));
    BudgetExceededException e =
        assertThrows(BudgetExceededException.class, () -> ask(pool, 71, "the rest is the log's"));
    assertTrue(e.getMessage().contains("ever has: budget=store"), e.getMessage());
    assertThrows(BudgetExceededException.class, () -> pool.tryReserve(71, 1));
    assertEquals(0, root.waitingCount());
    ask(pool, 70, "a");
    assertEquals(List.of("a"), granted);
  }

  @Test
  void requestThatALoweredLimitMakesImpossibleHoldsUpNobody() {
    root.reserve(60);
    ask(root, 90, "large");
    ask(root, 50, "middle");
    root.setLimitBytes(80);
    root.release(20);
    assertEquals(List.of(), granted, "middle does not fit, large never");
    MemoryBudget child = root.child("pool", 10);
    assertTrue(child.tryReserve(10), "large keeps nothing");
    child.release(10);
    root.setLimitBytes(100);
    root.release(40);
    assertEquals(List.of("large"), granted);
  }

  @Test
  void callbackThatReleasesSetsOffTheNextWithoutNesting() {
    root.reserve(100);
    AtomicInteger count = new AtomicInteger();
    for (int i = 0; i < 100_000; i++) {
      root.whenAvailable(
          100,
          () -> {
            count.incrementAndGet();
            root.release(100);
          });
    }
    root.release(100);
    assertEquals(100_000, count.get());
    assertEquals(0, root.usedBytes());
  }

  @Test
  void throwingCallbackKeepsItsMemoryAndHarmsNobody() {
    root.reserve(100);
    root.whenAvailable(
        10,
        () -> {
          throw new IllegalStateException("thrown on purpose");
        });
    ask(root, 10, "next");
    root.release(20);
    assertEquals(List.of("next"), granted);
    assertEquals(100, root.usedBytes());
  }

  @Test
  void threadWaitsForARelease() throws Exception {
    for (Thread.Builder builder : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
      root.reserve(100);
      FutureTask<Boolean> task = waiting(builder, 30, LONG_NANOS);
      root.release(30);
      assertTrue(task.get());
      assertEquals(100, root.usedBytes());
      root.release(100);
    }
  }

  @Test
  void waitEndsWithItsTime() throws Exception {
    root.reserve(100);
    long start = System.nanoTime();
    assertFalse(root.tryReserve(1, 2_000_000));
    assertTrue(System.nanoTime() - start >= 2_000_000);
    assertFalse(root.tryReserve(1, 0));
    assertFalse(root.tryReserve(1, Long.MIN_VALUE));
    assertEquals(100, root.usedBytes());
    assertEquals(0, root.waitingCount());
    root.release(1);
    assertTrue(root.tryReserve(1, 0));
  }

  @Test
  void timeoutOfTheHeadMakesWayForTheNext() throws Exception {
    root.reserve(50);
    FutureTask<Boolean> large = new FutureTask<>(() -> root.tryReserve(90, 20_000_000));
    thread = Thread.ofVirtual().start(large);
    // Behind the large one, or after it has given up on a busy machine: the same in the end.
    ask(root, 50, "small");
    assertFalse(large.get());
    assertEquals(List.of("small"), granted);
  }

  @Test
  void interruptEndsTheWaitWithNothingReserved() throws Exception {
    root.reserve(50);
    FutureTask<Boolean> task = waiting(Thread.ofVirtual(), 90, LONG_NANOS);
    ask(root, 50, "small");
    thread.interrupt();
    Exception e = assertThrows(java.util.concurrent.ExecutionException.class, task::get);
    assertTrue(e.getCause() instanceof InterruptedException, e.toString());
    thread.join();
    assertEquals(List.of("small"), granted);
    assertEquals(100, root.usedBytes());
    Thread.currentThread().interrupt();
    assertThrows(InterruptedException.class, () -> root.tryReserve(1, LONG_NANOS));
  }

  @Test
  void budgetWithWaitingRequestsStaysOpen() {
    MemoryBudget pool = root.child("pool", 100);
    root.reserve(100);
    BudgetRequest request = ask(pool, 1, "a");
    assertThrows(IllegalStateException.class, pool::close);
    assertTrue(request.cancel());
    pool.close();
  }

  @Test
  void waitsAreRecordedWithTheirOutcome(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("waits.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("io.ewok.gds.BudgetWait").withoutThreshold();
      recording.start();
      ask(root, 100, "at once, so no wait");
      ask(root, 40, "later");
      ask(root, 7, "never").cancel();
      assertFalse(root.tryReserve(8, 5_000_000));
      FutureTask<Boolean> task = waiting(Thread.ofPlatform(), 9, LONG_NANOS);
      thread.interrupt();
      assertThrows(java.util.concurrent.ExecutionException.class, task::get);
      root.release(40);
      recording.stop();
      recording.dump(file);
    }
    List<String> waits = new ArrayList<>();
    for (RecordedEvent event : RecordingFile.readAllEvents(file)) {
      assertEquals("store", event.getString("budget"));
      waits.add(event.getLong("bytes") + " " + event.getString("outcome"));
      if (event.getLong("bytes") == 8) {
        assertTrue(event.getDuration().toNanos() >= 4_000_000, event.toString());
      }
    }
    waits.sort(null);
    assertEquals(List.of("40 granted", "7 canceled", "8 timeout", "9 interrupted"), waits);
  }
}
