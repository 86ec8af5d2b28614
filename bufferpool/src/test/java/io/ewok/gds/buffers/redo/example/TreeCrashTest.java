package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A failure names the seed, which is the whole input of its run. */
final class TreeCrashTest {
  private static final Path DIRECTORY = Path.of("/trees");

  /** Pages of one sector are not torn. */
  private static final TreeStore.Options OPTIONS =
      TreeStore.Options.small(PageSize.BYTES_512, PageSize.BYTES_512, TornPages.NONE);

  @Test
  void crashRecoverAppendCrashRecover() throws IOException {
    for (long seed = 0; seed < 40; seed++) {
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
    TreeStore.create(engine, DIRECTORY, OPTIONS);
    TreeModel model = new TreeModel();
    for (int life = 0; life < 5; life++) {
      try (SimEngine running = engine;
          TreeStore store = TreeStore.open(engine, DIRECTORY, OPTIONS)) {
        int unused = model.recovered(store);
        new TreeWorkload(store, model, random).run(10 + random.nextInt(60));
        engine = running.crash(random.nextLong()); // what close does is too late
      }
    }
  }
}
