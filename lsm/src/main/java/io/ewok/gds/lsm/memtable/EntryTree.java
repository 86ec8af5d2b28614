package io.ewok.gds.lsm.memtable;

import static io.ewok.gds.lsm.memtable.NodeFormat.WIDTH;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.invoke.VarHandle;

/**
 * The order of the entries of a memtable: a B-link tree (Lehman and Yao) whose nodes are read
 * without locks and without waiting. Nothing is ever removed.
 *
 * <p>Threads: any, for insertions and reads. Only writers of the same node wait for each other.
 * Whoever learned of an insertion after it returned finds the entry.
 */
final class EntryTree {
  /*
   * A node is changed by who has locked it, and read by anybody meanwhile (NodeFormat):
   *
   *   insert  writes a free slot, then releases the order with it
   *   split   completes the right half as a new node, locked, then releases, one after the other: next, high, the order
   *           of what stays, one split more. Only then is the right half unlocked, so that whoever knows of something that
   *           was added to it sees the split; and only then are the slots of what left used again
   *
   * A reader acquires state, order, high and next, in this order. What has a head above high, or the same and is not
   * before the low of next, is at next or beyond: the high of an older next is above that of a newer one, and with a
   * newer high it sees the newer next. Else, what it has to find was in the order it has read: what left before is
   * beyond the high that was released before.
   * What it took from slots is right if, behind an acquire fence, there was no split more; else it looks again. So it
   * never waits, and looks again only when others got something done. The slots it reads meanwhile are those of another
   * entry at worst, complete behind their acquire.
   *
   * A new node is found by its left neighbour before its parent knows of it. Whoever splits the root puts the new one
   * above it before he unlocks it, so for a moment somebody may find no level above a node: he waits for that.
   */
  static final long NONE = 0;

  private static final int SPINS = 100;

  private final EntrySpace space;

  /** Written by who has locked the root before; its write is complete before. */
  private volatile long root;

  EntryTree(EntrySpace space) {
    this.space = space;
    root = newNode(0, NONE, NONE, NONE, NodeFormat.NO_HIGH);
  }

  /**
   * Bytes of nodes that so many entries take at most: {@link #ENTRY_BYTES_MAX} each, and {@link
   * #OVERHEAD_BYTES}. A split leaves at least seven items in each half, unless it is at the end of
   * a level; so there is a node for seven entries, one for seven of these nodes, and so on.
   */
  static final int ENTRY_BYTES_MAX = (NodeFormat.BYTES + 5) / 6;

  static final int OVERHEAD_BYTES = 12 * NodeFormat.BYTES;

  private long newNode(int level, long low, long previous, long next, long high) {
    long node = space.allocateNode(NodeFormat.BYTES);
    Memory.putLong(node + NodeFormat.ORDER_OFFSET, NodeFormat.EMPTY_ORDER);
    Memory.putLong(node + NodeFormat.STATE_OFFSET, 0);
    Memory.putLong(node + NodeFormat.NEXT_OFFSET, next);
    Memory.putLong(node + NodeFormat.HIGH_OFFSET, high);
    Memory.putLong(node + NodeFormat.PREVIOUS_OFFSET, previous);
    Memory.putLong(node + NodeFormat.LOW_OFFSET, low);
    Memory.putInt(node + NodeFormat.LEVEL_OFFSET, level);
    return node;
  }

  // ---- reading

  /** Splits that a node has seen. Read first. */
  static long splits(long node) {
    return Memory.getLongAcquire(node + NodeFormat.STATE_OFFSET) & ~NodeFormat.LOCKED;
  }

  static long order(long node) {
    return Memory.getLongAcquire(node + NodeFormat.ORDER_OFFSET); // partner: add, split
  }

  static long next(long node) {
    return Memory.getLongAcquire(node + NodeFormat.NEXT_OFFSET); // partner: split
  }

  static long previous(long node) {
    return Memory.getLongAcquire(node + NodeFormat.PREVIOUS_OFFSET); // partner: split
  }

  /** Whether what was read of slots since {@link #splits} is right. */
  static boolean isUnsplit(long node, long splits) {
    VarHandle.acquireFence(); // partner: the release fences of lock and split
    return (Memory.getLong(node + NodeFormat.STATE_OFFSET) & ~NodeFormat.LOCKED) == splits;
  }

  /** The item of a level at a rank. */
  long item(long node, long order, int rank) {
    return item(node, NodeFormat.slot(order, rank));
  }

  private long item(long node, int slot) {
    return space.address(Memory.getIntAcquire(NodeFormat.itemAddress(node, slot))); // partner: add
  }

  /*
   * A target is the place of a record: the head, the address and the length of its key, and a stamp. It is not an
   * object, since nothing may be left for the collector.
   */

  /** The next node if a target belongs there or beyond, else NONE. Read after the order. */
  static long nextIfBeyond(long node, long head, long key, int bytes, long stamp) {
    return nextIf(node, head, key, bytes, stamp, 0);
  }

