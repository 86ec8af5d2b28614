package io.ewok.gds.lsm.memtable;

import io.ewok.gds.ffm.unchecked.Memory;

/**
 * A node of a memtable's skip list, in memory only. Integers are little-endian; nodes start at
 * multiples of 8, so that links are read and written atomically.
 *
 * <table>
 * <caption>Node of height h</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>stamp</td><td>u64</td><td>see {@link RecordKind}</td></tr>
 * <tr><td>8</td><td>value length</td><td>u32</td><td>bytes</td></tr>
 * <tr><td>12</td><td>key length</td><td>u16</td><td>bytes</td></tr>
 * <tr><td>14</td><td>height</td><td>u8</td><td>number of forward links, 1 to {@link
 * #HEIGHT_MAX}</td></tr>
 * <tr><td>15</td><td>zero</td><td>u8</td><td>0</td></tr>
 * <tr><td>16</td><td>previous</td><td>u64</td><td>address of the preceding node, or of the
 * head</td></tr>
 * <tr><td>24</td><td>next</td><td>u64 × h</td><td>address of the following node on each level, or
 * 0</td></tr>
 * <tr><td>24 + 8h</td><td>key</td><td></td><td></td></tr>
 * <tr><td>24 + 8h + key length</td><td>value</td><td></td><td>then zeros to a multiple of
 * 8</td></tr>
 * </table>
 */
public final class NodeFormat {
  public static final int STAMP_OFFSET = 0;
  public static final int VALUE_LENGTH_OFFSET = STAMP_OFFSET + Long.BYTES;
  public static final int KEY_LENGTH_OFFSET = VALUE_LENGTH_OFFSET + Integer.BYTES;
  public static final int HEIGHT_OFFSET = KEY_LENGTH_OFFSET + Short.BYTES;
  public static final int PREVIOUS_OFFSET = HEIGHT_OFFSET + 2 * Byte.BYTES;
  public static final int NEXT_OFFSET = PREVIOUS_OFFSET + Long.BYTES;

  /** Enough for 4^12 nodes, since one node in four reaches the next level. */
  public static final int HEIGHT_MAX = 12;

  public static final int HEAD_BYTES = NEXT_OFFSET + HEIGHT_MAX * Long.BYTES;

  private NodeFormat() {}

  /** Size of a node in bytes, rounded up to a multiple of 8. */
  public static long sizeBytes(int height, long keyBytes, long valueBytes) {
    return (NEXT_OFFSET + (long) height * Long.BYTES + keyBytes + valueBytes + Long.BYTES - 1)
        & -Long.BYTES;
  }

  public static void putHeader(long node, long stamp, int height, int keyBytes, int valueBytes) {
    Memory.putLong(node + STAMP_OFFSET, stamp);
    Memory.putInt(node + VALUE_LENGTH_OFFSET, valueBytes);
    Memory.putShort(node + KEY_LENGTH_OFFSET, (short) keyBytes);
    Memory.putByte(node + HEIGHT_OFFSET, (byte) height);
  }

  public static long stamp(long node) {
    return Memory.getLong(node + STAMP_OFFSET);
  }

  public static int valueBytes(long node) {
    return Memory.getInt(node + VALUE_LENGTH_OFFSET);
  }

  public static int keyBytes(long node) {
    return Short.toUnsignedInt(Memory.getShort(node + KEY_LENGTH_OFFSET));
  }

  public static int height(long node) {
    return Memory.getByte(node + HEIGHT_OFFSET);
  }

  public static long keyAddress(long node) {
    return node + NEXT_OFFSET + (long) height(node) * Long.BYTES;
  }

  public static long valueAddress(long node) {
    return keyAddress(node) + keyBytes(node);
  }

  public static boolean isSameKey(long nodeA, long nodeB) {
    return Memory.compareUnsigned(
            keyAddress(nodeA), keyBytes(nodeA), keyAddress(nodeB), keyBytes(nodeB))
        == 0;
  }

  public static long previousLink(long node) {
    return node + PREVIOUS_OFFSET;
  }

  public static long nextLink(long node, int level) {
    return node + NEXT_OFFSET + (long) level * Long.BYTES;
  }
}
