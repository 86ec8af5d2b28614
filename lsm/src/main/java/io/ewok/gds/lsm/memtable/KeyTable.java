package io.ewok.gds.lsm.memtable;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyHash;
import io.ewok.gds.lsm.record.SearchKey;

/**
 * Finds the newest entry of a key at once: a hash table beside the {@link EntryTree}, so that a get
 * looks at one or two cache lines and not at one per level.
 *
 * <p>A slot is a word of 64 bits: above, half of the key's hash; below, the newest entry of the key
 * as {@link EntrySpace#unit}. A key keeps the slot it has got, the first free one from where its
 * hash says. If there is none among the next few, it gets none, and whoever looks for it finds as
 * many slots taken, and knows that the table cannot say.
 *
 * <p>The keys of all families are in it: a hash is that of the key and, exclusive or, the {@link
 * #salt} of the family. The same key has different halves of hashes in different families, so that
 * a slot with a key's half and a key's bytes is that of its family.
 *
 * <p>Threads: any. An entry is found by whoever learned of its insertion after that returned.
 */
final class KeyTable {
  static final long NONE = 0;

  /** The table cannot say: the tree has to be asked. */
  static final long UNKNOWN = -1;

  private static final int SALT_FACTOR = 0x9E37_79B9;

  private static final long HASH_MASK = 0xFFFFFFFF00000000L;

  /** How many slots a key may have. Far more than a key needs before the table is nearly full. */
  private static final int PROBES_MAX = 64;

  private final EntrySpace space;
  private final long slots;
  private final long mask;

  /** Creates an empty table. */
  KeyTable(EntrySpace space, long bytes) {
    this.space = space;
    slots = space.allocateNode(bytes);
    Memory.fill(slots, bytes, (byte) 0);
    mask = bytes / Long.BYTES - 1;
  }

  /** Size of the table in bytes for a memtable of this size: a word for each 64 bytes or more. */
  static long bytes(long memtableBytes) {
    return Long.highestOneBit(memtableBytes) / Long.BYTES;
  }

  /**
   * What tells the keys of a family from the same keys of others: another upper half for each
   * number, since odd factors have an inverse, and another lower one too, so that the keys do not
   * meet in the same slots. That of the default family is 0.
   */
  static long salt(int family) {
    long half = Integer.toUnsignedLong(family * SALT_FACTOR);
    return half << Integer.SIZE | half;
  }

  /** What an entry of the family of a salt is added by. */
  static long hash(long entry, long salt) {
    return KeyHash.of(EntryFormat.keyAddress(entry), EntryFormat.keyBytes(entry)) ^ salt;
  }

  /** Has the processor bring what it looks at when an entry is added by this hash. */
  void fetch(long hash) {
    Memory.fetch(slot(hash, 0));
  }

  /** Adds an entry, by its {@link #hash}, that is in the tree of its family already. */
  void put(long entry, long hash) {
    long word = (hash & HASH_MASK) | Integer.toUnsignedLong(space.unit(entry));
    for (int i = 0; i < PROBES_MAX; i++) {
      long slot = slot(hash, i);
      long found = Memory.getLongAcquire(slot);
      if (found == 0) {
        if (Memory.compareAndSetLong(slot, 0, word)) { // partner: find
          return;
        }
        found = Memory.getLongAcquire(slot);
      }
      if (isHash(found, hash) && EntryFormat.isSameKey(entry(found), entry)) {
        replace(slot, found, word, entry);
        return;
      }
    }
  }

  private void replace(long slot, long seen, long word, long entry) {
    long found = seen;
    while (Long.compareUnsigned(EntryFormat.stamp(entry(found)), EntryFormat.stamp(entry)) < 0
        && !Memory.compareAndSetLong(slot, found, word)) { // partner: find
      found = Memory.getLongAcquire(slot);
    }
  }

  /** Returns the newest entry of a key in the family of a salt, or NONE, or UNKNOWN. */
  long find(SearchKey key, long salt) {
    long hash = key.hash() ^ salt;
    for (int i = 0; i < PROBES_MAX; i++) {
      long found = Memory.getLongAcquire(slot(hash, i)); // partner: put, replace
      if (found == 0) {
        return NONE;
      }
      if (isHash(found, hash) && EntryFormat.hasKey(entry(found), key)) {
        return entry(found);
      }
    }
    return UNKNOWN;
  }

  private long slot(long hash, int probe) {
    return slots + ((hash + probe) & mask) * Long.BYTES;
  }

  private long entry(long word) {
    return space.address((int) word);
  }

  private static boolean isHash(long word, long hash) {
    return ((word ^ hash) & HASH_MASK) == 0;
  }
}
