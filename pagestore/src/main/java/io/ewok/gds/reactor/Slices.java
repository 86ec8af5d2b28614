package io.ewok.gds.reactor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.LongAdder;

/**
 * Whether a loop is inside of somebody's code, and since which moment: a number that is odd inside,
 * and another one each time. Costs the loop no look at the clock.
 *
 * <p>Threads: marked by the loop's, read by any. Opaque: whoever reads gets the number late, not
 * wrong.
 */
final class Slices {
  private static final VarHandle NUMBER;

  static {
    try {
      NUMBER = MethodHandles.lookup().findVarHandle(Slices.class, "number", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("FieldMayBeFinal") // by NUMBER
  private long number;

  private final LongAdder stalls = new LongAdder();

  /** A callback, a task, or a fiber until it waits, begins; ends the one before. */
  void begin() {
    NUMBER.setOpaque(this, (number | 1) + 2);
  }

  /** The loop is its own again. */
  void end() {
    NUMBER.setOpaque(this, (number | 1) + 1);
  }

  /** Returns the number; odd inside of a slice. */
  long number() {
    return (long) NUMBER.getOpaque(this);
  }

  /** Counts a slice that took too long. */
  void stalled() {
    stalls.increment();
  }

  long stallCount() {
    return stalls.sum();
  }
}
