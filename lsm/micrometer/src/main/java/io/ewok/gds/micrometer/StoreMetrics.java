package io.ewok.gds.micrometer;

import io.ewok.gds.lsm.StallReason;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreStats;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/**
 * Meters of one store, all of them {@code gds.store.…}. They read the counters that the store keeps
 * anyway, when somebody asks, so they cost it nothing in between; one reading serves what is asked
 * within {@link #READING_LIFE}, so that a scrape sees one state. Once the store is closed, counters
 * stay where they were last seen and gauges are not numbers.
 *
 * <p>Bytes are in {@code bytes}, the unit that Micrometer calls so, ratios from 0 to 1, waits in
 * the registry's unit of time. A store is held as long as the registry has its gauges: take them
 * out with {@link MeterRegistry#remove} if stores come and go. Where filters let none of them in,
 * keep this: counters and timers do not hold it. Threads: any.
 */
public final class StoreMetrics implements MeterBinder {
  /** How long a reading of the counters is good for. */
  public static final Duration READING_LIFE = Duration.ofMillis(200);

  /** Level 0, and as many as ten times larger ones as hold what disks do. */
  private static final int LEVELS = 7;

  private final Store store;
  private final Tags tags;
  private final LongSupplier clock;

  /** The last reading, and when it was taken. */
  private record Reading(StoreStats stats, long nanos, boolean isOpen) {}

  private volatile Reading last;

  /**
   * Meters of a store.
   *
   * @param store open now
   * @param tags what tells its meters from those of other stores
   * @throws IllegalStateException if the store is closed
   */
  public StoreMetrics(Store store, Iterable<Tag> tags) {
    this(store, tags, System::nanoTime);
  }

  /** Tells the time by a clock, in nanoseconds from anywhere. */
  StoreMetrics(Store store, Iterable<Tag> tags, LongSupplier clock) {
    this.store = Objects.requireNonNull(store, "store");
    this.tags = Tags.of(tags);
    this.clock = clock;
    last = new Reading(store.stats(), clock.getAsLong(), true);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    bindWrites(registry);
    bindReads(registry);
    bindMemory(registry);
    bindTables(registry);
    for (StallReason reason : StallReason.values()) {
      bindStall(registry, reason);
    }
  }

  private void bindWrites(MeterRegistry registry) {
    counter(registry, "operations", "puts and deletes", null, s -> s.written().operations());
    counter(registry, "user", "keys and values written", "bytes", s -> s.written().userBytes());
    written(registry, "log", s -> s.written().logBytes());
    written(registry, "flush", s -> s.written().flushBytes());
    written(registry, "merge", s -> s.written().mergeBytes());
    counter(registry, "flushes", "memtables written as tables", null, StoreStats::flushes);
    counter(registry, "merges", "merges of tables", null, StoreStats::merges);
  }

  private void bindReads(MeterRegistry registry) {
    counter(registry, "gets", "gets", null, s -> s.read().gets());
    found(registry, "blocks", "hit", s -> s.read().blockHits());
    found(registry, "blocks", "miss", s -> s.read().blockMisses());
    found(registry, "records", "hit", s -> s.recordCache().hits());
    found(registry, "records", "miss", s -> s.recordCache().misses());
    counter(registry, "device.reads", "reads of the engine", null, s -> s.read().deviceReads());
    counter(registry, "device.read", "bytes of these", "bytes", s -> s.read().deviceBytes());
    gauge(registry, "cursors", "cursors not yet closed", null, StoreStats::openCursors);
  }

  private void bindMemory(MeterRegistry registry) {
    gauge(
        registry,
        "memory.used",
        "reserved outside of the heap",
        "bytes",
        s -> memory(s).usedBytes());
    gauge(registry, "memory.peak", "most that was reserved", "bytes", s -> memory(s).peakBytes());
    gauge(registry, "memory.limit", "what it never exceeds", "bytes", s -> memory(s).limitBytes());
  }

  private static StoreStats.Memory memory(StoreStats stats) {
    return stats.memory();
  }

