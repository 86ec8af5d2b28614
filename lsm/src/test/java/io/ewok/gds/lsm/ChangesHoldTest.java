package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogTruncatedException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A reader of changes that holds the log back gets every write, and nobody waits for ever. */
class ChangesHoldTest {
  private static final int VALUE_BYTES = 50_000;

  /** Three times what the log has room for. */
  private static final int WRITES = 60;

  private static final ChangesOptions HOLD_ALL =
      ChangesOptions.defaults()
          .withDurability(Durability.BUFFERED)
          .withHoldBytesMax(Long.MAX_VALUE);

  private final MemoryBudget budget = MemoryBudget.root("changes", 1 << 20);
  private final Queue<StallReason> stalls = new ConcurrentLinkedQueue<>();
  private final StoreOptions options =
      Fixtures.TINY.withListener(
          new StoreListener() {
            @Override
            public void stalled(Stall stall) {
              stalls.add(stall.reason());
            }
          });
  private SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, options, engine);
  }

  private static String key(int number) {
    return "key%02d".formatted(number);
  }

  private static void put(Store store, int number, WriteOptions how) throws IOException {
    store.put(
        MemorySegment.ofArray(Fixtures.bytes(key(number))),
        MemorySegment.ofArray(new byte[VALUE_BYTES]),
        how);
  }

  private static void putAll(Store store, int from) throws IOException {
    for (int i = from; i < WRITES; i++) {
      put(store, i, WriteOptions.of(Durability.BUFFERED));
    }
  }

  /** Writes until a write would have to wait; returns its number. */
  private static int putUntilStalled(Store store) throws IOException {
    WriteOptions how = WriteOptions.of(Durability.BUFFERED).withStallMax(Duration.ofMillis(500));
    for (int i = 0; i < WRITES; i++) {
      try {
        put(store, i, how);
      } catch (WriteStalledException e) {
        return i;
      }
    }
    throw new AssertionError("nobody waits for the reader");
  }

  private static FutureTask<Void> startPutAll(Store store, int from) {
    FutureTask<Void> task =
        new FutureTask<>(
            () -> {
              putAll(store, from);
              return null;
            });
    Thread thread = Thread.ofPlatform().start(task);
    while (thread.getState() == Thread.State.RUNNABLE) {
      Thread.onSpinWait();
    }
    return task;
  }

  private static List<String> keys(int to) {
    return IntStream.range(0, to).mapToObj(ChangesHoldTest::key).toList();
  }

  private static List<String> take(StoreChanges changes, int count) throws IOException {
    List<String> taken = new ArrayList<>();
    while (taken.size() < count) {
      if (!changes.next((_, _, key, _) -> taken.add(Fixtures.text(Fixtures.array(key))))) {
        assertTrue(changes.await(Duration.ofMinutes(1)));
      }
    }
    return taken;
  }

  @Test
  void writersWaitForTheReaderAndItGetsEverything() throws Exception {
    try (Store store = open();
        StoreChanges changes = store.changes(0, HOLD_ALL, budget)) {
      int stalled = putUntilStalled(store);
      assertTrue(stalled > 10 && stalled < 22, "stalled=" + stalled);
      assertTrue(stalls.contains(StallReason.CHANGES));
      assertFalse(stalls.contains(StallReason.LOG));
      assertTrue(store.stats().stalls().byReason().get(StallReason.CHANGES).count() > 0);
      long flushes = store.stats().flushes();
      FutureTask<Void> writer = startPutAll(store, stalled);
      assertEquals(keys(WRITES), take(changes, WRITES));
      writer.get();
      // Those that wait for a reader do not flush memtables that are not full.
      assertTrue(store.stats().flushes() - flushes < WRITES / 3, () -> store.stats().toString());
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void slowerOfTwoReadersCounts() throws Exception {
    try (Store store = open();
        StoreChanges quick = store.changes(0, HOLD_ALL, budget)) {
      StoreChanges slow = store.changes(0, HOLD_ALL, budget);
      int stalled = putUntilStalled(store);
      assertEquals(keys(stalled), onOtherThread(() -> take(quick, stalled)));
      assertEquals(0, putUntilStalled(store));
      slow.close();
      FutureTask<Void> writer = startPutAll(store, stalled);
      assertEquals(WRITES - stalled, take(quick, WRITES - stalled).size());
      writer.get();
    }
  }

  private static <T> T onOtherThread(Callable<T> task) throws Exception {
    FutureTask<T> future = new FutureTask<>(task);
    Thread.ofPlatform().start(future);
    return future.get();
  }

  @Test
  void closeOfTheReaderFreesWriters() throws Exception {
    try (Store store = open()) {
      StoreChanges changes = store.changes(0, HOLD_ALL, budget);
      int stalled = putUntilStalled(store);
      FutureTask<Void> writer = startPutAll(store, stalled);
      changes.close();
      writer.get();
    }
  }

  @Test
  void readerThatIsTooFarBehindHoldsNothing() throws Exception {
    try (Store store = open();
        StoreChanges changes =
            store.changes(0, HOLD_ALL.withHoldBytesMax(6 * VALUE_BYTES), budget)) {
      putAll(store, 0);
      assertThrows(LogTruncatedException.class, () -> take(changes, WRITES));
      assertFalse(stalls.contains(StallReason.CHANGES));
    }
  }

  @Test
  void readerThatComesTooLateHoldsNothing() throws Exception {
    try (Store store = open()) {
      putAll(store, 0);
      store.flush();
      assertThrows(LogTruncatedException.class, () -> store.changes(0, HOLD_ALL, budget));
      assertThrows(
          IllegalArgumentException.class, () -> store.changes(Long.MAX_VALUE, HOLD_ALL, budget));
      putAll(store, 0);
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void threadThatReadsDoesNotWaitForItself() throws Exception {
    try (Store store = open();
        StoreChanges changes = store.changes(0, HOLD_ALL, budget)) {
      put(store, 0, WriteOptions.of(Durability.BUFFERED));
      int[] refused = {0};
      assertTrue(
          changes.next(
              (_, _, _, _) -> {
                assertThrows(WriteStalledException.class, () -> putAll(store, 1));
                refused[0]++;
              }));
      assertThrows(WriteStalledException.class, () -> putAll(store, 1));
      assertEquals(1, refused[0]);
      boolean more = true;
      while (more) {
        more = changes.next((_, _, _, _) -> {});
      }
      put(store, 0, WriteOptions.of(Durability.BUFFERED));
    }
  }

  @Test
  void closeOfTheStoreDoesNotWaitForAReaderWhichGoesOnAfterwards() throws Exception {
    Store store = open();
    StoreChanges changes = store.changes(0, HOLD_ALL, budget);
    int stalled = putUntilStalled(store);
    List<String> before = onOtherThread(() -> take(changes, 2));
    FutureTask<Void> writer = startPutAll(store, stalled);
    store.close();
    ExecutionException ended = assertThrows(ExecutionException.class, writer::get);
    assertInstanceOf(IllegalStateException.class, ended.getCause());
    long from = changes.sequence();
    changes.close();
    assertEquals(0, budget.usedBytes());
    try (Store again = open();
        StoreChanges rest = again.changes(from, HOLD_ALL, budget)) {
      before.addAll(take(rest, stalled - 2));
      assertEquals(keys(stalled), before);
      assertEquals(stalled, Fixtures.contents(again).size());
    }
  }

  @Test
  void storeIsTheSameAfterACrashWithAHeldLog() throws Exception {
    Store store = open();
    StoreChanges changes = store.changes(0, HOLD_ALL, budget);
    int stalled = putUntilStalled(store);
    SimEngine after = engine.crash(7);
    store.close();
    changes.close();
    engine = after;
    try (Store again = open()) {
      int survived = Fixtures.contents(again).size();
      assertTrue(survived >= stalled - 8, "survived=" + survived);
      try (StoreChanges rest = again.changes(0, HOLD_ALL, budget)) {
        assertEquals(keys(survived), take(rest, survived));
      }
      putAll(again, survived);
      assertEquals(WRITES, Fixtures.contents(again).size());
    }
  }
}
