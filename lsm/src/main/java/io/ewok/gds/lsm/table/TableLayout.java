package io.ewok.gds.lsm.table;

import io.ewok.gds.lsm.Compression;
import io.ewok.gds.lsm.record.Keys;
import java.util.Objects;

/**
 * How one table is written: each level may have its own.
 *
 * @param blockBytes what a data block has at most before compression, unless one record is longer;
 *     4 KiB to 64 KiB
 * @param compression of data blocks and index partitions
 * @param filterBitsPerKey memory of the filters for each key in bits, 0 to 24; 0 makes none. With
 *     10 about one in a hundred keys that are not in the table is looked for in vain
 * @param filterPrefixBytes length of the prefixes of keys that the filters know too, 0 to 65535; 0
 *     for none
 */
public record TableLayout(
    int blockBytes, Compression compression, int filterBitsPerKey, int filterPrefixBytes) {

  static final int BLOCK_BYTES_MIN = 4 << 10;
  static final int BLOCK_BYTES_MAX = 64 << 10;

  /** Checks the ranges. */
  public TableLayout {
    Objects.requireNonNull(compression, "compression");
    requireRange("blockBytes", blockBytes, BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
    requireRange("filterBitsPerKey", filterBitsPerKey, 0, FilterBuilder.BITS_PER_KEY_MAX);
    requireRange("filterPrefixBytes", filterPrefixBytes, 0, Keys.BYTES_MAX);
  }

  /**
   * Finds out early whether tables can be written so.
   *
   * @throws IllegalStateException if the library for the compression is missing
   */
  public void requireLibrary() {
    BlockCodec unused = BlockCodec.shared(compression);
  }

  private static void requireRange(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s is %d to %d: %s=%d".formatted(name, min, max, name, value));
    }
  }

  /** Blocks of a size, not compressed, with filters of 10 bits for each key. */
  public static TableLayout of(int blockBytes) {
    return new TableLayout(blockBytes, Compression.NONE, 10, 0);
  }
}
