package io.ewok.gds.bench.kv;

/**
 * Counters that a workload adds to, in a family of their own, and what each must have come to.
 *
 * <p>Threads: confined to one at a time.
 */
final class KvCounters {
  private static final int COUNT_MAX = 1 << 20;

  private final long[] sums;

  /** As many as there are records, or fewer. */
  KvCounters(int entries) {
    sums = new long[Math.min(entries, COUNT_MAX)];
  }

  int count() {
    return sums.length;
  }

  /** Returns the counter of a rank; the most frequent ones lie anywhere. */
  int ofRank(int rank) {
    return (int) ((KvData.mix(rank) >>> Integer.SIZE) % sums.length);
  }

  long sum(int index) {
    return sums[index];
  }

  /** Notes that so much was added. */
  void add(int index, long number) {
    sums[index] += number;
  }
}
