package io.ewok.gds.wal.cache;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.J_Result;

/**
 * Broken on purpose: copies from a {@link TailWindow} without looking afterwards whether what it
 * copied was still there. The suite has to catch it with bytes of another lap, so each thread gives
 * the other the time to come between, however busy the machine is.
 */
@JCStressTest
@Outcome(
    id = {"1", "-1"},
    expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN)
@State
public class BlindTailSpecimen {
  private static final int SPINS_MAX = 1000;

  private final AtomicInteger steps = new AtomicInteger();
  private final long[] memory = new long[1];
  private final TailWindow window = new TailWindow(MemorySegment.ofArray(memory));

  public BlindTailSpecimen() {
    window.write(0, MemorySegment.ofArray(new long[] {1}));
  }

  @Actor
  public void read(J_Result result) {
    boolean found = window.has(0);
    steps.incrementAndGet();
    spinUntil(2);
    result.r1 = found ? memory[0] : -1;
  }

  @Actor
  public void write() {
    spinUntil(1);
    window.write(Long.BYTES, MemorySegment.ofArray(new long[] {2}));
    steps.incrementAndGet();
  }

  private void spinUntil(int wanted) {
    for (int spins = 0; steps.get() < wanted && spins < SPINS_MAX; spins++) {
      Thread.onSpinWait();
    }
  }
}
