package io.ewok.gds.bench;

import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.lsm.shard.ShardedBatch;
import io.ewok.gds.lsm.shard.ShardedOptions;
import io.ewok.gds.lsm.shard.ShardedStore;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * {@code gds bench shards}: what a store in shards costs besides its stores. The rival of two
 * shards are two threads with a plain store each, which know nothing of each other.
 */
final class ShardReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench shards [--quick] [--rounds N] [--json] [--entries N] [--directory PATH]
      A store in one shard and in two, worked on by fibers of their owners, beside one and two threads
      with a plain store each that has the same records, of 116 bytes. A ratio above 1 is in favour of
      shards. What goes to keys of the other shard has no rival. The first round does not count.

        --quick           ends within a minute: fewer records
        --rounds N        how often everything is measured; default 5
        --json            one JSON object a line instead of a table
        --output FILE     the same objects into a file
        --html FILE       a page with charts of the ratios
        --entries N       records of each shard; default 500000
        --directory PATH  on the disk in question; default: the one for temporary files
      """;

  private static final String ENTRIES = "--entries";

  static final ReportCommand COMMAND =
      new ReportCommand(
          "gds bench shards",
          USAGE,
          Set.of(ReportArguments.DIRECTORY, ENTRIES),
          ShardReport::prepare);

  private static final String LAYER = "lsm";
  private static final int ROUNDS_DEFAULT = 5;
  private static final int ENTRIES_DEFAULT = 500_000;
  private static final int ENTRIES_MIN = 1000;
  private static final int ENTRIES_MAX = 9_999_999;
  private static final int ENTRIES_QUICK = 50_000;
  private static final int SHARDS_MAX = 2;
  private static final int KEY_BYTES = 16;
  private static final int VALUE_BYTES = 100;
  private static final long MEMTABLE_BYTES = 4 << 20;
  private static final long POOL_BYTES = 256 << 20;

  /** Gets of a shard between two looks at what else there is for its owner. */
  private static final int SLICE = 64;

  /** Fibers of each shard that ask the other one. */
  private static final int FIBERS = 32;

  /** A round that does not count: what is measured takes less time than the compiler. */
  private static final int WARM_UP = -1;

  private static final double NANOS_PER_SECOND = 1e9;
  private static final long SEED = 13;
  private static final ValueLayout.OfLong KEY =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  /** What is measured; operations a second. */
  private enum Measure {
    PUTS("puts until all is merged"),
    GETS("gets of own keys"),
    ELSEWHERE("gets, half of them elsewhere"),
    TRANSACTIONS("batches over both shards");

    private final String label;

    Measure(String label) {
      this.label = label;
    }
  }

  /** What works on some shards. */
  private enum Side {
    SHARDS,
    /** Shards whose owners compact. */
    OWNERS,
    THREADS
  }

  private final int count;
  private final int entries;
  private final Path directory;

  /** By shards and side; one element a round. */
  private final Map<Measure, Map<Side, double[][]>> series = new EnumMap<>(Measure.class);

  ShardReport(int count, int entries, Path directory) {
    this.count = count;
    this.entries = entries;
    this.directory = directory;
    for (Measure measure : Measure.values()) {
      Map<Side, double[][]> own = new EnumMap<>(Side.class);
      for (Side side : Side.values()) {
        own.put(side, new double[SHARDS_MAX + 1][count]);
      }
      series.put(measure, own);
    }
  }

  private static Measurement prepare(ReportArguments arguments) {
    int usual = arguments.quick() ? ENTRIES_QUICK : ENTRIES_DEFAULT;
    ShardReport report =
        new ShardReport(
            arguments.roundsOr(ROUNDS_DEFAULT),
            arguments.number(ENTRIES, usual, ENTRIES_MIN, ENTRIES_MAX),
            arguments.directory());
    return report::measure;
  }

  ShardReport measure() throws IOException, InterruptedException {
    try (Progress progress = Progress.ofRounds(1 + count, SHARDS_MAX * Side.values().length)) {
      for (int round = WARM_UP; round < count; round++) {
        for (int shards = 1; shards <= SHARDS_MAX; shards++) {
          // Each comes first as often as the others.
          Side[] sides = Side.values();
          for (int i = 0; i < sides.length; i++) {
            measure(progress, round, shards, sides[(1 + round + i) % sides.length]);
          }
        }
      }
    }
    return this;
  }

  private void measure(Progress progress, int round, int shards, Side side)
      throws IOException, InterruptedException {
    progress.begin(1 + round, shards + " " + side.name().toLowerCase(Locale.ROOT), 1);
    Path own = ScratchDirectories.create(directory, "gds-bench-shards-");
    try {
      if (side == Side.THREADS) {
        measureThreads(own, round, shards);
      } else {
        measureShards(own, round, shards, side);
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      ScratchDirectories.delete(own);
    }
  }

  private static StoreOptions options() {
    return StoreOptions.defaults().withMemtableBytes(MEMTABLE_BYTES).withPoolBytes(POOL_BYTES);
  }

  private void put(Measure measure, Side side, int shards, int round, long operations, long start) {
    if (round != WARM_UP) {
      series.get(measure).get(side)[shards][round] =
          operations * NANOS_PER_SECOND / (System.nanoTime() - start);
    }
  }

  // ---- the rival

  private void measureThreads(Path own, int round, int shards)
      throws IOException, InterruptedException, ExecutionException {
    List<Store> stores = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(shards)) {
      for (int i = 0; i < shards; i++) {
        stores.add(Store.open(own.resolve("store-" + i), options()));
      }
      long start = System.nanoTime();
      onAll(threads, shards, number -> load(stores.get(number), number, shards));
      onAll(threads, shards, number -> stores.get(number).compact());
      put(Measure.PUTS, Side.THREADS, shards, round, (long) shards * entries, start);
      onAll(threads, shards, number -> getAll(stores.get(number)::get, false, number, shards));
      start = System.nanoTime();
      onAll(threads, shards, number -> getAll(stores.get(number)::get, false, number, shards));
      put(Measure.GETS, Side.THREADS, shards, round, (long) shards * entries, start);
    } finally {
      for (Store store : stores) {
        store.close();
      }
    }
  }

  /** What is done for each shard, or by each fiber. */
  @FunctionalInterface
  private interface Work {
    void run(int number) throws IOException;
  }

  private static void onAll(ExecutorService threads, int shards, Work work)
      throws InterruptedException, ExecutionException {
    List<Future<Void>> all = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      all.add(threads.submit(callable(work, i)));
    }
    for (Future<Void> one : all) {
      Void unused = one.get();
    }
  }

  private static Callable<Void> callable(Work work, int number) {
    return () -> {
      work.run(number);
      return null;
    };
  }

  private void load(Store store, int number, int shards) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment key = arena.allocate(KEY_BYTES);
      MemorySegment value = arena.allocate(VALUE_BYTES);
      for (int entry : order(number)) {
        setKey(key, entry, number, shards);
        store.put(key, value, Durability.NONE);
      }
    }
  }

  // ---- shards

  private void measureShards(Path own, int round, int shards, Side side)
      throws IOException, InterruptedException, ExecutionException {
    ShardedOptions options =
        ShardedOptions.defaults().withStore(options()).withOwnersCompact(side == Side.OWNERS);
    if (shards > 1) {
      options = options.withRanges(List.of(new byte[] {1}));
    }
    try (ShardedStore store = ShardedStore.open(own.resolve("store"), options)) {
      long start = System.nanoTime();
      onAll(store, shards, 1, number -> load(store, number, shards));
      store.compact();
      put(Measure.PUTS, side, shards, round, (long) shards * entries, start);
      if (side == Side.OWNERS) {
        return; // nothing else depends on who compacts
      }
      onAll(store, shards, 1, number -> getAll(store::get, true, number, shards));
      start = System.nanoTime();
      onAll(store, shards, 1, number -> getAll(store::get, true, number, shards));
      put(Measure.GETS, side, shards, round, (long) shards * entries, start);
      if (shards == SHARDS_MAX) {
        start = System.nanoTime();
        onAll(store, shards, FIBERS, fiber -> getElsewhere(store, fiber));
        long gets = (long) shards * FIBERS * (entries / FIBERS);
        put(Measure.ELSEWHERE, side, shards, round, gets, start);
        start = System.nanoTime();
        onAll(store, shards, FIBERS, fiber -> writeBoth(store, fiber));
        long batches = (long) shards * FIBERS * batches();
        put(Measure.TRANSACTIONS, side, shards, round, batches, start);
      }
    }
  }

  private static void onAll(ShardedStore store, int shards, int fibers, Work work)
      throws InterruptedException, ExecutionException {
    List<Future<Void>> all = new ArrayList<>();
    for (int i = 0; i < shards * fibers; i++) {
      all.add(store.submit(i % shards, callable(work, i)));
    }
    for (Future<Void> one : all) {
      Void unused = one.get();
    }
  }

  private void load(ShardedStore store, int number, int shards) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment key = arena.allocate(KEY_BYTES);
      MemorySegment value = arena.allocate(VALUE_BYTES);
      for (int entry : order(number)) {
        setKey(key, entry, number, shards);
        store.put(key, value, Durability.NONE);
        if (entry % SLICE == 0) {
          Task.yieldNow();
        }
      }
    }
  }

  private void getElsewhere(ShardedStore store, int fiber) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment key = arena.allocate(KEY_BYTES);
      MemorySegment value = arena.allocate(VALUE_BYTES);
      SplittableRandom random = new SplittableRandom(SEED + fiber);
      for (int i = 0; i < entries / FIBERS; i++) {
        setKey(key, random.nextInt(entries), (fiber + i) % SHARDS_MAX, SHARDS_MAX);
        requireFound(store.get(key, value));
      }
    }
  }

  private int batches() {
    return Math.max(1, entries / FIBERS / 100);
  }

  private void writeBoth(ShardedStore store, int fiber) throws IOException {
    MemorySegment key = MemorySegment.ofArray(new byte[KEY_BYTES]);
    byte[] value = new byte[VALUE_BYTES];
    SplittableRandom random = new SplittableRandom(SEED + fiber);
    for (int i = 0; i < batches(); i++) {
      ShardedBatch batch = store.newBatch();
      for (int shard = 0; shard < SHARDS_MAX; shard++) {
        setKey(key, random.nextInt(entries), shard, SHARDS_MAX);
        batch.put(key.toArray(ValueLayout.JAVA_BYTE), value);
      }
      store.write(batch, Durability.SYNCED);
    }
  }

  // ---- both

  /** A get of either. */
  @FunctionalInterface
  private interface Get {
    int get(MemorySegment key, MemorySegment into) throws IOException;
  }

  private void getAll(Get get, boolean yields, int number, int shards) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment key = arena.allocate(KEY_BYTES);
      MemorySegment value = arena.allocate(VALUE_BYTES);
      SplittableRandom random = new SplittableRandom(SEED + number);
      for (int i = 0; i < entries; i++) {
        setKey(key, random.nextInt(entries), number, shards);
        requireFound(get.get(key, value));
        if (yields && i % SLICE == 0) {
          Task.yieldNow();
        }
      }
    }
  }

  private static void requireFound(int bytes) {
    if (bytes != VALUE_BYTES) {
      throw new IllegalStateException("a record is not there: bytes=" + bytes);
    }
  }

  /** The first byte says the shard. */
  private static void setKey(MemorySegment key, int entry, int number, int shards) {
    key.set(ValueLayout.JAVA_BYTE, 0, (byte) (number % shards));
    key.set(KEY, KEY_BYTES - Long.BYTES, entry);
  }

  private int[] order(int number) {
    int[] order = new int[entries];
    SplittableRandom random = new SplittableRandom(SEED + number);
    for (int i = 0; i < entries; i++) {
      int at = random.nextInt(i + 1);
      order[i] = order[at];
      order[at] = i;
    }
    return order;
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>();
    for (int shards = 1; shards <= SHARDS_MAX; shards++) {
      comparisons.add(comparison(Measure.GETS, Side.SHARDS, shards, ""));
    }
    for (int shards = 1; shards <= SHARDS_MAX; shards++) {
      comparisons.add(comparison(Measure.PUTS, Side.SHARDS, shards, ""));
      comparisons.add(comparison(Measure.PUTS, Side.OWNERS, shards, " that compact"));
    }
    for (Measure measure : List.of(Measure.ELSEWHERE, Measure.TRANSACTIONS)) {
      comparisons.add(
          Comparison.alone(
              LAYER, measure.label, "/s", series.get(measure).get(Side.SHARDS)[SHARDS_MAX]));
    }
    return comparisons;
  }

  private Comparison comparison(Measure measure, Side side, int shards, String more) {
    return Comparison.ofRates(
        LAYER,
        "%s, %d %s%s".formatted(measure.label, shards, shards == 1 ? "shard" : "shards", more),
        "/s",
        series.get(measure).get(side)[shards],
        shards + (shards == 1 ? " thread" : " threads"),
        series.get(measure).get(Side.THREADS)[shards]);
  }
}
