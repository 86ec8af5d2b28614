package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.TableFixture.Entry;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A block gives back what was put in, finds as a list does, and never leads out of itself. */
class BlockTest {
  private static final int BLOCK_BYTES = 16 << 10;
  private static final int VALUE_BYTES_MAX = 70_000;
  private static final long TABLE_END = 1 << 20;

  private final Region region =
      Region.map(MemoryBudget.root("test", 4 << 20), RegionOptions.ofSize(2 << 20));
  private final BlockBuilder builder = new BlockBuilder(region.address(), BLOCK_BYTES);
  private final long scratch =
      region.address() + BlockBuilder.memoryBytes(BLOCK_BYTES, VALUE_BYTES_MAX);
  private final BlockView view = new BlockView();

  @AfterEach
  void unmap() {
    region.close();
  }

  /** Builds a block of as many of the entries as it takes. Returns its length. */
  private int build(int type, List<Entry> entries) {
    builder.start();
    long size = 0;
    for (Entry entry : entries) {
      Memory.copyFrom(MemorySegment.ofArray(entry.key()), 0, scratch, entry.key().length);
      long value = scratch + entry.key().length;
      Memory.copyFrom(MemorySegment.ofArray(entry.value()), 0, value, entry.value().length);
      size =
          builder.sizeBytesWith(entry.stamp(), scratch, entry.key().length, entry.value().length);
      boolean full = size > BLOCK_BYTES || !builder.hasRoomFor(entry.key().length);
      if (full && builder.count() > 0) {
        break;
      }
      builder.add(entry.stamp(), scratch, entry.key().length, value, entry.value().length);
      assertEquals(size, builder.sizeBytes());
    }
    long expected = builder.sizeBytes();
    int lengthBytes = builder.finish(type);
    assertTrue(lengthBytes <= expected, "length " + lengthBytes + " of " + expected);
    view.attach(builder.address());
    return lengthBytes;
  }

  private static String defect(long block, int lengthBytes) {
    return BlockCheck.defect(block, lengthBytes, TABLE_END);
  }

