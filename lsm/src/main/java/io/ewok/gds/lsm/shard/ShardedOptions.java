package io.ewok.gds.lsm.shard;

import io.ewok.gds.allocator.Setting;
import io.ewok.gds.allocator.Settings;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreSetting.Effect;
import io.ewok.gds.lsm.TakesEffect;
import io.ewok.gds.lsm.TreeOptions;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.GroupOptions;
import io.ewok.gds.wal.RecoveryMode;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How a sharded store is opened.
 *
 * @param count shards, 1 to {@link #COUNT_MAX}; default 1. As many as processors are to work on it:
 *     each has a reactor, that is a thread, and the memory of a store. Stays as it was when the
 *     store was created.
 * @param partitioning which shard a key is of; default {@link Partitioning#hash}. Stays, too.
 * @param ownersCompact whether flushes and compactions of a shard are done by its owner, in slices
 *     between its other tasks, in the place of a thread; default false. It keeps a shard to the
 *     processor of its owner; a thread is mostly faster. A task that does not let others run holds
 *     up writers with it.
 * @param store of each shard; default {@link StoreOptions#defaults}. Sizes are of each, not of all.
 *     The sequence log has the sizes of its log. Its engine is that of all, with as many reactors
 *     as there are shards, and of each at least 2 fibers for tasks from outside, 3 if owners
 *     compact: the sequencer keeps one of the first reactor for itself, and an owner that compacts
 *     one of its own. So does each store on a borrowed engine, whose options are the lender's: its
 *     reactors need fibers for all of them and for their callers. Recovery is {@link
 *     RecoveryMode#STRICT} or {@link RecoveryMode#TOLERATE_TAIL}, as others leave out what one
 *     shard or the sequence log had durably and others still have; and there is no archive, which
 *     would be of one shard.
 */
public record ShardedOptions(
    @TakesEffect(Effect.CREATION) int count,
    @TakesEffect(Effect.CREATION) Partitioning partitioning,
    @TakesEffect(Effect.NEXT_OPENING) boolean ownersCompact,
    StoreOptions store) {
  /** The most shards. */
  public static final int COUNT_MAX = 256;

  private static final String COUNT = "shards.count";
  private static final String SPLITS = "shards.splits";
  private static final String BACKGROUND = "shards.background";
  private static final Pattern NAMES = Pattern.compile("shards\\..*");
  private static final Pattern COMMA = Pattern.compile("\\s*,\\s*");

  private static final List<Setting> SETTINGS =
      List.of(
          Setting.of(
                  COUNT, "1", "1 to " + COUNT_MAX, "shards of a sharded store that is created now")
              .change(
                  "several processors are to work on it",
                  "a thread and the memory of a store for each"),
          Setting.of(
                  SPLITS,
                  "none",
                  "ascending keys in hexadecimal with commas between them, one less than there are"
                      + " shards; or none",
                  "the first key of each shard but the first: shards are ranges of keys then, else"
                      + " of hashes")
              .change("scans are to stay within a shard", "shards may be of different sizes"),
          Setting.of(
                  BACKGROUND,
                  "thread",
                  "thread or owner",
                  "who flushes and compacts a shard: a thread of its own, or its owner between its"
                      + " other tasks")
              .change(
                  "a shard is to keep to the processor of its owner",
                  "mostly slower; a task that does not let others run holds up writers with it"));

  private static final ShardedOptions DEFAULTS =
      new ShardedOptions(1, Partitioning.hash(), false, StoreOptions.defaults());

  /** Checks the number of shards, and that there is a range for each. */
  public ShardedOptions {
    Objects.requireNonNull(partitioning, "partitioning");
    Objects.requireNonNull(store, "store");
    if (count < 1 || count > COUNT_MAX) {
      throw new IllegalArgumentException("from 1 to " + COUNT_MAX + ": count=" + count);
    }
    if (!partitioning.isHash() && partitioning.splits().size() != count - 1) {
      throw new IllegalArgumentException(
          "there is a split key between two shards, splits=%d: count=%d"
              .formatted(partitioning.splits().size(), count));
    }
    requireFibers(store.engine().reactors().reactor().fibers(), ownersCompact);
    if (store.recovery() != RecoveryMode.STRICT && store.recovery() != RecoveryMode.TOLERATE_TAIL) {
      throw new IllegalArgumentException(
          "what is durable in one shard would be left out while others stand on it; a shard can be"
              + " opened alone, as a store: log.recovery="
              + store.recovery());
    }
    if (store.archiveOrNull() != null && !store.archiveOrNull().equals(StoreOptions.NO_ARCHIVE)) {
      throw new IllegalArgumentException(
          "an archive is of one store, and shards have none: store.archive="
              + store.archiveOrNull());
    }
    if (store.families().containsKey(Shard.FAMILY)) {
      throw new IllegalArgumentException("the name is kept for epochs: name=" + Shard.FAMILY);
    }
  }

  private static void requireFibers(FiberOptions fibers, boolean ownersCompact) {
    int min = ownersCompact ? 3 : 2; // the last one is for callers
    if (fibers.count() < min) {
      throw new IllegalArgumentException(
          "one fiber of the first shard is the sequencer's and one the compaction's if owners"
              + " compact, so it takes %d: fibers.count=%d".formatted(min, fibers.count()));
    }
  }

  /** Returns the defaults. */
  public static ShardedOptions defaults() {
    return DEFAULTS;
  }

  /**
   * Returns these options, changed by settings as they stand in a configuration file: {@code
   * shards.count}; {@code shards.splits}, split keys in hexadecimal with commas between them, which
   * make it ranges, or {@code none}, for hashes; {@code shards.background}, {@code owner} or {@code
   * thread}; and all that {@link StoreOptions#with(Map)} takes. Others are not ours and are passed
   * over.
   *
   * @throws IllegalArgumentException that names the setting or the option, and its value
   */
  public ShardedOptions with(Map<String, String> settings) {
    Settings.requireKnown(settings, NAMES, Setting.names(SETTINGS));
    return new ShardedOptions(
        Settings.readInt(settings, COUNT, count),
        Settings.read(settings, SPLITS, ShardedOptions::splits, partitioning),
        Settings.read(settings, BACKGROUND, ShardedOptions::background, ownersCompact),
        store.with(settings));
  }

  /** What {@link #with(Map)} reads besides those of {@link StoreOptions}. */
  public static List<Setting> settings() {
    return SETTINGS;
  }

  private static boolean background(String text) {
    return switch (text.strip()) {
      case "owner" -> true;
      case "thread" -> false;
      default -> throw new IllegalArgumentException("owner or thread: " + BACKGROUND + "=" + text);
    };
  }

  private static Partitioning splits(String text) {
    if (text.strip().equals("none")) {
      return Partitioning.hash();
    }
    try {
      List<byte[]> keys =
          Stream.of(COMMA.split(text.strip())).map(HexFormat.of()::parseHex).toList();
      return Partitioning.ranges(keys);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "ascending keys in hexadecimal, or none: " + SPLITS + "=" + text, e);
    }
  }

  /**
   * Returns all the memory outside of the heap that a store with these options ever uses, in bytes:
   * that of the stores, see {@link StoreOptions#memoryBytes}, and of the sequence log. It is the
   * limit of the budget. What scans and batches need is not in it.
   */
  public long memoryBytes() {
    return count * storeOfShard().memoryBytes() + SequenceLog.memoryBytes(store);
  }

  /** Returns these options with another number of shards. */
  public ShardedOptions withCount(int count) {
    return new ShardedOptions(count, partitioning, ownersCompact, store);
  }

  /**
   * Returns these options for ranges.
   *
   * @param splits see {@link Partitioning#ranges}; there is one shard more than of them
   */
  public ShardedOptions withRanges(List<byte[]> splits) {
    return new ShardedOptions(splits.size() + 1, Partitioning.ranges(splits), ownersCompact, store);
  }

  /** Returns these options with flushes and compactions by owners, or by threads. */
  public ShardedOptions withOwnersCompact(boolean ownersCompact) {
    return new ShardedOptions(count, partitioning, ownersCompact, store);
  }

  /** Returns these options with others of each shard. */
  public ShardedOptions withStore(StoreOptions store) {
    return new ShardedOptions(count, partitioning, ownersCompact, store);
  }

  /** What each shard is opened with: the options of its store, and the family of epochs. */
  StoreOptions storeOfShard() {
    return store.withFamily(Shard.FAMILY, TreeOptions.defaults());
  }

  /** The options of the stores, with an engine that has a reactor for each. */
  StoreOptions storeWithReactors() {
    GroupOptions reactors = store.engine().reactors();
    return reactors.count() >= count
        ? store
        : store.withEngine(store.engine().withReactors(reactors.withCount(count)));
  }
}
