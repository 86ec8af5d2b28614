package io.ewok.gds.lsm;

import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.Task;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Slows writers down while the background thread has more to do than it should, so that they need
 * not stop later: the fuller what they fill, the slower. With pressure p between 0 and 1 writers
 * together go at {@code drain * (1 - p) / p} bytes per second, where {@code drain} is what flushes
 * reach; so p settles where as much comes as goes, whatever the compactions take of the device.
 *
 * <p>There is the pressure of memory, the part that is filled of what writers have until the frozen
 * memtable has been flushed; and that of the tables. The slower of both counts. A flush that takes
 * longer than the ones before it has a smaller drain, the smaller the longer it takes: so memory
 * never becomes full while it goes on, however slow the device has become, but for what writes that
 * wait {@link #PAUSE_NANOS_MAX} each bring.
 *
 * <p>A writer waits {@link #PAUSE_NANOS_MAX} at most, and only outside of locks. Threads: any.
 */
final class WriteDelay {
  /** No write is held back for longer. */
  static final long PAUSE_NANOS_MAX = 50_000_000;

  /** Longer pauses, until they are worth a wait, are saved up: a wait takes twice as long. */
  private static final long PAUSE_NANOS_MIN = 50_000;

  /**
   * Pauses up to this are spent on the processor: then no write has to make up for many others. It
   * is what a little pressure makes of one write, and costs little; under more pressure, or with
   * many writers, the processors have better things to do. A batch is as many writes as it has
   * bytes for.
   */
  static final long SPIN_NANOS_MAX = 5_000;

  private static final long SPIN_BYTES = 256;

  /**
   * Writes make up for waits that took longer than they should, up to this: the timers of a reactor
   * have ticks of a millisecond, twenty times as long as the shortest wait.
   */
  private static final long LATE_NANOS_MAX = 2_000_000;

  /** Pressure below this is what a store at work has. */
  private static final double PRESSURE_MIN = 0.25;

  /** Tables never hold writers back to less than this part of the drain. */
  private static final double SHARE_MIN = 1.0 / 64;

  /** Before the first flush has been measured, in bytes per second. */
  private static final double DRAIN_AT_FIRST = 64 << 20;

  /** How much a new measurement counts. */
  private static final double DRAIN_WEIGHT = 0.3;

  private static final double NANOS_PER_SECOND = 1e9;

  private final LongSupplier clock;
  private final StoreEvents events;

  /** When the next write may go. */
  private final AtomicLong nextNanos;

  /** Of the memtable that was frozen last: when, and what it has. */
  private record Frozen(long nanos, long bytes) {}

  private volatile Frozen frozen;

  // Written by the background thread.
  private volatile double tablePressure;
  private volatile double drain = DRAIN_AT_FIRST;

  /** A delay by a clock in nanoseconds. */
  WriteDelay(LongSupplier clock, StoreEvents events) {
    this.events = events;
    this.clock = clock;
    this.nextNanos = new AtomicLong(clock.getAsLong());
    frozen(0);
  }

  // ---- what the store tells

  /** A memtable with so many bytes is being frozen. */
  void frozen(long bytes) {
    frozen = new Frozen(clock.getAsLong(), bytes);
  }

  /** A memtable was flushed: so many bytes in so much time. */
  void flushed(long bytes, long nanos) {
    if (nanos > 0 && bytes > 0) {
      double before = drain;
      drain = before + DRAIN_WEIGHT * (bytes * NANOS_PER_SECOND / nanos - before);
    }
  }

  /**
   * Tells how much too large the levels are.
   *
   * @param pressure 0 for not at all, 1 for as much as they may ever be
   */
  void setTablePressure(double pressure) {
    tablePressure = pressure;
  }

  // ---- what writers ask

  /**
   * Waits until a write may go on. Not to be called under a lock.
   *
   * @param bytes of the write
   * @param filled the pressure of memory; 0 if no memtable is frozen
   * @param limitNanos how long it may take at most
   * @return false if it would take longer: then nothing was waited, and the write is not to be made
   */
  boolean await(long bytes, double filled, long limitNanos) {
    long pause = claim(bytes, filled, limitNanos);
    if (pause > spinNanosMax(bytes)) {
      WriteStallEvent event = new WriteStallEvent();
      event.begin();
      boolean unused = new Baton().await(pause); // nobody posts it
      events.stalled(event, StallReason.DELAY, pause);
    } else if (pause > 0) {
      spin(pause);
      events.slowed(StallReason.DELAY, pause);
    }
    return pause >= 0;
  }

  private static long spinNanosMax(long bytes) {
    return Math.clamp(bytes / SPIN_BYTES * SPIN_NANOS_MAX, SPIN_NANOS_MAX, PAUSE_NANOS_MIN);
  }

  /**
   * Spends a pause on the processor; a fiber has its reactor do other things meanwhile, among them
   * the I/O of the flush that the writer is held back for.
   */
  private static void spin(long nanos) {
    long start = System.nanoTime();
    boolean isFiber = Reactor.current() != null;
    while (System.nanoTime() - start < nanos) {
      if (isFiber) {
        letOthersRun();
      } else {
        Thread.onSpinWait();
      }
    }
  }

  private static void letOthersRun() {
    try {
      Task.yieldNow();
    } catch (CancellationException e) {
      // The write has begun. Who has cancelled the task finds it ended a little later.
    }
  }

  /**
   * Takes the next place in the line. Returns how long to wait, or -1 for longer than the limit.
   */
  long claim(long bytes, double filled, long limitNanos) {
    double tables = tablePressure;
    if (filled <= PRESSURE_MIN && tables <= PRESSURE_MIN) {
      return 0;
    }
    double costNanos = Math.min(bytes * NANOS_PER_SECOND / rate(filled, tables), PAUSE_NANOS_MAX);
    while (true) {
      long now = clock.getAsLong();
      long next = nextNanos.get();
      long lead = Math.max(-LATE_NANOS_MAX, next - now);
      boolean isSaved = lead > spinNanosMax(bytes) && lead < PAUSE_NANOS_MIN;
      long pause = isSaved ? 0 : Math.clamp(lead, 0, PAUSE_NANOS_MAX);
      if (pause > limitNanos) {
        return -1;
      }
      long after = now + Math.min(lead + (long) costNanos, PAUSE_NANOS_MAX);
      if (nextNanos.compareAndSet(next, after)) {
        return pause;
      }
    }
  }

  /** At how many bytes per second writers together may go; may be 0. */
  private double rate(double filled, double tables) {
    double rate = Double.POSITIVE_INFINITY;
    if (tables > PRESSURE_MIN) {
      rate = drain * Math.max(SHARE_MIN, (1 - tables) / tables);
    }
    if (filled > PRESSURE_MIN) {
      Frozen last = frozen;
      double sinceFrozen = Math.max(1, clock.getAsLong() - last.nanos);
      double atMost = last.bytes * NANOS_PER_SECOND / sinceFrozen;
      rate = Math.min(rate, Math.min(drain, atMost) * (1 - filled) / filled);
    }
    return rate;
  }
}
