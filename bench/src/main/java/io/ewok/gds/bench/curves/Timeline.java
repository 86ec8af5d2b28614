package io.ewok.gds.bench.curves;

import java.util.ArrayList;
import java.util.List;

/**
 * How many operations ended in each slice of time. The slices begin short, and are twice as long
 * whenever there would be too many of them: what is recorded costs as much, and takes as much
 * memory, however long it goes on.
 *
 * <p>Threads: confined to one until it is read.
 */
final class Timeline {
  /** 16.8 ms. */
  private static final int SHIFT_MIN = 24;

  static final int SLICES_MAX = 256;
  private static final double NANOS_PER_SECOND = 1e9;

  private long[] counts = new long[SLICES_MAX];
  private int shift = SHIFT_MIN;
  private int used;

  /** Some operations have ended, so many nanoseconds after the begin. */
  void count(long nanos, long operations) {
    long slice = Math.max(0, nanos) >>> shift;
    while (slice >= SLICES_MAX) {
      fold();
      slice = Math.max(0, nanos) >>> shift;
    }
    counts[(int) slice] += operations;
    used = Math.max(used, (int) slice + 1);
  }

  private void fold() {
    long[] folded = new long[SLICES_MAX];
    for (int i = 0; i < used; i++) {
      folded[i / 2] += counts[i];
    }
    counts = folded;
    used = (used + 1) / 2;
    shift++;
  }

  /** Adds what another one has counted at the same time, whose slices may become longer. */
  void add(Timeline other) {
    while (other.shift < shift) {
      other.fold();
    }
    while (shift < other.shift) {
      fold();
    }
    for (int i = 0; i < other.used; i++) {
      counts[i] += other.counts[i];
    }
    used = Math.max(used, other.used);
  }

  double sliceSeconds() {
    return (1L << shift) / NANOS_PER_SECOND;
  }

  /** Returns the rate in each slice but the last, which has not come to its end. */
  List<Double> perSecond() {
    List<Double> rates = new ArrayList<>();
    for (int i = 0; i < used - 1; i++) {
      rates.add(counts[i] / sliceSeconds());
    }
    return rates;
  }
}
