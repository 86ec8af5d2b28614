package io.ewok.gds.reactor;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** Two threads with one {@link FiberTurn}: they exclude each other, and see what the other did. */
@JCStressTest
@Outcome(id = "8", expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN)
@State
public class FiberTurnRaces {
  private final FiberTurn turn = new FiberTurn();
  private int plain;

  @Actor
  public void first() {
    addTwice();
  }

  @Actor
  public void second() {
    addTwice();
  }

  private void addTwice() {
    for (int i = 0; i < 2; i++) {
      turn.enter();
      turn.enter(); // has it already
      plain++;
      turn.pass();
      plain++;
      turn.leave();
      turn.leave(); // has it not
    }
  }

  @Arbiter
  public void after(I_Result result) {
    result.r1 = plain;
  }
}
