package io.ewok.gds.lsm.memtable;

import io.ewok.gds.ffm.unchecked.Memory;

/**
 * A node of an {@link EntryTree}, in memory only. Integers are little-endian; nodes start at
 * multiples of 64, a cache line.
 *
 * <table>
 * <caption>Node, 256 bytes</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>order</td><td>u64</td><td>which items there are, see below; 0 is never
 * valid</td></tr>
 * <tr><td>8</td><td>state</td><td>u64</td><td>bit 0: locked by a writer; above it the number of
 * splits: a slot is used for another item only after it was raised</td></tr>
 * <tr><td>16</td><td>next</td><td>u64</td><td>address of the right neighbour on the level, or
 * 0</td></tr>
 * <tr><td>24</td><td>high</td><td>u64</td><td>head of the low of next, so that who belongs here
 * mostly knows it without a look there; all ones if there is no next</td></tr>
 * <tr><td>32</td><td>low</td><td>u64</td><td>address of the entry from which on entries belong here
 * and not to the left; 0: from the first on. Never changes</td></tr>
 * <tr><td>40</td><td>level</td><td>u32</td><td>0: a leaf, its items are entries; above: nodes of the
 * level below</td></tr>
 * <tr><td>44</td><td></td><td>4 bytes</td><td>not used</td></tr>
 * <tr><td>48</td><td>heads</td><td>u64 × 15</td><td>of each slot the head of its item's key, see
 * {@link io.ewok.gds.lsm.record.SearchKey#head}</td></tr>
 * <tr><td>168</td><td>items</td><td>u32 × 15</td><td>of each slot the item: its distance from the
 * start of the memory, in units of 8 bytes</td></tr>
 * <tr><td>228</td><td></td><td>4 bytes</td><td>not used</td></tr>
 * <tr><td>232</td><td>previous</td><td>u64</td><td>address of a node to the left on the level, or
 * 0</td></tr>
 * <tr><td>240</td><td></td><td>16 bytes</td><td>not used</td></tr>
 * </table>
 *
 * <p>The order is sixteen digits of four bits. The lowest one is the number of items; then come the
 * slots, those of the items in their order, and after them the free ones. So an insertion writes a
 * free slot, which nobody looks at, and becomes visible by one store of one word.
 */
final class NodeFormat {
  static final int ORDER_OFFSET = 0;
  static final int STATE_OFFSET = ORDER_OFFSET + Long.BYTES;
  static final int NEXT_OFFSET = STATE_OFFSET + Long.BYTES;
  static final int HIGH_OFFSET = NEXT_OFFSET + Long.BYTES;
  static final int LOW_OFFSET = HIGH_OFFSET + Long.BYTES;
  static final int LEVEL_OFFSET = LOW_OFFSET + Long.BYTES;
  static final int HEADS_OFFSET = LEVEL_OFFSET + 2 * Integer.BYTES;

  /** Items of a node at most. */
  static final int WIDTH = 15;

  static final int ITEMS_OFFSET = HEADS_OFFSET + WIDTH * Long.BYTES;
  static final int PREVIOUS_OFFSET = 232;
  static final int BYTES = 256;

  /** The high of a node without next. */
  static final long NO_HIGH = -1;

  /** No items, and the slots in a row. */
  static final long EMPTY_ORDER = 0xEDCBA98765432100L;

  static final long LOCKED = 1;

  /** What is added to a state when a node has been split. */
  static final long ONE_SPLIT = 2;

  private static final int DIGIT_BITS = 4;
  private static final long DIGIT = 15;

  private NodeFormat() {}

  // ---- the order

  static int count(long order) {
    return (int) (order & DIGIT);
  }

  /** The slot of the item at a rank, or if there is none so high, a free slot. */
  static int slot(long order, int rank) {
    return (int) ((order >>> (DIGIT_BITS * (rank + 1))) & DIGIT);
  }

  /** The order with the first free slot at a rank; those from there on move up. */
  static long withInserted(long order, int rank) {
    int count = count(order);
    long below = lowDigits(rank + 1);
    long moved = lowDigits(count + 1) & ~below;
    long free = (long) slot(order, count) << (DIGIT_BITS * (rank + 1));
    long kept = (order & below) | ((order & moved) << DIGIT_BITS) | free;
    return (count + 1 < WIDTH ? kept | (order & ~lowDigits(count + 2)) : kept) + 1;
  }

  /** The order with the first items only; the slots of the others are free. */
  static long truncated(long order, int count) {
    return (order & ~DIGIT) | count;
  }

  private static long lowDigits(int digits) {
    return digits > WIDTH ? -1 : (1L << (DIGIT_BITS * digits)) - 1;
  }

  // ---- the slots

  static long head(long node, int slot) {
    return Memory.getLong(node + HEADS_OFFSET + (long) slot * Long.BYTES);
  }

  static void putHead(long node, int slot, long head) {
    Memory.putLong(node + HEADS_OFFSET + (long) slot * Long.BYTES, head);
  }

  static long itemAddress(long node, int slot) {
    return node + ITEMS_OFFSET + (long) slot * Integer.BYTES;
  }

  // ---- the rest

  static int level(long node) {
    return Memory.getInt(node + LEVEL_OFFSET);
  }

  /** The first entry that belongs here, or 0. */
  static long low(long node) {
    return Memory.getLong(node + LOW_OFFSET);
  }

  static boolean isLeaf(long node) {
    return level(node) == 0;
  }
}
