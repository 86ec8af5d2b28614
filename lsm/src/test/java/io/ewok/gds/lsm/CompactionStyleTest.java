package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What each style promises; that all of them keep what was written is for {@link StoreScript}. */
class CompactionStyleTest {
  private static final int VALUE_BYTES = 1_000;
  private static final int KEYS = 3_000;
  private static final long FIFO_BYTES = 2 << 20;

  /** A table of level 0 has at most a memtable's records, and what makes a table of them. */
  private static final long TABLE_BYTES_MAX = Fixtures.TINY.memtableBytes() * 5 / 4;

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(1);
  private final Map<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);

  private static StoreOptions options(CompactionStyle style) {
    return Fixtures.TINY.withTree(
        Fixtures.TINY.tree().withStyle(style).withGrowth(4).withFifoBytes(FIFO_BYTES));
  }

  private Store open(CompactionStyle style) throws IOException {
    return Store.open(Fixtures.DIRECTORY, options(style), engine);
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  /** Overwrites keys at random until so many records were written. */
  private void write(Store store, int records) throws IOException {
    for (int i = 0; i < records; i++) {
      byte[] key = key(random.nextInt(KEYS));
      byte[] value = Fixtures.randomBytes(random, VALUE_BYTES);
      store.put(key, value, Durability.NONE);
      model.put(key, value);
    }
  }

  private static List<Long> bytesOfLevels(Store store) {
    return store.stats().levels().stream().map(StoreStats.Level::bytes).toList();
  }

  private static long bytesOfTables(Store store) {
    return bytesOfLevels(store).stream().mapToLong(Long::longValue).sum();
  }

  private static boolean isDue(Store store) {
    return store.stats().levels().stream().anyMatch(level -> level.score() > 1);
  }

  private static void awaitNothingDue(Store store) throws IOException {
    store.flush();
    Fixtures.await(store, () -> !isDue(store) && store.stats().levels().getFirst().score() != 1);
  }

  private static long mergedBytes(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::writtenBytes).sum();
  }

  @Test
  void tieredRunsGrowAsPowersOfTwo() throws Exception {
    try (Store store = open(CompactionStyle.TIERED)) {
      for (int i = 0; i < 30; i++) {
        write(store, 1_000);
        awaitNothingDue(store);
        List<Long> runs = bytesOfLevels(store).stream().skip(1).filter(b -> b > 0).toList();
        long before = 0;
        for (long run : runs) {
          assertTrue(run > before || before == 0, "a run is as large as those before it: " + runs);
          before += run;
        }
      }
      assertEquals(Fixtures.text(model), Fixtures.text(Fixtures.contents(store)));
    }
  }

  @Test
  void tieredWritesLessThanLeveled() throws Exception {
    long leveled = mergedBytesOfOverwrites(CompactionStyle.LEVELED);
    long tiered = mergedBytesOfOverwrites(CompactionStyle.TIERED);
    assertTrue(tiered < 0.8 * leveled, "leveled: " + leveled + " tiered: " + tiered);
  }

  private static long mergedBytesOfOverwrites(CompactionStyle style) throws Exception {
    SplittableRandom same = new SplittableRandom(2);
    try (Store store = Store.open(Fixtures.DIRECTORY, options(style), new SimEngine(1))) {
      for (int i = 0; i < 20_000; i++) {
        byte[] value = Fixtures.randomBytes(same, VALUE_BYTES);
        store.put(key(same.nextInt(4 * KEYS)), value, Durability.NONE);
        if (i % 1_000 == 0) {
          awaitNothingDue(store); // so that it does not depend on who is faster
        }
      }
      return mergedBytes(store);
    }
  }

  @Test
  void aStoreGoesFromOneStyleToAnother() throws Exception {
    for (CompactionStyle style :
        List.of(
            CompactionStyle.LEVELED,
            CompactionStyle.TIERED,
            CompactionStyle.LEVELED,
            CompactionStyle.TIERED)) {
      try (Store store = open(style)) {
        assertEquals(Fixtures.text(model), Fixtures.text(Fixtures.contents(store)));
        write(store, 5_000);
        awaitNothingDue(store);
        assertEquals(Fixtures.text(model), Fixtures.text(Fixtures.contents(store)));
      }
    }
    try (Store store = open(CompactionStyle.TIERED)) {
      store.compact();
      assertEquals(1, bytesOfLevels(store).stream().filter(bytes -> bytes > 0).count());
      assertEquals(Fixtures.text(model), Fixtures.text(Fixtures.contents(store)));
    }
  }

  @Test
  void aMergeOfEverythingPassesEmptyLevelsBy() throws Exception {
    try (Store store = open(CompactionStyle.TIERED)) {
      write(store, 3_000);
      awaitNothingDue(store);
      store.flush();
      long before = mergedBytes(store);
      store.compact();
      long merged = mergedBytes(store) - before;
      assertTrue(merged <= 2 * bytesOfTables(store), "merged: " + merged);
    }
  }

  @Test
  void fifoKeepsWhatIsNewest() throws Exception {
    int written = 12_000;
    try (Store store = open(CompactionStyle.FIFO)) {
      for (int i = 0; i < written; i++) {
        store.put(key(i), Fixtures.randomBytes(random, VALUE_BYTES), Durability.NONE);
      }
      store.flush();
      awaitDropped(store);
      assertNewest(store, written);
      store.compact();
      assertNewest(store, written);
      assertEquals(0, mergedBytes(store));
    }
    try (Store store = open(CompactionStyle.FIFO)) {
      assertNewest(store, written);
    }
  }

  /** All from some key on; as much as may be kept, less a table. */
  private static void assertNewest(Store store, int written) throws Exception {
    List<byte[]> keys = new ArrayList<>(Fixtures.contents(store).keySet());
    for (int i = 0; i < keys.size(); i++) {
      assertArrayEquals(key(written - keys.size() + i), keys.get(i));
    }
    long bytes = bytesOfTables(store);
    assertTrue(bytes <= FIFO_BYTES && bytes > FIFO_BYTES - TABLE_BYTES_MAX, "bytes: " + bytes);
    assertTrue(keys.size() > FIFO_BYTES / VALUE_BYTES / 2, "keys: " + keys.size());
    assertNull(store.get(key(0)));
    assertNotNull(store.get(key(written - 1)));
  }

  /** Its commit cannot see any more whether somebody has written what it stands on. */
  @Test
  void transactionsThatBeganBeforeWhatFifoHasDroppedAreInConflict() throws Exception {
    for (boolean ranges : new boolean[] {false, true}) {
      try (Store store = open(CompactionStyle.FIFO);
          Transaction transaction = store.transactions().begin(TransactionOptions.defaults());
          StoreCursor cursor = ranges ? transaction.cursor(store) : null) {
        byte[] wanted = Fixtures.bytes("wanted" + ranges);
        if (ranges) {
          cursor.seek(wanted);
        } else {
          assertNull(transaction.get(store, wanted));
        }
        store.put(wanted, new byte[1], Durability.NONE);
        while (store.get(wanted) != null) {
          write(store, 100);
        }
        transaction.put(store, Fixtures.bytes("other"), new byte[1]);
        ConflictException e =
            assertThrows(ConflictException.class, () -> transaction.commit(Durability.NONE));
        assertTrue(e.getMessage().contains(ConflictException.shown(wanted)), e.getMessage());
        assertNull(store.get(Fixtures.bytes("other")));
        try (Transaction later = store.transactions().begin(TransactionOptions.defaults())) {
          assertNull(later.get(store, wanted));
          later.put(store, Fixtures.bytes("other"), new byte[1]);
          later.commit(Durability.NONE);
        }
        store.delete(Fixtures.bytes("other"), Durability.NONE);
      }
    }
  }

  private static void awaitDropped(Store store) {
    Fixtures.await(store, () -> bytesOfTables(store) <= FIFO_BYTES);
  }

  @Test
  void fifoBringsNothingBackThatWasDeletedOrOverwritten() throws Exception {
    try (Store store = open(CompactionStyle.LEVELED)) {
      write(store, 6_000);
      store.compact();
      write(store, 2_000);
      awaitNothingDue(store);
    }
    try (Store store = open(CompactionStyle.FIFO)) {
      for (int i = 0; i < 6_000; i++) {
        byte[] key = key(random.nextInt(KEYS));
        if (random.nextInt(3) == 0) {
          store.delete(key, Durability.NONE);
          model.remove(key);
        } else {
          byte[] value = Fixtures.randomBytes(random, VALUE_BYTES);
          store.put(key, value, Durability.NONE);
          model.put(key, value);
        }
        if (i % 500 == 0) {
          assertAllAsWritten(store);
        }
      }
      store.flush();
      awaitDropped(store);
      assertAllAsWritten(store);
    }
  }

  /** A key has its last value or none. */
  private void assertAllAsWritten(Store store) throws Exception {
    Map<byte[], byte[]> contents = Fixtures.contents(store);
    contents.forEach((key, value) -> assertArrayEquals(model.get(key), value, Fixtures.text(key)));
    assertTrue(contents.size() > 100, "keys: " + contents.size());
  }

  @Test
  void aCursorKeepsWhatFifoLetsGo() throws Exception {
    try (Store store = open(CompactionStyle.FIFO)) {
      write(store, 1_000);
      store.flush();
      Map<byte[], byte[]> before = Fixtures.contents(store);
      try (StoreCursor cursor = store.cursor()) {
        for (int i = 0; i < 6_000; i++) {
          store.put(key(KEYS + i), Fixtures.randomBytes(random, VALUE_BYTES), Durability.NONE);
        }
        store.flush();
        awaitDropped(store);
        Map<byte[], byte[]> seen = new TreeMap<>(Fixtures.ORDER);
        for (cursor.first(); cursor.isValid(); cursor.next()) {
          seen.put(Fixtures.array(cursor.key()), Fixtures.array(cursor.value()));
        }
        assertEquals(Fixtures.text(before), Fixtures.text(seen));
      }
    }
  }

  /** Whatever a loss of power leaves: the newest that was flushed, and nothing that had gone. */
  @Test
  void afterACrashFifoHasTheNewestThatWereFlushed() throws Exception {
    List<SimEngine> cuts = new ArrayList<>();
    List<Long> flushed = new ArrayList<>();
    AtomicLong done = new AtomicLong();
    try (Store store = open(CompactionStyle.FIFO)) {
      engine.onSync(
          () -> {
            if (cuts.size() < 100) {
              cuts.add(engine.crash(cuts.size()));
              flushed.add(done.get());
            }
          });
      for (int i = 0; i < 4_000; i++) {
        store.put(key(i), Fixtures.randomBytes(random, VALUE_BYTES), Durability.NONE);
        if (i % 200 == 199) {
          store.flush();
          done.set(i + 1);
        }
      }
    }
    assertTrue(cuts.size() > 50, "cuts: " + cuts.size());
    for (int i = 0; i < cuts.size(); i++) {
      try (Store store =
          Store.open(Fixtures.DIRECTORY, options(CompactionStyle.FIFO), cuts.get(i))) {
        List<byte[]> keys = new ArrayList<>(Fixtures.contents(store).keySet());
        if (keys.isEmpty()) {
          assertEquals(0, flushed.get(i));
          continue;
        }
        int last = Integer.parseInt(Fixtures.text(keys.getLast()).substring(3));
        assertTrue(last >= flushed.get(i) - 1, "last: " + last + " flushed: " + flushed.get(i));
        for (int at = 0; at < keys.size(); at++) {
          assertArrayEquals(key(last - keys.size() + 1 + at), keys.get(at));
        }
      }
    }
  }
}
