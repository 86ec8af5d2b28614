package io.ewok.gds.bench;

import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.openjdk.jmh.runner.RunnerException;

/**
 * {@code gds bench pool}: what a page in the pool takes beside maps on the heap, and what one that
 * is not in it takes beside fio.
 */
final class PoolReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench pool [--quick] [--rounds N] [--json] [--file PATH]
      Finding a page in the buffer manager's pool beside finding one in a map; two threads beside two
      that have a pool each; reading blocks that are not in the pool beside fio; what it costs to
      keep pages whole when the power fails; and what it costs to encrypt them. A ratio above 1 is in
      favour of ours, or of what is encrypted.

        --quick        ends within a minute: few cases, three rounds, wide spread
        --rounds N     how often everything is measured; default 5, about a minute each
        --json         one JSON object a line instead of tables
        --output FILE  the same objects into a file
        --html FILE    a page with charts of the ratios, of operations over time and of latencies
        --file PATH    make the file to read here, keep it, and use it again; default: a temporary one
      """;

  static final ReportCommand COMMAND =
      new ReportCommand("gds bench pool", USAGE, Set.of(ReportArguments.FILE), PoolReport::prepare);

  private static final String LAYER = "bufferpool";
  private static final long NANOS_PER_MILLI = 1_000_000;

  private static final List<TornPages> MODES =
      List.of(TornPages.NONE, TornPages.DOUBLE_WRITE, TornPages.BACKUP, TornPages.ATOMIC);

  private static final List<String> MAPS = List.of("concurrentHashMap", "caffeine");

  private static final List<String> HITS = List.of("optimistic", "shared", "exclusive");

  /** So few that what is looked at of them stays near the processor. */
  private static final int PAGES = 8192;

  private static final int MANY_PAGES = 131_072;

  static final List<AllocationCase> ALL =
      List.of(
          one("page in a pool of 32 MiB", PoolHitBenchmark.class, PAGES, HITS, MAPS),
          one("page in a pool of 512 MiB", PoolHitBenchmark.class, MANY_PAGES, HITS, MAPS),
          one(
              "page in a pool of 32 MiB, 2 threads",
              PoolHitTwoThreadsBenchmark.class,
              PAGES,
              HITS,
              MAPS),
          together("optimistic"),
          together("shared"));

  static final List<AllocationCase> QUICK =
      List.of(
          one(
              "page in a pool of 32 MiB",
              PoolHitBenchmark.class,
              PAGES,
              HITS.subList(0, 1),
              MAPS.subList(0, 1)),
          together("optimistic"));

  private final List<AllocationCase> hits;
  private final Rounds rounds;
  private final IoReport misses;
  private final int count;
  private final long watchedNanos;
  private final Path directory;

  /** Pages a second; one element a round. */
  private final Map<TornPages, double[]> writeBacks = new EnumMap<>(TornPages.class);

  /** Of pages as they are and of encrypted ones; one element a round. */
  private final List<SealedPagesRun> plain = new ArrayList<>();

  private final List<SealedPagesRun> encrypted = new ArrayList<>();

  /** Why some cannot be measured here. */
  private final Map<TornPages, String> refusals = new EnumMap<>(TornPages.class);

  private PoolReport(
      boolean quick, int count, long watchedNanos, BenchFile file, Optional<Fio> fio) {
    this.hits = quick ? QUICK : ALL;
    this.rounds = new Rounds(count, quick);
    this.misses = new IoReport(LAYER, IoCase.POOL, new IoRounds(count, watchedNanos, file, fio));
    this.count = count;
    this.watchedNanos = watchedNanos;
    this.directory = file.path().toAbsolutePath().getParent();
  }

  private static AllocationCase together(String method) {
    return one(
        "2 threads in one pool",
        PoolHitTwoThreadsBenchmark.class,
        PAGES,
        List.of(method),
        List.of(method + "Own"));
  }

  private static AllocationCase one(
      String name, Class<?> benchmark, int pages, List<String> ours, List<String> rivals) {
    return new AllocationCase(
        name, benchmark, Map.of("count", Integer.toString(pages)), ours, rivals);
  }

  private static Measurement prepare(ReportArguments arguments) {
    return () -> measure(arguments);
  }

  private static PoolReport measure(ReportArguments arguments)
      throws IOException, InterruptedException, RunnerException {
    // Better now than after the file was written.
    IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.URING)).close();
    Optional<Fio> fio = Fio.find();
    if (fio.isEmpty()) {
      System.err.println("fio is not installed: misses are measured alone");
    }
    boolean quick = arguments.quick();
    try (BenchFile file = BenchFile.open(arguments, quick ? 128L << 20 : 1L << 30)) {
      long watchedNanos = (quick ? 250 : 1500) * NANOS_PER_MILLI;
      PoolReport report =
          new PoolReport(quick, arguments.roundsOr(quick ? 3 : 5), watchedNanos, file, fio);
      report.measure();
      return report;
    }
  }

  private void measure() throws IOException, InterruptedException, RunnerException {
    misses.measure();
    measureWriteBacks();
    measureEncryption();
    rounds.measure(hits, List.of(), List.of());
  }

  /** All modes in turn in each round, each round beginning with another. */
  private void measureWriteBacks() throws IOException {
    List<TornPages> modes = new ArrayList<>();
    for (TornPages mode : MODES) {
      WriteBackRun.refusal(directory, mode)
          .ifPresentOrElse(why -> refusals.put(mode, why), () -> modes.add(mode));
    }
    try (Progress progress = Progress.ofRounds(count, modes.size())) {
      for (int round = 0; round < count; round++) {
        progress.begin(round, "write-back", modes.size());
        for (TornPages mode : modes) {
          writeBacks.computeIfAbsent(mode, key -> new double[count])[round] =
              WriteBackRun.pagesPerSecond(directory, mode, watchedNanos);
        }
        Collections.rotate(modes, 1);
      }
    }
  }

  /** One after the other in each round, each round beginning with the other. */
  private void measureEncryption() throws IOException {
    try (Progress progress = Progress.ofRounds(count, 2)) {
      for (int round = 0; round < count; round++) {
        progress.begin(round, "encryption", 2);
        for (int turn = 0; turn < 2; turn++) {
          boolean sealed = (round + turn) % 2 == 1;
          (sealed ? encrypted : plain).add(SealedPagesRun.measure(directory, sealed, watchedNanos));
        }
      }
    }
  }

  private List<Comparison> compareEncryption() {
    return List.of(
        ofEncryption("4 KiB pages read, encrypted", SealedPagesRun::readsPerSecond),
        ofEncryption("4 KiB pages read and written, encrypted", SealedPagesRun::writesPerSecond),
        heap("4 KiB page read, heap", plain, SealedPagesRun::heapPerRead),
        heap("4 KiB page read, encr., heap", encrypted, SealedPagesRun::heapPerRead),
        heap("4 KiB page read and written, heap", plain, SealedPagesRun::heapPerWrite),
        heap("4 KiB page read, written, encr., heap", encrypted, SealedPagesRun::heapPerWrite));
  }

  private Comparison ofEncryption(String name, ToDoubleFunction<SealedPagesRun> rate) {
    return Comparison.ofRates(
        LAYER, name, "/s", values(encrypted, rate), "as they are", values(plain, rate));
  }

  private static Comparison heap(
      String name, List<SealedPagesRun> runs, ToDoubleFunction<SealedPagesRun> bytes) {
    return Comparison.alone(LAYER, name, "B", values(runs, bytes));
  }

  private static double[] values(
      List<SealedPagesRun> runs, ToDoubleFunction<SealedPagesRun> value) {
    return runs.stream().mapToDouble(value).toArray();
  }

  private static String writeBackName(TornPages mode) {
    return "16 KiB pages written, " + mode;
  }

  private List<Comparison> compareWriteBacks() {
    List<Comparison> comparisons = new ArrayList<>();
    for (TornPages mode : writeBacks.keySet()) {
      if (mode != TornPages.NONE) {
        comparisons.add(
            Comparison.ofRates(
                LAYER,
                writeBackName(mode),
                "/s",
                writeBacks.get(mode),
                TornPages.NONE.name(),
                writeBacks.get(TornPages.NONE)));
      }
    }
    return comparisons;
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>(rounds.compareNanos(LAYER, hits));
    comparisons.addAll(rounds.compareHeap(LAYER, hits));
    comparisons.addAll(compareWriteBacks());
    comparisons.addAll(compareEncryption());
    for (TornPages mode : refusals.keySet()) {
      double[] unavailable = {Double.NaN};
      comparisons.add(Comparison.alone(LAYER, writeBackName(mode), "/s", unavailable));
    }
    comparisons.addAll(misses.comparisons());
    return comparisons;
  }

  @Override
  public List<Chart> charts() {
    return misses.charts();
  }

  @Override
  public void print(PrintStream out) {
    out.println(Comparison.header());
    rounds.compareNanos(LAYER, hits).forEach(comparison -> out.println(comparison.toRow()));
    rounds.compareHeap(LAYER, hits).stream()
        .filter(comparison -> comparison.ours() >= 1)
        .forEach(comparison -> out.println(comparison.toRow()));
    compareWriteBacks().forEach(comparison -> out.println(comparison.toRow()));
    compareEncryption().forEach(comparison -> out.println(comparison.toRow()));
    refusals.forEach(
        (mode, why) -> out.println("%-40s unavailable: %s".formatted(writeBackName(mode), why)));
    out.println(
        """

        Medians over the rounds, for a page that is found, read and let go. Of 2 threads, the time
        that one of them takes; "Own" is that of two that have a pool each. What allocates a byte of
        the heap or more for a page is told too. Pages written: changed here and there in a file of
        64 MiB, 256 before each flush, which makes them durable. Encrypted pages lie in such a file,
        too, by one thread; they are hardly ever in the pool, and written twice.
        """);
    misses.print(out);
  }
}
