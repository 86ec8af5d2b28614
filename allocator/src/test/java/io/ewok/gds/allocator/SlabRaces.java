package io.ewok.gds.allocator;

import io.ewok.gds.ffm.unchecked.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIJ_Result;
import org.openjdk.jcstress.infra.results.IIZ_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Two threads at one {@link SlabAllocator}, with any-thread calls. */
public final class SlabRaces {
  private static final int FREED = 1;
  private static final int STALE = -1;

  private SlabRaces() {}

  private static SlabAllocator allocator(String name) {
    return new SlabAllocator(
        MemoryBudget.root(name, 1L << 30), SlabOptions.named(name).withHugePages(HugePages.OFF));
  }

  private static int tryFree(SlabAllocator allocator, long handle) {
    try {
      allocator.free(handle);
      return FREED;
    } catch (StaleHandleException stale) {
      return STALE;
    }
  }

  /** Two free one handle: one succeeds, and the cell is free once. */
  @JCStressTest
  @Outcome(
      id = {"1, -1, true", "-1, 1, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class FreeTwice {
    private static final SlabAllocator ALLOCATOR = allocator("free twice");

    private final long handle = ALLOCATOR.allocate(64);

    @Actor
    public void first(IIZ_Result result) {
      result.r1 = tryFree(ALLOCATOR, handle);
    }

    @Actor
    public void second(IIZ_Result result) {
      result.r2 = tryFree(ALLOCATOR, handle);
    }

    @Arbiter
    public void after(IIZ_Result result) {
      long one = ALLOCATOR.allocate(64);
      long other = ALLOCATOR.allocate(64);
      result.r3 = ALLOCATOR.address(one) != ALLOCATOR.address(other);
      ALLOCATOR.free(one);
      ALLOCATOR.free(other);
    }
  }

  /** Two allocate and write: neither disturbs the other, and what was zeroed is zero. */
  @JCStressTest
  @Outcome(id = "true, true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class AllocateTwo {
    private static final SlabAllocator ALLOCATOR = allocator("allocate two");

    private long first;
    private long second;

    @Actor
    public void first() {
      first = ALLOCATOR.allocateZeroed(64);
      bump(first, 1);
    }

    @Actor
    public void second() {
      second = ALLOCATOR.allocateZeroed(64);
      bump(second, 2);
    }

    @Arbiter
    public void after(ZZ_Result result) {
      result.r1 = Memory.getLong(ALLOCATOR.address(first)) == 1;
      result.r2 = Memory.getLong(ALLOCATOR.address(second)) == 2;
      ALLOCATOR.free(first);
      ALLOCATOR.free(second);
    }

    private static void bump(long handle, long by) {
      long address = ALLOCATOR.address(handle);
      Memory.putLong(address, Memory.getLong(address) + by);
    }
  }

  /** One frees a cell that it has written to while the other allocates, perhaps the same. */
  @JCStressTest
  @Outcome(id = "2, -1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class FreeOrReuse {
    private static final SlabAllocator ALLOCATOR = allocator("free or reuse");

    private final long old = ALLOCATOR.allocate(64);
    private long reused;

    @Actor
    public void free() {
      Memory.putLong(ALLOCATOR.address(old), 1);
      ALLOCATOR.free(old);
    }

    @Actor
    public void reuse() {
      reused = ALLOCATOR.allocate(64);
      Memory.putLong(ALLOCATOR.address(reused), 2);
    }

    @Arbiter
    public void after(II_Result result) {
      result.r1 = (int) Memory.getLong(ALLOCATOR.address(reused));
      result.r2 = tryFree(ALLOCATOR, old);
      ALLOCATOR.free(reused);
    }
  }

  /** One frees while the other looks: it sees the cell or is told that the handle is stale. */
  @JCStressTest
  @Outcome(
      id = {"1, -1", "-1, -1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class FreeOrLook {
    private static final SlabAllocator ALLOCATOR = allocator("free or look");

    // Alone in its slab, so that the slab goes away with it.
    private final long handle = ALLOCATOR.allocate(SlabAllocator.BYTES_MAX);

    @Actor
    public void free() {
      ALLOCATOR.free(handle);
    }

    @Actor
    public void look(II_Result result) {
      result.r1 = tryLook(handle);
    }

    @Arbiter
    public void after(II_Result result) {
      result.r2 = tryLook(handle);
    }

    private static int tryLook(long handle) {
      try {
        return ALLOCATOR.segment(handle).byteSize() == SlabAllocator.BYTES_MAX ? 1 : 0;
      } catch (StaleHandleException stale) {
        return STALE;
      }
    }
  }

  /** One uses memory while the other returns what is unused to the system. */
  @JCStressTest
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class UseOrTrim {
    private static final SlabAllocator ALLOCATOR = allocator("use or trim");

    @Actor
    public void use(II_Result result) {
      long handle = ALLOCATOR.allocate(SlabAllocator.BYTES_MAX);
      long address = ALLOCATOR.address(handle);
      Memory.putLong(address, 7);
      // Not a plain read, which a compiler could answer itself.
      result.r1 = Memory.compareAndSetLong(address, 7, 8) ? 1 : 0;
      ALLOCATOR.free(handle);
    }

    @Actor
    public void trim(II_Result result) {
      result.r2 = ALLOCATOR.trim() >= 0 ? 1 : 0;
    }
  }

  /**
   * Two shards take and free all that there is, so that magazines, slabs and cells change hands all
   * the time: nobody writes into another's cell.
   */
  @JCStressTest
  @Outcome(id = "true, true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Exchange {
    private static final SlabAllocator ALLOCATOR =
        new SlabAllocator(
            MemoryBudget.root("exchange", Region.UNIT_BYTES), SlabOptions.named("exchange"));
    private static final int BYTES = 40 << 10;

    /** Of 32 or more. */
    private static final int CELLS = 24;

    @Actor
    public void first(ZZ_Result result) {
      result.r1 = useAll(1);
    }

    @Actor
    public void second(ZZ_Result result) {
      result.r2 = useAll(2);
    }

    private static boolean useAll(long mark) {
      try (SlabShard shard = ALLOCATOR.shard()) {
        long[] handles = new long[CELLS];
        int count = shard.allocateBatch(BYTES, handles, 0, CELLS);
        for (int i = 0; i < count; i++) {
          Memory.putLong(ALLOCATOR.address(handles[i]), mark);
        }
        boolean mine = true;
        for (int i = 0; i < count; i++) {
          mine &= Memory.compareAndSetLong(ALLOCATOR.address(handles[i]), mark, 0);
        }
        shard.freeBatch(handles, 0, count);
        return mine;
      }
    }
  }

  /** Two want one stripe: they are in it one after the other. */
  @JCStressTest
  @Outcome(
      id = {"1, 1, 2", "1, 0, 1", "0, 1, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class OneStripe {
    private final TryLock lock = new TryLock();
    private long visits;

    @Actor
    public void first(IIJ_Result result) {
      result.r1 = visit();
    }

    @Actor
    public void second(IIJ_Result result) {
      result.r2 = visit();
    }

    @Arbiter
    public void after(IIJ_Result result) {
      result.r3 = visits;
    }

    private int visit() {
      if (!lock.tryEnter()) {
        return 0;
      }
      visits++;
      lock.leave();
      return 1;
    }
  }
}
