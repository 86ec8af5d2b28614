package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Runs a store beside its model and cuts the power: at every sync, and before some of the writes.
 * What each cut leaves is recovered and compared with the model; then it goes on working, is cut
 * again and recovered again. Recovery itself is cut in the same way, several levels deep, and what
 * is left of it must recover to the same.
 *
 * <p>All chance comes from the seed of the run.
 */
final class CrashProof {
  /** What is asked of the store in one seed's run, in steps of {@link TreeWorkload}. */
  private static final int STEPS = 40;

  /** And before the first cut, so that pages have to leave the pool. */
  private static final int STEPS_TO_FILL = 500;

  private static final int STEPS_AFTER_CUT = 12;
  private static final int LEVELS_MAX = 4;

  /** One write in so many is preceded by a cut. */
  private static final int WRITES_PER_CUT = 16;

  /** In recovery one sync, and one write, in so many: it is run for each cut. */
  private static final int SYNCS_PER_NESTED_CUT = 8;

  private static final int WRITES_PER_NESTED_CUT = 128;

  private static final Path DIRECTORY = Path.of("/trees");

  /** A state that a power cut left, and what must be found there. */
  private record Left(SimEngine engine, TreeModel model) {}

  private final TreeStore.Options options;
  private final SimOptions device;
  private long crashes;

  CrashProof(TreeStore.Options options, SimOptions device) {
    this.options = options;
    this.device = device;
  }

  /** How often the power was cut so far. */
  long crashes() {
    return crashes;
  }

  /** One run, all of it. */
  void run(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    try (SimEngine engine = new SimEngine(seed, device)) {
      TreeStore.create(engine, DIRECTORY, options);
      TreeModel model = new TreeModel();
      SplittableRandom cuts = random.split();
      Runnable cut = () -> follow(new Left(crash(engine, cuts), model.fork()), cuts.split());
      try (TreeStore store = TreeStore.open(engine, DIRECTORY, options)) {
        fill(store, model, random);
        engine.onSync(cut);
        engine.onWrite(() -> sometimes(cuts, WRITES_PER_CUT, cut));
        new TreeWorkload(store, model, random).run(STEPS);
        cut.run();
      }
    } catch (Throwable e) {
      throw new AssertionError("seed=" + seed + " options=" + options, e);
    }
  }

  private static void fill(TreeStore store, TreeModel model, SplittableRandom random)
      throws IOException {
    new TreeWorkload(store, model, random).run(STEPS_TO_FILL);
    store.checkpoint();
    model.acknowledge();
    int unused = model.recovered(store);
  }

  /** What a power cut leads to: recovery, more work, a second cut, recovery. */
  private void follow(Left left, SplittableRandom random) {
    try {
      try (SimEngine engine = left.engine;
          TreeStore store = recover(left, 1, random)) {
        new TreeWorkload(store, left.model, random).run(1 + random.nextInt(STEPS_AFTER_CUT));
        Left again = new Left(crash(engine, random), left.model.fork());
        try (SimEngine _ = again.engine) {
          recover(again, LEVELS_MAX, random).close();
        }
      }
    } catch (IOException e) {
      throw new AssertionError("crashes=" + crashes, e);
    }
  }

  /** Recovers, and recovers what is left of recovery if it is cut; all must come to the same. */
  private TreeStore recover(Left left, int level, SplittableRandom random) throws IOException {
    List<SimEngine> cutShort = new ArrayList<>();
    if (level < LEVELS_MAX) {
      SplittableRandom cuts = random.split();
      Runnable cut = () -> cutShort.add(crash(left.engine, cuts));
      left.engine.onSync(() -> sometimes(cuts, SYNCS_PER_NESTED_CUT, cut));
      left.engine.onWrite(() -> sometimes(cuts, WRITES_PER_NESTED_CUT, cut));
    }
    TreeStore store = TreeStore.open(left.engine, DIRECTORY, options);
    try {
      left.engine.onSync(() -> {});
      left.engine.onWrite(() -> {});
      int unused = left.model.recovered(store);
      for (SimEngine engine : cutShort) {
        try (engine) {
          recover(new Left(engine, left.model.fork()), level + 1, random.split()).close();
        }
      }
      return store;
    } catch (Throwable e) {
      try (store) {
        throw e;
      }
    }
  }

  private static void sometimes(SplittableRandom random, int oneIn, Runnable what) {
    if (random.nextInt(oneIn) == 0) {
      what.run();
    }
  }

  private SimEngine crash(SimEngine engine, SplittableRandom random) {
    crashes++;
    return engine.crash(random.nextLong());
  }
}
