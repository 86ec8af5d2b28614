package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WalReportTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource(LogContender.class)
  void everybodyCommitsAndLeavesNothingBehind(LogContender contender) throws Exception {
    for (int writers : new int[] {1, 8}) {
      long watchedNanos = TimeUnit.MILLISECONDS.toNanos(100);
      CommitLoad.Sample sample = contender.measure(directory, writers, watchedNanos);
      assertTrue(sample.perSecond() > 0, contender.label);
      double fastest = sample.curves().latencyMicros().getFirst();
      assertTrue(fastest > 1 && fastest < 1e6, contender.label + ": " + sample);
      assertTrue(sample.curves().perSecond().size() > 2, contender.label + ": " + sample);
    }
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  /** It fails by itself if not all is replayed. */
  @Test
  void allIsRecovered() throws Exception {
    LogRecoveryRun run = LogRecoveryRun.measure(directory, 2);
    assertTrue(run.replayed() > 0 && run.read() > 0);
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, WalReport.COMMAND.run("--fast"));
    assertEquals(2, WalReport.COMMAND.run("--directory", "/nowhere"));
    assertEquals(0, WalReport.COMMAND.run("--help"));
  }
}
