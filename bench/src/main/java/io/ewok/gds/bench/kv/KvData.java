package io.ewok.gds.bench.kv;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.SplittableRandom;

/**
 * The records of a workload: which keys there are, and what the value of each must be.
 *
 * <p>A key is the number of its slot, eight bytes in order, and eight that look random. One slot in
 * sixteen is empty at first: there the misses fall, and the inserts. A value begins with its slot
 * and its version; the rest follows from the two and compresses about two to one. How long values
 * are is the same for a whole JVM.
 *
 * <p>Threads: any; of a slot, one writes at a time.
 */
final class KvData {
  static final int KEY_BYTES = 16;

  /** The system property that says how long values are, if they are not of the usual length. */
  static final String VALUE_BYTES_PROPERTY = "gds.bench.kv.value-bytes";

  private static final int VALUE_BYTES_USUAL = 100;
  static final int VALUE_BYTES = Integer.getInteger(VALUE_BYTES_PROPERTY, VALUE_BYTES_USUAL);

  /** What is stored for a record, in bytes. */
  static final long RECORD_BYTES = (long) KEY_BYTES + VALUE_BYTES;

  /** The version of a record that was deleted; no value of it may be found. */
  private static final int DELETED = -1;

  private static final int EMPTY_EVERY = 16;
  private static final int VERSION_OFFSET = Long.BYTES;
  private static final int BODY_OFFSET = VERSION_OFFSET + Integer.BYTES;
  private static final int BODY_BYTES = VALUE_BYTES - BODY_OFFSET;
  private static final int POOL_BYTES = 1 << 20;
  private static final long SEED = 42;

  private static final ValueLayout.OfLong BIG_LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle VERSION = MethodHandles.arrayElementVarHandle(int[].class);

  final int entries;
  final KvCounters counters;
  private final int emptySlots;

  /** By slot: the version of its newest value that was written, 0 or less if there is none. */
  private final int[] versions;

  private final MemorySegment pool = MemorySegment.ofArray(new byte[POOL_BYTES + VALUE_BYTES]);
  private final int[] shuffled;

  /** Slots that were empty at first and were given a value; one thread inserts. */
  private int inserted;

  /** Records that were loaded and are deleted. */
  private int deleted;

  /** When those were written that must not have expired, by {@link System#nanoTime}. */
  private long freshSinceNanos;

  /** Records that are in the second family, too. */
  private int second;

  KvData(int entries) {
    this.entries = entries;
    this.counters = new KvCounters(entries);
    this.emptySlots = entries / (EMPTY_EVERY - 1) + 1;
    this.versions = new int[emptySlots * EMPTY_EVERY];
    this.shuffled = new int[entries];
    SplittableRandom random = new SplittableRandom(SEED);
    fillPool(random);
    for (int i = 0; i < entries; i++) {
      int other = random.nextInt(i + 1);
      shuffled[i] = shuffled[other];
      shuffled[other] = i;
    }
  }

  /** Each piece of 100 bytes is 50 random ones, twice. */
  private void fillPool(SplittableRandom random) {
    byte[] half = new byte[VALUE_BYTES_USUAL / 2];
    for (long at = 0; at + VALUE_BYTES_USUAL <= pool.byteSize(); at += VALUE_BYTES_USUAL) {
      random.nextBytes(half);
      MemorySegment.copy(half, 0, pool, ValueLayout.JAVA_BYTE, at, half.length);
      MemorySegment.copy(half, 0, pool, ValueLayout.JAVA_BYTE, at + half.length, half.length);
    }
  }

  // ---- slots

  int slots() {
    return versions.length;
  }

  /** Returns the slot of one of the records that a load writes, counted in the order of keys. */
  int slotOfRecord(int index) {
    return index + index / (EMPTY_EVERY - 1);
  }

  /** As {@link #slotOfRecord}, counted in an order that looks random. */
  int slotOfShuffled(int index) {
    return slotOfRecord(shuffled[index]);
  }

  int emptySlots() {
    return emptySlots;
  }

