package io.ewok.gds.lsm;

import io.ewok.gds.lsm.StoreSetting.Effect;
import io.ewok.gds.lsm.table.TableLayout;

/**
 * How the tables of one level are written. A table keeps what it was written with until a
 * compaction replaces it, so all may differ from one opening to the next.
 *
 * <table>
 * <caption>Components</caption>
 * <tr><th>name</th><th>unit</th><th>default</th><th>change it when</th><th>cost</th></tr>
 * <tr><td>compression</td><td></td><td>NONE</td><td>space or the device's bandwidth is short: LZ4
 *   anywhere, ZSTD on the deepest levels</td><td>processor time for each block that is not in the
 *   pool, which holds them decompressed</td></tr>
 * <tr><td>blockBytes</td><td>bytes, a power of two, 4 to 64 KiB</td><td>4 KiB</td><td>larger for
 *   scans, and for better compression; smaller for point reads</td><td>it is the unit of reading and
 *   of the pool</td></tr>
 * <tr><td>filterBitsPerKey</td><td>bits, 0 to 24</td><td>10: one key in a hundred is looked for in
 *   vain</td><td>more if most keys that are looked for are not there; 0, for none, on a level that is
 *   only scanned</td><td>so many bits for each key, on the device and in the pool</td></tr>
 * </table>
 */
public record LevelOptions(
    @TakesEffect(Effect.NEXT_TABLES) Compression compression,
    @TakesEffect(Effect.NEXT_TABLES) int blockBytes,
    @TakesEffect(Effect.NEXT_TABLES) int filterBitsPerKey) {
  private static final LevelOptions DEFAULTS = new LevelOptions(Compression.NONE, 4 << 10, 10);

  /** Checks the ranges. */
  public LevelOptions {
    if (Integer.bitCount(blockBytes) != 1) {
      throw new IllegalArgumentException("blockBytes is a power of two: blockBytes=" + blockBytes);
    }
    new TableLayout(blockBytes, compression, filterBitsPerKey, 0);
  }

  /** Returns the defaults. */
  public static LevelOptions defaults() {
    return DEFAULTS;
  }

  /** Returns these options with another compression. */
  public LevelOptions withCompression(Compression compression) {
    return new LevelOptions(compression, blockBytes, filterBitsPerKey);
  }

  /** Returns these options with another size of blocks. */
  public LevelOptions withBlockBytes(int blockBytes) {
    return new LevelOptions(compression, blockBytes, filterBitsPerKey);
  }

  /** Returns these options with another size of filters. */
  public LevelOptions withFilterBitsPerKey(int filterBitsPerKey) {
    return new LevelOptions(compression, blockBytes, filterBitsPerKey);
  }
}
