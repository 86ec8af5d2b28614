package io.ewok.gds.lsm;

import io.ewok.gds.reactor.Baton;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Lets one call run at a time on what belongs to one thread and is ended by another. Like {@link
 * io.ewok.gds.reactor.LongLock}, for calls that take a few nanoseconds and are hardly ever waited
 * for: it does not know its owner, and keeps nobody in a line.
 *
 * <p>Threads: any; whoever took it releases it.
 */
final class CallLatch {
  /** How long one who finds it taken waits before it looks again. */
  private static final long LOOK_NANOS = 50_000;

  private static final VarHandle TAKEN;

  static {
    try {
      TAKEN = MethodHandles.lookup().findVarHandle(CallLatch.class, "taken", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // by TAKEN
  private boolean taken;

  /** Takes it; waits for the call that is running. */
  void take() {
    if (!tryTake()) {
      Baton clock = new Baton(); // whoever is inside may wait for the device, and tells nobody
      do {
        boolean unused = clock.await(LOOK_NANOS);
      } while (!tryTake());
    }
  }

  boolean tryTake() {
    return TAKEN.compareAndSet(this, false, true); // partner: release
  }

  void release() {
    TAKEN.setRelease(this, false); // partner: tryTake
  }
}
