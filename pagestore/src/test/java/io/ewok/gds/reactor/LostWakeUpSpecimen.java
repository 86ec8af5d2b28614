package io.ewok.gds.reactor;

import java.util.concurrent.locks.LockSupport;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.Z_Result;

/**
 * Broken on purpose: a baton whose waiter looks for the post and says that it waits in two steps,
 * as its poster looks for the waiter and posts. The suite has to catch it losing a wake-up, so each
 * thread gives the other the time to come between, however busy the machine is.
 */
@JCStressTest
@Outcome(id = "true", expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN)
@State
public class LostWakeUpSpecimen {
  private static final int SPINS_MAX = 1000;
  private static final long LIMIT_NANOS = 1_000_000;

  private volatile boolean posted;
  private volatile Thread waiter;
  private volatile boolean woken;
  private volatile boolean waiterLooked;
  private volatile boolean posterLooked;

  @Actor
  public void await(Z_Result result) {
    boolean seen = posted;
    waiterLooked = true;
    for (int spins = 0; !posterLooked && spins < SPINS_MAX; spins++) {
      Thread.onSpinWait();
    }
    waiter = Thread.currentThread();
    long start = System.nanoTime();
    while (!seen && !woken && System.nanoTime() - start < LIMIT_NANOS) {
      LockSupport.parkNanos(this, LIMIT_NANOS);
    }
    result.r1 = seen || woken;
  }

  @Actor
  public void post() {
    Thread seen = waiter;
    posterLooked = true;
    for (int spins = 0; !waiterLooked && spins < SPINS_MAX; spins++) {
      Thread.onSpinWait();
    }
    if (seen == null) {
      posted = true;
    } else {
      woken = true;
      LockSupport.unpark(seen);
    }
  }
}