  /** Returns a slot that is empty at first; the order looks random. */
  int emptySlot(int index) {
    long scattered = (index * 0x9E37_79B1L + 12_345) % emptySlots;
    return (int) scattered * EMPTY_EVERY + EMPTY_EVERY - 1;
  }

  /** Returns the next slot to insert a record at; after the last the first again. */
  int nextInsert() {
    return emptySlot(inserted++ % emptySlots);
  }

  /**
   * Returns a slot by how many inserts were later; before the first insert come the last records.
   */
  int slotOfLatest(int rank) {
    return rank < inserted && inserted <= emptySlots
        ? emptySlot(inserted - 1 - rank)
        : slotOfRecord(entries - 1 - rank);
  }

  /** Returns the version of a slot's newest value; what wrote it happened before. */
  int version(int slot) {
    return (int) VERSION.getAcquire(versions, slot);
  }

  /** Returns whether there is a value of a slot. */
  boolean isThere(int slot) {
    return version(slot) > 0;
  }

  boolean isDeleted(int slot) {
    return version(slot) == DELETED;
  }

  /** Notes that a value was written, for whoever reads the version afterwards. */
  void setVersion(int slot, int version) {
    VERSION.setRelease(versions, slot, version);
  }

  /**
   * Notes that all records from a slot to another, exclusive, were deleted; one thread deletes, and
   * nobody writes them again.
   */
  void setDeleted(int firstSlot, int endSlot) {
    for (int slot = firstSlot; slot < endSlot; slot++) {
      if (isThere(slot)) {
        setGone(slot);
      }
    }
  }

  /**
   * Notes that a record that was loaded is gone; one thread does so, and nobody writes it again.
   */
  void setGone(int slot) {
    setVersion(slot, DELETED);
    deleted++;
  }

  /** Notes that the second family has all that were loaded; one thread loads it. */
  void setSecondLoaded() {
    second = entries;
  }

  boolean isSecondLoaded() {
    return second > 0;
  }

  /** Notes that the first of the records that must not have expired is written from now on. */
  void setFresh() {
    freshSinceNanos = System.nanoTime();
  }

  /** Returns whether that was longer ago. */
  boolean isOlderThan(Duration age) {
    return System.nanoTime() - freshSinceNanos > age.toNanos();
  }

  /** Returns how many of the records that were loaded are there. */
  int present() {
    return entries - deleted;
  }

  /** Returns how many records there are in all families, but for inserts and counters. */
  long stored() {
    return (long) present() + second;
  }

  // ---- bytes

  static void putKey(MemorySegment key, long slot) {
    key.set(BIG_LONG, 0, slot);
    key.set(LONG, Long.BYTES, mix(slot));
  }

  static long slot(MemorySegment key) {
    return key.get(BIG_LONG, 0);
  }

  void putValue(MemorySegment value, long slot, int version) {
    putHead(value, slot, version);
    MemorySegment.copy(pool, poolOffset(slot, version), value, BODY_OFFSET, BODY_BYTES);
  }

  static void putHead(MemorySegment value, long slot, int version) {
    value.set(LONG, 0, slot);
    value.set(INT, VERSION_OFFSET, version);
  }

  /** Returns whether a value begins as one of the slot's does, with a version in the range. */
  static boolean isHead(MemorySegment value, long slot, int versionMin, int versionMax) {
    int version = value.get(INT, VERSION_OFFSET);
    return value.get(LONG, 0) == slot && version >= versionMin && version <= versionMax;
  }

  /** Returns whether the rest of a value is what its slot and version say. */
  boolean isBody(MemorySegment value, long slot) {
    long from = poolOffset(slot, value.get(INT, VERSION_OFFSET));
    return MemorySegment.mismatch(value, BODY_OFFSET, VALUE_BYTES, pool, from, from + BODY_BYTES)
        < 0;
  }

  private static long poolOffset(long slot, int version) {
    return mix(slot * 31 + version) & (POOL_BYTES - 1);
  }

  /** The finalizer of SplitMix64. */
  static long mix(long value) {
    long mixed = (value + 0x9E37_79B9_7F4A_7C15L);
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D0_49BB_1331_11EBL;
    return mixed ^ (mixed >>> 31);
  }
}
