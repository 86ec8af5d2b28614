package io.ewok.gds.lsm.record;

/**
 * What looking into one memtable or table took, noted for who asks how a scan goes.
 *
 * <p>Threads: that of the scan.
 */
public final class SourceNotes {
  /** Whether the filters said that nothing with the wanted prefix is there. */
  public boolean filteredOut;

  /** Filters asked. */
  public long filterBlocks;

  /** Roots and partitions of the index that were looked into. */
  public long indexBlocks;

  /** Data blocks likewise. */
  public long dataBlocks;

  /** How many of all these had to be read, or waited for. */
  public long blocksRead;

  /**
   * Versions that were looked at and passed by within the source: they are too new, or there is a
   * newer one of their key.
   */
  public long hidden;
}
