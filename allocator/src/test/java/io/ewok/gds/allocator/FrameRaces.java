package io.ewok.gds.allocator;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** The owner of a {@link FramePool} against operations that end on other threads. */
public final class FrameRaces {
  private static final int FRAME_BYTES = 512;
  private static final int NOT_YET = -1;

  private FrameRaces() {}

  /**
   * The owner frees a frame while the operation on it ends. The frame is free at once or comes back
   * once; whoever has it again sees all that the operation wrote.
   */
  @JCStressTest
  @Outcome(
      id = {"7, 7, 0", "-1, 7, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class FreeOrEnd {
    private final LeasedFrames frames = new LeasedFrames(1, FRAME_BYTES);
    private int memory;

    public FreeOrEnd() {
      frames.leased(0, FRAME_BYTES);
    }

    @Actor
    public void operate() {
      memory = 7;
      frames.unleased(0, FRAME_BYTES);
    }

    @Actor
    public void free(III_Result result) {
      result.r1 = !frames.defer(0) || frames.takeReturned() == 0 ? memory : NOT_YET;
    }

    @Arbiter
    public void after(III_Result result) {
      result.r2 = memory;
      result.r3 = drain(frames);
    }
  }

  /** Two operations on a frame that is freed already end: it comes back once. */
  @JCStressTest
  @Outcome(id = "1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LastOfTwo {
    private final LeasedFrames frames = new LeasedFrames(1, FRAME_BYTES);

    public LastOfTwo() {
      frames.leased(0, FRAME_BYTES);
      frames.leased(0, FRAME_BYTES);
      if (!frames.defer(0)) {
        throw new AssertionError("under I/O");
      }
    }

    @Actor
    public void first() {
      frames.unleased(0, FRAME_BYTES);
    }

    @Actor
    public void second() {
      frames.unleased(0, FRAME_BYTES);
    }

    @Arbiter
    public void after(I_Result result) {
      result.r1 = drain(frames);
    }
  }

  /**
   * An operation starts on a frame that was freed, while the last proper one ends. It comes back
   * once, and nobody seems to be in it then.
   */
  @JCStressTest
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LateOperation {
    private final LeasedFrames frames = new LeasedFrames(1, FRAME_BYTES);

    public LateOperation() {
      frames.leased(0, FRAME_BYTES);
      if (!frames.defer(0)) {
        throw new AssertionError("under I/O");
      }
    }

    @Actor
    public void end() {
      frames.unleased(0, FRAME_BYTES);
    }

    @Actor
    public void operate() {
      frames.leased(0, FRAME_BYTES);
      frames.unleased(0, FRAME_BYTES);
    }

    @Arbiter
    public void after(II_Result result) {
      result.r1 = drain(frames);
      result.r2 = frames.defer(0) ? 1 : 0;
    }
  }

  /** The owner collects what has come back while more comes back: each frame is there once. */
  @JCStressTest
  @Outcome(
      id = {"0, 2", "1, 1", "2, 0"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class CollectOrReturn {
    private final LeasedFrames frames = new LeasedFrames(2, FRAME_BYTES);

    public CollectOrReturn() {
      frames.leased(0, 2 * FRAME_BYTES);
      if (!frames.defer(0) || !frames.defer(1)) {
        throw new AssertionError("under I/O");
      }
    }

    @Actor
    public void operate() {
      frames.unleased(0, 2 * FRAME_BYTES);
    }

    @Actor
    public void collect(II_Result result) {
      result.r1 = drain(frames);
    }

    @Arbiter
    public void after(II_Result result) {
      result.r2 = drain(frames);
    }
  }

  /** Returns how many frames have come back. */
  private static int drain(LeasedFrames frames) {
    int count = 0;
    for (int frame = frames.takeReturned(); frame >= 0; frame = frames.nextReturned(frame)) {
      count++;
    }
    return count;
  }
}
