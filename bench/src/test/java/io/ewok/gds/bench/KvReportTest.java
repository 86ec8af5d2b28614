package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.bench.kv.KvCase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvReportTest {
  @TempDir private Path directory;

  @Test
  void rivalsAreMeasuredAndLeaveNothingBehind() throws Exception {
    KvReport report =
        new KvReport(
            List.of(KvCase.READ_RANDOM, KvCase.DISK_LOAD), 1, 10_000, 50_000_000, directory);
    report.measure();
    List<String> names = report.comparisons().stream().map(Comparison::name).distinct().toList();
    assertTrue(
        names.containsAll(
            List.of(
                "readrandom",
                "readrandom, net",
                "readrandom, p99.99",
                "fillbatch, write amplification")),
        names::toString);
    for (Comparison comparison : report.comparisons()) {
      assertEquals("lsm", comparison.layer());
    }
    List<Chart> charts = report.charts();
    Chart writes = charts.getFirst();
    assertEquals(Chart.Kind.WRITES, writes.kind());
    assertEquals(List.of("fillbatch"), writes.labels());
    assertEquals(
        List.of("store", "record cache", "RocksDB"),
        writes.series().stream().map(Chart.Series::name).toList());
    Chart latencies =
        charts.stream()
            .filter(chart -> chart.title().equals("readrandom"))
            .filter(chart -> chart.kind() == Chart.Kind.LATENCY)
            .findFirst()
            .orElseThrow();
    assertEquals(
        List.of("store", "record cache", "RocksDB", "LMDB"),
        latencies.series().stream().map(Chart.Series::name).toList());
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void readsOfDeletedRangesAreComparedWithThoseBefore() throws Exception {
    KvReport report =
        new KvReport(
            List.of(KvCase.READ_WHOLE, KvCase.READ_RANGES), 1, 10_000, 1_000_000, directory);
    report.measure();
    assertEquals(
        List.of("readrandom, ranges deleted"),
        report.comparisons().stream()
            .filter(comparison -> "before the deletes".equals(comparison.rival()))
            .map(Comparison::name)
            .toList());
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, KvReport.COMMAND.run("--fast"));
    assertEquals(2, KvReport.COMMAND.run("--cases", "read-random,nothing"));
    assertEquals(2, KvReport.COMMAND.run("--entries", "10"));
    assertEquals(2, KvReport.COMMAND.run("--directory", "/nowhere"));
    assertEquals(0, KvReport.COMMAND.run("--help"));
  }
}
