package io.ewok.gds.pagestore;

import java.util.EnumMap;

/**
 * The caps of {@link ThrottleOptions} as a schedule: for each, the time at which it is paid for.
 * Knows no clock and waits for nothing; times are passed in.
 *
 * <p>A transfer may start when all caps that apply to it are paid for, those on operations and on
 * bytes, of its class and of the whole. It then moves each on by what it costs. So a transfer of
 * any size passes, and those after it wait; and time in which nothing was asked for gives no
 * credit.
 *
 * <p>Times are nanoseconds from any origin, not negative. They are kept with their fraction, so the
 * rates are exact over any length of time.
 *
 * <p>Threads: none of its own; whoever uses it guards it.
 */
final class Throttle {
  private final Cap[] whole = caps();
  private final EnumMap<WorkClass, Cap[]> classes = new EnumMap<>(WorkClass.class);

  Throttle(ThrottleOptions options) {
    for (WorkClass work : WorkClass.values()) {
      classes.put(work, caps());
    }
    change(options, 0);
  }

  private static Cap[] caps() {
    return new Cap[] {new Cap(), new Cap(), new Cap(), new Cap()};
  }

  /**
   * Changes the rates. What is owed at the time stays owed, and is paid at the new rate.
   *
   * @param now not before any time told so far
   */
  void change(ThrottleOptions options, long now) {
    change(whole, options.read(), options.write(), now);
    for (WorkClass work : WorkClass.values()) {
      ClassLimits limits = options.of(work);
      change(classes.get(work), limits.read(), limits.write(), now);
    }
  }

  private static void change(Cap[] caps, IoRate read, IoRate write, long now) {
    caps[operations(false)].change(read.operationsPerSecond(), now);
    caps[bytes(false)].change(read.bytesPerSecond(), now);
    caps[operations(true)].change(write.operationsPerSecond(), now);
    caps[bytes(true)].change(write.bytesPerSecond(), now);
  }

  private static int operations(boolean write) {
    return write ? 2 : 0;
  }

  private static int bytes(boolean write) {
    return write ? 3 : 1;
  }

  /** Returns from when on a transfer may start; a time in the past means at once. */
  long readyNanos(WorkClass work, boolean write) {
    Cap[] own = classes.get(work);
    int operations = operations(write);
    int bytes = bytes(write);
    return Math.max(
        Math.max(whole[operations].paidNanos, whole[bytes].paidNanos),
        Math.max(own[operations].paidNanos, own[bytes].paidNanos));
  }

  /** Returns the cap that is paid for last, by its setting: for whom it was that had to wait. */
  String lastPaid(WorkClass work, boolean write) {
    long ready = readyNanos(work, write);
    boolean ofWhole =
        whole[operations(write)].paidNanos == ready || whole[bytes(write)].paidNanos == ready;
    Cap[] caps = ofWhole ? whole : classes.get(work);
    return ThrottleOptions.capName(ofWhole ? null : work, write)
        + (caps[bytes(write)].paidNanos == ready ? " bytes" : " operations");
  }

  /**
   * Charges a transfer.
   *
   * @param startNanos when it was due, at or after {@link #readyNanos}
   */
  void charge(WorkClass work, boolean write, long lengthBytes, long startNanos) {
    Cap[] own = classes.get(work);
    whole[operations(write)].charge(1, startNanos);
    whole[bytes(write)].charge(lengthBytes, startNanos);
    own[operations(write)].charge(1, startNanos);
    own[bytes(write)].charge(lengthBytes, startNanos);
  }

  /** One cap. */
  private static final class Cap {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private long perSecond = IoRate.NO_CAP;
    private long paidNanos;

    /** What is to be added to {@link #paidNanos}, in nanoseconds divided by the rate. */
    private long fraction;

    void charge(long cost, long startNanos) {
      if (perSecond == IoRate.NO_CAP) {
        return;
      }
      if (startNanos > paidNanos) {
        paidNanos = startNanos;
        fraction = 0;
      }
      // In range: a length is an int, and a rate has a maximum.
      long scaled = cost * NANOS_PER_SECOND + fraction;
      paidNanos += scaled / perSecond;
      fraction = scaled % perSecond;
    }

    void change(long newPerSecond, long now) {
      if (newPerSecond == perSecond) {
        return;
      }
      if (newPerSecond == IoRate.NO_CAP) {
        paidNanos = 0;
      } else if (perSecond == IoRate.NO_CAP || paidNanos < now) {
        paidNanos = now;
      } else {
        paidNanos = now + (long) ((double) (paidNanos - now) * perSecond / newPerSecond);
      }
      perSecond = newPerSecond;
      fraction = 0;
    }
  }
}
