package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.testing.JavaProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a process that changes a store, again and again, at any moment, on the real file system. A
 * few times, or with {@code -Dgds.test.soak=MINUTES} for so long.
 */
class KillTest {
  private static final int KILLS = 3;
  private static final int NUMBERS_MAX = 200;

  @TempDir Path folder;

  @Test
  void nothingAcknowledgedIsLostWhenTheProcessIsKilled() throws Exception {
    Path directory = folder.resolve("store");
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(Integer.getInteger("gds.test.soak", 0));
    SplittableRandom random = new SplittableRandom(1);
    long last = 0;
    for (int kill = 0; kill < KILLS || end - System.nanoTime() > 0; kill++) {
      long acknowledged =
          JavaProgram.runAndKill(
              folder,
              1 + random.nextInt(NUMBERS_MAX),
              LaneWriter.class,
              List.of(directory.toString()));
      assertTrue(acknowledged >= last, "kill=" + kill + " acknowledged=" + acknowledged);
      // Before anybody recovers it, by who only reads.
      try (ReadOnlyStore reader = Store.openReadOnly(directory, LaneChecker.OPTIONS)) {
        assertTrue(LaneChecker.check(reader, acknowledged) >= acknowledged);
      }
      last = LaneChecker.check(directory, acknowledged);
    }
    long more = last + 1;
    assertThrows(
        IllegalStateException.class,
        () -> LaneChecker.check(directory, more + 1_000_000),
        "the checker finds what is missing");
  }

  /** Whole batches, all that was acknowledged, and nothing goes back, over lives of the writer. */
  @Test
  void whoFollowsAnotherProcessSeesWhatItWritesUntilItIsKilled() throws Exception {
    Path directory = folder.resolve("followed");
    List<String> arguments = List.of(directory.toString());
    long acknowledged = JavaProgram.runAndKill(folder, 1, LaneWriter.class, arguments);
    AtomicBoolean isDone = new AtomicBoolean();
    try (ReadOnlyStore reader = Store.openReadOnly(directory, LaneChecker.OPTIONS);
        ExecutorService thread = Executors.newSingleThreadExecutor()) {
      Future<Integer> follower =
          thread.submit(
              () -> {
                int refreshes = 0;
                long seen = 0;
                for (; !isDone.get(); refreshes++) {
                  long sequence = reader.sequence();
                  assertTrue(reader.refresh() >= sequence);
                  seen = LaneChecker.check(reader, seen);
                }
                return refreshes;
              });
      try {
        for (int kill = 0; kill < KILLS; kill++) {
          acknowledged = JavaProgram.runAndKill(folder, NUMBERS_MAX, LaneWriter.class, arguments);
        }
      } finally {
        isDone.set(true);
      }
      int refreshes = follower.get();
      assertTrue(refreshes > 10, "refreshes=" + refreshes);
      assertTrue(reader.refresh() > 0);
      assertTrue(LaneChecker.check(reader, acknowledged) >= acknowledged);
    }
  }
}
