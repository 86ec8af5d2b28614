package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A single delete is a delete for readers, and goes sooner. */
class SingleDeleteTest {
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(8);
  private static final byte[] KEY = Fixtures.bytes("m");

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws Exception {
    return Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
  }

  private static void put(Store store, String... keys) throws Exception {
    for (String key : keys) {
      store.put(Fixtures.bytes(key), Fixtures.bytes("value of " + key), Durability.NONE);
    }
  }

  /** Tables on both sides of the key and around it, which do not have it. */
  private static void surround(Store store) throws Exception {
    put(store, "a", "z");
    store.compact();
    put(store, "b", "y");
    store.flush();
  }

  private static long entries(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum();
  }

  private static List<String> keys(StoreCursor cursor) throws Exception {
    List<String> keys = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      keys.add(Fixtures.text(Fixtures.array(cursor.key())));
    }
    return keys;
  }

  @Test
  void goesWithItsPutInAFlush() throws Exception {
    try (Store store = open()) {
      surround(store);
      put(store, "m");
      store.singleDelete(KEY, Durability.SYNCED);
      assertNull(store.get(KEY));
      store.flush();
      assertEquals(4, entries(store));
      assertNull(store.get(KEY));
      put(store, "m");
      store.delete(KEY, Durability.SYNCED);
      store.flush();
      assertEquals(5, entries(store), "a delete has to come down first");
    }
  }

  @Test
  void staysAsADeleteWhereMorePutsAreBeneathIt() throws Exception {
    try (Store store = open()) {
      put(store, "m");
      store.compact();
      put(store, "m");
      store.flush();
      put(store, "m");
      store.singleDelete(KEY, Durability.SYNCED);
      store.flush();
      assertNull(store.get(KEY));
      assertFalse(store.explain(KEY).found());
      assertEquals(3, entries(store));
    }
    try (Store store = open()) {
      assertNull(store.get(KEY));
      store.compact();
      assertNull(store.get(KEY));
      assertEquals(0, entries(store));
    }
  }

  @Test
  void goesWithItsPutInACompactionAboveOthers() throws Exception {
    StoreOptions options = OPTIONS.withTree(OPTIONS.tree().withLevel1Bytes(256 << 10));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      // Large enough to go on to level 2.
      for (int i = 0; i < 80; i++) {
        store.put(Fixtures.bytes("k" + i), new byte[20_000], Durability.NONE);
        store.put(Fixtures.bytes("n" + i), new byte[20_000], Durability.NONE);
      }
      store.compact();
      assertEquals(160, entries(store));
      put(store, "m");
      store.flush();
      store.singleDelete(KEY, Durability.SYNCED);
      store.flush();
      store.compact();
      assertEquals(160, entries(store));
      assertNull(store.get(KEY));
    }
  }

  @Test
  void snapshotsKeepWhatTheySaw() throws Exception {
    try (Store store = open()) {
      surround(store);
      put(store, "m");
      try (Snapshot before = store.snapshot()) {
        store.singleDelete(KEY, Durability.SYNCED);
        store.flush();
        assertNull(store.get(KEY));
        assertArrayEquals(Fixtures.bytes("value of m"), before.get(KEY));
        store.compact();
        assertArrayEquals(Fixtures.bytes("value of m"), before.get(KEY));
      }
      store.compact();
      assertEquals(4, entries(store));
    }
  }

  /** The cursor's place in the memtable is the delete; the table that takes its place has none. */
  @Test
  void cursorsKeepTheirPlaceWhenItGoesBeneathThem() throws Exception {
    try (Store store = open()) {
      put(store, "k");
      store.flush();
      put(store, "n");
      store.flush();
      put(store, "a", "m", "z");
      store.singleDelete(KEY, Durability.NONE);
      try (StoreCursor forward = store.cursor();
          StoreCursor backward = store.cursor()) {
        forward.seek(Fixtures.bytes("k"));
        backward.seekForPrev(Fixtures.bytes("n"));
        store.flush();
        List<String> seen = new ArrayList<>();
        for (; forward.isValid(); forward.next()) {
          seen.add(Fixtures.text(Fixtures.array(forward.key())));
        }
        assertEquals(List.of("k", "n", "z"), seen);
        seen.clear();
        for (; backward.isValid(); backward.previous()) {
          seen.add(Fixtures.text(Fixtures.array(backward.key())));
        }
        assertEquals(List.of("n", "k", "a"), seen);
        assertEquals(List.of("a", "k", "n", "z"), keys(forward));
        assertEquals(4, entries(store));
      }
    }
  }

  @Test
  void isADeleteInBatchesAndForThoseWhoFollowTheStore() throws Exception {
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    try (Store store = open()) {
      store.write(
          new WriteBatch().put(KEY, KEY).singleDelete(KEY).put(KEY, KEY).singleDelete(KEY),
          Durability.SYNCED);
      assertNull(store.get(KEY));
      List<Boolean> deletes = new ArrayList<>();
      try (StoreChanges changes = store.changes(0, Durability.SYNCED, budget)) {
        assertTrue(changes.next((sequence, delete, key, value) -> deletes.add(delete)));
      }
      assertEquals(List.of(false, true, false, true), deletes);
    }
    try (Store store = open()) {
      assertNull(store.get(KEY), "after a replay of the log");
    }
  }

  @Test
  void toolsTellItFromADelete() throws Exception {
    try (Store store = open()) {
      put(store, "m");
      store.flush();
      store.singleDelete(KEY, Durability.SYNCED);
      store.flush();
    }
    List<StoreInspection.Kind> kinds = new ArrayList<>();
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 16 << 20)) {
      for (StoreInspection.TableFile table : inspection.tables()) {
        assertEquals(List.of(), inspection.verify(table).problems());
        inspection.dump(table, (sequence, kind, key, value) -> kinds.add(kind));
      }
      assertEquals(1, inspection.tables().getFirst().deletes());
    }
    assertEquals(List.of(StoreInspection.Kind.SINGLE_DELETE, StoreInspection.Kind.PUT), kinds);
  }
}
