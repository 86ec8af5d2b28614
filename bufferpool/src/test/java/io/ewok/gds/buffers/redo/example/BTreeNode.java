package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.buffers.redo.ChangedPage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A page of a {@link BTree}: how it is read, and the operations that change it. After the page
 * header, little-endian:
 *
 * <table>
 * <caption>Node</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>24</td><td>level</td><td>u16</td><td>0 for a leaf</td></tr>
 * <tr><td>26</td><td>count</td><td>u16</td><td>of the entries</td></tr>
 * <tr><td>32</td><td>entries</td><td>16 bytes each</td><td>key (i64), and value or child (u64), by key</td></tr>
 * </table>
 *
 * <p>The root page of the file (page 1) is a node with one entry, whose child is the root of the
 * tree, so that the tree can grow without that page's number changing.
 */
final class BTreeNode {
  static final int ENTRY_BYTES = 2 * Long.BYTES;

  /** Makes an empty node: level. */
  static final int MAKE = 0;

  /** Adds an entry at its place, or replaces its value: key, value. */
  static final int PUT = 1;

  /** Removes an entry: key. */
  static final int REMOVE = 2;

  /** Removes all entries from an index on: index. */
  static final int CUT = 3;

  /** Appends entries: keys and values. */
  static final int APPEND = 4;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int LEVEL = 24;
  private static final int COUNT = 26;
  private static final int ENTRIES = 32;

  private BTreeNode() {}

  // ---------------------------------------------------------------- reading

  static int level(MemorySegment node) {
    return Short.toUnsignedInt(node.get(SHORT, LEVEL));
  }

  static int count(MemorySegment node) {
    return Short.toUnsignedInt(node.get(SHORT, COUNT));
  }

  static boolean isFull(MemorySegment node) {
    return entry(count(node) + 1) > node.byteSize();
  }

  static long key(MemorySegment node, int index) {
    return node.get(LONG, entry(index));
  }

  static long value(MemorySegment node, int index) {
    return node.get(LONG, entry(index) + Long.BYTES);
  }

  static MemorySegment entriesFrom(MemorySegment node, int index) {
    return node.asSlice(entry(index), entry(count(node)) - entry(index));
  }

  /** The index of the last entry whose key is not larger, -1 if all are. */
  static int floor(MemorySegment node, long key) {
    int low = 0;
    int high = count(node) - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (key(node, middle) <= key) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  // ---------------------------------------------------------------- changing

  static void apply(ChangedPage page, int code, long... arguments) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[arguments.length * Long.BYTES]);
    for (int i = 0; i < arguments.length; i++) {
      bytes.set(LONG, (long) i * Long.BYTES, arguments[i]);
    }
    page.apply(code, bytes);
  }

  /** The {@link io.ewok.gds.buffers.redo.PageRedo} of the tree. */
  static void redo(int code, MemorySegment node, MemorySegment arguments) {
    switch (code) {
      case MAKE -> {
        node.set(SHORT, LEVEL, (short) arguments.get(LONG, 0));
        setCount(node, 0);
      }
      case PUT -> put(node, arguments.get(LONG, 0), arguments.get(LONG, Long.BYTES));
      case REMOVE -> remove(node, arguments.get(LONG, 0));
      case CUT -> setCount(node, (int) arguments.get(LONG, 0));
      case APPEND -> {
        int count = count(node);
        MemorySegment.copy(arguments, 0, node, entry(count), arguments.byteSize());
        setCount(node, count + (int) (arguments.byteSize() / ENTRY_BYTES));
      }
      default -> throw new IllegalArgumentException("no such operation: code=" + code);
    }
  }

  private static void put(MemorySegment node, long key, long value) {
    int index = floor(node, key);
    if (index < 0 || key(node, index) != key) {
      index++;
      int count = count(node);
      long length = entry(count) - entry(index);
      MemorySegment.copy(node, entry(index), node, entry(index + 1), length);
      node.set(LONG, entry(index), key);
      setCount(node, count + 1);
    }
    node.set(LONG, entry(index) + Long.BYTES, value);
  }

  private static void remove(MemorySegment node, long key) {
    int index = floor(node, key);
    if (index < 0 || key(node, index) != key) {
      throw new IllegalStateException("no such entry: key=" + key);
    }
    int count = count(node);
    long length = entry(count) - entry(index + 1);
    MemorySegment.copy(node, entry(index + 1), node, entry(index), length);
    setCount(node, count - 1);
  }

  private static void setCount(MemorySegment node, int count) {
    node.set(SHORT, COUNT, (short) count);
    PageFormat.setLower(node, (int) entry(count));
  }

  private static long entry(int index) {
    return ENTRIES + (long) index * ENTRY_BYTES;
  }
}
