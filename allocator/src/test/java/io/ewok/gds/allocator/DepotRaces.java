package io.ewok.gds.allocator;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** Two shards at one {@link Depot}. */
public final class DepotRaces {
  private static final long NOTHING = -1;

  private DepotRaces() {}

  /** One puts a magazine, the other takes it: with all that is in it, or not at all. */
  @JCStressTest
  @Outcome(
      id = {"11, 22, -1", "-1, -1, 22"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class PutOrTake {
    private final Depot depot = new Depot();

    @Actor
    public void put() {
      long[] magazine = Magazine.create(2);
      if (!Magazine.push(magazine, 22)
          || !Magazine.push(magazine, 11)
          || !depot.putFilled(magazine)) {
        throw new AssertionError("full");
      }
    }

    @Actor
    public void take(JJJ_Result result) {
      long[] magazine = depot.takeFilled();
      result.r1 = magazine == null ? NOTHING : Magazine.pop(magazine);
      result.r2 = magazine == null ? NOTHING : Magazine.pop(magazine);
    }

    @Arbiter
    public void after(JJJ_Result result) {
      result.r3 = bottom(depot.takeFilled());
    }
  }

  /** Two take the only magazine: one gets it. */
  @JCStressTest
  @Outcome(
      id = {"11, -1", "-1, 11"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoTake {
    private final Depot depot = new Depot();

    public TwoTake() {
      if (!depot.putFilled(magazine(11))) {
        throw new AssertionError("full");
      }
    }

    @Actor
    public void first(JJ_Result result) {
      result.r1 = bottom(depot.takeFilled());
    }

    @Actor
    public void second(JJ_Result result) {
      result.r2 = bottom(depot.takeFilled());
    }
  }

  /** Two put a magazine where there is one slot: one keeps his. */
  @JCStressTest
  @Outcome(
      id = {"-1, 22, 11", "11, -1, 22"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LastSlot {
    private final Depot depot = new Depot();

    public LastSlot() {
      while (depot.putFilled(magazine(33))) {
        // Until it is full.
      }
      long[] unused = depot.takeFilled();
    }

    @Actor
    public void first(JJJ_Result result) {
      result.r1 = depot.putFilled(magazine(11)) ? NOTHING : 11;
    }

    @Actor
    public void second(JJJ_Result result) {
      result.r2 = depot.putFilled(magazine(22)) ? NOTHING : 22;
    }

    @Arbiter
    public void after(JJJ_Result result) {
      // Of the others, nobody has lost one.
      long sum = 0;
      int count = 0;
      for (long[] each = depot.takeFilled(); each != null; each = depot.takeFilled()) {
        sum += bottom(each);
        count++;
      }
      result.r3 = sum - 33L * (count - 1);
    }
  }

  private static long[] magazine(long handle) {
    return new long[] {1, handle};
  }

  private static long bottom(long[] magazineOrNull) {
    return magazineOrNull == null ? NOTHING : magazineOrNull[1];
  }
}
