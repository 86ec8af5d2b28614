package io.ewok.gds.allocator;

import io.ewok.gds.allocator.RegionState.Turn;
import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.unchecked.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIJ_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** An operation on a {@link Region} against what would take the memory away. */
public final class RegionRaces {
  private static final int REFUSED = -1;

  private RegionRaces() {}

  /** One has the region for himself, or not: the operation sees nothing of what he does in it. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "0, -1", "2, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Exclude {
    private final RegionState state = new RegionState();
    private int memory;

    @Actor
    public void operate(II_Result result) {
      state.enter();
      result.r1 = memory;
      state.exit();
    }

    @Actor
    public void exclude(II_Result result) {
      try (Turn _ = state.turn()) {
        state.exclude();
        memory = 1;
        memory = 2;
        state.readmit();
      } catch (IllegalStateException refused) {
        result.r2 = REFUSED;
      }
    }
  }

  /** One closes the region for good: the operation finds it open, or does not start. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "0, -1", "-1, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class End {
    private final RegionState state = new RegionState();
    private int unmapped;

    @Actor
    public void operate(II_Result result) {
      try {
        state.enter();
        result.r1 = unmapped;
        state.exit();
      } catch (IllegalStateException closed) {
        result.r1 = REFUSED;
      }
    }

    @Actor
    public void end(II_Result result) {
      try (Turn _ = state.turn()) {
        state.exclude();
        unmapped = 1;
        state.end();
      } catch (IllegalStateException refused) {
        result.r2 = REFUSED;
      }
    }
  }

  /**
   * An operation with a lease writes to the memory while the region is being closed. If it were
   * unmapped too early, this would end the JVM.
   */
  @JCStressTest
  @Outcome(
      id = {"1, 0, 0", "1, -1, 0", "-1, 0, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LeaseOrClose {
    private final MemoryBudget budget = MemoryBudget.root("root", 1 << 20);
    private final Region region =
        Region.map(budget, RegionOptions.ofSize(1).withHugePages(HugePages.OFF));
    private final long address = region.address();

    @Actor
    public void operate(IIJ_Result result) {
      result.r1 = writeAndRead(region, address);
    }

    @Actor
    public void close(IIJ_Result result) {
      try {
        region.close();
      } catch (IllegalStateException refused) {
        result.r2 = REFUSED;
      }
    }

    @Arbiter
    public void after(IIJ_Result result) {
      region.close();
      result.r3 = budget.usedBytes();
    }
  }

  /** An operation writes and reads while the memory is being given back: it keeps what it wrote. */
  @JCStressTest
  @Outcome(
      id = {"1, 0, 0", "1, -1, 0", "-1, 0, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LeaseOrDecommit {
    private final MemoryBudget budget = MemoryBudget.root("root", 1 << 20);
    private final Region region =
        Region.reserve(budget, RegionOptions.ofSize(1).withHugePages(HugePages.OFF));
    private final long address = region.address();

    public LeaseOrDecommit() {
      if (!region.commit(0, region.sizeBytes())) {
        throw new AssertionError("no memory");
      }
    }

    @Actor
    public void operate(IIJ_Result result) {
      result.r1 = writeAndRead(region, address);
    }

    @Actor
    public void decommit(IIJ_Result result) {
      try {
        region.decommit(0, region.sizeBytes());
      } catch (IllegalStateException refused) {
        result.r2 = REFUSED;
      }
    }

    @Arbiter
    public void after(IIJ_Result result) {
      region.close();
      result.r3 = budget.usedBytes();
    }
  }

  /** One registers the region with a ring while it is being closed: one of the two is refused. */
  @JCStressTest
  @Outcome(
      id = {"0, -1", "-1, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class RegisterOrClose {
    private final Region region =
        Region.map(
            MemoryBudget.root("root", 1 << 20),
            RegionOptions.ofSize(1).withHugePages(HugePages.OFF));

    @Actor
    public void register(II_Result result) {
      try {
        RegionLeases.register(region);
      } catch (IllegalStateException closed) {
        result.r1 = REFUSED;
      }
    }

    @Actor
    public void close(II_Result result) {
      try {
        region.close();
      } catch (IllegalStateException refused) {
        result.r2 = REFUSED;
      }
    }

    @Arbiter
    public void after(II_Result result) {
      if (result.r2 == REFUSED) {
        RegionLeases.unregister(region);
        region.close();
      }
    }
  }

  private static int writeAndRead(Region region, long address) {
    try {
      RegionLeases.take(region, 0, 4);
    } catch (IllegalStateException refused) {
      return REFUSED;
    }
    Memory.putInt(address, 1);
    // Not a plain read, which a compiler could answer itself.
    int read = Memory.compareAndSetInt(address, 1, 2) ? 1 : 0;
    RegionLeases.giveBack(region, 0, 4);
    return read;
  }
}
