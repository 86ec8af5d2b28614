package io.ewok.gds.bench.kv;

import java.util.SplittableRandom;

/**
 * Ranks after Zipf's law with the exponent 0.99, by the method of Gray and others, "Quickly
 * Generating Billion-Record Synthetic Databases" (SIGMOD 1994), which YCSB uses too. They are drawn
 * beforehand, so that a workload pays one access to an array each.
 *
 * <p>Threads: confined to one at a time.
 */
public final class Zipf {
  /** How many are drawn. */
  public static final int DRAWN = 1 << 20;

  private static final double THETA = 0.99;

  private final int[] ranks = new int[DRAWN];
  private int next;

  /** Draws ranks from 0, the most frequent, to {@code count - 1}. */
  public Zipf(int count, SplittableRandom random) {
    double zetaOfTwo = 1 + Math.pow(0.5, THETA);
    double zeta = 0;
    for (int i = 1; i <= count; i++) {
      zeta += Math.pow(i, -THETA);
    }
    double alpha = 1 / (1 - THETA);
    double eta = (1 - Math.pow(2.0 / count, 1 - THETA)) / (1 - zetaOfTwo / zeta);
    for (int i = 0; i < DRAWN; i++) {
      double u = random.nextDouble();
      double at = u * zeta;
      if (at < 1) {
        ranks[i] = 0;
      } else if (at < zetaOfTwo) {
        ranks[i] = 1;
      } else {
        ranks[i] = Math.min(count - 1, (int) (count * Math.pow(eta * u - eta + 1, alpha)));
      }
    }
  }

  /** Returns the next rank; after {@value #DRAWN} they come again. */
  public int next() {
    return ranks[next++ & (DRAWN - 1)];
  }
}
