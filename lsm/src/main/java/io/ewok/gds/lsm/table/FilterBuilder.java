package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyHash;

/**
 * Gathers the keys of one filter after the other.
 *
 * <p>Ownership: the memory is the caller's. Threads: confined to one.
 */
public final class FilterBuilder {
  /** More keys than this make another filter. */
  static final int KEYS_MAX = 1 << 15;

  public static final int MEMORY_BYTES = KEYS_MAX * Long.BYTES;
  static final int BITS_PER_KEY_MAX = 24;

  /** The longest filter, in bytes. */
  static final int BLOCK_BYTES_MAX = (int) lengthBytes(lines(KEYS_MAX, BITS_PER_KEY_MAX));

  private final long hashes;
  private int bitsPerKey;
  private int prefixBytes;
  private int count;
  private long lastPrefixHash;
  private boolean hasPrefix;

  /** A builder in memory of {@link #MEMORY_BYTES}. */
  public FilterBuilder(long address) {
    this.hashes = address;
  }

  /**
   * Starts the filters of a table.
   *
   * @param bitsPerKey 0 if there are to be none
   * @param prefixBytes length of the prefixes to be added too, or 0
   */
  public void start(int bitsPerKey, int prefixBytes) {
    this.bitsPerKey = bitsPerKey;
    this.prefixBytes = prefixBytes;
    clear();
  }

  private void clear() {
    count = 0;
    hasPrefix = false;
  }

  /** Whether there is room for another data block of so many keys. */
  boolean hasRoomFor(int keys) {
    return count + 2L * keys <= KEYS_MAX;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** Adds a key, in order, each once. */
  public void add(long keyAddress, int keyBytes) {
    if (bitsPerKey == 0) {
      return;
    }
    addHash(KeyHash.of(keyAddress, keyBytes));
    if (prefixBytes > 0 && keyBytes >= prefixBytes) {
      long prefix = FilterView.ofPrefix(KeyHash.of(keyAddress, prefixBytes));
      if (!hasPrefix || prefix != lastPrefixHash) {
        addHash(prefix);
        lastPrefixHash = prefix;
        hasPrefix = true;
      }
    }
  }

  private void addHash(long hash) {
    Memory.putLong(hashes + (long) count * Long.BYTES, hash);
    count++;
  }

  private static long lines(int keys, int bitsPerKey) {
    long bits = (long) keys * bitsPerKey;
    return Math.max(1, (bits + 511) / 512);
  }

  private static long lengthBytes(long lines) {
    return TableFormat.FILTER_LINES_OFFSET + lines * TableFormat.FILTER_LINE_BYTES;
  }

  /** Length in bytes of the filter of the keys so far. */
  int lengthBytes() {
    return (int) lengthBytes(lines(count, bitsPerKey));
  }

  /** Makes the filter at an address, and starts the next. */
  public void finish(long block) {
    Memory.fill(block, lengthBytes(), (byte) 0);
    int probes = FilterView.probes(bitsPerKey);
    Memory.putInt(block + TableFormat.TYPE_OFFSET, TableFormat.TYPE_FILTER | (probes << Byte.SIZE));
    Memory.putInt(block + TableFormat.COUNT_OFFSET, (int) lines(count, bitsPerKey));
    for (int i = 0; i < count; i++) {
      FilterView.add(block, Memory.getLong(hashes + (long) i * Long.BYTES));
    }
    clear();
  }
}
