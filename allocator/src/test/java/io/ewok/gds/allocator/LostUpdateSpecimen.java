package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Broken on purpose: an increment in two steps. The suite has to catch it losing one, so each
 * thread gives the other the time to come between, however busy the machine is.
 */
@JCStressTest
@Outcome(id = "2", expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN)
@State
public class LostUpdateSpecimen {
  private static final int SPINS_MAX = 1000;

  private final AtomicInteger readers = new AtomicInteger();
  private volatile int count;

  @Actor
  public void first() {
    increment();
  }

  @Actor
  public void second() {
    increment();
  }

  @Arbiter
  public void after(I_Result result) {
    result.r1 = count;
  }

  private void increment() {
    int before = count;
    readers.incrementAndGet();
    for (int spins = 0; readers.get() < 2 && spins < SPINS_MAX; spins++) {
      Thread.onSpinWait();
    }
    count = before + 1;
  }
}
