package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
      long acknowledged = writeAndKill(directory, 1 + random.nextInt(NUMBERS_MAX));
      assertTrue(acknowledged >= last, "kill=" + kill + " acknowledged=" + acknowledged);
      last = LaneChecker.check(directory, acknowledged);
    }
    long more = last + 1;
    assertThrows(
        IllegalStateException.class,
        () -> LaneChecker.check(directory, more + 1_000_000),
        "the checker finds what is missing");
  }

  /**
   * Lets the program print so many numbers before it is killed. Returns the last one it printed.
   */
  private long writeAndKill(Path directory, int numbers) throws IOException, InterruptedException {
    Path errors = folder.resolve("errors");
    Process process =
        new ProcessBuilder(PowerCutTest.program(LaneWriter.class, directory).split(" ", -1))
            .redirectError(errors.toFile())
            .start();
    long last = 0;
    try (BufferedReader reader = process.inputReader()) {
      String line = reader.readLine();
      for (int i = 1; line != null; i++) {
        last = Math.max(last, Long.parseLong(line)); // the last one may be cut off, too
        if (i == numbers) {
          process.toHandle().destroyForcibly(); // which leaves its output to be read
        }
        line = reader.readLine(); // what it had printed when it was killed is acknowledged, too
      }
    } finally {
      process.destroyForcibly();
    }
    assertEquals(128 + 9, process.waitFor(), Files.readString(errors));
    return last;
  }
}
