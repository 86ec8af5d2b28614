package io.ewok.gds.wal.cache;

import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/**
 * One who writes and one who reads a {@link TailWindow} of two words. Each word is one more than
 * its position; -1 stands for what was refused.
 */
public final class TailWindowRaces {
  private static final int WORDS = 2;

  private TailWindowRaces() {}

  private static TailWindow window() {
    return new TailWindow(MemorySegment.ofArray(new long[WORDS]));
  }

  private static void write(TailWindow window, long lsn) {
    window.write(lsn, MemorySegment.ofArray(new long[] {lsn + 1, lsn + Long.BYTES + 1}));
  }

  private static void read(TailWindow window, long lsn, JJ_Result result) {
    long[] words = new long[WORDS];
    boolean read = window.read(lsn, WORDS * (long) Long.BYTES, MemorySegment.ofArray(words), 0);
    result.r1 = read ? words[0] : -1;
    result.r2 = read ? words[1] : -1;
  }

  /** What is written is there as a whole, or not yet. */
  @JCStressTest
  @Outcome(
      id = {"1, 9", "-1, -1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Publish {
    private final TailWindow window = window();

    @Actor
    public void write() {
      TailWindowRaces.write(window, 0);
    }

    @Actor
    public void read(JJ_Result result) {
      TailWindowRaces.read(window, 0, result);
    }
  }

  /** What leaves the window is read as it was, or refused. */
  @JCStressTest
  @Outcome(
      id = {"1, 9", "-1, -1"},
      expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Overwrite {
    private final TailWindow window = window();

    public Overwrite() {
      TailWindowRaces.write(window, 0);
    }

    @Actor
    public void write() {
      TailWindowRaces.write(window, 16);
    }

    @Actor
    public void read(JJ_Result result) {
      TailWindowRaces.read(window, 0, result);
    }
  }

  /** Nobody takes what lies before the first bytes that were written for bytes of the log. */
  @JCStressTest
  @Outcome(id = "-1, -1", expect = Expect.ACCEPTABLE)
  @Outcome(expect = Expect.FORBIDDEN)
  @State
  public static class Begin {
    private final TailWindow window = window();

    @Actor
    public void write() {
      TailWindowRaces.write(window, 64);
    }

    @Actor
    public void read(JJ_Result result) {
      TailWindowRaces.read(window, 48, result);
    }
  }
}
