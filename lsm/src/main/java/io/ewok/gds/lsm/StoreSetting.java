package io.ewok.gds.lsm;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The settings of a store, and when each takes effect that is changed while the store is open, see
 * {@link Store#change}. What they mean says {@link StoreOptions#with(Map)}. A change of {@code
 * store.family.NAME.…} takes effect when that of {@code store.…} would, for the family alone.
 */
public enum StoreSetting {
  /** {@code store.memtable}. */
  MEMTABLE("store.memtable", Effect.NEXT_OPENING),
  /** {@code store.pool}. */
  POOL("store.pool", Effect.NEXT_OPENING),
  /** {@code store.record-cache}. */
  RECORD_CACHE("store.record-cache", Effect.NEXT_OPENING),
  /** {@code store.batch-max}. */
  BATCH_MAX("store.batch-max", Effect.NEXT_OPENING),
  /** {@code store.huge-pages}. */
  HUGE_PAGES("store.huge-pages", Effect.NEXT_OPENING),
  /** {@code store.numa.pool}. */
  NUMA_POOL("store.numa.pool", Effect.NEXT_OPENING),
  /** {@code store.numa.memtable}. */
  NUMA_MEMTABLE("store.numa.memtable", Effect.NEXT_OPENING),
  /** {@code store.numa.record-cache}. */
  NUMA_RECORD_CACHE("store.numa.record-cache", Effect.NEXT_OPENING),
  /** {@code store.numa.buffers}. */
  NUMA_BUFFERS("store.numa.buffers", Effect.NEXT_OPENING),
  /** {@code store.create-if-missing}. */
  CREATE_IF_MISSING("store.create-if-missing", Effect.NEXT_OPENING),
  /** {@code store.reserve}. */
  RESERVE("store.reserve", Effect.NEXT_OPENING),
  /** {@code store.archive}: remembered, see {@link StoreOptions}. */
  ARCHIVE("store.archive", Effect.NEXT_OPENING),
  /** {@code store.tables-before-merge}. */
  TABLES_BEFORE_MERGE("store.tables-before-merge", Effect.AT_ONCE),
  /** {@code store.level-1}. */
  LEVEL_1("store.level-1", Effect.AT_ONCE),
  /** {@code store.growth}. */
  GROWTH("store.growth", Effect.AT_ONCE),
  /** {@code store.table}. */
  TABLE("store.table", Effect.NEXT_COMPACTION),
  /** {@code store.filter-prefix}. */
  FILTER_PREFIX("store.filter-prefix", Effect.NEXT_TABLES),
  /** {@code store.compression}. */
  COMPRESSION("store.compression", Effect.NEXT_TABLES),
  /**
   * {@code store.block}: while the store is open, no larger than the largest it was opened with.
   */
  BLOCK("store.block", Effect.NEXT_TABLES),
  /** {@code store.filter-bits}. */
  FILTER_BITS("store.filter-bits", Effect.NEXT_TABLES),
  /** {@code store.style}. */
  STYLE("store.style", Effect.AT_ONCE),
  /** {@code store.fifo}. */
  FIFO("store.fifo", Effect.AT_ONCE),
  /** {@code store.separate-values}. */
  SEPARATE_VALUES("store.separate-values", Effect.NEXT_TABLES),
  /** {@code store.value-garbage}. */
  VALUE_GARBAGE("store.value-garbage", Effect.AT_ONCE),
  /** {@code store.merge}. */
  MERGE("store.merge", Effect.NEXT_OPENING),
  /** {@code store.ttl}: also of what was written before, see {@link TreeOptions}. */
  TTL("store.ttl", Effect.AT_ONCE),
  /** {@code store.periodic-compaction}. */
  PERIODIC_COMPACTION("store.periodic-compaction", Effect.AT_ONCE),
  /** {@code log.segment-bytes}. */
  LOG_SEGMENT_BYTES("log.segment-bytes", Effect.CREATION),
  /** {@code log.segments}. */
  LOG_SEGMENTS("log.segments", Effect.CREATION),
  /** {@code log.recovery}. */
  LOG_RECOVERY("log.recovery", Effect.NEXT_OPENING),
  /** All that begin with {@code io.}. */
  IO("io.…", Effect.NEXT_OPENING),
  /** All that begin with {@code reactor.}. */
  REACTOR("reactor.…", Effect.NEXT_OPENING),
  /** All that begin with {@code fibers.}. */
  FIBERS("fibers.…", Effect.NEXT_OPENING),
  /** All that begin with {@code throttle.}: of the store's own engine, not of a borrowed one. */
  THROTTLE("throttle.…", Effect.AT_ONCE);

  /** When a change takes effect. */
  public enum Effect {
    /**
     * When the change returns. What is to be compacted, dropped or forgotten then, the background
     * thread begins with right away.
     */
    AT_ONCE("at once"),
    /** With the next compaction; one that runs goes on as it began. */
    NEXT_COMPACTION("with the next compaction"),
    /** In the tables that flushes and compactions write that begin afterwards. */
    NEXT_TABLES("in tables written afterwards"),
    /** It cannot be changed while the store is open. */
    NEXT_OPENING("at the next opening"),
    /** It cannot be changed at all. */
    CREATION("when it is created"),
    /** For each call that it is given to, and what the call returns. No setting has it. */
    EACH_CALL("for the call that it is given to");

    private final String text;

    Effect(String text) {
      this.text = text;
    }

    /** Returns it for people. */
    @Override
    public String toString() {
      return text;
    }
  }

  private static final String ANY = "…";

  private final String settingName;
  private final Effect effect;

  StoreSetting(String settingName, Effect effect) {
    this.settingName = settingName;
    this.effect = effect;
  }

  /** Returns its name, or how the names of several begin, and three dots. */
  public String settingName() {
    return settingName;
  }

  /** Returns when a change takes effect. */
  public Effect effect() {
    return effect;
  }

  /** Returns whether it can be changed while the store is open. */
  public boolean isChangeable() {
    return effect != Effect.NEXT_OPENING && effect != Effect.CREATION;
  }

  /** The one that a name is of. */
  static Optional<StoreSetting> of(String name) {
    return Arrays.stream(values()).filter(setting -> setting.has(name)).findFirst();
  }

  private boolean has(String name) {
    return settingName.endsWith(ANY)
        ? name.startsWith(settingName.substring(0, settingName.length() - ANY.length()))
        : name.equals(settingName);
  }

  /** The names of those that can be changed while the store is open. */
  static List<String> changeableNames() {
    return Arrays.stream(values())
        .filter(StoreSetting::isChangeable)
        .map(StoreSetting::settingName)
        .toList();
  }
}
