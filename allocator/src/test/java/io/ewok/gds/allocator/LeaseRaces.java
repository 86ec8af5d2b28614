package io.ewok.gds.allocator;

import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.unchecked.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Cells of a {@link SlabAllocator} that are freed, or whose slab goes, while they are under I/O.
 */
public final class LeaseRaces {
  private static final int BYTES = 32 << 10;
  private static final int WRITTEN = 7;

  private LeaseRaces() {}

  private static SlabAllocator allocator(String name) {
    return new SlabAllocator(
        MemoryBudget.root(name, 1L << 30), SlabOptions.named(name).withHugePages(HugePages.OFF));
  }

  /** The operation ends while the cell is freed: one of the two has the cell, as it was left. */
  @JCStressTest
  @Outcome(
      id = {"7, -1", "-1, 7"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class EndOrFree {
    private final CellLeases leases = new CellLeases(1);
    private int memory;

    public EndOrFree() {
      leases.begin(0);
    }

    @Actor
    public void end(II_Result result) {
      memory = WRITTEN;
      result.r1 = leases.end(0) ? memory : -1;
    }

    @Actor
    public void free(II_Result result) {
      result.r2 = leases.defer(0) ? -1 : memory;
    }
  }

  /** Two operations on a freed cell end: one of them makes it free. */
  @JCStressTest
  @Outcome(
      id = {"true, false", "false, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LastOfTwo {
    private final CellLeases leases = new CellLeases(1);

    public LastOfTwo() {
      leases.begin(0);
      leases.begin(0);
      if (!leases.defer(0)) {
        throw new AssertionError("under I/O");
      }
    }

    @Actor
    public void first(ZZ_Result result) {
      result.r1 = leases.end(0);
    }

    @Actor
    public void second(ZZ_Result result) {
      result.r2 = leases.end(0);
    }
  }

  /** An operation begins by mistake on a freed cell while the last proper one ends. */
  @JCStressTest
  @Outcome(
      id = {"true, false, false", "false, true, false"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LateOperation {
    private final CellLeases leases = new CellLeases(1);

    public LateOperation() {
      leases.begin(0);
      if (!leases.defer(0)) {
        throw new AssertionError("under I/O");
      }
    }

    @Actor
    public void end(ZZZ_Result result) {
      result.r1 = leases.end(0);
    }

    @Actor
    public void operate(ZZZ_Result result) {
      leases.begin(0);
      result.r2 = leases.end(0);
    }

    @Arbiter
    public void after(ZZZ_Result result) {
      result.r3 = leases.isAny();
    }
  }

  /** Two operations are the first in their slab: whoever hears of one frees with care. */
  @JCStressTest
  @Outcome(id = "true, true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class FirstTwo extends OneSlab {
    @Actor
    public void first(ZZ_Result result) {
      result.r1 = slab.lease(0, BYTES) && slab.simpleHeap == null;
    }

    @Actor
    public void second(ZZ_Result result) {
      result.r2 = slab.lease(BYTES, 2 * BYTES) && slab.simpleHeap == null;
    }
  }

  /** An operation begins while the slab goes: not both. */
  @JCStressTest
  @Outcome(
      id = {"true, false", "false, true", "false, false"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LeaseOrRetire extends OneSlab {
    @Actor
    public void lease(ZZ_Result result) {
      result.r1 = slab.lease(0, BYTES);
    }

    @Actor
    public void retire(ZZ_Result result) {
      result.r2 = slab.tryRetire();
    }
  }

  /** A slab of two cells, both of them in it. */
  @State
  public static class OneSlab {
    private static final NodeHeap HEAP = allocator("one slab").heap(0);
    private static final int SIZE_CLASS = SizeClasses.indexOf(BYTES);
    private static final Unit UNIT =
        new Unit(Region.reserve(MemoryBudget.root("unit", 0), RegionOptions.ofSize(Unit.BYTES)), 0);

    final Slab slab =
        new Slab(HEAP, SIZE_CLASS, 1, 0, UNIT, 0, SizeClasses.blocks(SIZE_CLASS), 0, true);
  }

  /**
   * A cell is freed and allocated again while the operation on it ends: it has one owner, who finds
   * it as the operation left it, and whose bytes stay.
   */
  @JCStressTest
  @Outcome(
      id = {"7, 9, 0", "-1, 9, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class EndOrReuse {
    private static final SlabAllocator ALLOCATOR = allocator("end or reuse");

    private final long old = ALLOCATOR.allocate(BYTES);
    private final long address = ALLOCATOR.address(old);
    private final Region region = ALLOCATOR.region(old);
    private final long offset = ALLOCATOR.offset(old);
    private long reused;

    public EndOrReuse() {
      RegionLeases.take(region, offset, BYTES);
    }

    @Actor
    public void operate() {
      Memory.putLong(address, WRITTEN);
      RegionLeases.giveBack(region, offset, BYTES);
    }

    @Actor
    public void reuse(III_Result result) {
      ALLOCATOR.free(old);
      reused = ALLOCATOR.allocate(BYTES);
      long now = ALLOCATOR.address(reused);
      result.r1 = now == address ? (int) Memory.getLong(now) : -1;
      Memory.putLong(now, 9);
    }

    @Arbiter
    public void after(III_Result result) {
      result.r2 = (int) Memory.getLong(ALLOCATOR.address(reused));
      ALLOCATOR.free(reused);
      result.r3 = (int) ALLOCATOR.stats().deferredCells();
    }
  }
}
