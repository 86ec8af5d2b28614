package io.ewok.gds.lsm.cache;

import static io.ewok.gds.lsm.cache.BucketFormat.BUCKET_BYTES;
import static io.ewok.gds.lsm.cache.BucketFormat.CHANGED;
import static io.ewok.gds.lsm.cache.BucketFormat.GHOST_COUNT;
import static io.ewok.gds.lsm.cache.BucketFormat.KEY;
import static io.ewok.gds.lsm.cache.BucketFormat.LENGTHS;
import static io.ewok.gds.lsm.cache.BucketFormat.MARKS;
import static io.ewok.gds.lsm.cache.BucketFormat.RECORDS_UNITS;
import static io.ewok.gds.lsm.cache.BucketFormat.RECORD_BYTES_MAX;
import static io.ewok.gds.lsm.cache.BucketFormat.SLOTS;
import static io.ewok.gds.lsm.cache.BucketFormat.STAMP;
import static io.ewok.gds.lsm.cache.BucketFormat.TABLES;
import static io.ewok.gds.lsm.cache.BucketFormat.TAGS;
import static io.ewok.gds.lsm.cache.BucketFormat.UNIT_BYTES;
import static io.ewok.gds.lsm.cache.BucketFormat.VERSION;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyHash;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.LongAdder;

/**
 * Remembers of single keys what the tables of a store say about them. Asked after the memtables,
 * whose records are newer, and before the tables.
 *
 * <p>What tables say changes seldom, and those who change it are one after the other: each set of
 * tables of a store has a <em>number</em>, one more than that before. A reader has one such set; he
 * tells its number whenever he asks or offers. A record in here is <em>the newest of its key</em>
 * in the tables that it was read from, a plain value, and not hidden by a range delete of these
 * tables. A reader of tables with number n, as of sequence number s, gets it if
 *
 * <ol>
 *   <li>it was read from tables with a number of at most n: else they may have what he must not
 *       see;
 *   <li>the tables of its family have not changed as a whole behind that number, up to n. The
 *       reader knows when they did last: it is part of what he has;
 *   <li>its sequence number is at most s.
 * </ol>
 *
 * <p>Then it is what the tables of number n have, unless a flush has written something newer about
 * the key in between. Before the tables of a flush, with number f, are shown to anybody, {@link
 * #changed} is called for each key in them: it removes the record, and puts f into the bucket. From
 * then on no record of a smaller number comes into the bucket. So whoever reads tables with number
 * f or a greater one, which he has learned of after all that, finds only what was removed by
 * nobody, and what was put in later and has been read from tables with number f or a greater one. A
 * reader who has read old tables slowly, and comes to offer what he found, is refused.
 *
 * <p>Whoever merges tables changes nothing of what the newest plain value of a key is, so records
 * stay. Where that is not so, the family's tables have changed as a whole: range deletes are
 * flushed, tables are ingested or dropped, a filter has been asked. What has expired is for the
 * reader to find out, by the stamp, as in tables.
 *
 * <p>When there is room in its bucket, a record comes in at once; else if its key was read not long
 * before. Who goes for it is the first that was not hit since the hand has passed by it: what is
 * read once only, however much that is, does not drive out what is read often.
 *
 * <p>Ownership: whoever made it closes it when nobody reads any more. Threads: any. Readers never
 * wait: for them a bucket that is being changed has nothing. Who offers does not wait either.
 */
public final class RecordCache implements AutoCloseable {
  /*
   * The version of a bucket is a lock for who changes it, and tells readers whether they have read one state. Changes:
   * tryLock makes it odd by compare-and-exchange, with a store-store fence before anything else is written; unlock
   * stores the next even number with release. Readers: load with acquire, read, acquire fence (partner of the
   * store-store fence), load again. If they have read anything of a change, they see a version of that change, or of a
   * later one, the second time. Until then they believe nothing, and stay within the bucket whatever they read.
   *
   * Marks and ghosts are hints which anybody changes without the lock.
   */
  private static final long BYTES_MIN = 64L << 10;

  private static final int TAG_MASK = 0xFFFF;

  /** Bits of the hash behind those of the tag. */
  private static final int GHOST_SHIFT = Short.SIZE;

