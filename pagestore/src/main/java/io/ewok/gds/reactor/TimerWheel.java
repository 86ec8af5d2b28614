package io.ewok.gds.reactor;

import java.util.function.LongSupplier;

/**
 * Timers by deadline: scheduling, cancelling and finding what is due next take the same time
 * however many there are. Hierarchical timing wheels after Varghese and Lauck, "Hashed and
 * Hierarchical Timing Wheels" (1987), scheme 7.
 *
 * <p>Threads: confined to one. Reentrant: what is due is taken one at a time, so a timer may
 * schedule, cancel and poll.
 */
final class TimerWheel {
  /*
   * Level n has 64 lists, each for 64^n ticks. A timer lies at the lowest level where its unit is
   * less than 64 units after the current one, so a list never holds two rounds. What lies further
   * than the highest level reaches goes into its last list and is placed again from there.
   *
   * When the clock comes to the first tick of a unit of level n > 0, that list is placed again,
   * lower. The list of level 0 at the current tick is what is due.
   */
  private static final int LEVELS = 4;
  private static final int BITS = 6;
  private static final int SLOTS = 1 << BITS;
  private static final int SLOT_MASK = SLOTS - 1;

  /** Later deadlines are taken as this far away, so that sums do not overflow. */
  private static final long DELAY_MAX_NANOS = Long.MAX_VALUE >> 2;

  private final LongSupplier clock;
  private final long tickNanos;
  private final long startNanos;

  /** All before it has been polled. */
  private long currentTick;

  private int size;
  private final Timer[] heads = new Timer[LEVELS * SLOTS];

  /** By level, a bit for each list that is not empty. */
  private final long[] occupied = new long[LEVELS];

  /**
   * Makes an empty wheel.
   *
   * @param clock nanoseconds, never going back
   */
  TimerWheel(LongSupplier clock, long tickNanos) {
    this.clock = clock;
    this.tickNanos = tickNanos;
    this.startNanos = clock.getAsLong();
  }

  boolean isEmpty() {
    return size == 0;
  }

  long tickNanos() {
    return tickNanos;
  }

  long nowNanos() {
    return clock.getAsLong();
  }

  /**
   * Schedules a timer anew, whether it is scheduled or not.
   *
   * @param periodNanos between this deadline and the following ones; 0 for one
   */
  void schedule(Timer timer, long delayNanos, long periodNanos) {
    cancel(timer);
    timer.periodNanos = periodNanos;
    timer.deadlineNanos = clock.getAsLong() + Math.clamp(delayNanos, 0, DELAY_MAX_NANOS);
    add(timer);
  }

  /** Returns false if it was not scheduled. */
  boolean cancel(Timer timer) {
    if (timer.slot == Timer.IDLE) {
      return false;
    }
    unlink(timer);
    size--;
    return true;
  }

  /**
   * Takes a timer that is due; one that repeats is scheduled again.
   *
   * @return null if there is none
   */
  Timer poll(long nowNanos) {
    long nowTick = Math.max(currentTick, (nowNanos - startNanos) / tickNanos);
    while (true) {
      Timer due = heads[(int) (currentTick & SLOT_MASK)];
      if (due != null) {
        unlink(due);
        size--;
        due.firedDeadlineNanos = due.deadlineNanos;
        if (due.periodNanos > 0) {
          repeat(due, nowNanos);
        }
        return due;
      }
      long tick = nextTick();
      if (tick > nowTick) {
        currentTick = nowTick;
        return null;
      }
      currentTick = tick;
      placeAgain();
    }
  }

  /** Periods that were missed are left out, and the others keep their rhythm. */
  private void repeat(Timer timer, long nowNanos) {
    long missed = Math.max(0, nowNanos - timer.deadlineNanos) / timer.periodNanos;
    timer.deadlineNanos += (missed + 1) * timer.periodNanos;
    add(timer);
  }

  /**
   * Returns how long {@link #poll} has nothing to do; {@link Long#MAX_VALUE} if there are no
   * timers.
   */
  long idleNanos(long nowNanos) {
    if (size == 0) {
      return Long.MAX_VALUE;
    }
    if (heads[(int) (currentTick & SLOT_MASK)] != null) {
      return 0;
    }
    return Math.max(0, startNanos + nextTick() * tickNanos - nowNanos);
  }

  private void add(Timer timer) {
    size++;
    place(timer, currentTick + 1);
  }

  /** Puts a timer where its deadline belongs, or at a tick if that is later. */
  private void place(Timer timer, long earliestTick) {
    // Rounded up: never early.
    long tick = Math.max(earliestTick, Math.ceilDiv(timer.deadlineNanos - startNanos, tickNanos));
    int level = 0;
    long unit = tick;
    long currentUnit = currentTick;
    while (unit - currentUnit >= SLOTS && level < LEVELS - 1) {
      level++;
      unit >>= BITS;
      currentUnit >>= BITS;
    }
    unit = Math.min(unit, currentUnit + SLOTS - 1);
    link(timer, level, (int) (unit & SLOT_MASK));
  }

  /** Returns the next tick at which a list is due or has to be placed again. */
  private long nextTick() {
    long next = Long.MAX_VALUE;
    for (int level = 0; level < LEVELS; level++) {
      if (occupied[level] != 0) {
        long currentUnit = currentTick >> (level * BITS);
        int shift = (int) ((currentUnit + 1) & SLOT_MASK);
        int ahead = 1 + Long.numberOfTrailingZeros(Long.rotateRight(occupied[level], shift));
        next = Math.min(next, (currentUnit + ahead) << (level * BITS));
      }
    }
    return next;
  }

  private void placeAgain() {
    for (int level = LEVELS - 1; level > 0; level--) {
      if ((currentTick & ((1L << (level * BITS)) - 1)) == 0) {
        int slot = level * SLOTS + (int) ((currentTick >> (level * BITS)) & SLOT_MASK);
        Timer timer;
        while ((timer = heads[slot]) != null) {
          unlink(timer);
          place(timer, currentTick);
        }
      }
    }
  }

  private void link(Timer timer, int level, int slotOfLevel) {
    int slot = level * SLOTS + slotOfLevel;
    Timer head = heads[slot];
    timer.slot = slot;
    timer.previous = null;
    timer.next = head;
    if (head != null) {
      head.previous = timer;
    }
    heads[slot] = timer;
    occupied[level] |= 1L << slotOfLevel;
  }

  private void unlink(Timer timer) {
    int slot = timer.slot;
    if (timer.previous == null) {
      heads[slot] = timer.next;
      if (timer.next == null) {
        occupied[slot >> BITS] &= ~(1L << slot);
      }
    } else {
      timer.previous.next = timer.next;
    }
    if (timer.next != null) {
      timer.next.previous = timer.previous;
    }
    timer.slot = Timer.IDLE;
    timer.next = null;
    timer.previous = null;
  }
}
