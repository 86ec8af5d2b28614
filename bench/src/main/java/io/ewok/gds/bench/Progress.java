package io.ewok.gds.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Shows on the error stream how far a report is, and how long it may still take: a bar, if that is
 * a terminal, and nothing elsewhere. It is drawn once a second, which the measurements do not feel.
 *
 * <p>Closing removes the bar. Threads: one, besides the one of its own that draws.
 */
final class Progress implements AutoCloseable {
  private static final double NANOS_PER_SECOND = 1e9;
  private static final long INTERVAL_NANOS = 1_000_000_000;
  private static final int BAR_CELLS = 24;
  private static final int LINE_MAX = 79;
  private static final String ERASE_LINE = "\r\u001B[K";

  /** From here on minutes say enough. */
  private static final long SECONDS_MAX = 90;

  private final PrintStream out;
  private final int rounds;
  private final long total;
  private final LongSupplier clock;
  private final long startNanos;
  private final CountDownLatch closed = new CountDownLatch(1);

  /** Null where nothing is drawn. */
  private final Thread drawer;

  // Guarded by this.
  private long done;
  private long begun;
  private long doneNanos;
  private String label = "";

  /**
   * Starts the clock.
   *
   * @param rounds number of rounds, 0 for something else that is done once
   * @param total measurements in all, which are taken to last equally long
   * @param clock nanoseconds since some moment
   */
  Progress(int rounds, long total, PrintStream out, boolean isTerminal, LongSupplier clock) {
    this.rounds = rounds;
    this.total = total;
    this.out = out;
    this.clock = clock;
    this.startNanos = clock.getAsLong();
    this.drawer =
        isTerminal ? Thread.ofPlatform().daemon().name("gds-progress").start(this::draw) : null;
  }

  /** Starts the clock for so many measurements in each of some rounds. */
  static Progress ofRounds(int rounds, int runsPerRound) {
    long runs = (long) rounds * runsPerRound;
    return new Progress(rounds, runs, System.err, isTerminal(), System::nanoTime);
  }

  /** Starts the clock for so many steps of something that is done before or after the rounds. */
  static Progress of(String label, long steps) {
    Progress progress = new Progress(0, steps, System.err, isTerminal(), System::nanoTime);
    progress.begin(label, 0);
    return progress;
  }

  /** Whether the error stream is a terminal whose line can be drawn anew. */
  private static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
      boolean isTerminal =
          target.startsWith("/dev/pts/")
              || target.startsWith("/dev/tty")
              || target.equals("/dev/console");
      return isTerminal && !"dumb".equals(System.getenv("TERM"));
    } catch (IOException e) {
      return false; // no link that we may read, so no terminal that we would draw on
    }
  }

  /** So many measurements begin now, in this round, counted from 0. */
  void begin(int round, String what, int runs) {
    begin("round %d of %d: %s".formatted(round + 1, rounds, what), runs);
  }

  /** So many steps begin now, and those that had begun are done. */
  synchronized void begin(String what, int runs) {
    label = what;
    done = begun;
    begun += runs;
    doneNanos = clock.getAsLong() - startNanos;
  }

  private void draw() {
    boolean hasLine = false;
    try {
      while (!closed.await(INTERVAL_NANOS, TimeUnit.NANOSECONDS)) {
        out.print(ERASE_LINE + line(clock.getAsLong() - startNanos));
        out.flush();
        hasLine = true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody does but a JVM on its way out
    }
    if (hasLine) {
      out.print(ERASE_LINE);
      out.flush();
    }
  }

  /** Whether anything is printed, until this is closed. */
  boolean isDrawn() {
    return drawer != null;
  }

  /** Returns what is drawn after so many nanoseconds. */
  synchronized String line(long elapsedNanos) {
    double part = total == 0 ? 0 : Math.min(1.0, (double) done / total);
    int full = (int) (part * BAR_CELLS);
    String line =
        "[%s%s] %3d %%  %s"
            .formatted("#".repeat(full), ".".repeat(BAR_CELLS - full), (int) (100 * part), label);
    String left = left(elapsedNanos);
    int room = LINE_MAX - left.length();
    return (line.length() > room ? line.substring(0, room - 1) + "…" : line) + left;
  }

  /** As long for each of those to come as for each that is done, less what has passed of it. */
  private String left(long elapsedNanos) {
    if (done == 0) {
      return "";
    }
    double nanos = (double) doneNanos / done * (total - done) - (elapsedNanos - doneNanos);
    long seconds = Math.max(0, Math.round(nanos / NANOS_PER_SECOND));
    return seconds > SECONDS_MAX
        ? ", about %d min left".formatted(Math.round(seconds / 60.0))
        : ", about %d s left".formatted(seconds);
  }

  @Override
  public void close() {
    closed.countDown();
    boolean interrupted = false;
    while (drawer != null && drawer.isAlive()) {
      try {
        drawer.join();
      } catch (InterruptedException e) {
        interrupted = true; // the bar must be gone before others print
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