  private static final int NUMBER_SHIFT = GHOST_SHIFT + Byte.SIZE;
  private static final int BYTE_MASK = 0xFF;
  private static final long LANES = 0x0001_0001_0001_0001L;
  private static final long LANE_SIGNS = LANES << (Short.SIZE - 1);
  private static final int LANES_PER_WORD = Long.BYTES / Short.BYTES;
  private static final long FAMILY_FACTOR = 0x9E37_79B9_7F4A_7C15L;
  private static final int MARK_MAX = 3;
  private static final int SPINS_BEFORE_YIELD = 100;
  private static final int NONE = -1;

  private final Region region;
  private final long buckets;
  private final long bucketCount;

  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder records = new LongAdder();
  private final LongAdder recordBytes = new LongAdder();

  /**
   * Creates a cache.
   *
   * @param budget is charged the memory
   * @param memory how its memory is mapped; its size is a multiple of that of the operating
   *     system's pages
   */
  public RecordCache(MemoryBudget budget, RegionOptions memory) {
    long bytes = memory.sizeBytes();
    if (bytes < BYTES_MIN) {
      throw new IllegalArgumentException(
          "a record cache has at least %d bytes: bytes=%d".formatted(BYTES_MIN, bytes));
    }
    region = Region.map(budget, memory);
    buckets = region.address();
    bucketCount = bytes / BUCKET_BYTES;
  }

  @Override
  public void close() {
    region.close();
  }

  /** Has the processor bring what a search for a key begins with. */
  public void fetch(SearchKey key, int family) {
    long bucket = bucket(key, family);
    Memory.fetch(bucket);
    Memory.fetch(bucket + MARKS);
  }

  /**
   * Looks for a record.
   *
   * @param sequence the newest that may be seen
   * @param tables number of the tables that the caller reads
   * @param changed number of those in which the family's tables have changed as a whole last
   * @param into gets a copy
   */
  public boolean find(
      SearchKey key, int family, long sequence, long tables, long changed, CachedRecord into) {
    long hash = hash(key.hash(), family);
    long bucket = bucket(hash);
    long version = Memory.getLongAcquire(bucket + VERSION); // partner: unlock
    if (!isLocked(version)) {
      int slot = slot(bucket, tag(hash), family, key.address(), key.lengthBytes());
      if (slot != NONE
          && copy(bucket, slot, sequence, tables, changed, into)
          && isUnchanged(bucket, version)) {
        int mark = BucketFormat.mark(bucket, slot);
        if (mark < MARK_MAX) { // or else what is hit most would go from core to core
          BucketFormat.putMark(bucket, slot, mark + 1);
        }
        hits.increment();
        return true;
      }
    }
    misses.increment();
    return false;
  }

  /** Copies a record if it may be seen. It may be anything, but lies within the bucket. */
  private static boolean copy(
      long bucket, int slot, long sequence, long tables, long changed, CachedRecord into) {
    int place = BucketFormat.place(bucket, slot);
    if (!hasHeader(place)) {
      return false;
    }
    long record = BucketFormat.record(bucket, place);
    long lengths = Memory.getLong(record + LENGTHS);
    long stamp = Memory.getLong(record + STAMP);
    if (!isWithin(place, lengths)
        || !isOfTime(Memory.getLong(record + TABLES), tables, changed)
        || RecordKind.sequence(stamp) > sequence) {
      return false;
    }
    int valueBytes = BucketFormat.valueBytes(lengths);
    long value = into.begin(stamp, valueBytes);
    Memory.copy(record + KEY + BucketFormat.keyBytes(lengths), value, valueBytes);
    return true;
  }

  private static boolean isOfTime(long recordTables, long tables, long changed) {
    return recordTables <= tables && recordTables >= changed;
  }

  private static boolean isUnchanged(long bucket, long version) {
    VarHandle.acquireFence(); // partner: the fence in tryLock
    return Memory.getLong(bucket + VERSION) == version;
  }

