package io.ewok.gds.reactor;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Two threads at one {@link Baton}. A lost wake-up shows as a time-out. */
public final class BatonRaces {
  /** Generous: a machine that builds something else beside must not reach it. */
  private static final long LIMIT_NANOS = 20_000_000_000L;

  private BatonRaces() {}

  /** One waits while the other posts: it is woken, and sees what was written before the post. */
  @JCStressTest
  @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class WakeUp {
    private final Baton baton = new Baton();
    private int written; // plain, published by the baton alone

    @Actor
    public void await(ZI_Result result) {
      result.r1 = baton.await(LIMIT_NANOS);
      result.r2 = written;
    }

    @Actor
    public void post() {
      written = 1;
      baton.post();
    }
  }

  /** One's time is over while the other posts: whatever comes first, the post is kept. */
  @JCStressTest
  @Outcome(
      id = {"true, true", "false, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TimeOver {
    private final Baton baton = new Baton();

    @Actor
    public void await(ZZ_Result result) {
      result.r1 = baton.await(1);
    }

    @Actor
    public void post() {
      baton.post();
    }

    @Arbiter
    public void after(ZZ_Result result) {
      result.r2 = baton.await(0);
    }
  }

  /**
   * Two post: one of them is refused. So a post looks and posts in one step, between which no
   * waiter can come; nobody parks here, so they meet far more often than above.
   */
  @JCStressTest
  @Outcome(
      id = {"true, false", "false, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoPosts {
    private final Baton baton = new Baton();

    @Actor
    public void first(ZZ_Result result) {
      result.r1 = post();
    }

    @Actor
    public void second(ZZ_Result result) {
      result.r2 = post();
    }

    private boolean post() {
      try {
        baton.post();
        return true;
      } catch (IllegalStateException e) {
        return false;
      }
    }
  }

  /** One looks, as a loop does that has other things to do, and sees what was written before. */
  @JCStressTest
  @Outcome(
      id = {"true, 1", "false, 0", "false, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Look {
    private final Baton baton = new Baton();
    private int written;

    @Actor
    public void look(ZI_Result result) {
      result.r1 = baton.isPosted();
      result.r2 = written;
    }

    @Actor
    public void post() {
      written = 1;
      baton.post();
    }
  }

  /** A turn goes there and back, twice: a baton is reset and reused as soon as it was awaited. */
  @JCStressTest
  @Outcome(id = "2, 2", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Turns {
    private final Baton there = new Baton();
    private final Baton back = new Baton();

    @Actor
    public void ping(II_Result result) {
      for (int turn = 0; turn < 2; turn++) {
        there.post();
        result.r1 += take(back);
      }
    }

    @Actor
    public void pong(II_Result result) {
      for (int turn = 0; turn < 2; turn++) {
        result.r2 += take(there);
        back.post();
      }
    }

    private static int take(Baton baton) {
      boolean posted = baton.await(LIMIT_NANOS);
      baton.reset();
      return posted ? 1 : 0;
    }
  }
}
