package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cursors over ranges that are known beforehand, and what they read ahead. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class RangesCursorTest {
  private static final int RECORDS = 4_000;

  /** Each has a block of its own, or two. */
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withBlockBytes(4096).withPoolBytes(8 << 20);

  @TempDir Path temporary;

  private final SimEngine engine = new SimEngine(1);

  /** How many requests each batch had. */
  private final List<Integer> batches = new ArrayList<>();

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  private static byte[] value(int number) {
    byte[] value = new byte[1_000];
    value[7] = (byte) number;
    return value;
  }

  /** Records in tables of one level, and none of their blocks in the pool. */
  private Store openCold(StoreOptions options) throws IOException {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      for (int i = 0; i < RECORDS; i++) {
        store.put(key(i), value(i), Durability.NONE);
      }
      store.compact();
    }
    return Store.open(Fixtures.DIRECTORY, options, counting());
  }

  private IoEngine counting() {
    return (IoEngine)
        Proxy.newProxyInstance(
            IoEngine.class.getClassLoader(),
            new Class<?>[] {IoEngine.class},
            (self, method, arguments) -> {
              if (method.getName().equals("submitAll")) {
                batches.add((int) arguments[1]);
              }
              try {
                return method.invoke(engine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private int readAhead() {
    return batches.stream().mapToInt(Integer::intValue).sum();
  }

  /** Every so many records, a few of them. */
  private static ScanRanges every(int step, int length) {
    ScanRanges ranges = new ScanRanges();
    for (int i = 0; i < RECORDS; i += step) {
      ranges.add(key(i), key(i + length));
    }
    return ranges;
  }

  private static List<Integer> forward(RangesCursor cursor) throws IOException {
    List<Integer> seen = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      seen.add(number(cursor.key()));
      assertArrayEquals(value(seen.getLast()), Fixtures.array(cursor.value()));
    }
    return seen;
  }

  private static int number(MemorySegment key) {
    return Integer.parseInt(Fixtures.text(Fixtures.array(key)).substring(3));
  }

  private static List<Integer> expected(int step, int length) {
    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < RECORDS; i += step) {
      for (int j = i; j < Math.min(RECORDS, i + length); j++) {
        expected.add(j);
      }
    }
    return expected;
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "LZ4"})
  void blocksOfRangesAreReadTogether(Compression compression) throws Exception {
    StoreOptions options = OPTIONS.withCompression(compression);
    try (Store store = openCold(options);
        RangesCursor cursor = store.cursor(every(50, 2))) {
      boolean unused = store.get(key(0)) == null;
      batches.clear();
      long before = engine.stats().reads();
      assertEquals(expected(50, 2), forward(cursor));
      long alone = engine.stats().reads() - before - readAhead();
      // Roots and partitions of the index are met one after the other at first.
      assertTrue(readAhead() >= RECORDS / 50 && alone <= 12, "alone=" + alone + " " + batches);
      assertTrue(batches.stream().anyMatch(count -> count >= 16), batches.toString());
    }
  }

  @Test
  void blocksOfRangesAreReadTogetherBackward() throws Exception {
    try (Store store = openCold(OPTIONS);
        RangesCursor cursor = store.cursor(every(50, 2))) {
      batches.clear();
      long before = engine.stats().reads();
      List<Integer> seen = new ArrayList<>();
      for (cursor.last(); cursor.isValid(); cursor.previous()) {
        seen.add(number(cursor.key()));
        assertEquals(seen.getLast() / 50, cursor.range());
      }
      assertEquals(expected(50, 2).reversed(), seen);
      long alone = engine.stats().reads() - before - readAhead();
      // Where a range begins with a block, the last move goes to the block before.
      boolean isRead = readAhead() >= RECORDS / 50 && 4 * alone < readAhead();
      assertTrue(isRead, "alone=" + alone + " " + batches);
    }
  }

  @Test
  void aLongRangeIsReadAheadToo() throws Exception {
    try (Store store = openCold(OPTIONS);
        RangesCursor cursor =
            store.cursor(new ScanRanges().add(key(5), key(900)).addFrom(key(2_000)))) {
      long before = engine.stats().reads();
      List<Integer> seen = forward(cursor);
      assertEquals(895 + 2_000, seen.size());
      long reads = engine.stats().reads() - before;
      assertTrue(reads > seen.size() / 4 && readAhead() > reads * 9 / 10, batches.toString());
    }
  }

  /** What is asked for ahead has room in a part of the pool. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8})
  void whatIsReadAheadIsBounded(int poolMib) throws Exception {
    try (Store store = openCold(OPTIONS.withPoolBytes((long) poolMib << 20));
        RangesCursor cursor = store.cursor(every(10, 9))) {
      cursor.first(); // finds the index
      cursor.nextRange();
      cursor.nextRange();
      int most = Math.min(64, (poolMib << 20) / 16 / 4096);
      batches.clear();
      cursor.nextRange();
      assertTrue(readAhead() <= most, batches.toString());
      int ranges = 4;
      for (; cursor.isValid(); cursor.nextRange()) {
        ranges++;
      }
      int blocksOfRange = 4;
      assertTrue(readAhead() <= ranges * blocksOfRange, batches.toString());
      for (int count : batches) {
        assertTrue(count <= most, batches.toString());
      }
    }
  }

  @Test
  void nothingIsAskedForWhereAllIsInThePool() throws Exception {
    try (Store store = openCold(OPTIONS);
        RangesCursor cursor = store.cursor(every(50, 2))) {
      List<Integer> seen = forward(cursor);
      long before = engine.stats().reads();
      assertEquals(seen, forward(cursor));
      assertEquals(before, engine.stats().reads());
    }
  }

  @Test
  void aTableWithoutThePrefixIsNotReadAhead() throws Exception {
    TreeOptions tree = OPTIONS.tree().withTableBytes(64 << 20).withFilterPrefixBytes(9);
    try (Store store = openCold(OPTIONS.withTree(tree))) {
      for (int i = 0; i < 20; i++) {
        ScanRanges none = new ScanRanges().addPrefix(Fixtures.bytes("key00%02dxx".formatted(i)));
        try (RangesCursor cursor = store.cursor(none)) {
          assertEquals(List.of(), forward(cursor));
        }
        assertEquals(0, readAhead(), "asked for " + i);
      }
      try (RangesCursor cursor = store.cursor(new ScanRanges().addPrefix(key(77)))) {
        assertEquals(List.of(77), forward(cursor));
      }
      assertTrue(readAhead() > 0);
    }
  }

  @Test
  void rangesMayBeEmptyAndLieAnywhere() throws Exception {
    try (Store store = openCold(OPTIONS)) {
      for (int i = 100; i < 200; i++) {
        store.delete(key(i), Durability.NONE);
      }
      store.deleteRange(key(300), key(400), Durability.NONE);
      ScanRanges ranges =
          new ScanRanges()
              .add(Fixtures.bytes("a"), Fixtures.bytes("b"))
              .add(key(98), key(99))
              .add(key(99), key(150))
              .add(key(150), key(200))
              .add(key(320), key(330))
              .add(key(399), key(401))
              .add(Fixtures.bytes("x"), Fixtures.bytes("y"))
              .addFrom(Fixtures.bytes("z"));
      try (RangesCursor cursor = store.cursor(ranges)) {
        assertFalse(cursor.isValid());
        assertThrows(IllegalStateException.class, cursor::next);
        assertThrows(IllegalStateException.class, cursor::range);
        assertEquals(List.of(98, 99, 400), forward(cursor));
        cursor.last();
        assertEquals(5, cursor.range());
        cursor.previousRange();
        assertEquals(2, cursor.range());
        assertEquals(99, number(cursor.key()));
        cursor.previous();
        cursor.next();
        cursor.nextRange();
        assertEquals(400, number(cursor.key()));
        cursor.nextRange();
        assertFalse(cursor.isValid());
        assertThrows(IllegalStateException.class, cursor::nextRange);
        cursor.first();
        cursor.previousRange();
        assertFalse(cursor.isValid());
      }
      try (RangesCursor cursor = store.cursor(new ScanRanges())) {
        cursor.first();
        assertFalse(cursor.isValid());
        cursor.last();
        assertFalse(cursor.isValid());
      }
    }
  }

  @Test
  void optionsAreThoseOfACursorButForBounds() throws Exception {
    try (Store store = openCold(OPTIONS)) {
      CursorOptions odd =
          CursorOptions.defaults()
              .withScan(true)
              .withFilter(record -> number(record.key()) % 2 == 1);
      try (RangesCursor cursor = store.cursor(every(1_000, 4), odd)) {
        assertEquals(List.of(1, 3, 1_001, 1_003, 2_001, 2_003, 3_001, 3_003), forward(cursor));
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> store.cursor(every(9, 1), CursorOptions.defaults().withLower(key(1))));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.cursor(every(9, 1), CursorOptions.defaults().withUpper(key(1))));
    }
  }

  @Test
  void rangesAreInOrderAndDoNotMeet() {
    ScanRanges ranges = new ScanRanges().add(key(3), key(5)).add(key(5), key(6));
    assertThrows(IllegalArgumentException.class, () -> ranges.add(key(5), key(9)));
    assertThrows(IllegalArgumentException.class, () -> ranges.add(key(7), key(7)));
    assertThrows(IllegalArgumentException.class, () -> ranges.add(key(8), key(7)));
    byte[] tooLong = new byte[WriteBatch.KEY_BYTES_MAX + 1];
    assertThrows(IllegalArgumentException.class, () -> ranges.add(key(8), tooLong));
    assertEquals(2, ranges.count());
    ranges.addFrom(key(6));
    assertThrows(IllegalArgumentException.class, () -> ranges.add(key(7), key(8)));
    assertThrows(IllegalArgumentException.class, () -> ranges.addFrom(key(7)));
    ranges.clear();
    assertEquals(0, ranges.count());
    ranges.addPrefix(new byte[] {1}).addPrefix(new byte[] {(byte) 0xFF});
    assertThrows(IllegalArgumentException.class, () -> ranges.addFrom(new byte[] {(byte) 0xFF, 1}));
  }

  /** What is added afterwards is not the cursor's. */
  @Test
  void theCursorHasACopyOfItsRanges() throws Exception {
    ScanRanges ranges = new ScanRanges().add(key(3), key(5));
    try (Store store = openCold(OPTIONS);
        RangesCursor cursor = store.cursor(ranges)) {
      ranges.clear();
      ranges.add(key(7), key(8));
      assertEquals(List.of(3, 4), forward(cursor));
    }
  }

  @Test
  void aSnapshotIsShownAsItWas() throws Exception {
    try (Store store = openCold(OPTIONS);
        Snapshot snapshot = store.snapshot();
        RangesCursor old = snapshot.cursor(every(1_000, 2));
        RangesCursor open = store.cursor(every(1_000, 2))) {
      open.first();
      store.delete(key(1_001), Durability.NONE);
      store.deleteRange(key(2_000), key(4_000), Durability.NONE);
      store.compact();
      assertEquals(expected(1_000, 2), forward(old));
      assertEquals(expected(1_000, 2), forward(open));
      try (RangesCursor now = store.cursor(every(1_000, 2))) {
        assertEquals(List.of(0, 1, 1_000), forward(now));
      }
    }
  }

  /** A commit stands on the ranges as far as they were gone over, and on nothing in between. */
  @Test
  void aTransactionHasReadWhatItWentOver() throws Exception {
    try (Store store = openCold(OPTIONS)) {
      assertTrue(commits(store, 1_005, 1)); // between two ranges
      assertTrue(commits(store, 2_001, 1)); // behind
      assertFalse(commits(store, 1_000, 1));
      assertTrue(commits(store, 1_002, 1)); // not come to
      assertFalse(commits(store, 2, 2)); // to the end of the first range
      assertTrue(commits(store, 1_004, 2)); // left before its end
      assertFalse(commits(store, 3_002, 4));
      assertTrue(commits(store, 3_005, 4));
    }
  }

  /** Goes to the first record of so many ranges, while somebody writes a record. */
  private static boolean commits(Store store, int written, int ranges) throws IOException {
    try (Transaction transaction = store.transactions().begin(TransactionOptions.defaults())) {
      transaction.put(store, key(RECORDS + 1), value(1));
      ScanRanges every =
          new ScanRanges()
              .add(key(0), key(5))
              .add(key(1_000), key(1_005))
              .add(key(2_000), key(2_005))
              .add(key(3_000), key(3_005));
      try (RangesCursor cursor = transaction.cursor(store, every, CursorOptions.defaults())) {
        cursor.first();
        while (cursor.range() == 0) {
          cursor.next();
        }
        for (int i = 2; i < ranges; i++) {
          cursor.nextRange();
        }
        if (ranges > 3) {
          while (cursor.isValid()) {
            cursor.next();
          }
        }
      }
      store.put(key(written), value(written), Durability.NONE);
      transaction.commit(Durability.NONE);
      return true;
    } catch (ConflictException e) {
      return false;
    }
  }

  @Test
  void whatCannotBeReadIsToldWhereItIsWanted() throws Exception {
    try (Store store = openCold(OPTIONS);
        RangesCursor cursor = store.cursor(every(400, 1))) {
      boolean unused = store.get(key(0)) == null;
      long reads = engine.stats().reads();
      engine.failNth(SimOperation.READ, 5, Errno.EIO); // one that is read ahead
      assertEquals(expected(400, 1), forward(cursor));
      assertTrue(engine.stats().reads() >= reads + 5);
    }
    for (Path table : Fixtures.tables(engine)) {
      engine.flipBit(table, 100); // in the first block
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
        RangesCursor cursor = store.cursor(every(1, 1))) {
      assertThrows(CorruptFileException.class, cursor::first);
      assertFalse(cursor.isValid());
      cursor.last();
      assertEquals(RECORDS - 1, cursor.range());
    }
  }

  /** Reads that go on when nobody wants them any more. */
  @Test
  void cursorsAndStoresCloseWhileBlocksAreRead() throws Exception {
    EngineOptions threads = EngineOptions.defaults().withWanted(EngineKind.POOL);
    try (IoEngine pool = IoEngines.open(threads)) {
      Path directory = temporary.resolve("store");
      try (Store store = Store.open(directory, OPTIONS, pool)) {
        for (int i = 0; i < RECORDS; i++) {
          store.put(key(i), value(i), Durability.NONE);
        }
        store.compact();
      }
      for (int round = 0; round < 20; round++) {
        try (Store store = Store.open(directory, OPTIONS, pool)) {
          RangesCursor cursor = store.cursor(every(20, 2));
          cursor.first();
          for (int i = 0; i < round; i++) {
            cursor.nextRange();
          }
          if (round % 3 == 0) {
            cursor.close();
          } else if (round % 3 == 1) {
            store.compact();
            cursor.close();
          }
        }
      }
      try (Store store = Store.open(directory, OPTIONS, pool);
          RangesCursor cursor = store.cursor(every(20, 2))) {
        assertEquals(expected(20, 2), forward(cursor));
      }
    }
  }

  @Test
  void afterTheCloseNothingGoes() throws Exception {
    Store store = openCold(OPTIONS);
    RangesCursor closed = store.cursor(every(9, 1));
    RangesCursor open = store.cursor(every(9, 1));
    open.first();
    closed.close();
    closed.close();
    assertThrows(IllegalStateException.class, closed::first);
    store.close();
    assertThrows(IllegalStateException.class, open::next);
    assertThrows(IllegalStateException.class, open::isValid);
    open.close();
    assertThrows(IllegalStateException.class, () -> store.cursor(every(9, 1)));
  }
}
