package io.ewok.gds.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * Ours against one rival in one case: medians over the rounds, and the ratio of the two in the same
 * round, of which the spread is told too. A ratio above 1 is in our favour.
 *
 * @param layer the module that is measured
 * @param name the case, with the name of ours where there are several
 * @param unit of both numbers
 * @param ours our median
 * @param rival name of the rival, null if there was none; what is the rival's is not a number then
 * @param theirs the rival's median
 * @param ratio median of theirs divided by ours, round by round; of rates, ours divided by theirs
 * @param low the least of these ratios
 * @param high the greatest
 * @param repeats number of rounds
 */
record Comparison(
    String layer,
    String name,
    String unit,
    double ours,
    String rival,
    double theirs,
    double ratio,
    double low,
    double high,
    int repeats) {

  /**
   * Compares two series, of which the less the better. Elements with the same index come from the
   * same round.
   */
  static Comparison of(
      String layer, String name, String unit, double[] ours, String rival, double[] theirs) {
    return of(layer, name, unit, ours, rival, theirs, ratios(theirs, ours));
  }

  /** As {@link #of}, but the more the better. */
  static Comparison ofRates(
      String layer, String name, String unit, double[] ours, String rival, double[] theirs) {
    return of(layer, name, unit, ours, rival, theirs, ratios(ours, theirs));
  }

  /** A series without a rival. */
  static Comparison alone(String layer, String name, String unit, double[] ours) {
    return new Comparison(
        layer,
        name,
        unit,
        median(ours),
        null,
        Double.NaN,
        Double.NaN,
        Double.NaN,
        Double.NaN,
        ours.length);
  }

  private static Comparison of(
      String layer,
      String name,
      String unit,
      double[] ours,
      String rival,
      double[] theirs,
      double[] sortedRatios) {
    return new Comparison(
        layer,
        name,
        unit,
        median(ours),
        rival,
        median(theirs),
        median(sortedRatios),
        sortedRatios[0],
        sortedRatios[sortedRatios.length - 1],
        sortedRatios.length);
  }

  private static double[] ratios(double[] above, double[] below) {
    double[] ratios = new double[above.length];
    for (int round = 0; round < ratios.length; round++) {
      ratios[round] = above[round] / below[round];
    }
    Arrays.sort(ratios);
    return ratios;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  static String header() {
    return "%-40s %10s  %-20s %10s  %8s  %s"
        .formatted("", "ours", "rival", "theirs", "ratio", "spread");
  }

  /** Returns one line of a table. */
  String toRow() {
    if (rival == null) {
      return String.format(Locale.ROOT, "%-40s %7.2f %-2s", name, ours, unit);
    }
    return String.format(
        Locale.ROOT,
        "%-40s %7.2f %-2s  %-20s %7.2f %-2s  %8.2f  %.2f … %.2f",
        name,
        ours,
        unit,
        rival,
        theirs,
        unit,
        ratio,
        low,
        high);
  }

  /** Returns one JSON object in one line. */
  String toJson() {
    return String.format(
        Locale.ROOT,
        "{\"layer\":\"%s\",\"case\":\"%s\",\"unit\":\"%s\",\"ours\":%s,\"rival\":%s,"
            + "\"theirs\":%s,\"ratio\":%s,\"low\":%s,\"high\":%s,\"repeats\":%d}",
        layer,
        name,
        unit,
        number(ours),
        rival == null ? "null" : '"' + rival + '"',
        number(theirs),
        number(ratio),
        number(low),
        number(high),
        repeats);
  }

  /** Returns a number in four digits, as JSON has it. */
  static String number(double value) {
    return !Double.isFinite(value) ? "null" : String.format(Locale.ROOT, "%.4g", value);
  }
}
