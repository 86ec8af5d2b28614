package io.ewok.gds.lsm;

import io.ewok.gds.reactor.Baton;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Slows writers down while the background thread has more to do than it should, so that they need
 * not stop later: the fuller what they fill, the slower. With {@code pressure} p between 0 and 1
 * writers together go at {@code drain * (1 - p) / p} bytes per second, where {@code drain} is what
 * flushes reach; so p settles where as much comes as goes, whatever the compactions take of the
 * device.
 *
 * <p>Pressure is that of memory, the part of the active memtable that is filled while the one
 * before it is still being flushed; or that of the tables, whichever is greater.
 *
 * <p>A writer waits {@link #PAUSE_NANOS_MAX} at most, and only outside of locks. Threads: any.
 */
final class WriteDelay {
  /** No write is held back for longer. */
  static final long PAUSE_NANOS_MAX = 50_000_000;

  /** Shorter pauses are saved up: a wait costs more than they last. */
  private static final long PAUSE_NANOS_MIN = 500_000;

  /** Pressure below this is what a store at work has. */
  private static final double PRESSURE_MIN = 0.25;

  /** Writers never come to less than this part of the drain, so that nobody waits for ever. */
  private static final double SHARE_MIN = 1.0 / 64;

  /** Before the first flush has been measured, in bytes per second. */
  private static final double DRAIN_AT_FIRST = 64 << 20;

  /** How much a new measurement counts. */
  private static final double DRAIN_WEIGHT = 0.3;

  private static final double NANOS_PER_SECOND = 1e9;

  private final LongSupplier clock;
  private final StoreEvents events;
  private final long memtableBytes;

  /** When the next write may go. */
  private final AtomicLong nextNanos;

  /** Bytes written since a memtable was frozen that is not yet flushed, or a negative number. */
  private final AtomicLong bytesBehindFrozen = new AtomicLong(Long.MIN_VALUE);

  // Written by the background thread.
  private volatile double tablePressure;
  private volatile double drain = DRAIN_AT_FIRST;

  /** A delay for memtables of this size, by a clock in nanoseconds. */
  WriteDelay(long memtableBytes, LongSupplier clock, StoreEvents events) {
    this.events = events;
    this.memtableBytes = memtableBytes;
    this.clock = clock;
    this.nextNanos = new AtomicLong(clock.getAsLong());
  }

  // ---- what the store tells

  /** A memtable was frozen. */
  void frozen() {
    bytesBehindFrozen.set(0);
  }

  /** The frozen memtable was flushed: so many bytes in so much time. */
  void flushed(long bytes, long nanos) {
    bytesBehindFrozen.set(Long.MIN_VALUE);
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

  /** How much writers are held back: 0 for not at all, 1 for as much as they ever are. */
  double pressure() {
    long behind = bytesBehindFrozen.get();
    double memory = behind <= 0 ? 0 : (double) behind / memtableBytes;
    return Math.min(Math.max(memory, tablePressure), 1);
  }

  /**
   * Waits until a write may go on. Not to be called under a lock.
   *
   * @param bytes of the write
   * @param limitNanos how long it may take at most
   * @return false if it would take longer: then nothing was waited, and the write is not to be made
   */
  boolean await(long bytes, long limitNanos) {
    long pause = claim(bytes, limitNanos);
    if (pause > 0) {
      WriteStallEvent event = new WriteStallEvent();
      event.begin();
      boolean unused = new Baton().await(pause); // nobody posts it
      events.stalled(event, StallReason.DELAY, pause);
    }
    return pause >= 0;
  }

  /**
   * Takes the next place in the line. Returns how long to wait, or -1 for longer than the limit.
   */
  long claim(long bytes, long limitNanos) {
    if (bytesBehindFrozen.get() >= 0) {
      bytesBehindFrozen.addAndGet(bytes);
    }
    double pressure = pressure();
    if (pressure <= PRESSURE_MIN) {
      return 0;
    }
    double share = Math.max(SHARE_MIN, (1 - pressure) / pressure);
    long costNanos = (long) (bytes * NANOS_PER_SECOND / (drain * share));
    while (true) {
      long now = clock.getAsLong();
      long next = nextNanos.get();
      long lead = Math.max(0, next - now);
      long pause = lead < PAUSE_NANOS_MIN ? 0 : Math.min(lead, PAUSE_NANOS_MAX);
      if (pause > limitNanos) {
        return -1; // What it counted for memory goes with the next flush.
      }
      long after = now + Math.min(lead + costNanos, PAUSE_NANOS_MAX);
      if (nextNanos.compareAndSet(next, after)) {
        return pause;
      }
    }
  }
}