  private void bindTables(MeterRegistry registry) {
    gauge(
        registry,
        "space.amplification",
        "bytes of all tables for one of the deepest level",
        null,
        StoreStats::spaceAmplification);
    gauge(
        registry,
        "values.garbage",
        "what no table refers to, of value files",
        "bytes",
        StoreMetrics::garbageBytes);
    for (int level = 0; level < LEVELS; level++) {
      int at = level;
      Tags ofLevel = tags.and("level", Integer.toString(level));
      gauge("level.tables", ofLevel, s -> atLevel(s, at, StoreStats.Level::tables))
          .description("table files of the level")
          .register(registry);
      gauge("level.size", ofLevel, s -> atLevel(s, at, StoreStats.Level::bytes))
          .description("bytes of these")
          .baseUnit("bytes")
          .register(registry);
    }
  }

  private static double garbageBytes(StoreStats stats) {
    return StoreStats.ValueFile.eachOnce(stats.valueFiles()).stream()
        .mapToLong(StoreStats.ValueFile::garbageBytes)
        .sum();
  }

  private static double atLevel(
      StoreStats stats, int level, ToDoubleFunction<StoreStats.Level> value) {
    return level < stats.levels().size() ? value.applyAsDouble(stats.levels().get(level)) : 0;
  }

  private void bindStall(MeterRegistry registry, StallReason reason) {
    FunctionTimer.builder(
            "gds.store.stalls",
            this,
            metrics -> stall(metrics.stats(), reason).count(),
            metrics -> stall(metrics.stats(), reason).nanos(),
            TimeUnit.NANOSECONDS)
        .description("waits of writers for the background thread")
        .tags(tags.and("reason", reason.name().toLowerCase(Locale.ROOT)))
        .register(registry);
  }

  private static StoreStats.Stall stall(StoreStats stats, StallReason reason) {
    return stats.stalls().byReason().getOrDefault(reason, new StoreStats.Stall(0, 0));
  }

  private void written(MeterRegistry registry, String to, ToDoubleFunction<StoreStats> value) {
    FunctionCounter.builder("gds.store.written", this, m -> value.applyAsDouble(m.stats()))
        .description("bytes written to the device")
        .baseUnit("bytes")
        .tags(tags.and("to", to))
        .register(registry);
  }

  private void found(
      MeterRegistry registry, String cache, String result, ToDoubleFunction<StoreStats> value) {
    FunctionCounter.builder("gds.store.cache." + cache, this, m -> value.applyAsDouble(m.stats()))
        .description("looked for in the cache")
        .tags(tags.and("result", result))
        .register(registry);
  }

  private void counter(
      MeterRegistry registry,
      String name,
      String description,
      String unitOrNull,
      ToDoubleFunction<StoreStats> value) {
    FunctionCounter.builder("gds.store." + name, this, m -> value.applyAsDouble(m.stats()))
        .description(description)
        .baseUnit(unitOrNull)
        .tags(tags)
        .register(registry);
  }

  private void gauge(
      MeterRegistry registry,
      String name,
      String description,
      String unitOrNull,
      ToDoubleFunction<StoreStats> value) {
    gauge(name, tags, value).description(description).baseUnit(unitOrNull).register(registry);
  }

  private Gauge.Builder<StoreMetrics> gauge(
      String name, Tags tags, ToDoubleFunction<StoreStats> value) {
    return Gauge.builder("gds.store." + name, this, metrics -> metrics.gauged(value))
        .strongReference(true)
        .tags(tags);
  }

  private double gauged(ToDoubleFunction<StoreStats> value) {
    Reading reading = read();
    return reading.isOpen() ? value.applyAsDouble(reading.stats()) : Double.NaN;
  }

  private StoreStats stats() {
    return read().stats();
  }

  /** Two that come at once read twice, which harms nobody. */
  private Reading read() {
    Reading reading = last;
    long now = clock.getAsLong();
    if (now - reading.nanos() > READING_LIFE.toNanos()) {
      reading = readAnew(reading, now);
      last = reading;
    }
    return reading;
  }

  private Reading readAnew(Reading before, long now) {
    try {
      return new Reading(store.stats(), now, true);
    } catch (IllegalStateException e) { // closed
      return new Reading(before.stats(), now, false);
    }
  }
}
