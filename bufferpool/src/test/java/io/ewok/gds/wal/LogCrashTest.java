package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A failure names the seed, which is the whole input of its run. */
final class LogCrashTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);

  @Test
  void crashRecoverAppendCrashRecover() throws IOException {
    for (long seed = 0; seed < 400; seed++) {
      try {
        crashRepeatedly(seed);
      } catch (Throwable e) {
        throw new AssertionError("seed=" + seed, e);
      }
    }
  }

  private static void crashRepeatedly(long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    SimEngine engine = new SimEngine(seed);
    LogModel model = new LogModel();
    for (int life = 0; life < 6; life++) {
      List<LogModel.Entry> replayed = new ArrayList<>();
      WriteAheadLog log = LogModel.open(engine, SMALL, replayed);
      model.recovered(replayed);
      work(log, model, random, 1 + random.nextInt(12));
      if (random.nextInt(4) == 0) {
        log.close();
        model.closed();
      }
      // Sometimes the process dies and the machine goes on; sometimes power goes too.
      engine = random.nextInt(5) == 0 ? engine : engine.crash(random.nextLong());
    }
  }

  @Test
  void recordsCutOffByARecoveryStayCutOffWhenNewOnesFitExactlyBeforeThem() throws IOException {
    // One record a block and all of one length: only the incarnation tells a cut-off block from its
    // successor.
    LogOptions oneRecordBlocks = new LogOptions(16 << 10, 4, 4 << 10);
    for (long seed = 0; seed < 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      SimEngine engine = new SimEngine(seed);
      LogModel model = new LogModel();
      for (int life = 0; life < 4; life++) {
        List<LogModel.Entry> replayed = new ArrayList<>();
        WriteAheadLog log = LogModel.open(engine, oneRecordBlocks, replayed);
        try {
          model.recovered(replayed);
        } catch (AssertionError e) {
          throw new AssertionError("seed=" + seed, e);
        }
        for (int i = 0; i < 4; i++) {
          append(log, model, random, 3000);
        }
        engine = engine.crash(random.nextLong());
      }
    }
  }

  @Test
  void nothingAcknowledgedIsLostWhereverASyncIsCut() throws IOException {
    int[] cuts = {0};
    for (long seed = 0; seed < 25; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      SimEngine engine = new SimEngine(seed);
      LogModel model = new LogModel();
      SplittableRandom future = random.split();
      long named = seed;
      engine.onSync(
          () -> {
            for (int i = 0; i < 3; i++) {
              cuts[0]++;
              follow(engine, model.fork(), future.split(), named);
            }
          });
      WriteAheadLog log = LogModel.open(engine, SMALL);
      work(log, model, random, 40);
      log.close();
    }
    assertTrue(cuts[0] > 2000, () -> "cuts=" + cuts[0]);
  }

  /** What a power cut at this moment leads to: recovery, more work, a second cut, recovery. */
  private static void follow(SimEngine engine, LogModel model, SplittableRandom random, long seed) {
    long first = random.nextLong();
    try {
      SimEngine after = engine.crash(first);
      for (int life = 0; life < 2; life++) {
        List<LogModel.Entry> replayed = new ArrayList<>();
        WriteAheadLog log = LogModel.open(after, SMALL, replayed);
        model.recovered(replayed);
        work(log, model, random, 3);
        after = after.crash(random.nextLong());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("seed=" + seed + " cut=" + engine.syncCount(), e);
    } catch (AssertionError e) {
      throw new AssertionError("seed=" + seed + " cut=" + engine.syncCount(), e);
    }
  }

  private static void work(WriteAheadLog log, LogModel model, SplittableRandom random, int steps)
      throws IOException {
    for (int step = 0; step < steps; step++) {
      switch (random.nextInt(8)) {
        case 0, 1, 2 -> model.sync(log);
        case 3 -> model.truncate(log, random);
        case 4 -> append(log, model, random, 1 + random.nextInt((int) log.recordBytesMax()));
        default -> append(log, model, random, 1 + random.nextInt(2000));
      }
    }
  }

  private static void append(WriteAheadLog log, LogModel model, SplittableRandom random, int length)
      throws IOException {
    try {
      model.append(log, random, length);
    } catch (LogFullException e) {
      model.forgetLast();
      model.sync(log);
      model.truncate(log, random);
    }
  }
}
