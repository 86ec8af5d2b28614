package io.ewok.gds.bench;

import java.util.Arrays;
import java.util.Locale;

/**
 * Ours against one rival in one case: medians over the rounds, and the ratio of the two in the same
 * round, of which the spread is told too. A ratio above 1 is in our favour.
 *
 * @param layer the module that is measured
 * @param name the case, with the name of ours where there are several
 * @param unit of both numbers; the less the better
 * @param ours our median
 * @param rival name of the rival
 * @param theirs the rival's median
 * @param ratio median of theirs divided by ours, round by round
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

  /** Compares two series, the elements of which with the same index come from the same round. */
  static Comparison of(
      String layer, String name, String unit, double[] ours, String rival, double[] theirs) {
    double[] ratios = new double[ours.length];
    for (int round = 0; round < ratios.length; round++) {
      ratios[round] = theirs[round] / ours[round];
    }
    Arrays.sort(ratios);
    return new Comparison(
        layer,
        name,
        unit,
        median(ours),
        rival,
        median(theirs),
        median(ratios),
        ratios[0],
        ratios[ratios.length - 1],
        ratios.length);
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
        "{\"layer\":\"%s\",\"case\":\"%s\",\"unit\":\"%s\",\"ours\":%.4g,\"rival\":\"%s\","
            + "\"theirs\":%.4g,\"ratio\":%.4g,\"low\":%.4g,\"high\":%.4g,\"repeats\":%d}",
        layer,
        name,
        unit,
        ours,
        rival,
        theirs,
        ratio,
        low,
        high,
        repeats);
  }
}
