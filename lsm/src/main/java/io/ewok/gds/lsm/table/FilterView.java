package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;

/**
 * A Bloom filter in lines of 512 bits, all of whose bits for one key are in one line, so that a
 * probe touches one line of the processor's cache. See {@link TableFormat}.
 *
 * <p>The upper 32 bits of a key's hash say which line, times the number of lines; the lower 32 bits
 * say which bits in it: their highest 9 the first, and after each one they are multiplied by {@link
 * #NEXT_BIT}. (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007.)
 */
public final class FilterView {
  private static final int NEXT_BIT = 0x9E37_79B9;
  private static final int BIT_SHIFT = Integer.SIZE - 9;

  /** Of the same hash as a key: a key and a prefix of the same bytes are told apart by it. */
  private static final long PREFIX = 0xA24B_AED4_963E_E407L;

  private FilterView() {}

  /** The hash under which a prefix is in a filter, from that of its bytes. */
  static long ofPrefix(long hash) {
    return hash * PREFIX;
  }

  /** How many bits are best set for each key. */
  static int probes(int bitsPerKey) {
    return Math.clamp(Math.round(bitsPerKey * 0.6f), 1, TableFormat.FILTER_PROBES_MAX);
  }

  /** Whether a key of this hash may have been added. */
  public static boolean mayContain(long block, long hash) {
    return mayContain(block, lines(block), probes(block), hash);
  }

  /** The same if it is known already what the block says of its lines and probes. */
  static boolean mayContain(long block, int lines, int probes, long hash) {
    long line = line(block, lines, hash);
    int bits = (int) hash;
    long all = 1;
    for (int i = 0; i < probes; i++) {
      int bit = bits >>> BIT_SHIFT;
      all &= Memory.getLong(word(line, bit)) >>> bit;
      bits *= NEXT_BIT;
    }
    return all != 0;
  }

  /** Adds a key of this hash. */
  static void add(long block, long hash) {
    long line = line(block, lines(block), hash);
    int probes = probes(block);
    int bits = (int) hash;
    for (int i = 0; i < probes; i++) {
      int bit = bits >>> BIT_SHIFT;
      long word = word(line, bit);
      Memory.putLong(word, Memory.getLong(word) | (1L << bit));
      bits *= NEXT_BIT;
    }
  }

  /** How many lines it has. */
  static int lines(long block) {
    return Memory.getInt(block + TableFormat.COUNT_OFFSET);
  }

  /** How many bits are set for each key. */
  static int probes(long block) {
    return Memory.getByte(block + TableFormat.PROBES_OFFSET);
  }

  private static long line(long block, int lines, long hash) {
    long number = ((hash >>> Integer.SIZE) * lines) >>> Integer.SIZE;
    return block + TableFormat.FILTER_LINES_OFFSET + number * TableFormat.FILTER_LINE_BYTES;
  }

  private static long word(long line, int bit) {
    return line + (long) (bit >>> 6) * Long.BYTES;
  }
}