  /**
   * Offers the newest record of a key in tables, a put that nothing there hides.
   *
   * @param tables number of the tables that it was read from
   */
  public void offer(
      SearchKey key, int family, long stamp, long valueAddress, int valueBytes, long tables) {
    int keyBytes = key.lengthBytes();
    if (KEY + (long) keyBytes + valueBytes > RECORD_BYTES_MAX) {
      return;
    }
    long hash = hash(key.hash(), family);
    long bucket = bucket(hash);
    int tag = tag(hash);
    long lengths = BucketFormat.lengths(family, keyBytes, valueBytes);
    int units = BucketFormat.units(BucketFormat.recordBytes(lengths));
    if ((!hasRoom(bucket, units) && !wasSeen(bucket, hash)) || !tryLock(bucket)) {
      return;
    }
    if (mayComeIn(bucket, tables)) {
      int before = slot(bucket, tag, family, key.address(), keyBytes);
      if (before == NONE || tables(bucket, before) < tables) {
        if (before != NONE) {
          remove(bucket, before);
        }
        while (!hasRoom(bucket, units)) {
          evict(bucket);
        }
        long record = add(bucket, tag, units);
        Memory.putLong(record + STAMP, stamp);
        Memory.putLong(record + TABLES, tables);
        Memory.putLong(record + LENGTHS, lengths);
        Memory.copy(key.address(), record + KEY, keyBytes);
        Memory.copy(valueAddress, record + KEY + keyBytes, valueBytes);
        records.increment();
        recordBytes.add(BucketFormat.recordBytes(lengths));
      }
    }
    unlock(bucket);
  }

  /** Whether no newer tables have something about a key of the bucket. With its lock. */
  private static boolean mayComeIn(long bucket, long tables) {
    return tables >= Memory.getLong(bucket + CHANGED);
  }

  /**
   * Says that tables have something new about a key. Called before anybody can read these tables;
   * calls for one set of tables come after those for earlier ones.
   *
   * @param tables number of these tables
   */
  public void changed(long keyAddress, int keyBytes, int family, long tables) {
    long hash = hash(KeyHash.of(keyAddress, keyBytes), family);
    long bucket = bucket(hash);
    lock(bucket);
    Memory.putLong(bucket + CHANGED, tables);
    int slot = slot(bucket, tag(hash), family, keyAddress, keyBytes);
    if (slot != NONE) {
      remove(bucket, slot);
    }
    unlock(bucket);
  }

  /** Forgets everything, as if it were new. While nobody uses it. */
  void clear() {
    Memory.fill(buckets, bucketCount * BUCKET_BYTES, (byte) 0);
    hits.reset();
    misses.reset();
    records.reset();
    recordBytes.reset();
  }

  /** Returns what it has done, and what it has. */
  public RecordCacheStats stats() {
    return new RecordCacheStats(hits.sum(), misses.sum(), records.sum(), recordBytes.sum());
  }

  // ---- buckets

  private static long hash(long keyHash, int family) {
    return keyHash + family * FAMILY_FACTOR;
  }

  /** The bucket that has the record of a key, if any has. */
  long bucket(SearchKey key, int family) {
    return bucket(hash(key.hash(), family));
  }

  /** By the upper bits of the hash. */
  private long bucket(long hash) {
    return buckets + Math.unsignedMultiplyHigh(hash, bucketCount) * BUCKET_BYTES;
  }

  /** The lower bits, but not zero. */
  private static int tag(long hash) {
    int tag = (int) hash & TAG_MASK;
    return tag == 0 ? 1 : tag;
  }

  private static boolean isLocked(long version) {
    return (version & 1) != 0;
  }

  private static boolean tryLock(long bucket) {
    long version = Memory.getLong(bucket + VERSION);
    if (isLocked(version)
        || !Memory.compareAndSetLong(bucket + VERSION, version, version + 1)) { // partner: unlock
      return false;
    }
    VarHandle.storeStoreFence(); // partner: the fence in isUnchanged
    return true;
  }

