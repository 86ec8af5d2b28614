package io.ewok.gds.bench.curves;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;

/**
 * What is drawn of a workload.
 *
 * @param latencyMicros the time that so many per cent of the operations did not exceed, in
 *     microseconds, for each of {@link #PERCENTILES}; not a number where there were too few
 *     operations to tell
 * @param sliceSeconds length of a slice of time
 * @param perSecond operations a second in each slice, from the begin on
 */
public record Curves(List<Double> latencyMicros, double sliceSeconds, List<Double> perSecond) {
  /** For what latencies are told, in per cent. */
  public static final List<Double> PERCENTILES =
      List.of(
          10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99,
          99.995, 99.998, 99.999);

  /** No percentile is a binary fraction. */
  private static final double ROUNDING = 1e-6;

  private static final double NANOS_PER_MICRO = 1e3;
  private static final String PARTS = ";";
  private static final String NUMBERS = ",";

  /** Copies the lists. */
  public Curves {
    latencyMicros = List.copyOf(latencyMicros);
    perSecond = List.copyOf(perSecond);
  }

  /** Returns curves without a point. */
  public static Curves none() {
    return new Curves(List.of(), 0, List.of());
  }

  /** Whether one at least of so many operations is slower than so many per cent of them. */
  public static boolean canTell(long count, double percentile) {
    return count * (100 - percentile) > 100 - ROUNDING;
  }

  static List<Double> micros(Histogram nanos) {
    long count = nanos.getTotalCount();
    return PERCENTILES.stream()
        .map(
            each ->
                canTell(count, each)
                    ? nanos.getValueAtPercentile(each) / NANOS_PER_MICRO
                    : Double.NaN)
        .toList();
  }

  /**
   * Returns one for several runs of the same: medians of the latencies, and the rates of the run
   * whose rate is the median, since those of several have nothing to do with each other.
   *
   * @param runs at least one
   * @param rate of a run as a whole
   * @param curves of a run
   */
  public static <T> Curves median(
      List<T> runs, ToDoubleFunction<T> rate, Function<T, Curves> curves) {
    List<T> sorted = runs.stream().sorted(Comparator.comparingDouble(rate)).toList();
    Curves middle = curves.apply(sorted.get(sorted.size() / 2));
    List<Double> micros = new ArrayList<>();
    for (int i = 0; i < middle.latencyMicros.size(); i++) {
      int at = i;
      double[] all =
          runs.stream()
              .map(curves)
              .filter(each -> at < each.latencyMicros.size())
              .mapToDouble(each -> each.latencyMicros.get(at))
              .filter(Double::isFinite)
              .sorted()
              .toArray();
      micros.add(all.length == 0 ? Double.NaN : all[all.length / 2]);
    }
    return new Curves(micros, middle.sliceSeconds, middle.perSecond);
  }

  /** Returns a word without blanks, for {@link #parse}. */
  public String toWord() {
    return numbers(latencyMicros) + PARTS + sliceSeconds + PARTS + numbers(perSecond);
  }

  private static String numbers(List<Double> numbers) {
    return numbers.stream().map(Object::toString).collect(Collectors.joining(NUMBERS));
  }

  /**
   * Reads what {@link #toWord} has written.
   *
   * @throws IllegalArgumentException if it is anything else
   */
  public static Curves parse(String word) {
    String[] parts = word.split(PARTS, -1);
    if (parts.length != 3) {
      throw new IllegalArgumentException("these are no curves: word=" + word);
    }
    return new Curves(numbers(parts[0]), Double.parseDouble(parts[1]), numbers(parts[2]));
  }

  private static List<Double> numbers(String text) {
    return text.isEmpty()
        ? List.of()
        : Arrays.stream(text.split(NUMBERS, -1)).map(Double::valueOf).toList();
  }
}
