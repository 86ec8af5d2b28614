package io.ewok.gds.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.RunnerException;

/**
 * {@code gds bench micro}: JMH itself, whose options go there; or, if a report is asked for, the
 * suites that have rivals, each beside them and all in turn.
 */
final class MicroReport implements Report {
  private static final String USAGE =
      """
      Usage: gds bench micro [JMH options] [regular expression of names]
             gds bench micro [--quick] [--rounds N] [--json] [--output FILE] [--html FILE]
                             [regular expression of names]
      The first runs the JMH suites as JMH does. With one of the options below, those that have rivals
      are measured beside them, in turn, each in a JVM of its own, with few and short iterations. A
      ratio above 1 is in favour of ours.

        --quick        ends within a minute: one pair of each suite, or what is named
        --rounds N     how often everything is measured; default 3. With --quick at most so often
        --json         one JSON object a line instead of a table
        --output FILE  the same objects into a file
        --html FILE    a page with charts of the ratios

        gds bench micro -h                   the options of JMH
        gds bench micro -l                   list the suites
        gds bench micro --quick Pool --html pool.html
      """;

  /** After that nothing more is begun: what has begun then ends within the minute. */
  private static final long QUICK_SECONDS = 50;

  private static final int ROUNDS = 3;

  private static final List<AllocationCase> SEARCHES =
      List.of(
          new AllocationCase(
              "search in a block of 4 KiB",
              BlockSearchBenchmark.class,
              Map.of("blockBytes", "4096"),
              List.of("block"),
              List.of("arrays")),
          memtable("insert"),
          memtable("get"),
          memtable("seek"),
          memtable("next"));

  private static final List<AllocationCase> READS =
      List.of(
          new AllocationCase(
              "random read of 4 KiB",
              PageReadBenchmark.class,
              Map.of("fileMebibytes", "64"),
              List.of("uringBatch", "poolBatch", "single"),
              List.of("fileChannel")));

  /** By layer. */
  private static final Map<String, List<AllocationCase>> ALL = new LinkedHashMap<>();

  /** What is asked when there is little time: one pair of each. */
  private static final Map<String, List<AllocationCase>> QUICK = new LinkedHashMap<>();

  static {
    ALL.put("allocator", AllocationCase.ALL);
    ALL.put("reactor", TaskReport.ALL);
    ALL.put("pagestore", READS);
    ALL.put(
        "bufferpool",
        Stream.of(PoolReport.ALL, WalReport.APPENDS, LogReadRows.COPIES)
            .flatMap(List::stream)
            .toList());
    ALL.put("lsm", SEARCHES);
    QUICK.put("allocator", AllocationCase.QUICK);
    QUICK.put("reactor", TaskReport.QUICK);
    QUICK.put("pagestore", READS);
    QUICK.put(
        "bufferpool",
        Stream.of(PoolReport.QUICK, WalReport.APPENDS_QUICK).flatMap(List::stream).toList());
    QUICK.put("lsm", List.of(SEARCHES.getFirst(), memtable("get"), memtable("next")));
  }

  private final Map<String, List<AllocationCase>> cases;
  private final Rounds rounds;

  private MicroReport(Map<String, List<AllocationCase>> cases, Rounds rounds) {
    this.cases = cases;
    this.rounds = rounds;
  }

  private static AllocationCase memtable(String method) {
    return new AllocationCase(
        "memtable, " + method,
        MemtableBenchmark.class,
        Map.of(),
        List.of(method + " candidate=store"),
        List.of(method + " candidate=heap", method + " candidate=skiplist"));
  }

