package io.ewok.gds.buffers;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.Z_Result;

/** Two threads at the {@link Latch} of one frame. Everything it guards is plain. */
public final class LatchRaces {
  /** Generous: a machine that builds something else beside must not reach it. */
  private static final long LIMIT_NANOS = 20_000_000_000L;

  private LatchRaces() {}

  private static Latch free() {
    Latch latch = new Latch(new long[] {Latch.EXCLUSIVE}, 0);
    latch.release(true);
    return latch;
  }

  private static void take(Latch latch, boolean exclusive) {
    while (!latch.tryLatch(exclusive)) {
      Thread.onSpinWait();
    }
  }

  /** What validates was there at the same time. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 1", "-1, -1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LookOrChange {
    private final Latch latch = free();
    private int one;
    private int two;

    @Actor
    public void look(II_Result result) {
      long stamp = latch.stamp();
      int first = one;
      int second = two;
      boolean valid = Latch.isStamp(stamp) && latch.validate(stamp);
      result.r1 = valid ? first : -1;
      result.r2 = valid ? second : -1;
    }

    @Actor
    public void change() {
      take(latch, true);
      one = 1;
      two = 1;
      latch.release(true);
    }
  }

  /** The same, when the one who looks does so in the other order. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 1", "-1, -1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LookBackOrChange {
    private final Latch latch = free();
    private int one;
    private int two;

    @Actor
    public void look(II_Result result) {
      long stamp = latch.stamp();
      int second = two;
      int first = one;
      boolean valid = Latch.isStamp(stamp) && latch.validate(stamp);
      result.r1 = valid ? first : -1;
      result.r2 = valid ? second : -1;
    }

    @Actor
    public void change() {
      take(latch, true);
      one = 1;
      two = 1;
      latch.release(true);
    }
  }

  /** Who has it exclusively is alone. */
  @JCStressTest
  @Outcome(id = "2", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoChange {
    private final Latch latch = free();
    private int count;

    @Actor
    public void first() {
      increment();
    }

    @Actor
    public void second() {
      increment();
    }

    private void increment() {
      take(latch, true);
      count++;
      latch.release(true);
    }

    @Arbiter
    public void after(I_Result result) {
      result.r1 = count;
    }
  }

  /** Who has it shared sees all of a change or nothing. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class ReadOrChange {
    private final Latch latch = free();
    private int one;
    private int two;

    @Actor
    public void read(II_Result result) {
      take(latch, false);
      result.r2 = two;
      result.r1 = one;
      latch.release(false);
    }

    @Actor
    public void change() {
      take(latch, true);
      one = 1;
      two = 1;
      latch.release(true);
    }
  }

  /** Two who have it shared let go: it is free. */
  @JCStressTest
  @Outcome(id = "1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class TwoRead {
    private final Latch latch = free();

    @Actor
    public void first() {
      take(latch, false);
      latch.release(false);
    }

    @Actor
    public void second() {
      take(latch, false);
      latch.release(false);
    }

    @Arbiter
    public void after(I_Result result) {
      result.r1 = latch.tryClaim() ? 1 : 0;
    }
  }

  /** Who waits for a latch is woken by who has it, or sees that it is free. */
  @JCStressTest
  @Outcome(id = "true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class WaitOrRelease {
    private final PoolWaits waits = new PoolWaits(LIMIT_NANOS, new AtomicInteger());
    private final Frame frame = BufferFixture.frame();

    @Actor
    public void release() {
      waits.release(frame, true);
    }

    @Actor
    public void await(Z_Result result) {
      waits.lock.lock();
      boolean inTime = true;
      while (inTime && !frame.tryLatch(false)) {
        inTime = waits.awaitLatch(frame, false, waits.deadline());
      }
      result.r1 = inTime;
      waits.lock.unlock();
    }
  }

  /** Who waits for room is woken by who lets go of a frame, or sees that it is idle. */
  @JCStressTest
  @Outcome(id = "true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class RoomOrRelease {
    private final PoolWaits waits = new PoolWaits(LIMIT_NANOS, new AtomicInteger());
    private final Frame frame = BufferFixture.frame();

    public RoomOrRelease() {
      frame.share();
    }

    @Actor
    public void release() {
      waits.release(frame, false);
    }

    @Actor
    public void await(Z_Result result) {
      waits.lock.lock();
      waits.wantRoom();
      result.r1 = frame.isIdle() || waits.awaitRoom(waits.deadline());
      waits.lock.unlock();
    }
  }

  /**
   * A change is logged while others log, too, and somebody asks from where the log is needed: not
   * later than where the change is.
   */
  @JCStressTest
  @Outcome(id = "true", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class LogOrAsk {
    private final AtomicLong end = new AtomicLong(100);
    private final Frame frame = BufferFixture.frame();
    private long logged;
    private long redo;

    public LogOrAsk() {
      frame.release(true);
    }

    @Actor
    public void change() {
      take(frame, true);
      frame.latchedLsn = end.get();
      logged = end.getAndAdd(10);
      frame.recLsn = frame.latchedLsn;
      frame.dirty = true;
      frame.release(true);
    }

    @Actor
    public void ask() {
      long oldest = end.get();
      redo = Math.min(oldest, frame.redoLsn());
    }

    @Actor
    public void logElsewhere() {
      end.getAndAdd(5);
    }

    @Arbiter
    public void after(Z_Result result) {
      result.r1 = redo <= logged;
    }
  }
}
