package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemorySize;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * {@code gds bench io}: rate and processor time of our ways of doing direct I/O beside those of
 * fio, on the same file and in turn.
 */
final class IoReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench io [--quick] [--rounds N] [--json] [--file PATH] [--size BYTES]
      Direct I/O of ours beside that of fio with io_uring, in turn on one file. A ratio above 1 is in
      favour of ours. How far fio is from itself tells what a ratio is worth.

        --quick        ends within a minute: few cases, three rounds, wide spread
        --rounds N     how often everything is measured; default 9, a good minute each
        --json         one JSON object a line instead of a table
        --output FILE  the same objects into a file
        --html FILE    a page with charts of the ratios, of operations over time and of latencies
        --file PATH    make the file here, keep it, and use it again; it is overwritten. A file that
                       is not of this command is refused. Default: a temporary file
        --size BYTES   of the file, as 4294967296 or 4G; default 1G, with --quick 256M
      """;

  private static final String SIZE = "--size";

  static final ReportCommand COMMAND =
      new ReportCommand(
          "gds bench io", USAGE, Set.of(ReportArguments.FILE, SIZE), IoReport::prepare);

  private static final String RIVAL = "fio";
  private static final String RATE = "IOPS";
  private static final String CPU = "us CPU";

  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final long SIZE_BYTES_MIN = 16L << 20;

  private final String layer;
  private final List<IoCase> cases;
  private final IoRounds rounds;

  IoReport(String layer, List<IoCase> cases, IoRounds rounds) {
    this.layer = layer;
    this.cases = cases;
    this.rounds = rounds;
  }

  private static Measurement prepare(ReportArguments arguments) {
    long sizeBytes = sizeBytes(arguments);
    return () -> measure(arguments, sizeBytes);
  }

  private static long sizeBytes(ReportArguments arguments) {
    String text = arguments.others().getOrDefault(SIZE, arguments.quick() ? "256M" : "1G");
    MemorySize size = MemorySize.parse(SIZE, text);
    long bytes = size.isShare() ? 0 : size.bytes(0);
    if (bytes < SIZE_BYTES_MIN || bytes % BenchFile.CHUNK_BYTES != 0) {
      throw new IllegalArgumentException("a size is whole MiB, at least 16: " + SIZE + "=" + text);
    }
    return bytes;
  }

  private static IoReport measure(ReportArguments arguments, long sizeBytes)
      throws IOException, InterruptedException {
    // Better now than after the file was written.
    IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.URING)).close();
    Optional<Fio> fio = Fio.find();
    if (fio.isEmpty()) {
      System.err.println("fio is not installed: ours alone are measured");
    }
    boolean quick = arguments.quick();
    List<IoCase> cases = present(quick ? IoCase.QUICK : IoCase.ALL);
    try (BenchFile file = BenchFile.open(arguments, sizeBytes)) {
      long watchedNanos = (quick ? 400 : 1500) * NANOS_PER_MILLI;
      IoRounds rounds = new IoRounds(arguments.roundsOr(quick ? 3 : 9), watchedNanos, file, fio);
      IoReport report = new IoReport("pagestore", cases, rounds);
      report.measure();
      return report;
    }
  }

  /** Leaves out who cannot take part, and says why on the error stream. */
  private static List<IoCase> present(List<IoCase> cases) throws IOException {
    Set<IoContender> present = EnumSet.noneOf(IoContender.class);
    for (IoContender contender : IoContender.values()) {
      Optional<String> absence = contender.absence();
      if (absence.isEmpty()) {
        present.add(contender);
      } else {
        System.err.println("there is no " + contender.label() + " here: " + absence.get());
      }
    }
    return cases.stream().map(one -> one.with(present)).toList();
  }

  void measure() throws IOException, InterruptedException {
    rounds.measure(cases);
  }

  /**
   * Returns two for each of ours, one for fibers with platform threads, and two of fio with itself.
   */
  @Override
  public List<Comparison> comparisons() {
    List<Comparison> comparisons = new ArrayList<>();
    for (IoCase one : cases) {
      for (IoContender contender : one.contenders()) {
        comparisons.add(rate(one, contender));
        comparisons.add(cpu(one, contender));
      }
      fibersCpu(one).ifPresent(comparisons::add);
      if (rounds.hasFio()) {
        comparisons.add(fioRate(one));
        comparisons.add(fioCpu(one));
      }
    }
    return comparisons;
  }

  private Comparison rate(IoCase one, IoContender contender) {
    String name = name(one, contender);
    double[] ours = rounds.ours(one, contender, IoSample::perSecond);
    return rounds.hasFio()
        ? Comparison.ofRates(
            layer, name, RATE, ours, RIVAL, rounds.fio(one, contender, IoSample::perSecond))
        : Comparison.alone(layer, name, RATE, ours);
  }

  private Comparison cpu(IoCase one, IoContender contender) {
    String name = name(one, contender);
    double[] ours = rounds.ours(one, contender, IoSample::cpuMicros);
    return rounds.hasFio()
        ? Comparison.of(
            layer, name, CPU, ours, RIVAL, rounds.fio(one, contender, IoSample::cpuMicros))
        : Comparison.alone(layer, name, CPU, ours);
  }

  /** Compares fibers with platform threads, each of which does as a program would without. */
  private Optional<Comparison> fibersCpu(IoCase one) {
    IoContender fibers = IoContender.REACTOR_FIBERS;
    IoContender threads = IoContender.PLATFORM_THREADS;
    return one.contenders().containsAll(List.of(fibers, threads))
        ? Optional.of(
            Comparison.of(
                layer,
                name(one, fibers),
                CPU,
                rounds.ours(one, fibers, IoSample::cpuMicros),
                threads.name(one),
                rounds.ours(one, threads, IoSample::cpuMicros)))
        : Optional.empty();
  }

  private Comparison fioRate(IoCase one) {
    return Comparison.ofRates(
        layer,
        one.name() + ", fio again",
        RATE,
        rounds.fioAfter(one, IoSample::perSecond),
        RIVAL,
        rounds.fioBefore(one, IoSample::perSecond));
  }

  private Comparison fioCpu(IoCase one) {
    return Comparison.of(
        layer,
        one.name() + ", fio again",
        CPU,
        rounds.fioAfter(one, IoSample::cpuMicros),
        RIVAL,
        rounds.fioBefore(one, IoSample::cpuMicros));
  }

  private static String name(IoCase one, IoContender contender) {
    return one.name() + ", " + contender.name(one);
  }

  @Override
  public List<Chart> charts() {
    return cases.stream()
        .flatMap(one -> Chart.of(one.name(), rounds.curves(one)).stream())
        .toList();
  }

  @Override
  public void print(PrintStream out) {
    for (IoCase one : cases) {
      out.printf(
          "%-40s%9s%9s%7s  %-15s%8s%8s%7s  %s%n",
          one.name(), "per s", "fio", "ratio", "spread", "CPU us", "fio", "ratio", "spread");
      for (IoContender contender : one.contenders()) {
        out.println(row(contender.name(one), rate(one, contender), cpu(one, contender)));
      }
      if (rounds.hasFio()) {
        out.println(row("fio again", fioRate(one), fioCpu(one)));
      }
      fibersCpu(one).ifPresent(comparison -> out.println(fibersRow(comparison)));
      out.println();
    }
    out.print(
        """
        Medians over the rounds; a ratio is of one round, of ours to the mean of fio before and after.
        CPU: processor time of the whole process for one operation; its ratio, too, is in our favour
        where it is above 1.
        """);
  }

  private static String row(String name, Comparison rate, Comparison cpu) {
    return String.format(
        Locale.ROOT,
        "  %-38s%9.0f%9s%s%8.1f%8s%s",
        name,
        rate.ours(),
        number("%.0f", rate.theirs()),
        ratio(rate),
        cpu.ours(),
        number("%.1f", cpu.theirs()),
        ratio(cpu));
  }

  private static String fibersRow(Comparison of) {
    return "  CPU of fibers against %-49s%8.1f%8.1f%s"
        .formatted(of.rival(), of.ours(), of.theirs(), ratio(of));
  }

  private static String ratio(Comparison of) {
    String spread = number("%.2f", of.low()) + " … " + number("%.2f", of.high());
    return "%7s  %-15s".formatted(number("%.2f", of.ratio()), of.rival() == null ? "-" : spread);
  }

  private static String number(String format, double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
  }
}
