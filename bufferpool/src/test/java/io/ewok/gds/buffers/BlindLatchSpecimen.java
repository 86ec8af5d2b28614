package io.ewok.gds.buffers;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Broken on purpose: latches a frame without regard to whether it still holds what it held when
 * that was looked at. The suite has to catch it with the wrong page, so each thread gives the other
 * the time to come between, however busy the machine is.
 */
@JCStressTest
@Outcome(
    id = {"1", "-1"},
    expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN)
@State
public class BlindLatchSpecimen {
  private static final int SPINS_MAX = 1000;

  private final AtomicInteger steps = new AtomicInteger();
  private final Frame frame = BufferFixture.frame();

  public BlindLatchSpecimen() {
    frame.key = 1;
    frame.share();
    frame.release(false);
  }

  @Actor
  public void fix(I_Result result) {
    boolean found = frame.key == 1;
    steps.incrementAndGet();
    spinUntil(2);
    result.r1 = found && frame.tryLatch(false) ? (int) frame.key : -1;
  }

  @Actor
  public void evict() {
    spinUntil(1);
    if (frame.tryClaim()) {
      frame.key = 2;
      frame.release(true);
    }
    steps.incrementAndGet();
  }

  private void spinUntil(int wanted) {
    for (int spins = 0; steps.get() < wanted && spins < SPINS_MAX; spins++) {
      Thread.onSpinWait();
    }
  }
}
