package io.ewok.gds.allocator;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Two threads at one block of a {@link ReadArena}, through its {@link ReadBlocks}. */
public final class ReadRaces {
  private static final int LARGE = 1;
  private static final int PAGES = ReadBlocks.BLOCK_BYTES / 4096;

  private ReadRaces() {}

  private static int generation(long issued) {
    return (int) (issued >>> 32);
  }

  private static int page(long issued) {
    return (int) issued;
  }

  /** Two want the last two pages: one gets both, and they are live. */
  @JCStressTest
  @Outcome(
      id = {"true, false, true", "false, true, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LastPages {
    private final ReadBlocks blocks = new ReadBlocks(1, 0);

    public LastPages() {
      blocks.open(0, LARGE);
      for (int page = 0; page < PAGES - 2; page += 2) {
        long unused = blocks.allocate(0, LARGE, 2);
      }
    }

    @Actor
    public void first(ZZZ_Result result) {
      result.r1 = blocks.allocate(0, LARGE, 2) != 0;
    }

    @Actor
    public void second(ZZZ_Result result) {
      result.r2 = blocks.allocate(0, LARGE, 2) != 0;
    }

    @Arbiter
    public void after(ZZZ_Result result) {
      result.r3 = blocks.liveSize(0, 1, PAGES - 2, 2) == LARGE;
    }
  }

  /** One allocates while the other takes the block for idle: it is closed or used, never both. */
  @JCStressTest
  @Outcome(
      id = {"true, false", "false, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class IdleOrUsed {
    private final ReadBlocks blocks = new ReadBlocks(1, 0);

    public IdleOrUsed() {
      blocks.open(0, LARGE);
    }

    @Actor
    public void allocate(ZZ_Result result) {
      result.r1 = blocks.allocate(0, LARGE, 1) != 0;
    }

    @Actor
    public void close(ZZ_Result result) {
      result.r2 = blocks.closeIfIdle(0);
    }
  }

  /** The last page goes while the block is sealed: exactly one of the two has it then. */
  @JCStressTest
  @Outcome(
      id = {"true, false", "false, true"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class SealedOrReleased {
    private final ReadBlocks blocks = new ReadBlocks(1, 0);
    private final long issued;

    public SealedOrReleased() {
      blocks.open(0, LARGE);
      issued = blocks.allocate(0, LARGE, 1);
    }

    @Actor
    public void release(ZZ_Result result) {
      result.r1 = ReadRaces.release(blocks, issued) == ReadBlocks.After.CLOSED;
    }

    @Actor
    public void seal(ZZ_Result result) {
      result.r2 = blocks.seal(0);
    }
  }

  /**
   * A page is released a second time while the last one of its block goes and the block begins its
   * next life: the page of the next life stays.
   */
  @JCStressTest
  @Outcome(id = "0, true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class StaleRelease {
    private final ReadBlocks blocks = new ReadBlocks(1, 0);
    private final long stale;
    private final long last;

    public StaleRelease() {
      blocks.open(0, LARGE);
      stale = blocks.allocate(0, LARGE, 1);
      last = blocks.allocate(0, LARGE, 1);
      ReadRaces.release(blocks, stale);
      blocks.seal(0);
    }

    @Actor
    public void releaseAgain(IZ_Result result) {
      if (blocks.beginUse(0, generation(stale))) {
        result.r1 = blocks.clear(0, page(stale), 1);
        reuse(blocks.endUses(0, 1 + result.r1));
      }
    }

    @Actor
    public void releaseLast() {
      reuse(ReadRaces.release(blocks, last));
    }

    private void reuse(ReadBlocks.After after) {
      if (after == ReadBlocks.After.CLOSED) {
        blocks.open(0, LARGE);
        long unused = blocks.allocate(0, LARGE, 1);
      }
    }

    @Arbiter
    public void after(IZ_Result result) {
      result.r2 = blocks.liveSize(0, generation(stale) + 1, 0, 1) == LARGE;
    }
  }

  private static ReadBlocks.After release(ReadBlocks blocks, long issued) {
    if (!blocks.beginUse(0, generation(issued))) {
      throw new AssertionError("a live page");
    }
    return blocks.endUses(0, 1 + blocks.clear(0, page(issued), 1));
  }
}
