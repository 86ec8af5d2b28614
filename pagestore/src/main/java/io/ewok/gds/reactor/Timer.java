package io.ewok.gds.reactor;

/**
 * Something that a reactor does at a time, once or again and again. Reusable; in one reactor at a
 * time.
 *
 * <p>Threads: scheduled, cancelled and fired on the reactor's thread; its fibers count as that.
 *
 * <pre>{@code
 * Timer timer = new Timer() {
 *   protected void fired() { flush(); }
 * };
 * reactor.schedule(timer, TimeUnit.MILLISECONDS.toNanos(5));
 * }</pre>
 *
 * <p>Errors: what {@link #fired} throws ends the reactor. A reactor that is closed drops its
 * timers.
 */
public abstract class Timer {
  static final int IDLE = -1;

  /** Links of a list of the wheel. */
  Timer next;

  Timer previous;

  /** Which list of the wheel. */
  int slot = IDLE;

  /** On the wheel's clock. */
  long deadlineNanos;

  /** What it fires for; the deadline may be the next one already. */
  long firedDeadlineNanos;

  /** 0 for once. */
  long periodNanos;

  /** For subclasses. */
  protected Timer() {}

  /**
   * The time has come: not before the deadline, and after it by at most a tick of the wheel and
   * what the reactor was just doing. Must not be made to wait; may schedule and cancel any timer.
   */
  protected abstract void fired();
}
