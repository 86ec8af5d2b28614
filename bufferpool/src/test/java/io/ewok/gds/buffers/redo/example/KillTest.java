package io.ewok.gds.buffers.redo.example;

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
      long acknowledged = writeAndKill(1 + random.nextInt(NUMBERS_MAX));
      assertTrue(acknowledged > last, "kill=" + kill + " acknowledged=" + acknowledged);
      last = TreeChecker.check(folder.resolve("trees"), options, acknowledged);
    }
  }

  /**
   * Lets the program print so many numbers before it is killed.
   *
   * @return the last number that it printed
   */
  private long writeAndKill(int numbers) throws IOException, InterruptedException {
    Path errors = folder.resolve("errors");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                TreeWriter.class.getName(),
                folder.resolve("trees").toString(),
                "AUTO")
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
    int status = process.waitFor();
    assertTrue(status == 128 + 9, "status=" + status + "\n" + Files.readString(errors));
    return last;
  }
}
