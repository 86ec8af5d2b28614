package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class StoreTest {
  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(3);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  @Test
  void emptyStoreHasNothing() throws Exception {
    try (Store store = open();
        StoreCursor cursor = store.cursor()) {
      assertNull(store.get(new byte[0]));
      cursor.first();
      assertFalse(cursor.isValid());
      cursor.last();
      assertFalse(cursor.isValid());
      cursor.seek(Fixtures.bytes("a"));
      assertFalse(cursor.isValid());
      assertThrows(IllegalStateException.class, cursor::next);
      assertThrows(IllegalStateException.class, cursor::previous);
      assertThrows(IllegalStateException.class, cursor::key);
      assertThrows(IllegalStateException.class, cursor::value);
      store.delete(Fixtures.bytes("absent"), Durability.SYNCED);
      store.flush();
      store.compact();
      assertEquals(0, Fixtures.contents(store).size());
    }
  }

  @Test
  void keysAndValuesOfZeroAndOfMaximalLengthSurviveEveryStation() throws Exception {
    byte[] longest = Fixtures.randomBytes(random, WriteBatch.KEY_BYTES_MAX);
    byte[] sibling = longest.clone();
    sibling[sibling.length - 1]++;
    byte[] largest =
        Fixtures.randomBytes(random, (int) Fixtures.TINY.valueBytesMax(longest.length));
    byte[] largestOfEmpty = Fixtures.randomBytes(random, (int) Fixtures.TINY.valueBytesMax(0));
    Store store = open();
    store.put(longest, largest, Durability.SYNCED);
    store.put(sibling, new byte[0], Durability.SYNCED);
    store.put(new byte[0], largestOfEmpty, Durability.SYNCED);
    for (String station : new String[] {"memory", "log", "table", "merged"}) {
      switch (station) {
        case "log" -> {
          store.close();
          store = open();
        }
        case "table" -> store.flush();
        case "merged" -> store.compact();
        default -> {}
      }
      assertArrayEquals(largest, store.get(longest), station);
      assertArrayEquals(new byte[0], store.get(sibling), station);
      assertArrayEquals(largestOfEmpty, store.get(new byte[0]), station);
      Map<byte[], byte[]> contents = Fixtures.contents(store);
      assertEquals(3, contents.size(), station);
      assertArrayEquals(largest, contents.get(longest), station);
    }
    store.put(new byte[0], new byte[0], Durability.NONE);
    assertArrayEquals(new byte[0], store.get(new byte[0]));
    store.close();
  }

  @Test
  void manyLongKeysFillIndexesAndSplitTables() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 40; i++) {
        byte[] key = new byte[60_000];
        key[key.length - 1] = (byte) i;
        store.put(key, Fixtures.bytes("value" + i), Durability.NONE);
      }
      store.compact();
      long tables = store.stats().levels().stream().mapToLong(level -> level.tables()).sum();
      assertTrue(tables > 5, "tables: " + tables);
      assertEquals(40, Fixtures.contents(store).size());
      byte[] key = new byte[60_000];
      key[key.length - 1] = 17;
      assertEquals("value17", Fixtures.text(store.get(key)));
    }
  }

  @Test
  void tooLargeIsTheCallersMistakeAndChangesNothing() throws Exception {
    try (Store store = open()) {
      byte[] tooLong = new byte[WriteBatch.KEY_BYTES_MAX + 1];
      byte[] tooLarge = new byte[(int) Fixtures.TINY.valueBytesMax(1) + 1];
      byte[] key = {1};
      assertThrows(IllegalArgumentException.class, () -> store.put(tooLong, key, Durability.NONE));
      assertThrows(IllegalArgumentException.class, () -> store.put(key, tooLarge, Durability.NONE));
      assertThrows(IllegalArgumentException.class, () -> store.delete(tooLong, Durability.NONE));
      assertThrows(IllegalArgumentException.class, () -> store.get(tooLong));
      assertThrows(IllegalArgumentException.class, () -> new WriteBatch().delete(tooLong));
      WriteBatch batch = new WriteBatch();
      while (batch.sizeBytes() <= Fixtures.TINY.batchBytesMax()) {
        batch.put(key, key);
      }
      assertThrows(IllegalArgumentException.class, () -> store.write(batch, Durability.SYNCED));
      assertThrows(NullPointerException.class, () -> store.put(key, key, null));
      assertThrows(NullPointerException.class, () -> store.put(null, key, Durability.SYNCED));
      assertEquals(0, store.stats().written().operations());
      store.put(key, key, Durability.SYNCED);
      assertEquals(1, store.stats().written().operations());
    }
  }

  @Test
  void largestBatchOfSmallestOperationsFits() throws Exception {
    WriteBatch batch = new WriteBatch();
    byte[] nothing = {};
    while (batch.sizeBytes() + WriteBatch.OPERATION_OVERHEAD_BYTES
        <= Fixtures.TINY.batchBytesMax()) {
      batch.put(nothing, nothing);
    }
    try (Store store = open()) {
      for (int i = 0; i < 10; i++) {
        store.write(batch, Durability.NONE);
      }
      assertEquals(10L * batch.count(), store.stats().written().operations());
      assertEquals(1, Fixtures.contents(store).size());
    }
    try (Store store = open()) {
      assertEquals(1, Fixtures.contents(store).size());
    }
  }

  /** It is accepted up to what an empty memtable takes, and no write waits for more in vain. */
  @Test
  void aBatchIsRedoneWhateverTheOptionsSay() throws Exception {
    int largest = 0;
    int refused = 0;
    try (Store store = open()) {
      for (int records = 100; records < 300; records += 10) {
        WriteBatch batch = new WriteBatch();
        for (int i = 0; i < records; i++) {
          batch.put(Fixtures.bytes("key " + i), Fixtures.bytes(records + " ".repeat(1000)));
        }
        if (batch.sizeBytes() > store.batchBytesMax()) {
          assertThrows(IllegalArgumentException.class, () -> store.write(batch, Durability.SYNCED));
        }
        try {
          store.redo(batch, Durability.SYNCED);
          largest = records;
        } catch (StorageException e) {
          assertTrue(e.getMessage().contains("memtableBytes="), e.getMessage());
          refused++;
        }
      }
      store.put(Fixtures.bytes("other"), new byte[1], Durability.SYNCED);
    }
    assertTrue(largest > 200 && refused > 2, "largest: %d refused: %d".formatted(largest, refused));
    try (Store store = open()) {
      for (int i = 0; i < largest; i++) {
        String value = Fixtures.text(store.get(Fixtures.bytes("key " + i)));
        assertEquals("" + largest, value.strip());
      }
    }
  }

  /** A log keeps the size that it was created with. */
  @Test
  void theLargestBatchIsOneThatTheLogTakes() throws Exception {
    try (Store store = open()) {
      assertEquals(Fixtures.TINY.batchBytesMax(), store.batchBytesMax());
    }
    StoreOptions larger =
        Fixtures.TINY
            .withMemtableBytes(4 << 20)
            .withPoolBytes(16 << 20)
            .withLogSegmentBytes(2 << 20)
            .withBatchBytesMax(1 << 20);
    try (Store store = Store.open(Fixtures.DIRECTORY, larger, engine)) {
      assertTrue(store.batchBytesMax() < Fixtures.TINY.logSegmentBytes());
      assertTrue(store.batchBytesMax() > Fixtures.TINY.logSegmentBytes() * 9 / 10);
    }
  }

  @Test
  void lastOperationOfABatchOnAKeyWins() throws Exception {
    byte[] key = Fixtures.bytes("key");
    WriteBatch batch = new WriteBatch().put(key, new byte[1]).delete(key).put(key, new byte[2]);
    try (Store store = open()) {
      store.write(batch, Durability.NONE);
      assertEquals(2, store.get(key).length);
      batch.delete(key);
      store.write(batch, Durability.NONE);
      assertNull(store.get(key));
      batch.clear();
      assertEquals(0, batch.count());
      assertEquals(WriteBatch.BATCH_OVERHEAD_BYTES, batch.sizeBytes());
      store.write(batch, Durability.SYNCED);
      assertEquals(7, store.stats().written().operations());
      store.compact();
      assertTrue(store.stats().levels().stream().allMatch(level -> level.entries() == 0));
    }
  }

  @Test
  void segmentsOfAnyKindAreKeysAndValues() throws Exception {
    try (Store store = open();
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocateFrom("native key");
      MemorySegment value = arena.allocateFrom("native value");
      store.put(key, value, Durability.NONE);
      store.put(key.asSlice(0, 6), value.asSlice(7), Durability.NONE);
      for (int round = 0; round < 2; round++) {
        AtomicReference<byte[]> found = new AtomicReference<>();
        assertTrue(store.get(key, view -> found.set(Fixtures.array(view))));
        assertArrayEquals(Fixtures.array(value), found.get());
        assertTrue(
            store.get(
                MemorySegment.ofArray(Fixtures.bytes("native")),
                view -> assertEquals("value", view.getString(0))));
        assertFalse(store.get(key.asSlice(1), view -> assertNull(view)));
        store.delete(key.asSlice(2), Durability.NONE);
        store.flush();
      }
    }
  }

  @Test
  void cursorSeeksItsOwnKeyThoughItsMemtableWasFlushedMeanwhile() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1))) {
      for (int i = 0; i < 100; i++) {
        store.put(Fixtures.bytes("key" + i), new byte[500], Durability.NONE);
      }
      try (StoreCursor cursor = store.cursor()) {
        cursor.seek(Fixtures.bytes("key5"));
        MemorySegment key = cursor.key();
        store.flush();
        cursor.seekForPrev(key);
        assertEquals("key5", Fixtures.text(Fixtures.array(cursor.key())));
        cursor.seek(cursor.key());
        assertEquals("key5", Fixtures.text(Fixtures.array(cursor.key())));
      }
    }
  }

  @Test
  void consumerMayUseTheStoreAndItsExceptionComesOut() throws Exception {
    byte[] key = Fixtures.bytes("key");
    try (Store store = open()) {
      store.put(key, Fixtures.bytes("value"), Durability.NONE);
      store.flush();
      assertThrows(
          ArithmeticException.class,
          () ->
              store.get(
                  MemorySegment.ofArray(key),
                  value -> {
                    throw new ArithmeticException("from the consumer");
                  }));
      store.get(
          MemorySegment.ofArray(key),
          outer -> {
            try {
              store.put(key, Fixtures.bytes("changed"), Durability.SYNCED);
              assertEquals("changed", Fixtures.text(store.get(key)));
              store.compact();
            } catch (IOException e) {
              throw new AssertionError(e);
            }
            assertEquals("value", Fixtures.text(Fixtures.array(outer)));
          });
      assertEquals("changed", Fixtures.text(store.get(key)));
    }
  }

  @Test
  void statisticsCountWhatWasDone() throws Exception {
    try (Store store = open()) {
      assertEquals("SIM", store.stats().engine());
      assertEquals(0, store.stats().written().amplification());
      assertEquals(0, store.stats().read().hitRatio());
      for (int i = 0; i < 100; i++) {
        store.put(Fixtures.bytes("key" + i), new byte[1_000], Durability.NONE);
      }
      store.flush();
      store.get(Fixtures.bytes("key7"));
      store.get(Fixtures.bytes("key7"));
      StoreStats stats = store.stats();
      assertTrue(stats.sequence() >= stats.written().userBytes(), "a position in the log");
      assertEquals(100, stats.written().operations());
      assertEquals(100 * 1_000 + 10 * 4 + 90 * 5, stats.written().userBytes());
      assertEquals(1, stats.flushes());
      assertEquals(1, stats.levels().getFirst().tables());
      assertEquals(100, stats.levels().getFirst().entries());
      assertEquals(stats.written().flushBytes(), stats.levels().getFirst().bytes());
      assertEquals(2, stats.read().gets());
      assertTrue(stats.read().hitRatio() > 0 && stats.read().hitRatio() < 1);
      assertTrue(stats.written().amplification() > 1);
      assertTrue(stats.read().deviceReads() > 0);
      try (StoreCursor cursor = store.cursor()) {
        cursor.first();
        assertEquals(1, store.stats().openCursors());
      }
      assertEquals(0, store.stats().openCursors());
    }
  }

  @Test
  void optionsOutsideTheirRangeAreNamed() {
    StoreOptions options = StoreOptions.defaults();
    assertTrue(options.memoryBytes() < 200 << 20);
    assertEquals(options, options.withBlockBytes(8192).withBlockBytes(4096));
    assertNamed("memtableBytes", () -> options.withMemtableBytes(1));
    assertNamed("poolBytes", () -> options.withPoolBytes(1 << 20));
    assertNamed("batchBytesMax", () -> options.withBatchBytesMax(0));
    assertNamed("blockBytes", () -> options.withBlockBytes(5_000));
    assertNamed("tableBytes", () -> options.withTableBytes(-1));
    assertNamed("tablesBeforeMerge", () -> options.withTablesBeforeMerge(1));
    assertNamed("logSegmentBytes", () -> options.withLogSegmentBytes((4 << 20) + 1));
    assertNamed("logSegmentCount", () -> options.withLogSegmentCount(1));
    assertThrows(NullPointerException.class, () -> options.withEngine(null));
  }

  private static void assertNamed(String name, org.junit.jupiter.api.function.Executable bad) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, bad);
    assertTrue(e.getMessage().contains(name + "="), e.getMessage());
  }
}
