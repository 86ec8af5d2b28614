package io.ewok.gds.buffers.redo.example;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.testing.JavaProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a process that changes pages, again and again, at any moment, on the real file system. A
 * few times, or with {@code -Dgds.test.soak=<minutes>} for so long.
 */
final class KillTest {
  private static final int KILLS = 3;
  private static final int NUMBERS_MAX = 300;

  @TempDir Path folder;

  @Test
  void nothingAcknowledgedIsLostWhenTheProcessIsKilled() throws Exception {
    TreeStore.Options options = TreeChecker.options("AUTO");
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(Integer.getInteger("gds.test.soak", 0));
    SplittableRandom random = new SplittableRandom(1);
    long last = 0;
    for (int kill = 0; kill < KILLS || end - System.nanoTime() > 0; kill++) {
      long acknowledged =
          JavaProgram.runAndKill(
              folder,
              1 + random.nextInt(NUMBERS_MAX),
              TreeWriter.class,
              List.of(folder.resolve("trees").toString(), "AUTO"));
      assertTrue(acknowledged > last, "kill=" + kill + " acknowledged=" + acknowledged);
      last = TreeChecker.check(folder.resolve("trees"), options, acknowledged);
    }
  }
}
