package io.ewok.gds.lsm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Refuses a call on what is for one at a time while another call runs, also one further up the same
 * stack: so that a mistake of the user's is an exception, whatever it would have done.
 *
 * <p>Threads: any. What was done inside is visible to who comes in next.
 */
final class UseGuard {
  private static final VarHandle USED;

  static {
    try {
      USED = MethodHandles.lookup().findVarHandle(UseGuard.class, "used", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String what;

  @SuppressWarnings("unused") // by USED
  private boolean used;

  /** Of something, as errors name it. */
  UseGuard(String what) {
    this.what = what;
  }

  /**
   * Comes in.
   *
   * @throws IllegalStateException if somebody is inside
   */
  void enter() {
    if (!USED.compareAndSet(this, false, true)) { // partner: exit
      throw new IllegalStateException(
          what
              + " and its cursors are used by one call at a time: thread="
              + Thread.currentThread().getName());
    }
  }

  /** Leaves. */
  void exit() {
    USED.setRelease(this, false); // partner: enter
  }
}
