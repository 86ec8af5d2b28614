package io.ewok.gds.lsm;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.lsm.StoreSetting.Effect;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.wal.RecoveryMode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a store is opened. All may differ from one opening to the next, and some while it is open
 * ({@link Store#change}): when a change takes effect, {@link TakesEffect} says of each, and {@link
 * StoreSetting} of the settings. The log keeps the sizes it was created with, and a table the form
 * it was written in.
 *
 * {@snippet :
 * StoreOptions options = StoreOptions.defaults().withPoolBytes(256L << 20).withMemtableBytes(32 << 20);
 * StoreOptions fromFile = options.with(Map.of("store.compression", "none,none,lz4,zstd"));
 * }
 *
 * @param memtableBytes size of a memtable in bytes, 256 KiB to 1 GiB and at least twice {@code
 *     batchBytesMax}; default 16 MiB. Larger means fewer, larger tables and less merging, and a
 *     longer replay at the next open. A store uses up to {@link #MEMTABLES_MAX} of them.
 * @param poolBytes memory for blocks of tables in bytes, 1 MiB to 1 GiB and at least eight times
 *     {@code batchBytesMax}; default 64 MiB. Larger means fewer reads from the device. Each open
 *     cursor keeps some blocks in it: make it larger where many cursors stand on large values.
 * @param batchBytesMax the largest {@link WriteBatch#sizeBytes}, 128 KiB to 65 MiB, which is a
 *     value of 64 MiB beside the longest key; default 1 MiB. It bounds values too: see {@link
 *     #valueBytesMax}. Costs about five times its size in buffers.
 * @param recordCacheBytes memory for single records that are read often, beside the pool, in bytes:
 *     0 for none, or 64 KiB to 1 GiB; default 0. It holds the newest records of tables, keys and
 *     values together up to 456 bytes each, and needs 24 to 31 bytes more for each. Worth it where
 *     gets go to some keys much more often than to others, hardly any of these keys is written, and
 *     records are much shorter than blocks: what is read often takes the place of a record, not of
 *     a block. Cursors do not use it. Costs each get that misses it a look, and each flush one for
 *     each key; and what the pool would do with the memory.
 * @param memory the pages and NUMA nodes of all that memory; default {@link
 *     MemoryOptions#defaults}. A pool with several placements has a part for each, and each part at
 *     least 1 MiB and eight times {@code batchBytesMax}.
 * @param tree the levels and the form of their tables, of the default family and of all others that
 *     {@code families} does not name; default {@link TreeOptions#defaults}
 * @param families the same of other families, by their names; default none. A family need not exist
 *     to be named.
 * @param logSegmentBytes size of one file of the log's ring in bytes, 256 KiB to 1 GiB; default 16
 *     MiB; for a new store
 * @param logSegmentCount number of files of the log's ring, 2 to 1024; default 4; for a new store.
 *     A ring much smaller than two memtables makes memtables be flushed before they are full.
 * @param recovery what opening does about damage in the log; default {@link
 *     RecoveryMode#TOLERATE_TAIL}. With {@link RecoveryMode#SALVAGE} writes may be missing between
 *     others that are there.
 * @param listener is told about flushes, compactions and stalls; default {@link StoreListener#NONE}
 * @param engine the I/O engine to open; default {@link EngineOptions#defaults}. Not used for a
 *     store that is opened on a borrowed engine. Of all that it says, the throttle alone may be
 *     changed while the store is open, and is at once.
 * @param createIfMissing whether a store is created in a directory that is empty or does not exist;
 *     default true
 * @param reserveBytes room on the device that is kept for when there is no other, in bytes: 0 for
 *     none, or 1 MiB to 64 GiB; default 0. On a full device deletes are taken, flushed and merged
 *     in it, and new values refused with an {@link io.ewok.gds.pagestore.OutOfSpaceException} until
 *     there is room for all of it again; without it a full device has to be given room by somebody
 *     else, also for a store to be opened. What a merge writes has to fit: several times {@link
 *     TreeOptions#tableBytes}. Costs the room. An opening with 0 gives back what an earlier one has
 *     kept. Tables that are ingested do not ask for it.
 * @param archiveOrNull directory of an archive that gets all that is written to the log before the
 *     log's space is used anew, so that a backup can be restored to any later sequence number or
 *     time ({@link Backups#restore(PointInTime, Path, StoreOptions,
 *     java.util.function.LongConsumer)}); created if it is missing, of this store alone, best
 *     {@code log} in the directory of its backups. The store remembers it: null, the default, is as
 *     it was at the last opening, at first none; {@link #NO_ARCHIVE} ends it. While the archive
 *     takes nothing, the log becomes full, and writers wait ({@link StallReason#ARCHIVE}).
 */
public record StoreOptions(
    @TakesEffect(Effect.NEXT_OPENING) long memtableBytes,
    @TakesEffect(Effect.NEXT_OPENING) long poolBytes,
    @TakesEffect(Effect.NEXT_OPENING) int batchBytesMax,
    @TakesEffect(Effect.NEXT_OPENING) long recordCacheBytes,
    @TakesEffect(Effect.NEXT_OPENING) MemoryOptions memory,
    TreeOptions tree,
    Map<String, TreeOptions> families,
    @TakesEffect(Effect.CREATION) long logSegmentBytes,
    @TakesEffect(Effect.CREATION) int logSegmentCount,
    @TakesEffect(Effect.NEXT_OPENING) RecoveryMode recovery,
    @TakesEffect(Effect.NEXT_OPENING) StoreListener listener,
    @TakesEffect(Effect.NEXT_OPENING) EngineOptions engine,
    @TakesEffect(Effect.NEXT_OPENING) boolean createIfMissing,
    @TakesEffect(Effect.NEXT_OPENING) long reserveBytes,
    @TakesEffect(Effect.NEXT_OPENING) Path archiveOrNull) {

  /** No archive from now on, see {@code archiveOrNull}. */
  public static final Path NO_ARCHIVE = Path.of("");

  /**
   * Memtables that a store may hold: the one that takes writes, the one that is being flushed, and
   * two that cursors still stand on.
   */
  public static final int MEMTABLES_MAX = 4;

  private static final long KIB = 1L << 10;
  private static final long MIB = 1L << 20;
  private static final long GIB = 1L << 30;

  private static final StoreOptions DEFAULTS =
      new StoreOptions(
          16 * MIB,
          64 * MIB,
          1 << 20,
          0,
          MemoryOptions.defaults(),
          TreeOptions.defaults(),
          Map.of(),
          16 * MIB,
          4,
          RecoveryMode.TOLERATE_TAIL,
          StoreListener.NONE,
          EngineOptions.defaults(),
          true,
          0,
          null);

  /** Checks the ranges. */
  public StoreOptions {
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(tree, "tree");
    families = Map.copyOf(families);
    for (String name : families.keySet()) {
      if (!FamilyEdit.isName(name) || name.equals(Family.DEFAULT_NAME)) {
        throw new IllegalArgumentException(
            "a family that has options of its own has a name of 1 to %d bytes, other than %s: name=%s"
                .formatted(Family.NAME_BYTES_MAX, Family.DEFAULT_NAME, name));
      }
    }
    Objects.requireNonNull(recovery, "recovery");
    Objects.requireNonNull(listener, "listener");
    Objects.requireNonNull(engine, "engine");
    requireRange("batchBytesMax", batchBytesMax, 128 * KIB, 65 * MIB);
    requireRange("memtableBytes", memtableBytes, Math.max(256 * KIB, 2L * batchBytesMax), GIB);
    long partBytesMin = Math.max(MIB, 8L * batchBytesMax);
    requireRange("poolBytes", poolBytes, partBytesMin, GIB);
    if (poolBytes / memory.pool().size() < partBytesMin) {
      throw new IllegalArgumentException(
          "each part of the pool has at least %d bytes here, and there is one for each placement:"
                  .formatted(partBytesMin)
              + " placements=%d poolBytes=%d".formatted(memory.pool().size(), poolBytes));
    }
    if (recordCacheBytes != 0) {
      requireRange("recordCacheBytes", recordCacheBytes, 64 * KIB, GIB);
    }
    requireRange("logSegmentBytes", logSegmentBytes, Math.max(256 * KIB, 2L * batchBytesMax), GIB);
    if (logSegmentBytes % (4 * KIB) != 0) {
      throw new IllegalArgumentException(
          "logSegmentBytes is a multiple of 4096: logSegmentBytes=" + logSegmentBytes);
    }
    requireRange("logSegmentCount", logSegmentCount, 2, 1024);
    if (reserveBytes != 0) {
      requireRange("reserveBytes", reserveBytes, MIB, 64 * GIB);
    }
  }

  static void requireRange(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "%s is %d to %d here: %s=%d".formatted(name, min, max, name, value));
    }
  }

  /** Returns the defaults: {@link #memoryBytes} is about 150 MiB. */
  public static StoreOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns these options, changed by settings as they stand in a configuration file. Others than
   * these are not ours and are passed over.
   *
   * <table>
   * <caption>Settings</caption>
   * <tr><td>{@code store.memtable}, {@code store.pool}, {@code store.batch-max}</td><td>sizes, such
   *     as 64M</td></tr>
   * <tr><td>{@code store.record-cache}</td><td>a size; {@code 0} for none</td></tr>
   * <tr><td>{@code store.huge-pages}</td><td>{@code auto}, {@code hugetlb} or {@code off}, see
   *     {@link MemoryOptions}</td></tr>
   * <tr><td>{@code store.numa.pool}</td><td>what {@link
   *     io.ewok.gds.allocator.numa.PlacementPolicy#parse} reads, or several with semicolons between
   *     them, such as {@code bind:0;bind:1}</td></tr>
   * <tr><td>{@code store.numa.memtable}, {@code store.numa.record-cache}, {@code
   *     store.numa.buffers}</td><td>one such policy</td></tr>
   * <tr><td>{@code store.create-if-missing}</td><td>{@code true} or {@code false}</td></tr>
   * <tr><td>{@code store.reserve}</td><td>a size; {@code 0} for none</td></tr>
   * <tr><td>{@code store.archive}</td><td>a directory; {@code none} for none</td></tr>
   * <tr><td>{@code store.tables-before-merge}, {@code store.growth}</td><td>numbers, see {@link
   *     TreeOptions}</td></tr>
   * <tr><td>{@code store.level-1}, {@code store.table}</td><td>sizes</td></tr>
   * <tr><td>{@code store.filter-prefix}</td><td>number of bytes</td></tr>
   * <tr><td>{@code store.compression}</td><td>{@code none}, {@code lz4} or {@code zstd}, for all
   *     levels; or a list of one for each level from 0 on, the last for all deeper ones too, such as
   *     {@code none,none,lz4,zstd}</td></tr>
   * <tr><td>{@code store.block}</td><td>a size, or such a list</td></tr>
   * <tr><td>{@code store.style}</td><td>{@code leveled}, {@code tiered} or {@code fifo}, see {@link
   *     CompactionStyle}</td></tr>
   * <tr><td>{@code store.fifo}</td><td>a size</td></tr>
   * <tr><td>{@code store.separate-values}</td><td>a size; {@code 0} for none</td></tr>
   * <tr><td>{@code store.value-garbage}</td><td>a number, in percent</td></tr>
   * <tr><td>{@code store.filter-bits}</td><td>a number of bits, or such a list</td></tr>
   * <tr><td>{@code store.merge}</td><td>{@code none}, or the name of an operator, see {@link
   *     MergeOperators}</td></tr>
   * <tr><td>{@code store.ttl}</td><td>a number of {@code s}, {@code m}, {@code h} or {@code d}, such
   *     as {@code 36h}; {@code 0} for none</td></tr>
   * <tr><td>{@code store.periodic-compaction}</td><td>the same</td></tr>
   * <tr><td>{@code store.family.NAME.…}</td><td>of the family with this name, what the settings from
   *     {@code tables-before-merge} to {@code periodic-compaction} are of the store; what is not said of it is as it
   *     was, or else as that of the store</td></tr>
   * <tr><td>{@code log.segment-bytes}, {@code log.segments}, {@code log.recovery}</td><td>see {@link
   *     io.ewok.gds.wal.LogOptions#from}</td></tr>
   * <tr><td>{@code io.…}, {@code reactor.…}, {@code fibers.…}, {@code throttle.…}</td><td>the engine,
   *     see {@link EngineOptions#from}; any of them replaces all that was said of it,
   *     but for its keys</td></tr>
   * </table>
   *
   * @throws IllegalArgumentException that names the setting or the option, and its value
   */
  public StoreOptions with(Map<String, String> settings) {
    return StoreSettings.apply(this, settings);
  }

  /** Returns what {@link #with(Map)} reads, with that of the log and of the engine. */
  public static List<Setting> settings() {
    return StoreReference.all();
  }

  /** Returns the defaults, changed by settings, see {@link #with(Map)}. */
  public static StoreOptions from(Map<String, String> settings) {
    return DEFAULTS.with(settings);
  }

  /**
   * Returns the longest value that fits beside a key, in bytes.
   *
   * @param keyBytes length of the key in bytes
   */
  public long valueBytesMax(int keyBytes) {
    Keys.requireLength(keyBytes);
    return (long) batchBytesMax
        - WriteBatch.BATCH_OVERHEAD_BYTES
        - WriteBatch.OPERATION_OVERHEAD_BYTES
        - keyBytes;
  }

  /**
   * Returns all the memory outside of the heap that a store with these options ever uses, in bytes:
   * the pool, the record cache, the memtables, the log's buffers and those for writing tables. It
   * is the limit of the store's budget. Batches, keys that are looked for, operands while they are
   * merged, and what the I/O engine needs for its queues are not in it.
   */
  public long memoryBytes() {
    return StoreMemory.totalBytes(this);
  }

  /** Returns these options with another size of memtables. */
  public StoreOptions withMemtableBytes(long memtableBytes) {
    return with(draft -> draft.memtableBytes = memtableBytes);
  }

  /** Returns these options with another size of the pool. */
  public StoreOptions withPoolBytes(long poolBytes) {
    return with(draft -> draft.poolBytes = poolBytes);
  }

  /** Returns these options with another largest batch. */
  public StoreOptions withBatchBytesMax(int batchBytesMax) {
    return with(draft -> draft.batchBytesMax = batchBytesMax);
  }

  /** Returns these options with another size of the record cache, or none. */
  public StoreOptions withRecordCacheBytes(long recordCacheBytes) {
    return with(draft -> draft.recordCacheBytes = recordCacheBytes);
  }

  /** Returns these options with other pages and places of memory. */
  public StoreOptions withMemory(MemoryOptions memory) {
    return with(draft -> draft.memory = memory);
  }

  /** Returns these options with other levels. */
  public StoreOptions withTree(TreeOptions tree) {
    return with(draft -> draft.tree = tree);
  }

  /** Returns these options with those of one more family, or other ones for it. */
  public StoreOptions withFamily(String name, TreeOptions options) {
    Map<String, TreeOptions> more = new HashMap<>(families);
    more.put(name, options);
    return with(draft -> draft.families = more);
  }

  /** Returns the options of a family: its own, or those of the store. */
  public TreeOptions tree(String family) {
    return family.equals(Transactions.FAMILY)
        ? PreparedTransactions.tree(tree)
        : families.getOrDefault(family, tree);
  }

  int blockBytesMin() {
    return families.values().stream()
        .mapToInt(TreeOptions::blockBytesMin)
        .reduce(tree.blockBytesMin(), Math::min);
  }

  int blockBytesMax() {
    return families.values().stream()
        .mapToInt(TreeOptions::blockBytesMax)
        .reduce(tree.blockBytesMax(), Math::max);
  }

  /** Returns these options with another compression on all levels. */
  public StoreOptions withCompression(Compression compression) {
    return withTree(tree.withEachLevel(level -> level.withCompression(compression)));
  }

  /** Returns these options with another size of blocks on all levels. */
  public StoreOptions withBlockBytes(int blockBytes) {
    return withTree(tree.withEachLevel(level -> level.withBlockBytes(blockBytes)));
  }

  /** Returns these options with another size of merged tables. */
  public StoreOptions withTableBytes(long tableBytes) {
    return withTree(tree.withTableBytes(tableBytes));
  }

  /** Returns these options with another number of flushed tables that starts a merge. */
  public StoreOptions withTablesBeforeMerge(int tablesBeforeMerge) {
    return withTree(tree.withTablesBeforeMerge(tablesBeforeMerge));
  }

  /** Returns these options with another size of the log's files. */
  public StoreOptions withLogSegmentBytes(long logSegmentBytes) {
    return with(draft -> draft.logSegmentBytes = logSegmentBytes);
  }

  /** Returns these options with another number of the log's files. */
  public StoreOptions withLogSegmentCount(int logSegmentCount) {
    return with(draft -> draft.logSegmentCount = logSegmentCount);
  }

  /** Returns these options with another way to treat damage in the log. */
  public StoreOptions withRecovery(RecoveryMode recovery) {
    return with(draft -> draft.recovery = recovery);
  }

  /** Returns these options with another listener. */
  public StoreOptions withListener(StoreListener listener) {
    return with(draft -> draft.listener = listener);
  }

  /** Returns these options with another choice of I/O engine. */
  public StoreOptions withEngine(EngineOptions engine) {
    return with(draft -> draft.engine = engine);
  }

  /** Returns these options with creation switched on or off. */
  public StoreOptions withCreateIfMissing(boolean createIfMissing) {
    return with(draft -> draft.createIfMissing = createIfMissing);
  }

  /** Returns these options with another reserve of room on the device, or none. */
  public StoreOptions withReserveBytes(long reserveBytes) {
    return with(draft -> draft.reserveBytes = reserveBytes);
  }

  /** Returns these options with another archive, {@link #NO_ARCHIVE}, or null. */
  public StoreOptions withArchive(Path archiveOrNull) {
    return with(draft -> draft.archiveOrNull = archiveOrNull);
  }

  private StoreOptions with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.options();
  }

  /** A copy that can be changed, so that each with-method names only what it changes. */
  private final class Draft {
    long memtableBytes = StoreOptions.this.memtableBytes;
    long poolBytes = StoreOptions.this.poolBytes;
    int batchBytesMax = StoreOptions.this.batchBytesMax;
    long recordCacheBytes = StoreOptions.this.recordCacheBytes;
    MemoryOptions memory = StoreOptions.this.memory;
    TreeOptions tree = StoreOptions.this.tree;
    Map<String, TreeOptions> families = StoreOptions.this.families;
    long logSegmentBytes = StoreOptions.this.logSegmentBytes;
    int logSegmentCount = StoreOptions.this.logSegmentCount;
    RecoveryMode recovery = StoreOptions.this.recovery;
    StoreListener listener = StoreOptions.this.listener;
    EngineOptions engine = StoreOptions.this.engine;
    boolean createIfMissing = StoreOptions.this.createIfMissing;
    long reserveBytes = StoreOptions.this.reserveBytes;
    Path archiveOrNull = StoreOptions.this.archiveOrNull;

    StoreOptions options() {
      return new StoreOptions(
          memtableBytes,
          poolBytes,
          batchBytesMax,
          recordCacheBytes,
          memory,
          tree,
          families,
          logSegmentBytes,
          logSegmentCount,
          recovery,
          listener,
          engine,
          createIfMissing,
          reserveBytes,
          archiveOrNull);
    }
  }
}
