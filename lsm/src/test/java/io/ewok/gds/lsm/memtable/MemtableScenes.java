package io.ewok.gds.lsm.memtable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Interleaver;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * What insertions and reads of an {@link EntryTree} and a {@link KeyTable} do side by side: for
 * {@link Interleaver}.
 */
public final class MemtableScenes implements Interleaver.Scenes {
  private static final int BYTES = 64 << 10;

  /** Of a table of keys so small that different keys meet. */
  private static final int TABLE_BYTES = 8 * Long.BYTES;

  /** Between the keys that are there before; a leaf of the keys 10 to 150 is full. */
  private static final int STEP = 10;

  private static final int FULL = NodeFormat.WIDTH;

  private final Region region =
      Region.map(MemoryBudget.root("test", BYTES), RegionOptions.ofSize(BYTES));

  @Override
  public void close() {
    region.close();
  }

  @Override
  public Interleaver.Scene scene(String name) {
    Memory.fill(region.address(), BYTES, (byte) 0);
    int middle = FULL / 2 * STEP + 5;
    int end = FULL * STEP;
    return switch (name) {
      case "a leaf has room" -> new Tree(8).inserts(middle).inserts(middle + 1).reads();
      case "a leaf splits, its left half gains" -> new Tree(FULL).inserts(middle - 20).reads();
      case "a leaf splits, its right half gains" -> new Tree(FULL).inserts(middle + 30).reads();
      case "a leaf before another splits" -> new Tree(2 * FULL).inserts(middle).finds(end, end + 1);
      case "the last leaf splits at its end" -> new Tree(FULL).inserts(end + 1).reads();
      case "a leaf splits and is read backward" ->
          new Tree(FULL).inserts(middle).readsBackward(end);
      case "slots of a leaf that split are used again" ->
          new Tree(FULL).inserts(range(middle - 4, 8)).finds(end);
      case "a leaf splits for one and gains for another" ->
          new Tree(FULL).inserts(middle).inserts(middle + 21).reads();
      case "a leaf of keys with one head splits" ->
          new Tree(FULL, Long.BYTES).inserts(range(middle - 1, 2)).finds(middle, end).reads();
      case "a leaf of keys with one head is read backward" ->
          new Tree(FULL, Long.BYTES).inserts(middle).readsBackward(end);
      case "the first leaf of all" -> new Tree(0).inserts(1).inserts(2).reads();
      case "leaf and root split" ->
          new Tree(FULL * FULL).inserts(FULL * middle).finds(FULL * middle, FULL * end);
      case "leaf and root split and are read" ->
          new Tree(FULL * FULL).inserts(FULL * middle).reads();
      case "a level is needed that comes late" ->
          new Tree(FULL).inserts(middle + 30).inserts(range(end + 1, 8)).readsBackward(end);
      case "versions of one key" -> new Table().puts(1, 1).puts(1, 2, 3).finds(1, 1);
      case "keys that meet" -> new Table().puts(1, 1).puts(2, 1, 2).puts(3, 3).finds(1, 2);
      case "a table that is full" -> new Table().fill(6).puts(7, 1).puts(8, 2).puts(9, 3).finds(8);
      case "ranges are added and read" -> new Ranges().adds(1, 2).adds(3).reads(1);
      case "readers make sets side by side" -> new Ranges().adds(1, 2).reads(2).reads(2);
      default -> throw new IllegalArgumentException("no such scene: name=" + name);
    };
  }

  private static int[] range(int from, int count) {
    int[] keys = new int[count];
    for (int i = 0; i < count; i++) {
      keys[i] = from + i;
    }
    return keys;
  }

