package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogTruncatedException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** A reader of changes gets every write, once, whole and in order. */
class StoreChangesTest {
  private static final int WRITERS = 3;
  private static final int WRITES = 3_000;

  private final MemoryBudget budget = MemoryBudget.root("changes", 1 << 20);
  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  private static void put(Store store, String key, String value) throws IOException {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.SYNCED);
  }

  private static List<String> take(StoreChanges changes) throws IOException {
    List<String> taken = new ArrayList<>();
    while (changes.next(
        (_, delete, key, value) ->
            taken.add(
                Fixtures.text(Fixtures.array(key))
                    + (delete ? "!" : "=" + Fixtures.text(Fixtures.array(value)))))) {
      taken.add("|");
    }
    return taken;
  }

  @Test
  void batchesComeWholeAndInOrder() throws Exception {
    try (Store store = open();
        StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
      put(store, "a", "1");
      store.write(
          new WriteBatch()
              .put(Fixtures.bytes("b"), Fixtures.bytes("2"))
              .delete(Fixtures.bytes("a"))
              .put(Fixtures.bytes("c"), new byte[0]),
          Durability.SYNCED);
      assertEquals(List.of("a=1", "|", "b=2", "a!", "c=", "|"), take(changes));
      assertFalse(changes.await(Duration.ofMillis(1)));
      put(store, "d", "4");
      assertTrue(changes.await(Duration.ofMinutes(1)));
      assertEquals(List.of("d=4", "|"), take(changes));
      try (Snapshot snapshot = store.snapshot()) {
        assertEquals(snapshot.sequence(), changes.sequence());
      }
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void readingGoesOnWhereASnapshotOrAnotherReaderEnded() throws Exception {
    long end;
    try (Store store = open()) {
      put(store, "a", "1");
      long from;
      try (Snapshot snapshot = store.snapshot()) {
        from = snapshot.sequence();
      }
      put(store, "b", "2");
      try (StoreChanges changes = store.changes(from, Durability.SYNCED, budget)) {
        assertEquals(List.of("b=2", "|"), take(changes));
        end = changes.sequence();
      }
      put(store, "c", "3");
    }
    try (Store store = open();
        StoreChanges changes = store.changes(end, Durability.SYNCED, budget)) {
      put(store, "d", "4");
      assertEquals(List.of("c=3", "|", "d=4", "|"), take(changes));
    }
  }

  @Test
  void replicaBecomesTheStoreWhileManyWrite() throws Exception {
    Map<byte[], byte[]> replica = new TreeMap<>(Fixtures.ORDER);
    long[] last = {0};
    // A log that has room for all: the reader may be as slow as it likes.
    StoreOptions options = Fixtures.TINY.withLogSegmentBytes(16 << 20);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      List<Thread> writers = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        SplittableRandom random = new SplittableRandom(i);
        writers.add(Thread.ofPlatform().start(() -> write(store, random)));
      }
      try (StoreChanges changes = store.changes(0, Durability.BUFFERED, budget)) {
        while (writers.stream().anyMatch(Thread::isAlive)) {
          follow(changes, replica, last);
          boolean unused = changes.await(Duration.ofMillis(10));
        }
        put(store, "the end", ""); // writes the others to the device
        follow(changes, replica, last);
      }
      assertEquals(Fixtures.text(Fixtures.contents(store)), Fixtures.text(replica));
    }
  }

  private static void write(Store store, SplittableRandom random) {
    try {
      for (int i = 0; i < WRITES; i++) {
        byte[] key = Fixtures.bytes("key" + random.nextInt(200));
        if (random.nextInt(4) == 0) {
          store.delete(key, Durability.NONE);
        } else {
          store.put(key, Fixtures.randomBytes(random, 10), Durability.BUFFERED);
        }
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void follow(StoreChanges changes, Map<byte[], byte[]> replica, long[] last)
      throws IOException {
    boolean more = true;
    while (more) {
      more =
          changes.next(
              (sequence, delete, key, value) -> {
                assertTrue(sequence > last[0], sequence + " after " + last[0]);
                last[0] = sequence;
                if (delete) {
                  replica.remove(Fixtures.array(key));
                } else {
                  replica.put(Fixtures.array(key), Fixtures.array(value));
                }
              });
    }
  }

  @Test
  void readerThatWasTooSlowIsTold() throws Exception {
    try (Store store = open();
        StoreChanges slow = store.changes(0, Durability.SYNCED, budget)) {
      byte[] value = new byte[50_000];
      for (int i = 0; i < 60; i++) {
        store.put(Fixtures.bytes("key" + i), value, Durability.SYNCED);
      }
      store.flush();
      assertThrows(LogTruncatedException.class, () -> take(slow));
      assertThrows(LogTruncatedException.class, () -> store.changes(0, Durability.SYNCED, budget));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.changes(Long.MAX_VALUE, Durability.SYNCED, budget));
      assertThrows(IllegalArgumentException.class, () -> store.changes(0, Durability.NONE, budget));
    }
  }

  @Test
  void closedStoreHasNoChanges() throws Exception {
    Store store = open();
    put(store, "a", "1");
    StoreChanges changes = store.changes(0, Durability.SYNCED, budget);
    store.close();
    assertThrows(IllegalStateException.class, () -> store.changes(0, Durability.SYNCED, budget));
    assertThrows(IllegalStateException.class, () -> take(changes));
    changes.close();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void closeEndsTheWaitOfAReader() throws Exception {
    Store store = open();
    try (StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
      FutureTask<Boolean> wait = new FutureTask<>(() -> changes.await(Duration.ofHours(1)));
      Thread reader = Thread.ofPlatform().start(wait);
      while (reader.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      store.close();
      Throwable ended = assertThrows(ExecutionException.class, wait::get).getCause();
      assertTrue(ended instanceof IllegalStateException, ended.toString());
    }
  }
}