  /**
   * Runs.
   *
   * @return the exit code, as of {@link ReportCommand#run}, unless JMH has ended the JVM
   * @throws IOException as JMH throws it
   */
  static int run(String... args)
      throws IOException, InterruptedException, RunnerException, ExecutionException {
    List<String> own = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--quick", "--json", "--help" -> own.add(args[i]);
        case "--rounds", "--output", "--html" -> {
          own.add(args[i]);
          if (i + 1 < args.length) {
            own.add(args[++i]);
          }
        }
        default -> names.add(args[i]);
      }
    }
    if (own.isEmpty()) {
      org.openjdk.jmh.Main.main(args);
      return 0;
    }
    return new ReportCommand(
            "gds bench micro", USAGE, Set.of(), arguments -> prepare(arguments, names))
        .run(own.toArray(new String[0]));
  }

  private static Measurement prepare(ReportArguments arguments, List<String> names) {
    for (String name : names) {
      if (name.startsWith("-")) {
        throw new IllegalArgumentException(
            "an option of JMH, which has no place beside those of a report: " + name);
      }
    }
    boolean quick = arguments.quick();
    Map<String, List<AllocationCase>> cases =
        names.isEmpty() ? (quick ? pairs(QUICK) : ALL) : named(names);
    if (cases.isEmpty()) {
      throw new IllegalArgumentException("no suite with a rival has such a name: " + names);
    }
    int count = arguments.roundsOr(ROUNDS);
    Rounds rounds = quick ? Rounds.quick(count, QUICK_SECONDS) : new Rounds(count, false);
    MicroReport report = new MicroReport(cases, rounds);
    return report::measure;
  }

  /** Of each case the most telling one of ours and of the rivals. */
  private static Map<String, List<AllocationCase>> pairs(Map<String, List<AllocationCase>> all) {
    Map<String, List<AllocationCase>> pairs = new LinkedHashMap<>();
    all.forEach((layer, of) -> pairs.put(layer, of.stream().map(MicroReport::pair).toList()));
    return pairs;
  }

  private static AllocationCase pair(AllocationCase of) {
    return of.with(of.ours().subList(0, 1), of.rivals().subList(0, 1));
  }

  /** What JMH would take for these names, as far as ours and a rival are left of a case. */
  static Map<String, List<AllocationCase>> named(List<String> names) {
    Predicate<String> isMeant;
    try {
      isMeant = Pattern.compile(String.join("|", names)).asPredicate();
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("not a regular expression: " + names, e);
    }
    Map<String, List<AllocationCase>> named = new LinkedHashMap<>();
    ALL.forEach(
        (layer, of) -> {
          List<AllocationCase> left =
              of.stream()
                  .map(
                      one ->
                          one.with(
                              meant(one, one.ours(), isMeant), meant(one, one.rivals(), isMeant)))
                  .filter(one -> !one.ours().isEmpty() && !one.rivals().isEmpty())
                  .toList();
          if (!left.isEmpty()) {
            named.put(layer, left);
          }
        });
    return named;
  }

  private static List<String> meant(
      AllocationCase one, List<String> methods, Predicate<String> isMeant) {
    String type = one.benchmark().getName();
    return methods.stream()
        .filter(method -> isMeant.test(type + '.' + AllocationCase.methodName(method)))
        .toList();
  }

  private MicroReport measure() throws IOException, InterruptedException, RunnerException {
    List<AllocationCase> all = cases.values().stream().flatMap(List::stream).toList();
    rounds.measure(all, List.of(), List.of());
    String left =
        all.stream()
            .filter(one -> !rounds.isMeasured(one))
            .map(AllocationCase::name)
            .collect(Collectors.joining(", "));
    if (!left.isEmpty()) {
      System.err.println("there was no time for: " + left);
    }
    return this;
  }

  @Override
  public List<Comparison> comparisons() {
    List<Comparison> rows = new ArrayList<>();
    cases.forEach((layer, of) -> rows.addAll(rounds.compareNanos(layer, of)));
    return rows;
  }

  /** Returns all that there is. */
  static List<AllocationCase> all() {
    return Stream.of(ALL, QUICK)
        .flatMap(each -> each.values().stream())
        .flatMap(List::stream)
        .toList();
  }
}
