package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.bench.curves.Curves;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IoReportTest {
  private static final int BYTES = 16 << 20;
  private static final long WATCHED_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  @TempDir Path directory;

  private BenchFile file() throws IOException {
    return BenchFile.named(directory.resolve("bench"), BYTES);
  }

  @Test
  void everybodyDoesEveryCaseAndTheMarkStays() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    try (BenchFile file = file()) {
      for (IoCase one : IoCase.ALL) {
        for (IoContender contender : one.contenders()) {
          try (IoLoad load = contender.open(one, file)) {
            IoSample sample = load.run(WATCHED_NANOS);
            assertTrue(sample.perSecond() > 0, () -> one.name() + ", " + contender);
            assertTrue(sample.cpuMicros() > 0, () -> one.name() + ", " + contender);
          }
          try (IoLoad load = contender.open(one, file)) {
            Curves curves = load.time(WATCHED_NANOS);
            double median = curves.latencyMicros().get(Curves.PERCENTILES.indexOf(50.0));
            assertTrue(median > 0, () -> one.name() + ", " + contender + ": " + curves);
            assertTrue(curves.perSecond().size() > 2, () -> one.name() + ", " + contender);
          }
        }
      }
      file().close();
    }
  }

  @Test
  void fibersTakePartWhereTheReactorRunsThem() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    for (IoContender contender : IoContender.values()) {
      assertEquals(Optional.empty(), contender.absence());
    }
    System.setProperty("gds.fibers", "virtual");
    try {
      assertEquals(Optional.of("gds.fibers=virtual"), IoContender.REACTOR_FIBERS.absence());
    } finally {
      System.clearProperty("gds.fibers");
    }
    IoCase left = IoCase.QUICK.getLast().with(EnumSet.of(IoContender.URING));
    assertEquals(List.of(IoContender.URING), left.contenders());
  }

  @Test
  void fibersStandBesidePlatformThreads() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    IoCase one =
        IoCase.ALL
            .get(3)
            .with(EnumSet.of(IoContender.REACTOR_FIBERS, IoContender.PLATFORM_THREADS));
    List<Comparison> rows =
        report(one, Optional.empty()).stream().filter(row -> row.rival() != null).toList();
    assertEquals(1, rows.size());
    Comparison fibers = rows.getFirst();
    assertEquals("64 platform threads", fibers.rival());
    assertEquals("us CPU", fibers.unit());
    assertTrue(fibers.name().endsWith("64 reactor-run fibers"), fibers::name);
    assertTrue(fibers.ratio() > 0);
  }

  @Test
  void shortTransferEndsTheRun() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    try (BenchFile file = file()) {
      try (RandomAccessFile shorter = new RandomAccessFile(file.path().toFile(), "rw")) {
        shorter.setLength(0);
      }
      for (IoContender contender : IoContender.values()) {
        try (IoLoad load = contender.open(IoCase.QUICK.getLast(), file)) {
          IOException e = assertThrows(IOException.class, () -> load.run(WATCHED_NANOS));
          boolean told = e.getMessage().endsWith("bytes=0");
          assertTrue(told || e.getMessage().contains("actual=0 bytes"), e::getMessage);
        }
      }
    }
  }

  @Test
  void quickCaseBesideFio() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    Optional<Fio> fio = Fio.find();
    assumeTrue(fio.isPresent(), "fio is not installed");
    IoCase one = IoCase.QUICK.getFirst();
    List<Comparison> rows = report(one, fio);
    List<Chart> charts = chartsOf(one, fio);
    assertEquals(
        List.of(Chart.Kind.TIME, Chart.Kind.LATENCY), charts.stream().map(Chart::kind).toList());
    assertEquals("fio", charts.getLast().series().getLast().name(), "fio tells its latencies");
    assertEquals(2 * (one.contenders().size() + 1), rows.size());
    for (Comparison row : rows) {
      assertEquals("pagestore", row.layer());
      assertTrue(row.name().startsWith(one.name()), row::name);
      assertEquals("fio", row.rival());
      assertTrue(row.low() > 0 && row.low() <= row.ratio() && row.ratio() <= row.high());
      assertEquals(row.name().endsWith("again") ? 2 * one.contenders().size() : 2, row.repeats());
    }
  }

  @Test
  void withoutFioOursAreAlone() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    IoCase one = IoCase.QUICK.getFirst();
    List<Comparison> rows = report(one, Optional.empty());
    assertEquals(2 * one.contenders().size(), rows.size());
    for (Comparison row : rows) {
      assertNull(row.rival());
      assertTrue(row.ours() > 0);
      assertTrue(row.toJson().contains("\"rival\":null,\"theirs\":null,\"ratio\":null"));
    }
  }

  private List<Chart> chartsOf(IoCase one, Optional<Fio> fio) throws Exception {
    try (BenchFile file = file()) {
      IoReport report =
          new IoReport("pagestore", List.of(one), new IoRounds(1, WATCHED_NANOS, file, fio));
      report.measure();
      return report.charts();
    }
  }

  private List<Comparison> report(IoCase one, Optional<Fio> fio) throws Exception {
    try (BenchFile file = file()) {
      IoReport report =
          new IoReport("pagestore", List.of(one), new IoRounds(2, WATCHED_NANOS, file, fio));
      report.measure();
      return report.comparisons();
    }
  }

  @Test
  void largerRateIsInOurFavour() {
    Comparison rates =
        Comparison.ofRates(
            "layer", "case", "IOPS", new double[] {1, 8, 9}, "fio", new double[] {2, 2, 3});
    assertEquals(3, rates.ratio());
    assertEquals(0.5, rates.low());
    assertEquals(4, rates.high());
  }

  @Test
  void processorTimeOfEveryThreadIsCounted() throws Exception {
    ProcessCpu before = ProcessCpu.now();
    Duration kernelsBefore = kernelsProcessorTime();
    Thread spinning =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                  }
                });
    try {
      Duration enough = kernelsBefore.plusMillis(100);
      while (kernelsProcessorTime().compareTo(enough) < 0) {
        Thread.onSpinWait();
      }
      // The kernel's own sum has ticks of ten milliseconds, and ours lags by its tick.
      assertTrue(before.nanosUntilNow() >= TimeUnit.MILLISECONDS.toNanos(70));
    } finally {
      spinning.interrupt();
      spinning.join();
    }
  }

  private static Duration kernelsProcessorTime() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, IoReport.COMMAND.run("--fast"));
    assertEquals(2, IoReport.COMMAND.run("--file"));
    assertEquals(2, IoReport.COMMAND.run("--size", "17"));
    assertEquals(2, IoReport.COMMAND.run("--size", "50%"));
    assertEquals(0, IoReport.COMMAND.run("--help"));
    Path precious = Files.writeString(directory.resolve("precious"), "text");
    assertEquals(1, IoReport.COMMAND.run("--file", precious.toString()));
    assertEquals("text", Files.readString(precious));
  }
}
