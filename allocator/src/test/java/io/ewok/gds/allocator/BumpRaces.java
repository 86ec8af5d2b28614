package io.ewok.gds.allocator;

import io.ewok.gds.ffm.unchecked.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZJ_Result;

/** Two threads that allocate from one {@link ConcurrentBumpArena}. */
public final class BumpRaces {
  private static final int BLOCK_BYTES = 4096;

  private BumpRaces() {}

  /**
   * Both allocate twice, at the end of a block: one opens the next, and both go on in it. Nothing
   * overlaps, all is zero, and no block is opened in vain.
   */
  @JCStressTest
  @Outcome(id = "true, true, 8192", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class HandOver {
    private static final int BYTES = 1000;
    private static final int WORDS = BYTES / Long.BYTES;

    private final ConcurrentBumpArena arena =
        new ConcurrentBumpArena(MemoryBudget.root("root", 1 << 20), BLOCK_BYTES);
    private final long[] addresses = new long[4];
    private final boolean[] zero = new boolean[4];

    public HandOver() {
      for (int i = 0; i < 3; i++) {
        long unused = arena.allocate(BYTES);
      }
    }

    @Actor
    public void first() {
      take(0, arena.allocate(BYTES));
      take(1, arena.allocateAligned(BYTES));
    }

    @Actor
    public void second() {
      take(2, arena.allocateAligned(BYTES));
      take(3, arena.allocate(BYTES));
    }

    private void take(int index, long address) {
      addresses[index] = address;
      zero[index] = isFilled(address, 0);
      for (int i = 0; i < WORDS; i++) {
        Memory.putLong(address + (long) i * Long.BYTES, index + 1);
      }
    }

    @Arbiter
    public void after(ZZJ_Result result) {
      result.r1 = true;
      result.r2 = true;
      for (int i = 0; i < addresses.length; i++) {
        result.r1 &= zero[i];
        result.r2 &= isFilled(addresses[i], i + 1);
      }
      result.r3 = arena.memoryUsageBytes();
      arena.close();
    }

    private static boolean isFilled(long address, long pattern) {
      for (int i = 0; i < WORDS; i++) {
        if (Memory.getLong(address + (long) i * Long.BYTES) != pattern) {
          return false;
        }
      }
      return true;
    }
  }
}
