package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The ways of reading, each of a store whose records lie in memory and in tables. */
class StoreReadsTest {
  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  private static MemorySegment segment(String text) {
    return MemorySegment.ofArray(Fixtures.bytes(text));
  }

  private static void put(Store store, String key, String value) throws IOException {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.NONE);
  }

  /** Keys a0 to a9, b0 to b9 and so on; of each key the value is the key twice. */
  private static void fill(Store store, String letters) throws IOException {
    for (int i = 0; i < letters.length(); i++) {
      for (int j = 0; j < 10; j++) {
        String key = "" + letters.charAt(i) + j;
        put(store, key, key + key);
      }
    }
  }

  private static String keysForward(StoreCursor cursor) throws IOException {
    StringBuilder keys = new StringBuilder();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      keys.append(Fixtures.text(Fixtures.array(cursor.key()))).append(' ');
    }
    return keys.toString();
  }

  private static List<String> keysBackward(StoreCursor cursor) throws IOException {
    List<String> keys = new ArrayList<>();
    for (cursor.last(); cursor.isValid(); cursor.previous()) {
      keys.addFirst(Fixtures.text(Fixtures.array(cursor.key())));
    }
    return keys;
  }

  // ---- where the value goes

  @Test
  void valueIsCopiedWhereThereIsRoomAndItsLengthIsToldWhereNot() throws Exception {
    try (Store store = open();
        Arena arena = Arena.ofConfined()) {
      put(store, "key", "value");
      for (int round = 0; round < 2; round++) {
        MemorySegment room = arena.allocate(8);
        assertEquals(5, store.get(segment("key"), room));
        assertEquals("value", room.getString(0));
        MemorySegment tooSmall = arena.allocate(4);
        assertEquals(5, store.get(segment("key"), tooSmall));
        assertEquals(0, tooSmall.get(ValueLayout.JAVA_INT, 0));
        assertEquals(5, store.get(segment("key"), room.asSlice(0, 5)));
        assertEquals(ReadView.NOT_FOUND, store.get(segment("kez"), room));
        ByteBuffer into = ByteBuffer.allocate(10).position(2);
        assertEquals(5, store.get(ByteBuffer.wrap(Fixtures.bytes("key")), into));
        assertEquals(2, into.position());
        assertEquals('v', into.get(2));
        store.flush();
      }
    }
  }

  @Test
  void pinnedValueStaysThoughItWasReplacedAndItsTableMerged() throws Exception {
    try (Store store = open();
        PinnedValue inMemory = new PinnedValue();
        PinnedValue inTable = new PinnedValue()) {
      put(store, "table", "old");
      store.flush();
      put(store, "memory", "older");
      assertTrue(store.get(segment("table"), inTable));
      assertTrue(store.get(segment("memory"), inMemory));
      assertThrows(IllegalStateException.class, () -> store.get(segment("table"), inTable));
      put(store, "table", "new");
      put(store, "memory", "newer");
      store.compact();
      fill(store, "abc");
      assertEquals("old", Fixtures.text(Fixtures.array(inTable.segment())));
      assertEquals("older", Fixtures.text(Fixtures.array(inMemory.segment())));
      assertEquals(5, inMemory.lengthBytes());
      assertTrue(inTable.segment().isReadOnly());
      inTable.unpin();
      assertFalse(inTable.isPinned());
      assertThrows(IllegalStateException.class, inTable::segment);
      assertTrue(store.get(segment("table"), inTable));
      assertEquals("new", Fixtures.text(Fixtures.array(inTable.segment())));
      inTable.unpin();
      assertFalse(store.get(segment("absent"), inTable));
      assertThrows(IllegalStateException.class, inTable::lengthBytes);
    }
  }

  @Test
  void pinnedValuesEndWithTheirStore() throws Exception {
    Store store = open();
    put(store, "table", "old");
    store.flush();
    put(store, "memory", "older");
    List<PinnedValue> pins = new ArrayList<>();
    List<MemorySegment> views = new ArrayList<>();
    for (String key : new String[] {"table", "memory", "table"}) {
      PinnedValue pin = new PinnedValue();
      assertTrue(store.get(segment(key), pin));
      pins.add(pin);
      views.add(pin.segment());
    }
    pins.get(1).close(); // from the middle of their list
    store.close();
    for (PinnedValue pin : pins) {
      assertThrows(IllegalStateException.class, pin::segment);
      assertThrows(IllegalStateException.class, () -> store.get(segment("table"), pin));
      pin.close();
    }
    for (MemorySegment view : views) {
      assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  // ---- bounds

  @Test
  void cursorShowsNothingOutsideItsBounds() throws Exception {
    try (Store store = open()) {
      fill(store, "ac");
      store.flush();
      fill(store, "bd");
      CursorOptions bounds =
          CursorOptions.defaults().withLower(Fixtures.bytes("a8")).withUpper(Fixtures.bytes("b1"));
      try (StoreCursor cursor = store.cursor(bounds)) {
        assertEquals("a8 a9 b0 ", keysForward(cursor));
        assertEquals(List.of("a8", "a9", "b0"), keysBackward(cursor));
        assertSeek(cursor, "", "a8");
        assertSeek(cursor, "a85", "a9");
        assertSeek(cursor, "b05", null);
        assertSeek(cursor, "z", null);
        assertSeekForPrev(cursor, "", null);
        assertSeekForPrev(cursor, "a7", null);
        assertSeekForPrev(cursor, "a8", "a8");
        assertSeekForPrev(cursor, "b1", "b0");
        assertSeekForPrev(cursor, "z", "b0");
      }
      assertEquals("", forward(store, options -> options.withUpper(new byte[0])));
      assertEquals("d8 d9 ", forward(store, options -> options.withLower(Fixtures.bytes("d8"))));
    }
  }

  private static void assertSeek(StoreCursor cursor, String to, String expected) throws Exception {
    cursor.seek(Fixtures.bytes(to));
    assertAt(cursor, expected);
  }

  private static void assertSeekForPrev(StoreCursor cursor, String to, String expected)
      throws Exception {
    cursor.seekForPrev(Fixtures.bytes(to));
    assertAt(cursor, expected);
  }

  private static void assertAt(StoreCursor cursor, String expected) {
    assertEquals(expected, cursor.isValid() ? Fixtures.text(Fixtures.array(cursor.key())) : null);
  }

  private static String forward(Store store, UnaryOperator<CursorOptions> options)
      throws IOException {
    try (StoreCursor cursor = store.cursor(options.apply(CursorOptions.defaults()))) {
      return keysForward(cursor);
    }
  }

  @Test
  void prefixHasTheKeysThatBeginSo() throws Exception {
    byte[] highest = {(byte) 0xFF};
    byte[] aboveHighest = {(byte) 0xFF, (byte) 0xFF, 1};
    byte[] edge = {'c', (byte) 0xFF};
    try (Store store = open()) {
      fill(store, "bcd");
      store.put(highest, highest, Durability.NONE);
      store.put(aboveHighest, highest, Durability.NONE);
      store.put(edge, edge, Durability.NONE);
      assertTrue(
          forward(store, options -> options.withPrefix(Fixtures.bytes("c"))).startsWith("c0 c1 "));
      assertEquals(11, count(store, Fixtures.bytes("c")));
      assertEquals(1, count(store, Fixtures.bytes("c7")));
      assertEquals(0, count(store, Fixtures.bytes("c77")));
      assertEquals(1, count(store, edge));
      assertEquals(2, count(store, highest));
      assertEquals(1, count(store, new byte[] {(byte) 0xFF, (byte) 0xFF}));
      assertEquals(33, count(store, new byte[0]));
    }
  }

  private static int count(Store store, byte[] prefix) throws IOException {
    int count = 0;
    try (StoreCursor cursor = store.cursor(CursorOptions.defaults().withPrefix(prefix))) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        count++;
      }
      int backward = keysBackward(cursor).size();
      assertEquals(count, backward);
    }
    return count;
  }

  @Test
  void boundsAreCopiedAndTheirLengthIsChecked() {
    byte[] lower = {1};
    CursorOptions options = CursorOptions.defaults().withLower(lower);
    lower[0] = 2;
    assertEquals(1, options.lowerOrNull().get(ValueLayout.JAVA_BYTE, 0));
    byte[] tooLong = new byte[WriteBatch.KEY_BYTES_MAX + 1];
    assertThrows(IllegalArgumentException.class, () -> options.withUpper(tooLong));
    assertTrue(options.withScan(true).scan());
    assertNull(options.withPrefix(new byte[] {-1}).upperOrNull());
  }

  @Test
  void scanThatSaysSoLeavesThePoolToOthers() throws Exception {
    int records = 2_000;
    int hot = 200;
    try (Store store = open()) {
      for (int i = 0; i < records; i++) {
        store.put(Fixtures.bytes("%04d".formatted(i)), new byte[1_500], Durability.NONE);
      }
      store.compact();
    }
    CursorOptions others =
        CursorOptions.defaults().withLower(Fixtures.bytes("%04d".formatted(hot)));
    assertTrue(hotMissesAfter(hot, others) > 0, "the pool is too small for all");
    assertEquals(0, hotMissesAfter(hot, others.withScan(true)));
  }

  private long hotMissesAfter(int hot, CursorOptions scan) throws IOException {
    try (Store store = open()) {
      for (int i = 0; i < hot; i++) {
        assertEquals(1_500, store.get(Fixtures.bytes("%04d".formatted(i))).length);
      }
      try (StoreCursor cursor = store.cursor(scan)) {
        for (cursor.first(); cursor.isValid(); cursor.next()) {
          assertTrue(cursor.copyValue(MemorySegment.NULL) > 0);
        }
      }
      long misses = 0;
      for (int i = 0; i < hot; i++) {
        misses += store.explain(Fixtures.bytes("%04d".formatted(i))).blocksRead();
      }
      return misses;
    }
  }

  // ---- batches

  @Test
  void batchesHaveAllRecordsInTheirOrder() throws Exception {
    try (Store store = open();
        Arena arena = Arena.ofConfined();
        StoreCursor cursor = filled(store)) {
      for (int recordsMax : new int[] {1, 3, 100}) {
        for (int bytesMax : new int[] {6, 20, 1000}) {
          RecordBatch batch = new RecordBatch(arena.allocate(bytesMax), recordsMax);
          StringBuilder keys = new StringBuilder();
          cursor.first();
          while (cursor.fill(batch) > 0) {
            assertTrue(batch.count() <= recordsMax && batch.count() <= bytesMax / 6);
            for (int i = 0; i < batch.count(); i++) {
              String key = Fixtures.text(Fixtures.array(batch.key(i)));
              assertEquals(key + key, Fixtures.text(Fixtures.array(batch.value(i))));
              assertEquals(batch.keyOffset(i) + batch.keyBytes(i), batch.valueOffset(i));
              keys.append(key).append(' ');
            }
          }
          assertFalse(cursor.isValid());
          assertEquals(keysForward(cursor), keys.toString());
        }
      }
    }
  }

  private static StoreCursor filled(Store store) throws IOException {
    fill(store, "ac");
    store.flush();
    fill(store, "bd");
    return store.cursor();
  }

  @Test
  void recordThatDoesNotFitIntoAnEmptyBatchStaysTheCurrentOne() throws Exception {
    try (Store store = open();
        StoreCursor cursor = filled(store)) {
      RecordBatch batch = new RecordBatch(MemorySegment.ofArray(new byte[5]), 10);
      cursor.first();
      assertEquals(0, cursor.fill(batch));
      assertAt(cursor, "a0");
      assertThrows(IndexOutOfBoundsException.class, () -> batch.keyBytes(0));
      MemorySegment key = MemorySegment.ofArray(new byte[2]);
      assertEquals(2, cursor.copyKey(key));
      assertEquals("a0", Fixtures.text(Fixtures.array(key)));
      assertEquals(4, cursor.copyValue(key));
      assertEquals("a0", Fixtures.text(Fixtures.array(key)), "too small: not touched");
    }
    assertThrows(IllegalArgumentException.class, () -> new RecordBatch(MemorySegment.NULL, 0));
  }

  // ---- snapshots

  @Test
  void snapshotSeesTheStoreAsItWas() throws Exception {
    try (Store store = open()) {
      fill(store, "ab");
      try (Snapshot before = store.snapshot()) {
        for (int round = 0; round < 3; round++) {
          put(store, "a0", "changed" + round);
          put(store, "a00", "added");
          store.delete(Fixtures.bytes("b9"), Durability.NONE);
          assertEquals("a0a0", Fixtures.text(before.get(Fixtures.bytes("a0"))));
          assertNull(before.get(Fixtures.bytes("a00")));
          assertEquals("b9b9", Fixtures.text(before.get(Fixtures.bytes("b9"))));
          assertArrayEquals(Fixtures.bytes("changed" + round), store.get(Fixtures.bytes("a0")));
          try (StoreCursor cursor = before.cursor()) {
            assertTrue(keysForward(cursor).startsWith("a0 a1 "));
            assertEquals(20, keysBackward(cursor).size());
          }
          store.flush();
        }
      }
    }
  }

  @Test
  void closedSnapshotIsNotReadAndItsCursorsAre() throws Exception {
    try (Store store = open()) {
      fill(store, "a");
      Snapshot snapshot = store.snapshot();
      assertEquals(store.stats().sequence(), snapshot.sequence());
      put(store, "a0", "changed");
      store.flush();
      try (StoreCursor cursor = snapshot.cursor()) {
        snapshot.close();
        snapshot.close();
        store.compact();
        cursor.first();
        assertEquals("a0a0", Fixtures.text(Fixtures.array(cursor.value())));
      }
      assertThrows(IllegalStateException.class, () -> snapshot.get(Fixtures.bytes("a0")));
      assertThrows(IllegalStateException.class, snapshot::cursor);
    }
  }

  @Test
  void refreshedCursorShowsWhatTheStoreHasNow() throws Exception {
    try (Store store = open();
        StoreCursor cursor = store.cursor(CursorOptions.defaults().withUpper(new byte[] {'c'}))) {
      for (String key : List.of("a", "b", "c")) {
        fill(store, key);
        cursor.refresh();
        assertFalse(cursor.isValid());
        assertThrows(IllegalStateException.class, cursor::key);
        assertThrows(IllegalStateException.class, cursor::next);
        assertEquals(key.equals("a") ? 30 : 60, keysForward(cursor).length());
        assertEquals(key.equals("a") ? 10 : 20, keysBackward(cursor).size());
        // In memory only, then in memory and tables, then in tables of two levels.
        if (key.equals("a")) {
          store.flush();
        } else {
          store.compact();
        }
        assertEquals(key.equals("a") ? 30 : 60, keysForward(cursor).length());
      }
      put(store, "a0", "changed");
      cursor.first();
      assertEquals("a0a0", Fixtures.text(Fixtures.array(cursor.value())));
      cursor.refresh();
      cursor.first();
      assertEquals("changed", Fixtures.text(Fixtures.array(cursor.value())));
      store.delete(Fixtures.bytes("a0"), Durability.NONE);
      cursor.refresh();
      cursor.first();
      assertEquals("a1", Fixtures.text(Fixtures.array(cursor.key())));
    }
  }

  @Test
  void refreshedCursorKeepsNothingThatOnlyItsPastNeeds() throws Exception {
    try (Store store = open();
        StoreCursor cursor = store.cursor()) {
      put(store, "key", "old");
      cursor.refresh();
      long seen = cursor.sequence();
      put(store, "key", "new");
      cursor.refresh();
      assertTrue(cursor.sequence() > seen);
      store.compact();
      assertEquals(1, store.stats().levels().stream().mapToLong(StoreStats.Level::entries).sum());
    }
  }

  @Test
  void refreshedCursorOfASnapshotGoesOnToShowThat() throws Exception {
    try (Store store = open()) {
      fill(store, "a");
      Snapshot snapshot = store.snapshot();
      put(store, "a0", "changed");
      try (StoreCursor cursor = snapshot.cursor()) {
        store.flush();
        cursor.refresh();
        cursor.first();
        assertEquals("a0a0", Fixtures.text(Fixtures.array(cursor.value())));
        snapshot.close();
        assertThrows(IllegalStateException.class, cursor::refresh);
        cursor.first();
        assertEquals("a0a0", Fixtures.text(Fixtures.array(cursor.value())));
      }
    }
  }

  @Test
  void closedCursorIsNeitherRefreshedNorLookedAt() throws Exception {
    Store store = open();
    fill(store, "a");
    store.flush();
    StoreCursor cursor = store.cursor();
    cursor.first();
    StoreCursor other = store.cursor();
    other.first();
    cursor.close();
    assertThrows(IllegalStateException.class, cursor::refresh);
    assertThrows(IllegalStateException.class, cursor::isValid);
    assertThrows(IllegalStateException.class, cursor::key);
    assertThrows(IllegalStateException.class, cursor::value);
    store.close();
    assertThrows(IllegalStateException.class, other::refresh);
    assertThrows(IllegalStateException.class, other::isValid);
    assertThrows(IllegalStateException.class, other::key);
  }

  @Test
  void snapshotEndsWithItsStore() throws Exception {
    Store store = open();
    fill(store, "a");
    Snapshot snapshot = store.snapshot();
    store.close();
    assertThrows(IllegalStateException.class, () -> snapshot.get(Fixtures.bytes("a0")));
    assertThrows(IllegalStateException.class, snapshot::cursor);
    assertThrows(IllegalStateException.class, store::snapshot);
    snapshot.close();
  }
}