  @SuppressWarnings("ThreadPriorityCheck") // who has the lock may have lost its processor
  private static void lock(long bucket) {
    for (int tries = 1; !tryLock(bucket); tries++) {
      if (tries % SPINS_BEFORE_YIELD == 0) {
        Thread.yield();
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private static void unlock(long bucket) {
    // partners: find, tryLock
    Memory.putLongRelease(bucket + VERSION, Memory.getLong(bucket + VERSION) + 1);
  }

  /** Lanes of a word, by their highest bits, that may be zero: all that are, and few others. */
  private static long zeroLanes(long word) {
    return (word - LANES) & ~word & LANE_SIGNS;
  }

  private static int lane(long zeroLanes) {
    return Long.numberOfTrailingZeros(zeroLanes) / Short.SIZE;
  }

  /** The slot with a key, or NONE. Without the lock it may be any. */
  private static int slot(long bucket, int tag, int family, long keyAddress, int keyBytes) {
    for (int first = 0; first < SLOTS; first += LANES_PER_WORD) {
      long tags = Memory.getLong(bucket + TAGS + (long) first * Short.BYTES);
      for (long lanes = zeroLanes(tags ^ tag * LANES); lanes != 0; lanes &= lanes - 1) {
        int slot = first + lane(lanes);
        if (BucketFormat.tag(bucket, slot) == tag
            && hasKey(bucket, slot, family, keyAddress, keyBytes)) {
          return slot;
        }
      }
    }
    return NONE;
  }

  private static boolean hasKey(long bucket, int slot, int family, long keyAddress, int keyBytes) {
    int place = BucketFormat.place(bucket, slot);
    if (!hasHeader(place)) {
      return false;
    }
    long record = BucketFormat.record(bucket, place);
    long lengths = Memory.getLong(record + LENGTHS);
    return BucketFormat.isOf(lengths, family, keyBytes)
        && isWithin(place, lengths)
        && Memory.compareUnsigned(record + KEY, keyBytes, keyAddress, keyBytes) == 0;
  }

  private static boolean hasHeader(int place) {
    return place <= RECORDS_UNITS - KEY / UNIT_BYTES;
  }

  private static boolean isWithin(int place, long lengths) {
    return place + BucketFormat.units(BucketFormat.recordBytes(lengths)) <= RECORDS_UNITS;
  }

  private static long tables(long bucket, int slot) {
    return Memory.getLong(BucketFormat.record(bucket, BucketFormat.place(bucket, slot)) + TABLES);
  }

  /** Whether so many units are free, and a slot. */
  private static boolean hasRoom(long bucket, int units) {
    return BucketFormat.end(bucket) + units <= RECORDS_UNITS && freeSlot(bucket) != NONE;
  }

  private static int freeSlot(long bucket) {
    for (int first = 0; first < SLOTS; first += LANES_PER_WORD) {
      long lanes = zeroLanes(Memory.getLong(bucket + TAGS + (long) first * Short.BYTES));
      if (lanes != 0) {
        return first + lane(lanes); // the lowest is one for certain
      }
    }
    return NONE;
  }

  /** Whether a key was seen not long ago. It is seen now. */
  private static boolean wasSeen(long bucket, long hash) {
    int number = (((int) (hash >>> NUMBER_SHIFT) & BYTE_MASK) * GHOST_COUNT) >>> Byte.SIZE;
    int ghost = Math.max(1, (int) (hash >>> GHOST_SHIFT) & BYTE_MASK);
    boolean seen = BucketFormat.ghost(bucket, number) == ghost;
    BucketFormat.putGhost(bucket, number, seen ? 0 : ghost);
    return seen;
  }

  // ---- with the lock

  /** Takes a free slot, and room behind the last record. Returns the record's address. */
  private static long add(long bucket, int tag, int units) {
    int slot = freeSlot(bucket);
    int place = BucketFormat.end(bucket);
    BucketFormat.putTag(bucket, slot, tag);
    BucketFormat.putMark(bucket, slot, 0);
    BucketFormat.putPlace(bucket, slot, place);
    BucketFormat.putEnd(bucket, place + units);
    return BucketFormat.record(bucket, place);
  }

  /** Removes the next record that was not hit since the hand has passed by it. */
  private void evict(long bucket) {
    int slot = BucketFormat.hand(bucket);
    while (BucketFormat.tag(bucket, slot) == 0 || BucketFormat.mark(bucket, slot) > 0) {
      BucketFormat.putMark(bucket, slot, Math.max(0, BucketFormat.mark(bucket, slot) - 1));
      slot = (slot + 1) % SLOTS;
    }
    remove(bucket, slot);
    BucketFormat.putHand(bucket, (slot + 1) % SLOTS);
  }

  /** Removes a record, and moves those behind it. */
  private void remove(long bucket, int slot) {
    int place = BucketFormat.place(bucket, slot);
    long record = BucketFormat.record(bucket, place);
    int bytes = BucketFormat.recordBytes(Memory.getLong(record + LENGTHS));
    int units = BucketFormat.units(bytes);
    int end = BucketFormat.end(bucket);
    Memory.copy(
        BucketFormat.record(bucket, place + units),
        record,
        (long) (end - place - units) * UNIT_BYTES);
    for (int other = 0; other < SLOTS; other++) {
      int otherPlace = BucketFormat.place(bucket, other);
      if (otherPlace > place) { // of free slots it does not matter
        BucketFormat.putPlace(bucket, other, otherPlace - units);
      }
    }
    BucketFormat.putTag(bucket, slot, 0);
    BucketFormat.putEnd(bucket, end - units);
    records.decrement();
    recordBytes.add(-bytes);
  }
}
