package io.ewok.gds.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;

/**
 * Shows on standard error how far a long piece of work has come, and how long it may still take: a
 * bar on a terminal, nothing elsewhere, and nothing for work that is done at once.
 *
 * <p>Work is counted by any thread with {@link #add}; a thread of its own draws, so that counting
 * costs an addition. The caller closes it, which removes the bar.
 *
 * <pre>{@code
 * try (Progress progress = Progress.start(streams, "loading", recordCount, Units::count)) {
 *   progress.add(1);
 * }
 * }</pre>
 */
final class Progress implements AutoCloseable {
  private static final Duration BAR_INTERVAL = Duration.ofMillis(150);
  private static final int BAR_CELLS = 24;
  private static final String ERASE_LINE = "\r\u001B[K";
  private static final String GREEN = "\u001B[32m";
  private static final String PLAIN = "\u001B[0m";

  private final Streams streams;
  private final String label;
  private final long total;
  private final LongFunction<String> unit;
  private final long startNanos = System.nanoTime();
  private final LongAdder done = new LongAdder();
  private volatile LongSupplier counter = done::sum;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread drawer;

  /** Has the line gone, too, when the process is interrupted. */
  private final Thread eraser = new Thread(this::stop, "gds-progress-end");

  private Progress(Streams streams, String label, long total, LongFunction<String> unit) {
    this.streams = streams;
    this.label = label;
    this.total = total;
    this.unit = unit;
    this.drawer = Thread.ofPlatform().daemon().name("gds-progress").unstarted(this::draw);
  }

  /**
   * Starts showing.
   *
   * @param total how much there is to do, in units of {@link #add}; 0 when that is not known
   * @param unit how an amount is printed: {@link Units#count} or {@link Units#bytes}
   */
  static Progress start(Streams streams, String label, long total, LongFunction<String> unit) {
    return started(new Progress(streams, label, total, unit), streams.progressOnTerminal());
  }

  /** As {@link #start}, but not where standard output is a terminal, which is being written to. */
  static Progress ofOutput(Streams streams, String label, long total, LongFunction<String> unit) {
    boolean draws = streams.progressOnTerminal() && !Streams.outputIsTerminal();
    return started(new Progress(streams, label, total, unit), draws);
  }

  private static Progress started(Progress progress, boolean draws) {
    if (draws) {
      Runtime.getRuntime().addShutdownHook(progress.eraser);
      progress.drawer.start();
    }
    return progress;
  }

  /**
   * Has somebody else count from now on, instead of {@link #add}.
   *
   * @param other says how much is done; called by another thread until this is closed
   */
  void countBy(LongSupplier other) {
    counter = other;
  }

  void add(long units) {
    done.add(units);
  }

  @Override
  public void close() {
    stop();
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(eraser);
    } catch (IllegalStateException e) {
      stop(); // The process is ending, and its hook runs: nothing is left for either to do.
    }
  }

  private void stop() {
    closed.countDown();
    boolean interrupted = false;
    while (drawer.isAlive()) {
      try {
        drawer.join();
      } catch (InterruptedException e) {
        interrupted = true; // The bar must be gone before others print: finish, then say so.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void draw() {
    boolean hasLine = false;
    try {
      while (!closed.await(BAR_INTERVAL.toNanos(), TimeUnit.NANOSECONDS)) {
        long elapsedNanos = System.nanoTime() - startNanos;
        String line = line(counter.getAsLong(), elapsedNanos, streams.colours());
        streams.draw(ERASE_LINE + Streams.CUT_LINES + line + Streams.WRAP_LINES);
        hasLine = true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // Nobody interrupts this thread but a JVM on its way out.
    }
    if (hasLine) {
      streams.draw(ERASE_LINE);
    }
  }

  /** Whether anything is printed, until this is closed. */
  boolean isDrawn() {
    return drawer.isAlive();
  }

  /** One state of the work as text. */
  String line(long doneUnits, long elapsedNanos, boolean coloured) {
    long rate = Units.perSecond(doneUnits, elapsedNanos);
    if (total <= 0) {
      return "%-18s %s   %s/s".formatted(label, unit.apply(doneUnits), unit.apply(rate));
    }
    double part = Math.min(1.0, (double) doneUnits / total);
    int full = (int) (part * BAR_CELLS);
    StringBuilder bar = new StringBuilder().append('[');
    bar.append(coloured ? GREEN : "").repeat('#', full).append(coloured ? PLAIN : "");
    bar.repeat('.', BAR_CELLS - full).append(']');
    String left = "";
    if (rate > 0 && doneUnits < total) {
      long seconds = Math.ceilDiv(total - doneUnits, rate);
      left = String.format(Locale.ROOT, "  %d:%02d left", seconds / 60, seconds % 60);
    }
    return "%-18s %s %3d %%  %s/s%s"
        .formatted(label, bar, (int) (100 * part), unit.apply(rate), left);
  }
}
