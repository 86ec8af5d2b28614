package io.ewok.gds.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code gds bench compare}: the results of two runs beside each other. */
final class CompareReport {
  static final String USAGE =
      """
      Usage: gds bench compare A B
      The ratios of two runs, as --json or --output wrote them, beside each other, and the change from A
      to B: above 1, B is better. It is told as a change where no ratio of the one was among those of the
      other; what lies within the spread may be the machine. Rates and times themselves are not compared,
      since they are of different hours.

      Exit status: 0; 1 if a file cannot be read; 2 for wrong arguments.
      """;

  /** A row of both runs, or of one; the other is null. */
  record Pair(Comparison before, Comparison after) {
    Comparison either() {
      return before == null ? after : before;
    }

    double change() {
      return before == null || after == null ? Double.NaN : after.ratio() / before.ratio();
    }

    /** What can be said of it. */
    String verdict() {
      if (before == null) {
        return "only in B";
      }
      if (after == null) {
        return "only in A";
      }
      if (after.low() > before.high()) {
        return "better";
      }
      return after.high() < before.low() ? "worse" : "within the spread";
    }
  }

  private CompareReport() {}

  /** Reads, compares and prints; returns the exit code. */
  static int run(String[] args) {
    if (args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"))) {
      System.out.print(USAGE);
      return 0;
    }
    if (args.length != 2 || args[0].startsWith("--") || args[1].startsWith("--")) {
      System.err.println("two files are compared");
      System.err.print(USAGE);
      return 2;
    }
    try {
      List<Pair> pairs =
          pairs(ResultFile.read(Path.of(args[0])), ResultFile.read(Path.of(args[1])));
      System.out.print(table(pairs));
      return 0;
    } catch (IOException e) {
      System.err.println(
          e.getMessage().startsWith("not a row") ? e.getMessage() : "cannot read: " + e);
      return 1;
    }
  }

  /** Pairs the rows that have a rival, in the order of the first run. */
  static List<Pair> pairs(List<Comparison> before, List<Comparison> after) {
    Map<List<String>, Comparison> ofAfter = new LinkedHashMap<>();
    for (Comparison row : after) {
      if (row.rival() != null) {
        ofAfter.put(key(row), row);
      }
    }
    List<Pair> pairs = new ArrayList<>();
    for (Comparison row : before) {
      if (row.rival() != null) {
        pairs.add(new Pair(row, ofAfter.remove(key(row))));
      }
    }
    ofAfter.values().forEach(row -> pairs.add(new Pair(null, row)));
    return pairs;
  }

  private static List<String> key(Comparison row) {
    return List.of(row.layer(), row.name(), row.rival(), row.unit());
  }

  static String table(List<Pair> pairs) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            "%-12s %-40s %-20s %20s %20s %8s%n", "layer", "case", "rival", "A", "B", "change"));
    for (Pair pair : pairs) {
      text.append(
          String.format(
              Locale.ROOT,
              "%-12s %-40s %-20s %20s %20s %8s  %s%n",
              pair.either().layer(),
              pair.either().name(),
              pair.either().rival(),
              ratio(pair.before()),
              ratio(pair.after()),
              Double.isNaN(pair.change()) ? "" : String.format(Locale.ROOT, "%.2f", pair.change()),
              pair.verdict()));
    }
    return text.toString();
  }

  private static String ratio(Comparison row) {
    return row == null
        ? ""
        : String.format(Locale.ROOT, "%.2f [%.2f … %.2f]", row.ratio(), row.low(), row.high());
  }
}
