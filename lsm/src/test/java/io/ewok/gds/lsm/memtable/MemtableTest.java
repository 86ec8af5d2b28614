package io.ewok.gds.lsm.memtable;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.WriteBatch;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

// Of a tree with a broken node a test may never come to an end, and looks for no interrupt.
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class MemtableTest {
  private static final long BYTES = 1 << 20;

  private final MemoryBudget budget = MemoryBudget.root("test", 2 * BYTES);
  private final AtomicLong freed = new AtomicLong();
  private final MemtableSpace space =
      new MemtableSpace(budget, RegionOptions.ofSize(BYTES), 2, freed::incrementAndGet);

  private static String key(long entry) {
    return Fixtures.text(
        Fixtures.array(Memory.view(EntryFormat.keyAddress(entry), EntryFormat.keyBytes(entry))));
  }

  private static void insert(Memtable memtable, WriteBatch batch, long sequence) {
    assertTrue(memtable.tryEnter(batch.sizeBytes()));
    memtable.insert(Fixtures.record(batch), sequence);
    memtable.exit();
  }

  private static SearchKey searchKey(byte[] key) {
    return new SearchKey().set(MemorySegment.ofArray(key));
  }

  @Test
  void sizesAreThoseOfTheTables() {
    assertEquals(24, EntryFormat.sizeBytes(3, 5));
    assertEquals(32, EntryFormat.sizeBytes(4, 5));
    assertTrue(NodeFormat.ITEMS_OFFSET + NodeFormat.WIDTH * Integer.BYTES <= NodeFormat.BYTES);
    int entryBytesMax = EntryFormat.KEY_OFFSET + Long.BYTES - 1 + EntryTree.ENTRY_BYTES_MAX;
    assertEquals(entryBytesMax, BatchFormat.operationSizeBytes(0, 0));
  }

  /** All numbers of items, and all ranks for one more. */
  @Test
  void orderKeepsEachSlotOnceAndPutsAFreeOneAtTheRank() {
    SplittableRandom random = new SplittableRandom(5);
    for (int round = 0; round < 50; round++) {
      long order = NodeFormat.EMPTY_ORDER;
      List<Integer> expected = new ArrayList<>();
      for (int count = 0; count < NodeFormat.WIDTH; count++) {
        for (int rank = 0; rank <= count; rank++) {
          int free = NodeFormat.slot(order, count);
          List<Integer> one = new ArrayList<>(expected);
          one.add(rank, free);
          assertSlots(one, NodeFormat.withInserted(order, rank));
        }
        int rank = random.nextInt(count + 1);
        expected.add(rank, NodeFormat.slot(order, count));
        order = NodeFormat.withInserted(order, rank);
        if (count == 13 && random.nextBoolean()) {
          order = NodeFormat.truncated(order, 8);
          expected = new ArrayList<>(expected.subList(0, 8));
          count = 7;
        }
      }
    }
  }

  private static void assertSlots(List<Integer> expected, long order) {
    assertEquals(expected.size(), NodeFormat.count(order));
    boolean[] seen = new boolean[NodeFormat.WIDTH];
    for (int i = 0; i < NodeFormat.WIDTH; i++) {
      int slot = NodeFormat.slot(order, i);
      assertTrue(i >= expected.size() || expected.get(i) == slot);
      assertTrue(!seen[slot], "a slot twice");
      seen[slot] = true;
    }
  }

  @Test
  void recordsAreInOrderBothWaysWithTheNewestOfAKeyFirst() {
    long seed = Fixtures.seed(4);
    SplittableRandom random = new SplittableRandom(seed);
    Memtable memtable = space.tryCreate();
    List<String> expected = new ArrayList<>();
    long sequence = 1;
    while (expected.size() < 3_000) {
      WriteBatch batch = new WriteBatch();
      int first = (int) sequence;
      for (int i = random.nextInt(4); i >= 0; i--) {
        String key = "key" + random.nextInt(900);
        batch.put(Fixtures.bytes(key), Fixtures.bytes("value"));
        // Newer before older: the complement of the sequence.
        expected.add(key + " " + String.format("%05d", 99_999 - sequence++));
      }
      insert(memtable, batch, first);
    }
    expected.sort(null);
    EntryCursor cursor = memtable.entries(Memtable.DEFAULT_FAMILY);
    List<String> forward = new ArrayList<>();
    for (long entry = cursor.first(); entry != Memtable.NONE; entry = cursor.next()) {
      forward.add(name(entry));
    }
    assertEquals(expected, forward, Fixtures.replay(getClass(), seed));
    List<String> backward = new ArrayList<>();
    for (long entry = cursor.last(); entry != Memtable.NONE; entry = cursor.previous()) {
      backward.addFirst(name(entry));
    }
    assertEquals(expected, backward, Fixtures.replay(getClass(), seed));
    memtable.release();
  }

  private static String name(long entry) {
    return key(entry)
        + " "
        + String.format("%05d", 99_999 - RecordKind.sequence(EntryFormat.stamp(entry)));
  }

  /** Keys that are prefixes of each other, equal in their first bytes, random and in order. */
  @Test
  void moveFindAndSeekAreThoseOfASortedMapAtEverySequence() {
    long seed = Fixtures.seed(11);
    SplittableRandom random = new SplittableRandom(seed);
    for (int shape = 0; shape < 4; shape++) {
      Memtable memtable = space.tryCreate();
      TreeMap<String, TreeMap<Long, Long>> model = new TreeMap<>();
      for (long sequence = 1; sequence <= 1_500; sequence++) {
        String key = key(shape, random, sequence);
        insert(memtable, new WriteBatch().put(Fixtures.bytes(key), new byte[0]), sequence);
        model.computeIfAbsent(key, k -> new TreeMap<>()).put(sequence, sequence);
      }
      for (long at : new long[] {0, 1, 20, 700, 1_500}) {
        TreeMap<String, Long> visible = new TreeMap<>();
        model.forEach(
            (key, versions) -> {
              if (versions.floorKey(at) != null) {
                visible.put(key, versions.floorKey(at));
              }
            });
        assertSame(visible, memtable, at, random, shape, Fixtures.replay(getClass(), seed));
      }
      memtable.release();
    }
  }

  private static String key(int shape, SplittableRandom random, long sequence) {
    return switch (shape) {
      case 0 -> "x".repeat(random.nextInt(40));
      case 1 -> "the same first bytes " + random.nextInt(400);
      case 2 -> Long.toString(random.nextInt(900), 36);
      default -> String.format("%010d", sequence);
    };
  }

  private static void assertSame(
      NavigableMap<String, Long> visible,
      Memtable memtable,
      long at,
      SplittableRandom random,
      int shape,
      String replay) {
    MemtableSource source = new MemtableSource(memtable, Memtable.DEFAULT_FAMILY, at);
    source.first();
    for (var entry : visible.entrySet()) {
      assertOn(entry, source, replay);
      source.next();
    }
    assertEquals(RecordSource.Place.AFTER_LAST, source.place(), replay);
    source.last();
    for (var entry : visible.descendingMap().entrySet()) {
      assertOn(entry, source, replay);
      source.previous();
    }
    assertEquals(RecordSource.Place.BEFORE_FIRST, source.place(), replay);
    for (int i = 0; i < 400; i++) {
      String key = key(shape, random, random.nextInt(1_600));
      SearchKey wanted = searchKey(Fixtures.bytes(key));
      long found = memtable.find(Memtable.DEFAULT_FAMILY, wanted, at);
      Long expected = visible.get(key);
      assertEquals(expected == null, found == Memtable.NONE, replay);
      assertTrue(
          expected == null || RecordKind.sequence(EntryFormat.stamp(found)) == expected, replay);
      source.seek(wanted);
      var ceiling = visible.ceilingEntry(key);
      assertOn(ceiling, source, replay);
      if (ceiling != null && random.nextBoolean()) {
        source.previous();
        assertOn(visible.lowerEntry(key), source, replay);
        source.next();
        assertOn(ceiling, source, replay);
      }
      source.seekForPrev(wanted);
      var floor = visible.floorEntry(key);
      assertOn(floor, source, replay);
      if (floor != null) {
        source.next();
        assertOn(visible.higherEntry(key), source, replay);
        source.previous();
        assertOn(floor, source, replay);
      }
    }
    source.close();
  }

  private static void assertOn(
      Map.Entry<String, Long> entry, MemtableSource source, String replay) {
    assertEquals(entry != null, source.isValid(), replay);
    if (entry != null) {
      assertEquals(
          entry.getKey(),
          Fixtures.text(Fixtures.array(Memory.view(source.keyAddress(), source.keyBytes()))),
          replay);
      assertEquals(entry.getValue(), RecordKind.sequence(source.stamp()), replay);
    }
  }

  @Test
  void chargesAreAnUpperBoundOfTheMemory() {
    for (boolean sorted : new boolean[] {true, false}) {
      Memtable memtable = space.tryCreate();
      WriteBatch batch = new WriteBatch();
      int operations = 0;
      // An assertion in EntrySpace fails if they are not.
      while (memtable.hasRoom(
          WriteBatch.BATCH_OVERHEAD_BYTES + BatchFormat.operationSizeBytes(2, 0))) {
        batch.clear();
        int key = sorted ? operations : operations * 40_503;
        batch.put(new byte[] {(byte) (key >>> 8), (byte) key}, new byte[0]);
        insert(memtable, batch, operations + 1);
        operations++;
      }
      assertTrue(operations > 10_000);
      assertEquals(BYTES, budget.usedBytes());
      memtable.release();
    }
    space.close();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void closedMemtableLetsNobodyInAndKnowsWhoIsInside() {
    Memtable memtable = space.tryCreate();
    assertTrue(memtable.tryEnter(100));
    assertFalse(memtable.tryEnter(BYTES), "not so much room");
    memtable.closeToWriters();
    assertFalse(memtable.tryEnter(100));
    assertFalse(memtable.hasNoWriter());
    memtable.exit();
    assertTrue(memtable.hasNoWriter());
    memtable.release();
  }

  @Test
  void placesAreLimitedAndComeBackWithTheLastUser() {
    Memtable first = space.tryCreate();
    Memtable second = space.tryCreate();
    assertNull(space.tryCreate());
    first.references.retain();
    first.release();
    assertNull(space.tryCreate());
    assertEquals(0, freed.get());
    first.release();
    assertEquals(1, freed.get());
    Memtable third = space.tryCreate();
    assertNotNull(third);
    assertThrows(IllegalStateException.class, first.references::retain);
    second.release();
    third.release();
    space.close();
    assertEquals(0, budget.usedBytes());
  }

  /** Bytes of values lie where the next one has its nodes and its table of keys, and vice versa. */
  @Test
  void memoryThatAnotherMemtableHadIsAsGoodAsNew() {
    byte[] ones = new byte[4_000];
    Arrays.fill(ones, (byte) -1);
    for (int round = 0; round < 4; round++) {
      Memtable memtable = space.tryCreate();
      assertTrue(memtable.isEmpty());
      byte[] value = round % 2 == 0 ? ones : new byte[0];
      WriteBatch batch = new WriteBatch();
      int count = 0;
      for (; memtable.hasRoom(batch.sizeBytes() + Long.BYTES); count++) {
        byte[] key = Fixtures.bytes(round + "/" + count);
        assertEquals(
            Memtable.NONE, memtable.find(Memtable.DEFAULT_FAMILY, searchKey(key), 1L << 40));
        batch.clear();
        insert(memtable, batch.put(key, value), count + 1);
      }
      EntryCursor cursor = memtable.entries(Memtable.DEFAULT_FAMILY);
      int found = 0;
      for (long entry = cursor.first(); entry != Memtable.NONE; entry = cursor.next()) {
        assertEquals(
            entry,
            memtable.find(
                Memtable.DEFAULT_FAMILY, searchKey(Fixtures.bytes(key(entry))), 1L << 40));
        found++;
      }
      assertEquals(count, found);
      for (int i = 0; i < 100 && round > 0; i++) {
        byte[] gone = Fixtures.bytes(round - 1 + "/" + i);
        assertEquals(
            Memtable.NONE, memtable.find(Memtable.DEFAULT_FAMILY, searchKey(gone), 1L << 40));
      }
      memtable.release();
      assertEquals(BYTES, budget.usedBytes(), "the same memory");
    }
    space.close();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void viewsEndWithTheMemoryOfTheStore() {
    Memtable memtable = space.tryCreate();
    WriteBatch batch = new WriteBatch().put(Fixtures.bytes("key"), Fixtures.bytes("value"));
    insert(memtable, batch, 1);
    long entry = memtable.find(Memtable.DEFAULT_FAMILY, searchKey(Fixtures.bytes("key")), 1);
    MemorySegment view =
        memtable.segment(EntryFormat.valueAddress(entry), EntryFormat.valueBytes(entry));
    assertEquals("value", Fixtures.text(Fixtures.array(view)));
    assertThrows(
        IllegalArgumentException.class, () -> view.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
    memtable.release();
    space.close();
    assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_BYTE, 0));
  }

  /**
   * Writers side by side, who publish in the order of their sequence numbers; readers see at each
   * number exactly what was published up to it. Few keys per leaf and many splits: the keys come in
   * an order that jumps about, or in theirs.
   */
  @ParameterizedTest
  @ValueSource(ints = {7_919, 1})
  void readersSeeAllThatWasPublishedAndNothingTwiceWhileWritersInsert(int stride) throws Exception {
    int operations = 8_000;
    Memtable memtable = space.tryCreate();
    AtomicLong taken = new AtomicLong();
    AtomicIntegerArray inserted = new AtomicIntegerArray(operations + 2);
    AtomicLong published = new AtomicLong();
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      tasks.add(
          new FutureTask<>(
              () -> {
                WriteBatch batch = new WriteBatch();
                long sequence = taken.incrementAndGet();
                while (sequence <= operations) {
                  batch.clear();
                  batch.put(Fixtures.bytes(key(sequence, stride)), new byte[8]);
                  insert(memtable, batch, sequence);
                  inserted.set((int) sequence, 1);
                  long end = published.get();
                  while (inserted.get((int) end + 1) == 1) {
                    boolean unused = published.compareAndSet(end, end + 1);
                    end = published.get();
                  }
                  sequence = taken.incrementAndGet();
                }
                return null;
              }));
    }
    for (boolean forward : new boolean[] {true, false}) {
      tasks.add(
          new FutureTask<>(
              () -> {
                long sequence = 0;
                while (sequence < operations) {
                  sequence = published.get();
                  assertEquals(sequence, count(memtable, sequence, forward));
                }
                return null;
              }));
    }
    tasks.add(
        new FutureTask<>(
            () -> {
              SplittableRandom random = new SplittableRandom(7);
              long sequence = 0;
              while (sequence < operations) {
                sequence = published.get();
                for (int i = 0; i < 200 && sequence > 0; i++) {
                  long wanted = random.nextLong(sequence) + 1;
                  byte[] key = Fixtures.bytes(key(wanted, stride));
                  long entry = memtable.find(Memtable.DEFAULT_FAMILY, searchKey(key), sequence);
                  assertEquals(wanted, RecordKind.sequence(EntryFormat.stamp(entry)));
                }
              }
              return null;
            }));
    List<Thread> threads = tasks.stream().map(Thread.ofPlatform()::start).toList();
    for (FutureTask<Void> task : tasks) {
      task.get();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    memtable.release();
  }

  private static String key(long sequence, int stride) {
    return String.format("%05d", sequence * stride % 10_007);
  }

  private static long count(Memtable memtable, long sequence, boolean forward) {
    MemtableSource source = new MemtableSource(memtable, Memtable.DEFAULT_FAMILY, sequence);
    long count = 0;
    if (forward) {
      for (source.first(); source.isValid(); source.next()) {
        count++;
      }
    } else {
      for (source.last(); source.isValid(); source.previous()) {
        count++;
      }
    }
    source.close();
    return count;
  }

  /** Many versions of few keys, by many: the newest of each is found at once. */
  @Test
  void newestVersionOfAKeyIsFoundThoughItsWritersRace() throws Exception {
    Memtable memtable = space.tryCreate();
    AtomicLong taken = new AtomicLong();
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      tasks.add(
          new FutureTask<>(
              () -> {
                WriteBatch batch = new WriteBatch();
                for (long sequence = taken.incrementAndGet();
                    sequence <= 5_000;
                    sequence = taken.incrementAndGet()) {
                  batch.clear();
                  batch.put(Fixtures.bytes("key" + sequence % 3), new byte[8]);
                  insert(memtable, batch, sequence);
                }
                return null;
              }));
    }
    List<Thread> threads = tasks.stream().map(Thread.ofPlatform()::start).toList();
    for (FutureTask<Void> task : tasks) {
      task.get();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    for (int i = 0; i < 3; i++) {
      SearchKey key = searchKey(Fixtures.bytes("key" + i));
      for (long at = 4_990; at <= 5_003; at++) {
        long newest = Math.min(at, 5_000);
        newest -= Math.floorMod(newest - i, 3);
        long entry = memtable.find(Memtable.DEFAULT_FAMILY, key, at);
        assertEquals(newest, RecordKind.sequence(EntryFormat.stamp(entry)));
      }
    }
    memtable.release();
  }

  @Test
  void memtableIsFilledWithRangeDeletesAloneAndReadersFindAll() {
    Memtable memtable = space.tryCreate();
    assertFalse(memtable.hasRangeDeletes(Memtable.DEFAULT_FAMILY));
    assertEquals(0, memtable.rangeDeletes(Memtable.DEFAULT_FAMILY).length);
    WriteBatch batch = new WriteBatch();
    int count = 0;
    while (memtable.hasRoom(
        WriteBatch.BATCH_OVERHEAD_BYTES + BatchFormat.operationSizeBytes(0, 3))) {
      batch.clear();
      batch.deleteRange(new byte[0], bytes(1 + count % 200)); // no key, no value: the least of all
      insert(memtable, batch, count + 1);
      count++;
      if (count % 1_000 == 0) {
        assertEquals(
            count,
            memtable.newestRangeDelete(Memtable.DEFAULT_FAMILY, searchKey(new byte[0]), count));
      }
    }
    assertTrue(count > 10_000);
    RangeDeletes[] sets = memtable.rangeDeletes(Memtable.DEFAULT_FAMILY);
    assertTrue(sets.length < 20, "sets: " + sets.length);
    assertEquals(count, Arrays.stream(sets).mapToInt(set -> set.all().size()).sum());
    assertEquals(count, memtable.allRangeDeletes(Memtable.DEFAULT_FAMILY).size());
    assertEquals(
        count / 2,
        memtable.newestRangeDelete(Memtable.DEFAULT_FAMILY, searchKey(new byte[0]), count / 2));
    assertArrayEquals(sets, memtable.rangeDeletes(Memtable.DEFAULT_FAMILY));
    memtable.release();
    // The sets stay as they are, whatever becomes of the memory.
    Memtable next = space.tryCreate();
    assertFalse(next.hasRangeDeletes(Memtable.DEFAULT_FAMILY));
    insert(next, new WriteBatch().put(new byte[50_000], new byte[100_000]), 1);
    assertEquals(count, Arrays.stream(sets).mapToInt(set -> set.all().size()).sum());
    assertTrue(sets[0].newest(searchKey(new byte[0]), count) > 0);
    next.release();
  }

  @Test
  void tableOfKeysThatIsFullSendsReadersToTheTree() {
    Memtable memtable = space.tryCreate();
    WriteBatch batch = new WriteBatch();
    int keys = 0;
    while (memtable.hasRoom(
        WriteBatch.BATCH_OVERHEAD_BYTES + BatchFormat.operationSizeBytes(3, 0))) {
      batch.clear();
      batch.put(bytes(keys), new byte[0]);
      insert(memtable, batch, keys + 1);
      keys++;
    }
    for (int i = 0; i < keys; i++) {
      long entry = memtable.find(Memtable.DEFAULT_FAMILY, searchKey(bytes(i)), keys);
      assertEquals(i + 1, RecordKind.sequence(EntryFormat.stamp(entry)));
    }
    for (int i = keys; i < 2 * keys; i++) {
      assertEquals(
          Memtable.NONE, memtable.find(Memtable.DEFAULT_FAMILY, searchKey(bytes(i)), keys));
    }
    memtable.release();
  }

  private static byte[] bytes(int key) {
    return new byte[] {(byte) key, (byte) (key >>> 16), (byte) (key >>> 8)};
  }
}