  private static byte[] bytes(int key) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(key).array();
  }

  private static long newEntry(EntrySpace space, int key, long sequence) {
    return newEntry(space, 0, key, sequence);
  }

  private static long newEntry(EntrySpace space, int prefixBytes, int key, long sequence) {
    int keyBytes = prefixBytes + Integer.BYTES;
    long entry = space.allocateEntry(EntryFormat.sizeBytes(keyBytes, 0));
    EntryFormat.putHeader(entry, RecordKind.stamp(sequence, RecordKind.PUT), keyBytes, 0);
    Memory.fill(EntryFormat.keyAddress(entry), prefixBytes, (byte) -1);
    Memory.putInt(EntryFormat.keyAddress(entry) + prefixBytes, Integer.reverseBytes(key));
    return entry;
  }

  private static int key(long entry) {
    return Integer.reverseBytes(Memory.getInt(EntryFormat.valueAddress(entry) - Integer.BYTES));
  }

  /** Insertions of keys into a tree, and reads, which find all that had been inserted before. */
  private final class Tree implements Interleaver.Scene {
    private final EntrySpace space = new EntrySpace(region);
    private final EntryTree tree = new EntryTree(space);
    private final List<Runnable> actors = new ArrayList<>();

    /** Keys whose insertion has returned. */
    private final NavigableSet<Integer> inserted = new TreeSet<>();

    private final NavigableSet<Integer> all = new TreeSet<>();

    /** What all keys begin with. */
    private final int prefixBytes;

    Tree(int count) {
      this(count, 0);
    }

    Tree(int count, int prefixBytes) {
      this.prefixBytes = prefixBytes;
      for (int i = 1; i <= count; i++) {
        tree.insert(newEntry(space, prefixBytes, i * STEP, 1));
        inserted.add(i * STEP);
        all.add(i * STEP);
      }
    }

    Tree inserts(int... keys) {
      List<Long> entries = new ArrayList<>();
      for (int key : keys) {
        all.add(key);
        entries.add(newEntry(space, prefixBytes, key, 1));
      }
      actors.add(
          () -> {
            for (long entry : entries) {
              tree.insert(entry);
              inserted.add(key(entry));
            }
          });
      return this;
    }

    Tree reads() {
      actors.add(
          () -> {
            NavigableSet<Integer> least = new TreeSet<>(inserted);
            EntryCursor cursor = new EntryCursor(tree);
            List<Integer> found = new ArrayList<>();
            for (long entry = cursor.first(); entry != EntryTree.NONE; entry = cursor.next()) {
              found.add(key(entry));
            }
            assertFound(least, found);
          });
      return this;
    }

    Tree readsBackward(int from) {
      long target = newEntry(space, prefixBytes, from, 1);
      actors.add(
          () -> {
            NavigableSet<Integer> least = new TreeSet<>(inserted);
            EntryCursor cursor = new EntryCursor(tree);
            List<Integer> found = new ArrayList<>();
            long last = cursor.last();
            assertTrue(key(last) >= least.last());
            long start = cursor.seekSame(target, RecordKind.stamp(1, RecordKind.PUT));
            assertEquals(from, key(start));
            for (long entry = start; entry != EntryTree.NONE; entry = cursor.previous()) {
              found.addFirst(key(entry));
            }
            assertFound(least.headSet(from, true), found);
          });
      return this;
    }

    Tree finds(int... keys) {
      List<Long> targets = new ArrayList<>();
      for (int key : keys) {
        targets.add(newEntry(space, prefixBytes, key, 1));
      }
      actors.add(() -> targets.forEach(this::find));
      return this;
    }

    private void find(long target) {
      Integer least = inserted.ceiling(key(target));
      long found =
          tree.find(
              EntryFormat.head(target),
              EntryFormat.keyAddress(target),
              EntryFormat.keyBytes(target),
              RecordKind.searchStamp(1));
      assertTrue(found != EntryTree.NONE || least == null);
      assertTrue(least == null || key(found) <= least, "passed over: key=" + least);
      assertTrue(found == EntryTree.NONE || key(found) >= key(target));
    }

    private void assertFound(NavigableSet<Integer> least, List<Integer> found) {
      assertEquals(List.copyOf(new TreeSet<>(found)), found, "in order, each once");
      assertTrue(found.containsAll(least), () -> "missing in " + found + " of " + least);
      assertTrue(all.containsAll(found));
    }

    @Override
    public List<Runnable> actors() {
      return actors;
    }

    @Override
    public void check() {
      assertEquals(all, inserted);
      reads();
      readsBackward(all.last());
      finds(all.first(), all.last());
      actors.subList(actors.size() - 3, actors.size()).forEach(Runnable::run);
    }
  }

  /** Versions of keys that come into a table, and searches for the newest that is known. */
  private final class Table implements Interleaver.Scene {
    private final EntrySpace space = new EntrySpace(region);
    private static final long SALT = KeyTable.salt(3);

    private final KeyTable table = new KeyTable(space, TABLE_BYTES);
    private final List<Runnable> actors = new ArrayList<>();
    private final Map<Integer, Long> newest = new HashMap<>();
    private boolean full;

    Table fill(int keys) {
      for (int key = 101; key <= 100 + keys; key++) {
        put(newEntry(space, key, 1));
      }
      full = true;
      return this;
    }

    private void put(long entry) {
      table.put(entry, KeyTable.hash(entry, SALT));
      newest.merge(key(entry), RecordKind.sequence(EntryFormat.stamp(entry)), Math::max);
    }

    Table puts(int key, long... sequences) {
      List<Long> entries = new ArrayList<>();
      for (long sequence : sequences) {
        entries.add(newEntry(space, key, sequence));
      }
      actors.add(() -> entries.forEach(this::put));
      return this;
    }

    Table finds(int... keys) {
      List<SearchKey> wanted = new ArrayList<>();
      for (int key : keys) {
        wanted.add(new SearchKey().set(MemorySegment.ofArray(bytes(key))));
      }
      actors.add(
          () -> {
            for (int i = 0; i < keys.length; i++) {
              find(keys[i], wanted.get(i));
            }
          });
      return this;
    }

    private void find(int key, SearchKey wanted) {
      long least = newest.getOrDefault(key, 0L);
      long found = table.find(wanted, SALT);
      if (found == KeyTable.UNKNOWN) {
        assertTrue(full);
      } else if (found == KeyTable.NONE) {
        assertEquals(0, least, "key=" + key);
      } else {
        assertEquals(key, key(found));
        assertTrue(RecordKind.sequence(EntryFormat.stamp(found)) >= least, "key=" + key);
      }
    }

    @Override
    public List<Runnable> actors() {
      return actors;
    }

    @Override
    public void check() {
      for (int key : List.copyOf(newest.keySet())) {
        find(key, new SearchKey().set(MemorySegment.ofArray(bytes(key))));
      }
    }
  }

  /** Range deletes that are added, and readers who make sets of them. */
  private final class Ranges implements Interleaver.Scene {
    private final EntrySpace space = new EntrySpace(region);
    private final MemtableRanges ranges = new MemtableRanges(space);
    private final List<Runnable> actors = new ArrayList<>();

    /** Numbers of those whose addition has returned. */
    private final NavigableSet<Long> added = new TreeSet<>();

    /** One range after the other, each with the number of its delete. */
    Ranges adds(long... sequences) {
      List<Long> entries = new ArrayList<>();
      for (long sequence : sequences) {
        long entry =
            space.allocateEntry(
                EntryFormat.sizeBytes(Integer.BYTES, Integer.BYTES) + MemtableRanges.LINK_BYTES);
        long stamp = RecordKind.stamp(sequence, RecordKind.RANGE_DELETE);
        EntryFormat.putHeader(entry, stamp, Integer.BYTES, Integer.BYTES);
        Memory.putInt(EntryFormat.keyAddress(entry), Integer.reverseBytes((int) sequence * STEP));
        Memory.putInt(
            EntryFormat.valueAddress(entry), Integer.reverseBytes((int) sequence * STEP + 1));
        entries.add(entry);
      }
      actors.add(
          () -> {
            for (long entry : entries) {
              ranges.add(entry);
              added.add(RecordKind.sequence(EntryFormat.stamp(entry)));
            }
          });
      return this;
    }

    Ranges reads(int times) {
      actors.add(
          () -> {
            for (int i = 0; i < times; i++) {
              read();
            }
          });
      return this;
    }

    private void read() {
      NavigableSet<Long> least = new TreeSet<>(added);
      List<Long> found = new ArrayList<>();
      for (RangeDeletes set : ranges.sets()) {
        set.all().forEach(delete -> found.add(delete.sequence()));
      }
      assertEquals(found.size(), new TreeSet<>(found).size(), () -> "each once: " + found);
      assertTrue(found.containsAll(least), () -> "missing in " + found + " of " + least);
    }

    @Override
    public List<Runnable> actors() {
      return actors;
    }

    @Override
    public void check() {
      read();
      assertEquals(added.size(), ranges.all().size());
    }
  }
}