  /** The next node if its first entry is before a target, else NONE. Read after the order. */
  static long nextIfBefore(long node, long head, long key, int bytes, long stamp) {
    return nextIf(node, head, key, bytes, stamp, -1);
  }

  private static long nextIf(long node, long head, long key, int bytes, long stamp, int orderMax) {
    long high = Memory.getLongAcquire(node + NodeFormat.HIGH_OFFSET); // partner: split
    if (Long.compareUnsigned(head, high) < 0) {
      return NONE;
    }
    long next = next(node);
    boolean goes =
        next != NONE
            && (head != high
                || EntryFormat.compare(NodeFormat.low(next), key, bytes, stamp) <= orderMax);
    return goes ? next : NONE;
  }

  /** The number of items before a target: entries, or nodes whose low is. */
  int rank(long node, long order, long head, long key, int bytes, long stamp) {
    boolean leaf = NodeFormat.isLeaf(node);
    int from = 0;
    int to = NodeFormat.count(order);
    while (from < to) {
      int middle = (from + to) >>> 1;
      int slot = NodeFormat.slot(order, middle);
      long found = NodeFormat.head(node, slot);
      boolean before =
          found != head
              ? Long.compareUnsigned(found, head) < 0
              : isBefore(item(node, slot), leaf, key, bytes, stamp);
      if (before) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  private static boolean isBefore(long item, boolean leaf, long key, int bytes, long stamp) {
    if (leaf) {
      return EntryFormat.compare(item, key, bytes, stamp) < 0;
    }
    long low = NodeFormat.low(item);
    return low == NONE || EntryFormat.compare(low, key, bytes, stamp) <= 0;
  }

  /** The node of a level where a target belongs, or one to the left of it. */
  long descend(int level, long head, long key, int bytes, long stamp) {
    long node = root;
    while (true) {
      long splits = splits(node);
      long order = order(node);
      long next = nextIfBeyond(node, head, key, bytes, stamp);
      if (next != NONE) {
        node = next;
      } else if (NodeFormat.level(node) == level) {
        return node;
      } else {
        long child = item(node, order, Math.max(0, rank(node, order, head, key, bytes, stamp) - 1));
        fetch(child);
        if (isUnsplit(node, splits)) {
          node = child;
        }
      }
    }
  }

  /** Returns the first entry at or after a target, or NONE. */
  long find(long head, long key, int bytes, long stamp) {
    long node = descend(0, head, key, bytes, stamp);
    while (true) {
      long splits = splits(node);
      long order = order(node);
      long next = nextIfBeyond(node, head, key, bytes, stamp);
      if (next != NONE) {
        node = next;
        continue;
      }
      int rank = rank(node, order, head, key, bytes, stamp);
      boolean here = rank < NodeFormat.count(order);
      long found = here ? item(node, order, rank) : NONE;
      long following = here ? NONE : next(node);
      if (isUnsplit(node, splits)) {
        if (here || following == NONE) {
          return found;
        }
        node = following; // its first entry, unless it is the right half of one that splits now
      }
    }
  }

  /** The first leaf, which stays it. */
  long firstLeaf() {
    long node = root;
    while (!NodeFormat.isLeaf(node)) {
      // The first item keeps its slot: splits and insertions leave it where it is.
      node = item(node, order(node), 0);
    }
    return node;
  }

  /** The last leaf, or one to the left of it. */
  long lastLeaf() {
    long node = root;
    while (true) {
      long splits = splits(node);
      long order = order(node);
      long next = next(node);
      if (next != NONE) {
        node = next;
      } else if (NodeFormat.isLeaf(node)) {
        return node;
      } else {
        long child = item(node, order, NodeFormat.count(order) - 1);
        if (isUnsplit(node, splits)) {
          node = child;
        }
      }
    }
  }

  /** Has all lines of a node come at once, not each when a search gets there. */
  static void fetch(long node) {
    for (int line = 0; line < NodeFormat.BYTES; line += Memory.CACHE_LINE_BYTES) {
      Memory.fetch(node + line);
    }
  }

  // ---- insertion

  /** Adds an entry that is complete. */
  void insert(long entry) {
    long item = entry;
    for (int level = 0; item != NONE; level++) {
      long low = level == 0 ? entry : NodeFormat.low(item);
      long head = EntryFormat.head(low);
      long key = EntryFormat.keyAddress(low);
      int bytes = EntryFormat.keyBytes(low);
      long stamp = EntryFormat.stamp(low);
      awaitLevel(level);
      long node = lockWhere(level, head, key, bytes, stamp);
      long order = Memory.getLong(node + NodeFormat.ORDER_OFFSET);
      int rank = rank(node, order, head, key, bytes, stamp);
      if (NodeFormat.count(order) < WIDTH) {
        add(node, order, rank, head, item);
        unlock(node);
        return;
      }
      long right = split(node, order, rank, head, item, low);
      item = right;
      if (node == root) {
        raise(node, right);
        item = NONE;
      }
      unlock(node);
    }
  }

  private void awaitLevel(int level) {
    for (int spins = 0; NodeFormat.level(root) < level; spins++) {
      pause(spins);
    }
  }

  private long lockWhere(int level, long head, long key, int bytes, long stamp) {
    long node = descend(level, head, key, bytes, stamp);
    lock(node);
    while (true) {
      long next = nextIfBeyond(node, head, key, bytes, stamp);
      if (next == NONE) {
        return node;
      }
      unlock(node);
      node = next;
      lock(node);
    }
  }

  private static void lock(long node) {
    long address = node + NodeFormat.STATE_OFFSET;
    for (int spins = 0; ; spins++) {
      long state = Memory.getLongAcquire(address);
      if ((state & NodeFormat.LOCKED) == 0
          && Memory.compareAndSetLong(address, state, state | NodeFormat.LOCKED)) {
        VarHandle.releaseFence(); // what is written from here on comes after earlier splits
        return;
      }
      pause(spins);
    }
  }

  private static void unlock(long node) {
    long address = node + NodeFormat.STATE_OFFSET;
    Memory.putLongRelease(address, Memory.getLong(address) & ~NodeFormat.LOCKED);
  }

  @SuppressWarnings("ThreadPriorityCheck") // for who has a node locked, who is at work
  private static void pause(int spins) {
    if (spins < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  private void add(long node, long order, int rank, long head, long item) {
    int slot = NodeFormat.slot(order, NodeFormat.count(order));
    NodeFormat.putHead(node, slot, head);
    Memory.putIntRelease(NodeFormat.itemAddress(node, slot), space.unit(item)); // partner: item
    Memory.putLongRelease(
        node + NodeFormat.ORDER_OFFSET, NodeFormat.withInserted(order, rank)); // partner: order
  }

  /** Splits a full node, and adds an item to the half it belongs to. Returns the right one. */
  private long split(long node, long order, int rank, long head, long item, long itemLow) {
    long next = Memory.getLong(node + NodeFormat.NEXT_OFFSET);
    // Keys that come in their order leave full nodes behind.
    int kept = next == NONE && rank == WIDTH ? WIDTH : WIDTH / 2 + 1;
    boolean goesRight = kept == WIDTH || rank > kept;
    long low = low(node, order, kept, itemLow);
    long high = Memory.getLong(node + NodeFormat.HIGH_OFFSET);
    long right = newNode(NodeFormat.level(node), low, node, next, high);
    long rightOrder = NodeFormat.truncated(NodeFormat.EMPTY_ORDER, WIDTH - kept);
    for (int i = kept; i < WIDTH; i++) {
      int slot = NodeFormat.slot(order, i);
      NodeFormat.putHead(right, i - kept, NodeFormat.head(node, slot));
      Memory.putInt(
          NodeFormat.itemAddress(right, i - kept),
          Memory.getInt(NodeFormat.itemAddress(node, slot)));
    }
    Memory.putLong(right + NodeFormat.ORDER_OFFSET, rightOrder);
    Memory.putLong(right + NodeFormat.STATE_OFFSET, NodeFormat.LOCKED);
    if (goesRight) {
      add(right, rightOrder, rank - kept, head, item);
    }
    long left = NodeFormat.truncated(order, kept);
    long state = Memory.getLong(node + NodeFormat.STATE_OFFSET);
    Memory.putLongRelease(node + NodeFormat.NEXT_OFFSET, right);
    Memory.putLongRelease(node + NodeFormat.HIGH_OFFSET, EntryFormat.head(low)); // partner: nextIf
    Memory.putLongRelease(node + NodeFormat.ORDER_OFFSET, left);
    Memory.putLongRelease(node + NodeFormat.STATE_OFFSET, state + NodeFormat.ONE_SPLIT);
    VarHandle.releaseFence(); // partner: isUnsplit, before a slot is used again
    unlock(right);
    if (next != NONE) {
      Memory.putLongRelease(next + NodeFormat.PREVIOUS_OFFSET, right);
    }
    if (!goesRight) {
      add(node, left, rank, head, item);
    }
    return right;
  }

  /** The first entry of the right half. */
  private long low(long node, long order, int kept, long itemLow) {
    if (kept == WIDTH) {
      return itemLow;
    }
    long first = item(node, order, kept);
    return NodeFormat.isLeaf(node) ? first : NodeFormat.low(first);
  }

  /** Puts a new root above the two halves of the old one, which is locked. */
  private void raise(long left, long right) {
    long above = newNode(NodeFormat.level(left) + 1, NONE, NONE, NONE, NodeFormat.NO_HIGH);
    add(above, NodeFormat.EMPTY_ORDER, 0, 0, left);
    add(above, order(above), 1, EntryFormat.head(NodeFormat.low(right)), right);
    root = above;
  }
}
