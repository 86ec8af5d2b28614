package io.ewok.gds.allocator;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIJ_Result;
import org.openjdk.jcstress.infra.results.ZIJ_Result;
import org.openjdk.jcstress.infra.results.ZJ_Result;
import org.openjdk.jcstress.infra.results.ZZJ_Result;

/** Two threads at one {@link MemoryBudget}. */
public final class BudgetRaces {
  private BudgetRaces() {}

  /** Two reserve, under a parent that has room for one: one of them gets it. */
  @JCStressTest
  @Outcome(
      id = {"true, false, 1", "false, true, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Limit {
    private final MemoryBudget root = MemoryBudget.root("root", 1);
    private final MemoryBudget left = root.child("left", 1);
    private final MemoryBudget right = root.child("right", 1);

    @Actor
    public void left(ZZJ_Result result) {
      result.r1 = left.tryReserve(1);
    }

    @Actor
    public void right(ZZJ_Result result) {
      result.r2 = right.tryReserve(1);
    }

    @Arbiter
    public void after(ZZJ_Result result) {
      result.r3 = root.usedBytes();
    }
  }

  /** One asks to be called back while the other makes room: it is called once. */
  @JCStressTest
  @Outcome(id = "true, 1, 1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class CallBack {
    private final MemoryBudget budget = MemoryBudget.root("root", 1);
    private final AtomicInteger calls = new AtomicInteger();
    private BudgetRequest request;

    public CallBack() {
      budget.reserve(1);
    }

    @Actor
    public void ask() {
      request = budget.whenAvailable(1, calls::getAndIncrement);
    }

    @Actor
    public void makeRoom() {
      budget.release(1);
    }

    @Arbiter
    public void after(ZIJ_Result result) {
      result.r1 = request.isGranted();
      result.r2 = calls.get();
      result.r3 = budget.usedBytes();
    }
  }

  /** One gives its request up while the other makes room: called or canceled, never both. */
  @JCStressTest
  @Outcome(
      id = {"true, 0, 0", "false, 1, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Cancel {
    private final MemoryBudget budget = MemoryBudget.root("root", 1);
    private final AtomicInteger calls = new AtomicInteger();
    private final BudgetRequest request;

    public Cancel() {
      budget.reserve(1);
      request = budget.whenAvailable(1, calls::getAndIncrement);
    }

    @Actor
    public void cancel(ZIJ_Result result) {
      result.r1 = request.cancel();
    }

    @Actor
    public void makeRoom() {
      budget.release(1);
    }

    @Arbiter
    public void after(ZIJ_Result result) {
      result.r2 = calls.get();
      result.r3 = budget.usedBytes();
    }
  }

  /** One waits while the other makes room: it is woken. A lost wake-up shows as a time-out. */
  @JCStressTest
  @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class WakeUp {
    private static final long TIMEOUT_NANOS = 20_000_000_000L;

    private final MemoryBudget budget = MemoryBudget.root("root", 1);

    public WakeUp() {
      budget.reserve(1);
    }

    @Actor
    public void await(ZJ_Result result) {
      try {
        result.r1 = budget.tryReserve(1, TIMEOUT_NANOS);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    @Actor
    public void makeRoom() {
      budget.release(1);
    }

    @Arbiter
    public void after(ZJ_Result result) {
      result.r2 = budget.usedBytes();
    }
  }

  /** Two cross the marks up and down: the watermark is called in pairs. */
  @JCStressTest
  @Outcome(
      id = {"1, 1, 0", "2, 2, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Watermark {
    private final MemoryBudget budget = MemoryBudget.root("root", 2);
    private final AtomicInteger above = new AtomicInteger();
    private final AtomicInteger below = new AtomicInteger();

    public Watermark() {
      BudgetWatermark unused = budget.watch(0, 1, above::getAndIncrement, below::getAndIncrement);
    }

    @Actor
    public void first() {
      cross();
    }

    @Actor
    public void second() {
      cross();
    }

    @Arbiter
    public void after(IIJ_Result result) {
      result.r1 = above.get();
      result.r2 = below.get();
      result.r3 = budget.usedBytes();
    }

    private void cross() {
      budget.reserve(1);
      budget.release(1);
    }
  }
}
