package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.ffm.UringProbe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PoolReportTest {
  @Test
  void casesNameBenchmarksThatExist() {
    List<AllocationCase> cases =
        Stream.of(PoolReport.ALL, PoolReport.QUICK, WalReport.APPENDS, WalReport.APPENDS_QUICK)
            .flatMap(List::stream)
            .toList();
    for (AllocationCase one : cases) {
      for (String name : one.methods()) {
        assertTrue(
            Arrays.stream(one.benchmark().getMethods())
                .anyMatch(method -> method.getName().equals(name)),
            () -> one.benchmark() + " has no " + name);
      }
    }
  }

  /** Runs that find a block in the pool fail. */
  @Test
  void fibersMissInThePool(@TempDir Path directory) throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    try (BenchFile file = BenchFile.named(directory.resolve("bench"), 64 << 20)) {
      IoReport report =
          new IoReport(
              "bufferpool",
              IoCase.POOL,
              new IoRounds(1, TimeUnit.MILLISECONDS.toNanos(200), file, Optional.empty()));
      report.measure();
      List<Comparison> comparisons = report.comparisons();
      assertEquals(2, comparisons.size());
      assertTrue(comparisons.getFirst().ours() > 0);
      assertEquals("bufferpool", comparisons.getFirst().layer());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NONE", "DOUBLE_WRITE", "BACKUP"})
  void pagesAreWrittenBack(TornPages mode, @TempDir Path directory) throws Exception {
    assertTrue(WriteBackRun.pagesPerSecond(directory, mode, 1) > 0);
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void encryptedPagesAreReadAndWritten(boolean encrypted, @TempDir Path directory)
      throws Exception {
    SealedPagesRun run = SealedPagesRun.measure(directory, encrypted, 1);
    assertTrue(run.readsPerSecond() > 0 && run.writesPerSecond() > 0, run::toString);
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, PoolReport.COMMAND.run("--fast"));
    assertEquals(0, PoolReport.COMMAND.run("--help"));
  }
}
