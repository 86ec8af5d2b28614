package io.ewok.gds.lsm;

/**
 * How the blocks of tables are compressed. A block that would not become an eighth smaller is
 * stored as it is.
 *
 * <p>{@link #LZ4} and {@link #ZSTD} need the library {@code io.airlift:aircompressor-v3}, which
 * whoever uses them adds, with the native access that it needs. Without it a store that is to write
 * or has tables so compressed is not opened.
 */
public enum Compression {
  /** Not at all. */
  NONE,

  /** Fast, and about half the size for many kinds of data. */
  LZ4,

  /**
   * Zstandard: smaller, and several times as slow; for levels that are seldom read, with larger
   * blocks.
   */
  ZSTD
}
