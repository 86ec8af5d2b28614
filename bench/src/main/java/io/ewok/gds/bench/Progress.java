package io.ewok.gds.bench;

/** Says on the error stream how far a report is, and how long it may still take. */
final class Progress {
  private static final double NANOS_PER_SECOND = 1e9;

  /** From here on minutes say enough. */
  private static final long SECONDS_MAX = 90;

  private final int rounds;
  private final int total;
  private final long startNanos = System.nanoTime();

  private int done;
  private int begun;

  /**
   * Starts the clock.
   *
   * @param rounds number of rounds
   * @param runsPerRound measurements in each of them, which are taken to last equally long
   */
  Progress(int rounds, int runsPerRound) {
    this.rounds = rounds;
    this.total = rounds * runsPerRound;
  }

  /** Says what begins now, counted from round 0: so many measurements. */
  void begin(int round, String what, int runs) {
    done = begun;
    begun += runs;
    System.err.println(line(round, what, System.nanoTime() - startNanos));
  }

  String line(int round, String what, long elapsedNanos) {
    String line = "round %d of %d: %s".formatted(round + 1, rounds, what);
    if (done == 0) {
      return line;
    }
    long seconds = Math.round(elapsedNanos / NANOS_PER_SECOND / done * (total - done));
    return seconds > SECONDS_MAX
        ? line + ", about %d min left".formatted(Math.round(seconds / 60.0))
        : line + ", about %d s left".formatted(seconds);
  }
}
