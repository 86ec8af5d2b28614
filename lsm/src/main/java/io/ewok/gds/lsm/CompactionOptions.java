package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableLayout;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The shape that compactions give to the tables of a family, and what leaves them.
 *
 * @param style when they are merged
 * @param tableBytes size to which a compaction fills a table, in bytes
 * @param level0Tables number of flushed tables at which they are merged into level 1
 * @param level1Bytes size at which tables of level 1 go on to level 2, in bytes
 * @param growth how many times larger each level may be than the one before it
 * @param fifoBytes size of all tables above which the oldest go, with {@link CompactionStyle#FIFO}
 * @param layouts how the tables of each level are written
 * @param filter looks at values that are written again
 * @param filtersFlushes whether it looks at those that flushes write, too
 * @param separatedValueBytes values from this length on go to value files, in bytes; 0 if none do
 * @param valueGarbagePercent at how much garbage a value file is full
 * @param ttl how long records live, zero for ever
 * @param periodicCompaction how long tables stay as they are, zero for ever
 */
record CompactionOptions(
    CompactionStyle style,
    long tableBytes,
    int level0Tables,
    long level1Bytes,
    int growth,
    long fifoBytes,
    List<TableLayout> layouts,
    CompactionFilter filter,
    boolean filtersFlushes,
    int separatedValueBytes,
    int valueGarbagePercent,
    Duration ttl,
    Duration periodicCompaction) {

  /** Level 1 takes so many merges of level 0: with less, the same bytes go on too soon. */
  private static final long LEVEL_1_MERGES = 2;

  /** A value file is complete at so many times the size of a table. */
  private static final int VALUE_FILE_TABLES = 8;

  /** A table overlaps at most so many times its size two levels down. */
  private static final int OVERLAP_MAX = 10;

  static CompactionOptions of(StoreOptions options, TreeOptions tree) {
    return new CompactionOptions(
        tree.style(),
        tree.tableBytes(),
        tree.tablesBeforeMerge(),
        tree.level1Bytes() > 0
            ? tree.level1Bytes()
            : LEVEL_1_MERGES * tree.tablesBeforeMerge() * options.memtableBytes(),
        tree.growth(),
        tree.fifoBytes(),
        IntStream.range(0, Manifest.LEVELS).mapToObj(tree::layout).toList(),
        tree.compactionFilter(),
        tree.filtersFlushes(),
        tree.separatedValueBytes(),
        tree.valueGarbagePercent(),
        tree.ttl(),
        tree.periodicCompaction());
  }

  /** Size at which a value file is complete, in bytes. */
  long valueFileBytes() {
    return VALUE_FILE_TABLES * tableBytes;
  }

  /** Size above which tables of a level, from 1 on, go to the next one, in bytes. */
  long targetBytes(int level) {
    long bytes = level1Bytes;
    for (int i = 1; i < level && bytes < Long.MAX_VALUE / growth; i++) {
      bytes *= growth;
    }
    return bytes;
  }

  /** The bytes of the level below its own that a new table may overlap. */
  long overlapBytesMax() {
    return OVERLAP_MAX * tableBytes;
  }
}
