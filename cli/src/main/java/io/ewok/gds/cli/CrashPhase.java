package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreCursor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Lets a second process load a store with synced writes, kills it in the middle, opens the store,
 * and checks that every record the process saw acknowledged is there, and that what else is there
 * is right.
 */
final class CrashPhase {
  private static final int WRITERS = 32;

  /** When the device is slow, the kill does not wait for its share of the records. */
  private static final long DEADLINE_MILLIS_MIN = 2500;

  private static final long DEADLINE_MILLIS_RANGE = 2000;

  private final DemoPlan plan;
  private final DemoWorkspace workspace;
  private final Streams streams;
  private final BitSet acknowledged = new BitSet();
  private final AtomicReference<Throwable> feederFailure = new AtomicReference<>();

  CrashPhase(DemoPlan plan, DemoWorkspace workspace, Streams streams) {
    this.plan = plan;
    this.workspace = workspace;
    this.streams = streams;
  }

  /**
   * What came out.
   *
   * @param acknowledged records the process saw acknowledged, all of them found
   * @param found records in the store after the kill
   * @param loadNanos from the first acknowledgement to the kill
   * @param recoveryNanos what opening the store took
   * @param nanos all of the phase
   */
  record Result(int acknowledged, long found, long loadNanos, long recoveryNanos, long nanos) {}

  Result run() throws IOException {
    long start = System.nanoTime();
    int[] order = plan.data().shuffled(plan.seed() + 1);
    long loadNanos;
    try (LoaderProcess loader =
        LoaderProcess.start(workspace.killedStore(), workspace.loaderErrors(), childOptions())) {
      Thread feeder =
          Thread.ofPlatform()
              .daemon()
              .name("gds-demo-feeder")
              .start(
                  () -> {
                    try {
                      loader.feed(plan.data(), order);
                    } catch (IOException | RuntimeException | Error e) {
                      feederFailure.set(e);
                      loader.kill();
                    }
                  });
      loadNanos = loadAndKill(loader);
      loader.requireKilled();
      feeder.interrupt();
    }
    if (feederFailure.get() != null) {
      throw CommandFailure.failed(
          "the loading process could not be fed: " + Failures.message(feederFailure.get()));
    }
    long recovery = System.nanoTime();
    long found;
    long recoveryNanos;
    try (Store store = Store.open(workspace.killedStore(), plan.options())) {
      recoveryNanos = System.nanoTime() - recovery;
      found = check(store, order);
    }
    return new Result(
        acknowledged.cardinality(), found, loadNanos, recoveryNanos, System.nanoTime() - start);
  }

  private List<String> childOptions() {
    String engine = plan.options().engine().wanted().name().toLowerCase(Locale.ROOT);
    long memory = plan.options().memoryBytes();
    return List.of(
        "--engine", engine, "--memory", Long.toString(memory), "--threads", "" + WRITERS);
  }

  /** Returns the time from the first acknowledgement to the kill. */
  private long loadAndKill(LoaderProcess loader) throws IOException {
    SplittableRandom random = new SplittableRandom(plan.seed());
    int recordCount = plan.data().count();
    int killAfter = Math.max(1, (int) (recordCount * random.nextDouble(0.3, 0.7)));
    long deadlineNanos =
        TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS_MIN + random.nextLong(DEADLINE_MILLIS_RANGE));
    long first = 0;
    long killed = 0;
    int count = 0; // Counting the bits anew for each would be quadratic.
    try (Progress progress = Progress.start(streams, "loading, to kill", 0, Units::count)) {
      int number = loader.nextAcknowledged();
      while (number >= 0) {
        workspace.checkNotCancelled();
        long now = System.nanoTime();
        first = acknowledged.isEmpty() ? now : first;
        acknowledged.set(number);
        count++;
        progress.add(1);
        if (killed == 0 && (count >= killAfter || now - first >= deadlineNanos)) {
          loader.kill();
          killed = now;
        }
        number = loader.nextAcknowledged();
      }
    }
    return killed - first;
  }

  private long check(Store store, int[] order) throws IOException {
    RecordCheck check = new RecordCheck(plan.data());
    for (int number = acknowledged.nextSetBit(0);
        number >= 0;
        number = acknowledged.nextSetBit(number + 1)) {
      workspace.checkNotCancelled();
      int index = order[number];
      check.checkValue(index, store.get(plan.data().key(index)));
    }
    long found = 0;
    try (StoreCursor cursor = store.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        workspace.checkNotCancelled();
        check.checkKnown(
            cursor.key().toArray(ValueLayout.JAVA_BYTE),
            cursor.value().toArray(ValueLayout.JAVA_BYTE));
        found++;
      }
    }
    return found;
  }
}
