package io.ewok.gds.buffers.eviction;

import java.util.Arrays;

/**
 * Keys of what was evicted not long ago, in one or more lists, each in the order of its evictions.
 * When all places are taken, whoever adds removes something first. Guarded by the cache's lock.
 */
final class Ghosts {
  /** Found nothing. */
  static final int NONE = -1;

  /** What each place takes: the key, its links in a list and a bucket, its list, and a bucket. */
  static final int BYTES = Long.BYTES + 4 * Integer.BYTES + 1;

  private final long[] keys;
  private final byte[] listOf;
  private final SlotList links;
  private final SlotList.Ends[] lists;
  private final SlotList.Ends free = new SlotList.Ends();
  private final int[] buckets;
  private final int[] nextInBucket;

  Ghosts(int capacity, int listCount) {
    this.keys = new long[capacity];
    this.listOf = new byte[capacity];
    this.links = new SlotList(capacity);
    this.lists = new SlotList.Ends[listCount];
    Arrays.setAll(lists, _ -> new SlotList.Ends());
    this.buckets = new int[Integer.highestOneBit(Math.max(1, capacity))];
    Arrays.fill(buckets, NONE);
    this.nextInBucket = new int[capacity];
    for (int place = 0; place < capacity; place++) {
      links.addLast(free, place);
    }
  }

  int size(int list) {
    return lists[list].size();
  }

  /** Where a key is, or NONE. */
  int find(long key) {
    int place = buckets[bucket(key)];
    while (place != NONE && keys[place] != key) {
      place = nextInBucket[place];
    }
    return place;
  }

  int listOf(int place) {
    return listOf[place];
  }

  /** Adds a key that is in no list, as the youngest of one; a place must be free. */
  void add(int list, long key) {
    int place = free.first();
    links.remove(free, place);
    links.addLast(lists[list], place);
    keys[place] = key;
    listOf[place] = (byte) list;
    int bucket = bucket(key);
    nextInBucket[place] = buckets[bucket];
    buckets[bucket] = place;
  }

  void removeOldest(int list) {
    remove(lists[list].first());
  }

  void remove(int place) {
    int bucket = bucket(keys[place]);
    if (buckets[bucket] == place) {
      buckets[bucket] = nextInBucket[place];
    } else {
      int before = buckets[bucket];
      while (nextInBucket[before] != place) {
        before = nextInBucket[before];
      }
      nextInBucket[before] = nextInBucket[place];
    }
    links.remove(lists[listOf[place]], place);
    links.addLast(free, place);
  }

  private int bucket(long key) {
    return (int) Hashing.mix(key) & (buckets.length - 1);
  }
}
