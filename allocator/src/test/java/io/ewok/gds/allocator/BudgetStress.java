package io.ewok.gds.allocator;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZJ_Result;

/** Two reserve where there is room for one: one of them gets it. */
@JCStressTest
@Outcome(
    id = {"true, false, 1", "false, true, 1"},
    expect = Expect.ACCEPTABLE)
@Outcome(expect = Expect.FORBIDDEN)
@State
public class BudgetStress {
  private final MemoryBudget budget = MemoryBudget.root("root", 1);

  @Actor
  public void first(ZZJ_Result result) {
    result.r1 = budget.tryReserve(1);
  }

  @Actor
  public void second(ZZJ_Result result) {
    result.r2 = budget.tryReserve(1);
  }

  @Arbiter
  public void after(ZZJ_Result result) {
    result.r3 = budget.usedBytes();
  }
}