  @Test
  void anyEntriesComeBackAndAreFound() {
    long seed = Fixtures.seed(3);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 300; round++) {
      String replay = Fixtures.replay(getClass(), seed) + " round=" + round;
      List<Entry> entries =
          TableFixture.random(random, 1 + random.nextInt(200), TableFixture::anyKey, 50);
      entries = distinct(entries);
      int lengthBytes = build(TableFormat.TYPE_DATA, entries);
      assertNull(defect(builder.address(), lengthBytes), replay);
      assertComeBack(entries, replay);
      for (int i = 0; i < 50; i++) {
        Entry some = entries.get(random.nextInt(entries.size()));
        byte[] key = random.nextBoolean() ? some.key() : TableFixture.anyKey(random);
        long stamp = some.stamp() + random.nextInt(-600, 600);
        assertFinds(entries.subList(0, view.count()), key, stamp, replay);
      }
    }
  }

  /** Records of one key and one sequence do not occur. */
  private static List<Entry> distinct(List<Entry> entries) {
    List<Entry> distinct = new ArrayList<>();
    for (Entry entry : entries) {
      if (distinct.isEmpty() || Entry.ORDER.compare(distinct.getLast(), entry) < 0) {
        distinct.add(entry);
      }
    }
    return distinct;
  }

  private void assertComeBack(List<Entry> entries, String replay) {
    KeyBuffer key = new KeyBuffer();
    long address = key.reserve(view.longestKeyBytes());
    Memory.copy(view.prefixAddress(), address, view.prefixBytes());
    for (int i = 0; i < view.count(); i++) {
      Entry entry = entries.get(i);
      int keyBytes = view.copyKey(i, address);
      assertEquals(keyBytes, view.keyBytes(i), replay);
      assertArrayEquals(entry.key(), Fixtures.array(Memory.view(address, keyBytes)), replay);
      assertEquals(entry.stamp(), view.stamp(i), replay);
      MemorySegment value = Memory.view(view.valueAddress(i), view.valueBytes(i));
      assertArrayEquals(entry.value(), Fixtures.array(value), replay);
      if (i > 0) {
        boolean same = Fixtures.ORDER.compare(entries.get(i - 1).key(), entry.key()) == 0;
        assertEquals(same, view.isSameKey(i - 1, i), replay);
      }
    }
  }

  private void assertFinds(List<Entry> entries, byte[] key, long stamp, String replay) {
    Entry wanted = new Entry(key, stamp, new byte[0]);
    int expected = 0;
    while (expected < entries.size() && Entry.ORDER.compare(entries.get(expected), wanted) < 0) {
      expected++;
    }
    SearchKey search = new SearchKey().set(MemorySegment.ofArray(key));
    assertEquals(expected, view.findAtOrAfter(search, stamp), replay);
    if (expected < entries.size()) {
      byte[] found = entries.get(expected).key();
      assertEquals(
          Fixtures.ORDER.compare(found, key) == 0,
          view.hasKey(expected, search.address(), key.length),
          replay);
      boolean begins = found.length >= key.length && startsWith(found, key);
      assertEquals(begins, view.hasPrefix(expected, search.address(), key.length), replay);
    }
  }

  private static boolean startsWith(byte[] bytes, byte[] beginning) {
    for (int i = 0; i < beginning.length; i++) {
      if (bytes[i] != beginning[i]) {
        return false;
      }
    }
    return true;
  }

  @Test
  void stampsTakeNoMoreThanTheyDiffer() {
    int none = lengthOf(5, 0);
    int some = lengthOf(5, 1);
    int whole = lengthOf(5, 1L << 40);
    assertTrue(none < some && some < whole, none + " " + some + " " + whole);
  }

  private int lengthOf(int count, long stride) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long stamp = RecordKind.stamp(1 + i * stride, RecordKind.PUT);
      entries.add(new Entry(Fixtures.bytes("key" + i), stamp, new byte[0]));
    }
    int lengthBytes = build(TableFormat.TYPE_DATA, entries);
    assertComeBack(entries, "stride=" + stride);
    return lengthBytes;
  }

  @Test
  void longestKeysAndLongValuesFit() {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      byte[] key = new byte[Keys.BYTES_MAX];
      key[key.length - 1] = (byte) i;
      entries.add(new Entry(key, RecordKind.stamp(5, RecordKind.PUT), new byte[VALUE_BYTES_MAX]));
    }
    int lengthBytes = build(TableFormat.TYPE_DATA, entries);
    assertEquals(1, view.count());
    assertNull(defect(builder.address(), lengthBytes));
    assertComeBack(entries, "");
    assertFinds(entries.subList(0, 1), entries.get(0).key(), RecordKind.stamp(5, 255), "");
    assertFinds(entries.subList(0, 1), entries.get(1).key(), RecordKind.stamp(5, 255), "");
  }

  private int buildHandles(int type, int count) {
    List<Entry> entries = new ArrayList<>();
    int handles = type == TableFormat.TYPE_ROOT ? 2 : 1;
    for (int i = 0; i < count; i++) {
      byte[] value = new byte[handles * TableFormat.HANDLE_BYTES];
      Memory.fill(scratch, value.length, (byte) 0);
      TableFormat.putHandle(scratch, i * 4096L, 4000, 8000);
      Memory.copyTo(scratch, MemorySegment.ofArray(value), 0, value.length);
      entries.add(new Entry(Fixtures.bytes("key%03d".formatted(i)), 0, value));
    }
    return build(type, entries);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        TableFormat.TYPE_DATA,
        TableFormat.TYPE_INDEX,
        TableFormat.TYPE_ROOT,
        TableFormat.TYPE_FILTER
      })
  void forgedBlockIsRefusedOrStaysInBounds(int type) {
    long seed = Fixtures.seed(17);
    SplittableRandom random = new SplittableRandom(seed);
    int lengthBytes = buildSound(type, random);
    byte[] sound = Fixtures.array(Memory.view(builder.address(), lengthBytes));
    assertNull(defect(builder.address(), lengthBytes));
    int passed = 0;
    for (int round = 0; round < 60_000; round++) {
      Memory.copyFrom(MemorySegment.ofArray(sound), 0, builder.address(), lengthBytes);
      for (int i = random.nextInt(3); i >= 0; i--) {
        int at = random.nextInt(random.nextInt(4) == 0 ? 24 : lengthBytes);
        Memory.putByte(builder.address() + at, (byte) random.nextInt());
      }
      if (defect(builder.address(), lengthBytes) == null) {
        passed++;
        walk(lengthBytes, Fixtures.replay(getClass(), seed) + " round=" + round);
      }
    }
    assertTrue(passed > 100, "blocks that passed: " + passed);
  }

  private int buildSound(int type, SplittableRandom random) {
    return switch (type) {
      case TableFormat.TYPE_DATA ->
          build(type, distinct(TableFixture.random(random, 20, TableFixture::anyKey, 20)));
      case TableFormat.TYPE_FILTER -> {
        build(
            TableFormat.TYPE_DATA,
            distinct(TableFixture.random(random, 50, TableFixture::anyKey, 9)));
        FilterBuilder filter = new FilterBuilder(scratch);
        filter.start(10, 0);
        for (int i = 0; i < 100; i++) {
          filter.add(region.address() + i, 8);
        }
        int lengthBytes = filter.lengthBytes();
        filter.finish(builder.address());
        yield lengthBytes;
      }
      default -> buildHandles(type, 20);
    };
  }

  private void walk(int lengthBytes, String replay) {
    long block = builder.address();
    if (TableFormat.type(block) == TableFormat.TYPE_FOOTER) {
      return;
    }
    if (TableFormat.type(block) == TableFormat.TYPE_FILTER) {
      for (long hash = 1; hash != 0; hash <<= 1) {
        FilterView.mayContain(block, hash);
      }
      return;
    }
    view.attach(block);
    KeyBuffer key = new KeyBuffer();
    key.reserve(view.longestKeyBytes());
    for (int i = 0; i < view.count(); i++) {
      assertTrue(view.copyKey(i, key.address()) <= view.longestKeyBytes(), replay);
      assertTrue(view.valueOffset(i) >= TableFormat.HEADS_OFFSET, replay);
      assertTrue(view.valueOffset(i) + view.valueBytes(i) <= lengthBytes, replay);
    }
    SearchKey wanted = new SearchKey().set(MemorySegment.ofArray(Fixtures.bytes("key005")));
    int found = view.findAtOrAfter(wanted, RecordKind.searchStamp(500));
    assertTrue(found >= 0 && found <= view.count(), replay);
  }

  @Test
  void garbageIsRefused() {
    SplittableRandom random = new SplittableRandom(5);
    for (int round = 0; round < 20_000; round++) {
      int lengthBytes = 16 * (1 + random.nextInt(20));
      byte[] garbage = Fixtures.randomBytes(random, lengthBytes);
      garbage[0] = (byte) (1 + random.nextInt(5));
      Memory.copyFrom(MemorySegment.ofArray(garbage), 0, scratch, lengthBytes);
      assertNotNull(defect(scratch, lengthBytes));
    }
  }
}
