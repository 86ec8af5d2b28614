package io.ewok.gds.reactor;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** Threads that give continuations to a {@link ContinuationQueue}, and the one that takes them. */
public final class ContinuationQueueRaces {
  private ContinuationQueueRaces() {}

  /** Something to give; what was written before is seen by who takes it. */
  private static final class Given implements Runnable {
    private int value; // plain, published by the queue alone

    @Override
    public void run() {
      throw new AssertionError("nobody runs it");
    }
  }

  private static int take(ContinuationQueue queue) {
    Runnable taken = queue.poll();
    return taken == null ? 0 : ((Given) taken).value;
  }

  private static Given given(int value) {
    Given given = new Given();
    given.value = value;
    return given;
  }

  /** Two give, with room for both or for one: nothing is lost, and nothing there twice. */
  @JCStressTest
  @Outcome(
      id = {"1, 2", "2, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoGive {
    private final ContinuationQueue queue = new ContinuationQueue(2);

    @Actor
    public void first() {
      queue.add(given(1));
    }

    @Actor
    public void second() {
      queue.add(given(2));
    }

    @Arbiter
    public void after(II_Result result) {
      result.r1 = take(queue);
      result.r2 = take(queue);
    }
  }

  /** As above, with room for one: the other one is in the list. */
  @JCStressTest
  @Outcome(
      id = {"1, 2", "2, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoGiveOneHasRoom {
    private final ContinuationQueue queue = new ContinuationQueue(1);

    @Actor
    public void first() {
      queue.add(given(1));
    }

    @Actor
    public void second() {
      queue.add(given(2));
    }

    @Arbiter
    public void after(II_Result result) {
      result.r1 = take(queue);
      result.r2 = take(queue);
    }
  }

  /** One gives twice while the other takes: whatever is taken first, all three are taken once. */
  @JCStressTest
  @Outcome(
      id = {"1, 2, 3", "1, 3, 2"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class GiveAndTake {
    private final ContinuationQueue queue = new ContinuationQueue(1);

    public GiveAndTake() {
      queue.add(given(1));
    }

    @Actor
    public void give() {
      queue.add(given(2));
      queue.add(given(3));
    }

    @Actor
    public void take(III_Result result) {
      result.r1 = ContinuationQueueRaces.take(queue);
    }

    @Arbiter
    public void after(III_Result result) {
      result.r2 = ContinuationQueueRaces.take(queue);
      result.r3 = ContinuationQueueRaces.take(queue);
    }
  }

  /** Who finds the queue not to be empty can take. */
  @JCStressTest
  @Outcome(
      id = {"0, 1", "1, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Look {
    private final ContinuationQueue queue = new ContinuationQueue(1);

    @Actor
    public void give() {
      queue.add(given(1));
    }

    @Actor
    public void take(II_Result result) {
      result.r1 = queue.isEmpty() ? 0 : ContinuationQueueRaces.take(queue);
    }

    @Arbiter
    public void after(II_Result result) {
      result.r2 = ContinuationQueueRaces.take(queue);
    }
  }
}
