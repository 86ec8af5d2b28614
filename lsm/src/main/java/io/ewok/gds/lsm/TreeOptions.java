package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.lsm.StoreSetting.Effect;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.table.TableLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The levels of a store: when tables go from one to the next, and how those of each are written.
 * Memtables become tables of level 0, which overlap; each level from 1 on is a run. All but the
 * merge operator may differ from one opening to the next: compactions then give the levels their
 * new shape bit by bit. What may be changed while the store is open, and when that takes effect,
 * {@link TakesEffect} says of each.
 *
 * <table>
 * <caption>Components</caption>
 * <tr><th>name</th><th>unit</th><th>default</th><th>raise it when</th><th>cost</th></tr>
 * <tr><td>tablesBeforeMerge</td><td>tables, 2 to 64</td><td>4</td><td>less is to be written</td>
 *   <td>a read looks into each table of level 0: these are so many, and up to three times that before
 *   a merge is worth rewriting level 1</td></tr>
 * <tr><td>level1Bytes</td><td>bytes, at least 256 KiB; 0 for twice the memtables that start a merge
 *   of level 0</td><td>0</td><td>fewer levels are wanted</td><td>merges of level 0 write
 *   more</td></tr>
 * <tr><td>growth</td><td>how many times larger each level may be than the one before it, 2 to
 *   100</td><td>10</td><td>fewer levels are wanted</td><td>each byte is written about half so many
 *   times a level</td></tr>
 * <tr><td>tableBytes</td><td>bytes, 256 KiB to 1 GiB</td><td>8 MiB</td><td>there are too many
 *   files</td><td>compactions in larger pieces</td></tr>
 * <tr><td>filterPrefixBytes</td><td>bytes, 0 to 65535; 0 for none</td><td>0</td><td>cursors stay
 *   within a prefix of exactly this length that often has no key</td><td>one more entry in the filters for
 *   each prefix</td></tr>
 * <tr><td>levels</td><td>one for each level from 0 on, 1 to 7; the last is for all that are
 *   deeper too</td><td>{@link LevelOptions#defaults}</td><td></td><td></td></tr>
 * <tr><td>style</td><td>when tables are merged</td><td>{@link CompactionStyle#LEVELED}</td><td>see
 *   there</td><td></td></tr>
 * <tr><td>fifoBytes</td><td>bytes, from 256 KiB on; for {@link CompactionStyle#FIFO}</td><td>1
 *   GiB</td><td>more is to be kept</td><td>more tables to look into</td></tr>
 * <tr><td>mergeOperator</td><td>what {@link Store#merge} means</td><td>{@link MergeOperator#NONE}
 *   </td><td>values are to change without being read first</td><td>reads of keys with operands merge
 *   them; the store is opened with this operator for ever</td></tr>
 * <tr><td>compactionFilter</td><td>looks at values that compactions write</td><td>{@link
 *   CompactionFilter#NONE}</td><td>values can be told to be of no use, or to need another form</td>
 *   <td>a copy and a call for each</td></tr>
 * <tr><td>filtersFlushes</td><td>whether it looks at values that flushes write, too</td><td>no</td>
 *   <td>many values are of no use soon after they were written</td><td>the same for each value of a
 *   flush; a flush is written twice if a snapshot or cursor is opened meanwhile and stays
 *   open</td></tr>
 * <tr><td>ttl</td><td>time, 1 second to 100 years; zero for ever</td><td>zero</td><td>records are of
 *   no use some time after they were written</td><td>see below</td></tr>
 * <tr><td>separatedValueBytes</td><td>bytes, 0 to 1 GiB; 0 for none</td><td>0</td><td>values are
 *   long, from about 2 KiB on, and overwritten: values of so many bytes and more go to value files</td>
 *   <td>a get reads once more, a scan once for each value; see below</td></tr>
 * <tr><td>valueGarbagePercent</td><td>percent, 1 to 99</td><td>50</td><td>less is to be
 *   written</td><td>more space: a value file is rewritten when so much of it is garbage</td></tr>
 * <tr><td>periodicCompaction</td><td>time, 1 second to 100 years; zero for none</td><td>zero</td>
 *   <td>a filter, another compression or another key is to have come to all records after some
 *   time</td><td>each byte is written once more in that time; see below</td></tr>
 * </table>
 *
 * <p>With <em>separatedValueBytes</em>, flushes and compactions write long values to <em>value
 * files</em>, and references of 28 bytes to the tables. So compactions do not write them again,
 * level after level. What no table refers to any more is garbage: of files that have too much of
 * it, compactions move what is of use to new ones, and the files go when nobody reads them any
 * more. Values in value files are not compressed. If the length is changed, compactions separate
 * values or put them back, bit by bit. A compaction filter has values read. With {@link
 * CompactionStyle#FIFO} nothing is moved, and {@code fifoBytes} counts what tables refer to. A
 * value file is as large as the values of a memtable, or eight tables; of each that a table refers
 * to, the manifest has 16 bytes: where there are many values, memtables are best large.
 *
 * <p>With a <em>periodicCompaction</em>, tables that were written longer ago are compacted, the
 * oldest first, when nothing else is due: on their level, or down from level 0. So within about
 * that time, and what it takes to write them, all records are seen by the compaction filter, in the
 * form that tables have now and encrypted with the current key, and what was deleted or has expired
 * goes, as far as no reader is in the way. Tables of which it is not known when they were written,
 * such as those of a repair, are old. With {@link CompactionStyle#FIFO} nothing is written anew.
 * That is RocksDB's {@code periodic_compaction_seconds}.
 *
 * <p>With a <em>ttl</em>, time to live, a record is not read any more when that is over since it
 * was written, or about a thirty-second part of it and 200 milliseconds later. A key then has no
 * value, until it is put again: older ones do not come back. Snapshots and cursors go on to see
 * what they saw. A table whose records have all expired is dropped without being read; from others
 * they go with compactions. What was written while there was no ttl counts as written when one was
 * set, and what was written just before a crash as written when the store was opened. If the ttl is
 * changed, that holds for what was written before, too: what has lived longer than that goes soon,
 * after about a thirty-second part of the longer of both at most. What has expired has so for ever,
 * whatever is set later; but what has just before a crash may live on if more is set after it.
 * Times are those of the system's clock: if that goes back, records live longer. {@link
 * Store#changes} shows what was written, not what has expired.
 *
 * <p>With a merge operator each operand expires by itself, and so does the value that they change:
 * a key has what its operator makes of those that have not, and no value when the youngest has. So
 * a sum is one of the last hour, not of all time. That does not depend on when operands are made
 * one: flushes and compactions make one of those only that expire together, so a key may keep up to
 * 66 of them.
 *
 * {@snippet :
 * LevelOptions plain = LevelOptions.defaults();
 * TreeOptions tree = TreeOptions.defaults()
 *     .withLevels(List.of(plain, plain, plain.withCompression(Compression.ZSTD).withBlockBytes(16 << 10)));
 * }
 */
public record TreeOptions(
    @TakesEffect(Effect.AT_ONCE) int tablesBeforeMerge,
    @TakesEffect(Effect.AT_ONCE) long level1Bytes,
    @TakesEffect(Effect.AT_ONCE) int growth,
    @TakesEffect(Effect.NEXT_COMPACTION) long tableBytes,
    @TakesEffect(Effect.NEXT_TABLES) int filterPrefixBytes,
    List<LevelOptions> levels,
    @TakesEffect(Effect.NEXT_OPENING) MergeOperator mergeOperator,
    @TakesEffect(Effect.NEXT_OPENING) CompactionFilter compactionFilter,
    @TakesEffect(Effect.NEXT_OPENING) boolean filtersFlushes,
    @TakesEffect(Effect.AT_ONCE) Duration ttl,
    @TakesEffect(Effect.AT_ONCE) CompactionStyle style,
    @TakesEffect(Effect.AT_ONCE) long fifoBytes,
    @TakesEffect(Effect.NEXT_TABLES) int separatedValueBytes,
    @TakesEffect(Effect.AT_ONCE) int valueGarbagePercent,
    @TakesEffect(Effect.AT_ONCE) Duration periodicCompaction) {
  private static final long MILLIS_MIN = 1_000;
  private static final long MILLIS_MAX = Duration.ofDays(100 * 365).toMillis();
  private static final long GIB = 1L << 30;
  private static final long TABLE_BYTES_MIN = 256 << 10;
  private static final int VALUE_GARBAGE_PERCENT = 50;

  private static final TreeOptions DEFAULTS =
      new TreeOptions(
          4,
          0,
          10,
          8 << 20,
          0,
          List.of(LevelOptions.defaults()),
          MergeOperator.NONE,
          CompactionFilter.NONE,
          false,
          Duration.ZERO,
          CompactionStyle.LEVELED,
          GIB,
          0,
          VALUE_GARBAGE_PERCENT,
          Duration.ZERO);

  /** Checks the ranges. */
  public TreeOptions {
    StoreOptions.requireRange("tablesBeforeMerge", tablesBeforeMerge, 2, 64);
    if (level1Bytes != 0) {
      StoreOptions.requireRange("level1Bytes", level1Bytes, TABLE_BYTES_MIN, 1024 * GIB);
    }
    StoreOptions.requireRange("growth", growth, 2, 100);
    StoreOptions.requireRange("tableBytes", tableBytes, TABLE_BYTES_MIN, GIB);
    StoreOptions.requireRange("filterPrefixBytes", filterPrefixBytes, 0, Keys.BYTES_MAX);
    levels = List.copyOf(levels);
    StoreOptions.requireRange("levels", levels.size(), 1, Manifest.LEVELS);
    Objects.requireNonNull(mergeOperator, "mergeOperator");
    Objects.requireNonNull(compactionFilter, "compactionFilter");
    if (!ttl.isZero()) {
      StoreOptions.requireRange("ttl", ttl.toMillis(), MILLIS_MIN, MILLIS_MAX);
    }
    if (!periodicCompaction.isZero()) {
      StoreOptions.requireRange(
          "periodicCompaction", periodicCompaction.toMillis(), MILLIS_MIN, MILLIS_MAX);
    }
    Objects.requireNonNull(style, "style");
    StoreOptions.requireRange("fifoBytes", fifoBytes, TABLE_BYTES_MIN, Long.MAX_VALUE);
    StoreOptions.requireRange("separatedValueBytes", separatedValueBytes, 0, GIB);
    StoreOptions.requireRange("valueGarbagePercent", valueGarbagePercent, 1, 99);
    int nameBytes = mergeOperator.name().getBytes(StandardCharsets.UTF_8).length;
    if (mergeOperator != MergeOperator.NONE) {
      StoreOptions.requireRange(
          "mergeOperator.name", nameBytes, 1, ManifestFormat.OPERATOR_BYTES_MAX);
    }
  }

  /** Returns the defaults. */
  public static TreeOptions defaults() {
    return DEFAULTS;
  }

  /** Returns the settings that may be said of one family, as they are called for the store. */
  public static List<Setting> settings() {
    return StoreReference.ofFamilies();
  }

  /**
   * Returns how the tables of a level are written.
   *
   * @param level from 0 on
   */
  public LevelOptions level(int level) {
    return levels.get(Math.min(level, levels.size() - 1));
  }

  TableLayout layout(int level) {
    LevelOptions options = level(level);
    return new TableLayout(
        options.blockBytes(), options.compression(), options.filterBitsPerKey(), filterPrefixBytes);
  }

  int blockBytesMin() {
    return levels.stream().mapToInt(LevelOptions::blockBytes).min().orElseThrow();
  }

  int blockBytesMax() {
    return levels.stream().mapToInt(LevelOptions::blockBytes).max().orElseThrow();
  }

  /** Returns these options with another number of flushed tables that starts a merge. */
  public TreeOptions withTablesBeforeMerge(int tablesBeforeMerge) {
    return with(draft -> draft.tablesBeforeMerge = tablesBeforeMerge);
  }

  /** Returns these options with another size of level 1. */
  public TreeOptions withLevel1Bytes(long level1Bytes) {
    return with(draft -> draft.level1Bytes = level1Bytes);
  }

  /** Returns these options with another growth from one level to the next. */
  public TreeOptions withGrowth(int growth) {
    return with(draft -> draft.growth = growth);
  }

  /** Returns these options with another size of merged tables. */
  public TreeOptions withTableBytes(long tableBytes) {
    return with(draft -> draft.tableBytes = tableBytes);
  }

  /** Returns these options with another length of the prefixes that filters know. */
  public TreeOptions withFilterPrefixBytes(int filterPrefixBytes) {
    return with(draft -> draft.filterPrefixBytes = filterPrefixBytes);
  }

  /** Returns these options with other levels. */
  public TreeOptions withLevels(List<LevelOptions> levels) {
    return with(draft -> draft.levels = levels);
  }

  /** Returns these options with another merge operator. */
  public TreeOptions withMergeOperator(MergeOperator mergeOperator) {
    return with(draft -> draft.mergeOperator = mergeOperator);
  }

  /** Returns these options with another filter of compactions. */
  public TreeOptions withCompactionFilter(CompactionFilter compactionFilter) {
    return with(draft -> draft.compactionFilter = compactionFilter);
  }

  /** Returns these options with flushes that ask the filter of compactions, or do not. */
  public TreeOptions withFiltersFlushes(boolean filtersFlushes) {
    return with(draft -> draft.filtersFlushes = filtersFlushes);
  }

  /** Returns these options with another time to live. */
  public TreeOptions withTtl(Duration ttl) {
    return with(draft -> draft.ttl = ttl);
  }

  /** Returns these options with another style of compactions. */
  public TreeOptions withStyle(CompactionStyle style) {
    return with(draft -> draft.style = style);
  }

  /** Returns these options with another size of what {@link CompactionStyle#FIFO} keeps. */
  public TreeOptions withFifoBytes(long fifoBytes) {
    return with(draft -> draft.fifoBytes = fifoBytes);
  }

  /** Returns these options with another length from which on values go to value files. */
  public TreeOptions withSeparatedValueBytes(int separatedValueBytes) {
    return with(draft -> draft.separatedValueBytes = separatedValueBytes);
  }

  /** Returns these options with another share of garbage at which value files are rewritten. */
  public TreeOptions withValueGarbagePercent(int valueGarbagePercent) {
    return with(draft -> draft.valueGarbagePercent = valueGarbagePercent);
  }

  /** Returns these options with another time within which each table is written anew. */
  public TreeOptions withPeriodicCompaction(Duration periodicCompaction) {
    return with(draft -> draft.periodicCompaction = periodicCompaction);
  }

  /** Returns these options with each level changed in the same way. */
  public TreeOptions withEachLevel(UnaryOperator<LevelOptions> change) {
    return withLevels(levels.stream().map(change).toList());
  }

  private TreeOptions with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.options();
  }

  /** A copy that can be changed, so that each with-method names only what it changes. */
  private final class Draft {
    int tablesBeforeMerge = TreeOptions.this.tablesBeforeMerge;
    long level1Bytes = TreeOptions.this.level1Bytes;
    int growth = TreeOptions.this.growth;
    long tableBytes = TreeOptions.this.tableBytes;
    int filterPrefixBytes = TreeOptions.this.filterPrefixBytes;
    List<LevelOptions> levels = TreeOptions.this.levels;
    MergeOperator mergeOperator = TreeOptions.this.mergeOperator;
    CompactionFilter compactionFilter = TreeOptions.this.compactionFilter;
    boolean filtersFlushes = TreeOptions.this.filtersFlushes;
    Duration ttl = TreeOptions.this.ttl;
    CompactionStyle style = TreeOptions.this.style;
    long fifoBytes = TreeOptions.this.fifoBytes;
    int separatedValueBytes = TreeOptions.this.separatedValueBytes;
    int valueGarbagePercent = TreeOptions.this.valueGarbagePercent;
    Duration periodicCompaction = TreeOptions.this.periodicCompaction;

    TreeOptions options() {
      return new TreeOptions(
          tablesBeforeMerge,
          level1Bytes,
          growth,
          tableBytes,
          filterPrefixBytes,
          levels,
          mergeOperator,
          compactionFilter,
          filtersFlushes,
          ttl,
          style,
          fifoBytes,
          separatedValueBytes,
          valueGarbagePercent,
          periodicCompaction);
    }
  }
}
