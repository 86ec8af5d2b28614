package io.ewok.gds.bench;

import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.lsm.CompactionStyle;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Explanation;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.StoreStats;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * {@code gds bench styles}: what the compaction styles cost in writes, space and reads, the same
 * records loaded and overwritten with each in turn.
 */
final class StyleReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench styles [--quick] [--rounds N] [--json] [--entries N] [--directory PATH]
      The compaction styles of the store beside each other: records of 116 bytes are loaded in random
      order and all overwritten twice, then read. FIFO keeps everything here. A ratio above 1 is in
      favour of the style that is named.

        --quick           ends within a minute: fewer records
        --rounds N        how often everything is measured; default 3
        --json            one JSON object a line instead of a table
        --output FILE     the same objects into a file
        --html FILE       a page with charts of the ratios
        --entries N       records; default 1000000
        --directory PATH  on the disk in question; default: the one for temporary files
      """;

  private static final String ENTRIES = "--entries";

  static final ReportCommand COMMAND =
      new ReportCommand(
          "gds bench styles",
          USAGE,
          Set.of(ReportArguments.DIRECTORY, ENTRIES),
          StyleReport::prepare);

  private static final String LAYER = "lsm";
  private static final int ROUNDS_DEFAULT = 3;
  private static final int ENTRIES_DEFAULT = 1_000_000;
  private static final int ENTRIES_MIN = 1000;
  private static final int ENTRIES_MAX = 99_999_999;
  private static final int ENTRIES_QUICK = 100_000;
  private static final int OVERWRITES = 2;
  private static final int KEY_BYTES = 16;
  private static final int VALUE_BYTES = 100;
  private static final int EXPLAINED = 2_000;
  private static final int GETS = 100_000;
  private static final Duration REST_MAX = Duration.ofMinutes(10);
  private static final long MEMTABLE_BYTES = 4 << 20;
  private static final long POOL_BYTES = 1 << 30;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final long SEED = 11;
  private static final ValueLayout.OfLong KEY =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /** One number of a style; all but the last are the better the less they are. */
  private enum Measure {
    WRITES("bytes written for one of the user's, log included", ""),
    SPACE("bytes of tables for one of the data's", ""),
    TABLES("tables that a get asks", ""),
    GETS_PER_SECOND("gets", "/s");

    private final String label;
    private final String unit;

    Measure(String label, String unit) {
      this.label = label;
      this.unit = unit;
    }
  }

  private final int count;
  private final int entries;
  private final Path directory;
  private final Map<CompactionStyle, Map<Measure, double[]>> series =
      new EnumMap<>(CompactionStyle.class);

  StyleReport(int count, int entries, Path directory) {
    this.count = count;
    this.entries = entries;
    this.directory = directory;
    for (CompactionStyle style : CompactionStyle.values()) {
      Map<Measure, double[]> own = new EnumMap<>(Measure.class);
      for (Measure measure : Measure.values()) {
        own.put(measure, new double[count]);
      }
      series.put(style, own);
    }
  }

  private static Measurement prepare(ReportArguments arguments) {
    int usual = arguments.quick() ? ENTRIES_QUICK : ENTRIES_DEFAULT;
    StyleReport report =
        new StyleReport(
            arguments.roundsOr(ROUNDS_DEFAULT),
            arguments.number(ENTRIES, usual, ENTRIES_MIN, ENTRIES_MAX),
            arguments.directory());
    return report::measure;
  }

  StyleReport measure() throws IOException, InterruptedException {
    try (Progress progress = Progress.ofRounds(count, CompactionStyle.values().length)) {
      for (int round = 0; round < count; round++) {
        for (CompactionStyle style : CompactionStyle.values()) {
          progress.begin(round, name(style), 1);
          Path own = ScratchDirectories.create(directory, "gds-bench-styles-");
          try {
            measure(style, own, round);
          } finally {
            ScratchDirectories.delete(own);
          }
        }
      }
    }
    return this;
  }

  private void measure(CompactionStyle style, Path own, int round)
      throws IOException, InterruptedException {
    StoreOptions options =
        StoreOptions.defaults().withMemtableBytes(MEMTABLE_BYTES).withPoolBytes(POOL_BYTES);
    options = options.withTree(options.tree().withStyle(style).withFifoBytes(Long.MAX_VALUE));
    try (Arena arena = Arena.ofConfined();
        Store store = Store.open(own.resolve("store"), options)) {
      MemorySegment key = arena.allocate(KEY_BYTES);
      MemorySegment value = arena.allocate(VALUE_BYTES);
      for (int pass = 0; pass <= OVERWRITES; pass++) {
        write(store, key, value, pass);
      }
      store.flush();
      if (!store.awaitRest(REST_MAX)) {
        throw new IllegalStateException("the store is still at work: " + store.stats());
      }
      StoreStats stats = store.stats();
      long tableBytes = stats.levels().stream().mapToLong(StoreStats.Level::bytes).sum();
      Map<Measure, double[]> numbers = series.get(style);
      numbers.get(Measure.WRITES)[round] = stats.written().amplification();
      numbers.get(Measure.SPACE)[round] =
          (double) tableBytes / ((long) entries * (KEY_BYTES + VALUE_BYTES));
      numbers.get(Measure.TABLES)[round] = tablesAsked(store, key);
      numbers.get(Measure.GETS_PER_SECOND)[round] = getsPerSecond(store, key, value);
    }
  }

  /** Each record once, in an order that is another one in each pass. */
  private void write(Store store, MemorySegment key, MemorySegment value, int pass)
      throws IOException {
    int[] order = new int[entries];
    SplittableRandom random = new SplittableRandom(SEED + pass);
    for (int i = 0; i < entries; i++) {
      int at = random.nextInt(i + 1);
      order[i] = order[at];
      order[at] = i;
    }
    for (int number : order) {
      setKey(key, number);
      value.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, (long) pass << Integer.SIZE | number);
      store.put(key, value, Durability.NONE);
    }
  }

  private static void setKey(MemorySegment key, int number) {
    key.set(KEY, KEY_BYTES - Long.BYTES, number);
  }

  private double tablesAsked(Store store, MemorySegment key) throws IOException {
    SplittableRandom random = new SplittableRandom(SEED);
    long asked = 0;
    for (int i = 0; i < EXPLAINED; i++) {
      setKey(key, random.nextInt(entries));
      asked += tablesAsked(store.explain(key.toArray(ValueLayout.JAVA_BYTE)));
    }
    return (double) asked / EXPLAINED;
  }

  private static long tablesAsked(Explanation explanation) {
    long asked = 0;
    for (Explanation.Step step : explanation.steps()) {
      boolean isTable = step.place().startsWith("level");
      asked += isTable && step.outcome() != Explanation.Outcome.OUT_OF_RANGE ? 1 : 0;
      if (step.outcome() == Explanation.Outcome.FOUND) {
        return asked;
      }
    }
    throw new IllegalStateException("a record is not there");
  }

  /** The second time that the same keys are asked for. */
  private double getsPerSecond(Store store, MemorySegment key, MemorySegment value)
      throws IOException {
    double perSecond = 0;
    for (int turn = 0; turn < 2; turn++) {
      SplittableRandom random = new SplittableRandom(SEED);
      long start = System.nanoTime();
      for (int i = 0; i < GETS; i++) {
        setKey(key, random.nextInt(entries));
        if (store.get(key, value) != VALUE_BYTES) {
          throw new IllegalStateException("a record is not there");
        }
      }
      perSecond = GETS * NANOS_PER_SECOND / (System.nanoTime() - start);
    }
    return perSecond;
  }

  private static String name(CompactionStyle style) {
    return style.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>();
    for (Measure measure : Measure.values()) {
      double[] leveled = series.get(CompactionStyle.LEVELED).get(measure);
      for (CompactionStyle style : CompactionStyle.values()) {
        String label = measure.label + ", " + name(style);
        double[] own = series.get(style).get(measure);
        if (style == CompactionStyle.LEVELED) {
          comparisons.add(Comparison.alone(LAYER, label, measure.unit, own));
        } else {
          String rival = name(CompactionStyle.LEVELED);
          comparisons.add(
              measure == Measure.GETS_PER_SECOND
                  ? Comparison.ofRates(LAYER, label, measure.unit, own, rival, leveled)
                  : Comparison.of(LAYER, label, measure.unit, own, rival, leveled));
        }
      }
    }
    return comparisons;
  }
}
