package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Somebody wants a page while its frame is given to another. */
public final class EvictionRaces {
  private static final int BLOCKS = 24;
  private static final CachedBlockFile FILE = open();
  private static final int LENGTH_BYTES = 4096;

  private EvictionRaces() {}

  private static CachedBlockFile open() {
    try {
      SimEngine engine = new SimEngine(1);
      Path path = Path.of("/blocks");
      BufferFixture.writeBlocks(engine, path, BLOCKS);
      BufferOptions options =
          new BufferOptions(8 * 4096, 4096, null).withWaitMax(Duration.ofMinutes(1));
      return new BufferManager(engine, BufferFixture.budget(), options)
          .openBlocks(path, BufferFixture::verifyBlock);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Three frames in a table so small that all are in one chain or two. */
  private static final class Pool {
    final FrameLines lines = new FrameLines(3);
    final Frame[] frames = BufferFixture.frames(lines, 3);
    final FrameIndex index = new FrameIndex(lines, frames, 1, 2);

    /** What each frame's page says, plain. */
    final int[] content = new int[frames.length];

    Pool() {
      for (Frame frame : frames) {
        fill(frame, frame.index + 1);
      }
    }

    void fill(Frame frame, int page) {
      frame.file = FILE;
      frame.key = page;
      lines.bind(frame.line, FILE, page, LENGTH_BYTES);
      index.put(frame);
      content[frame.index] = page;
      frame.release(true);
    }

    void replace(Frame frame, int page) {
      if (frame.tryClaim()) {
        index.remove(frame);
        lines.unbind(frame.line);
        frame.file = null;
        fill(frame, page);
      }
    }
  }

  /** Who has latched a page has that page, until it lets go. */
  @JCStressTest
  @Outcome(
      id = {"2", "-1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LatchOrEvict {
    private final Pool pool = new Pool();

    @Actor
    public void latch(I_Result result) {
      int found = pool.index.peek(FILE, 2);
      result.r1 = -1;
      if (pool.lines.tryLatch(found, 2, FILE.held(LENGTH_BYTES), false)) {
        result.r1 = pool.content[FrameLines.frame(found)];
        pool.lines.release(found, false);
      }
    }

    @Actor
    public void evict() {
      pool.replace(pool.frames[1], 7);
      pool.replace(pool.frames[0], 2);
    }
  }

  /** Who looks at a page sees that page, or is told that it did not. */
  @JCStressTest
  @Outcome(
      id = {"2", "-1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LookOrEvict {
    private final Pool pool = new Pool();
    private final Fix fix = new Fix();

    @Actor
    public void look(I_Result result) {
      int line = pool.index.peek(FILE, 2);
      result.r1 = -1;
      long held = FILE.held(LENGTH_BYTES);
      if (FrameLines.look(pool.lines.words(), line, 2, held, fix)) {
        int content = pool.content[FrameLines.frame(line)];
        result.r1 = pool.lines.validate(line, fix.stamp()) ? content : -1;
      }
    }

    @Actor
    public void evict() {
      pool.replace(pool.frames[1], 7);
      pool.replace(pool.frames[1], 8);
    }
  }

  /**
   * The same when all that changes lies in the frame's line, again and again: whoever looks at what
   * it holds before it takes the stamp believes what is no more.
   */
  @JCStressTest
  @Outcome(id = "0", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LookOrRebind {
    private static final int ROUNDS = 20;

    private final Pool pool = new Pool();
    private final Fix fix = new Fix();
    private final int line = pool.frames[1].line;

    @Actor
    public void look(I_Result result) {
      FrameLines lines = pool.lines;
      int wrong = 0;
      for (int i = 0; i < ROUNDS; i++) {
        if (FrameLines.look(lines.words(), line, 2, FILE.held(LENGTH_BYTES), fix)) {
          boolean held = lines.holds(line, FILE, 2);
          wrong += !held && lines.validate(line, fix.stamp()) ? 1 : 0;
        }
      }
      result.r1 = wrong;
    }

    @Actor
    public void rebind() {
      for (int i = 0; i < ROUNDS; i++) {
        if (pool.frames[1].tryClaim()) {
          pool.lines.bind(line, FILE, i % 2 == 0 ? 7 : 2, LENGTH_BYTES);
          pool.frames[1].release(true);
        }
      }
    }
  }

  /** As {@link LookOrRebind}, by who latches it on the way of a hit. */
  @JCStressTest
  @Outcome(id = "0", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class ShareOrRebind {
    private static final int ROUNDS = 20;

    private final Pool pool = new Pool();
    private final int line = pool.frames[1].line;

    @Actor
    public void share(I_Result result) {
      FrameLines lines = pool.lines;
      int wrong = 0;
      for (int i = 0; i < ROUNDS; i++) {
        if (FrameLines.tryShare(lines.words(), line, 2, FILE.held(LENGTH_BYTES))) {
          wrong += lines.holds(line, FILE, 2) ? 0 : 1;
          lines.release(line, false);
        }
      }
      result.r1 = wrong;
    }

    @Actor
    public void rebind() {
      for (int i = 0; i < ROUNDS; i++) {
        if (pool.frames[1].tryClaim()) {
          pool.lines.bind(line, FILE, i % 2 == 0 ? 7 : 2, LENGTH_BYTES);
          pool.frames[1].release(true);
        }
      }
    }
  }

  /** A real pool with fewer frames than blocks: whatever comes between, each gets its block. */
  @JCStressTest
  @Outcome(id = "true, true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoFault {
    private static final AtomicInteger STATES = new AtomicInteger();

    private final long offset = STATES.getAndIncrement() % BLOCKS * (long) BufferFixture.UNIT;

    @Actor
    public void first(ZZ_Result result) {
      result.r1 = read(offset);
    }

    @Actor
    public void second(ZZ_Result result) {
      result.r2 = read(offset);
    }

    private static boolean read(long offset) {
      try (Fix fix = new Fix()) {
        FILE.fix(offset, BufferFixture.UNIT, fix);
        return fix.segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 0) == offset;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
