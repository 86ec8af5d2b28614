package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.cli.trace.TraceFormat;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceReportTest {
  @TempDir private Path temp;

  @Test
  void nobodyHasMoreHitsThanWhoKnowsTheFuture() throws Exception {
    TraceReport report = TraceReport.ofKeys(2000, 2, List.of(1.0, 10.0));
    report.measure();
    List<Comparison> rows = report.comparisons();
    assertEquals(2 * 2 * 5, rows.size());
    for (Comparison row : rows) {
      assertEquals(2, row.repeats());
      assertTrue(row.ours() > 0 && row.ours() < 100, row::toRow);
      assertTrue(!row.rival().equals("opt") || row.high() <= 1, row::toRow);
    }
    Comparison scan =
        rows.stream()
            .filter(row -> row.name().equals("zipf 0.99 beside scans, s3-fifo, 10 %"))
            .filter(row -> row.rival().equals("lru"))
            .findFirst()
            .orElseThrow();
    assertTrue(scan.low() > 1, scan::toRow);
  }

  @Test
  void curvesAreOfEachPolicyBySize() throws Exception {
    TraceReport report = TraceReport.ofKeys(1000, 1, List.of(40.0, 5.0));
    report.measure();
    List<Chart> charts = report.charts();
    assertEquals(2, charts.size());
    for (Chart chart : charts) {
      assertEquals(Chart.Kind.HITS, chart.kind());
      assertEquals("s3-fifo", chart.series().getFirst().name());
      assertEquals("opt", chart.series().getLast().name());
      for (Chart.Series line : chart.series()) {
        assertEquals(List.of(5.0, 40.0), line.x());
        assertTrue(line.y().get(0) < line.y().get(1), line::toString);
      }
    }
  }

  @Test
  void requestIsForEachPageThatItTouches() throws Exception {
    Path packed = temp.resolve("small.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write("0 8 0 0\n4 8 0 1\n16 0 0 2\n8 1 0 3\n".getBytes(StandardCharsets.US_ASCII));
    }
    ReferenceTrace trace = new TraceFile(packed, TraceFormat.ARC, 4096).read();
    assertEquals(4, trace.length());
    assertEquals(2, trace.distinct());
    Path page = temp.resolve("page.html");
    assertEquals(
        0,
        TraceReport.COMMAND.run(
            "--file", packed.toString(), "--format", "arc", "--html", page.toString()));
    assertTrue(Files.readString(page).contains("\"kind\":\"HITS\",\"title\":\"small.gz\""));
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    Path keys = Files.writeString(temp.resolve("keys"), "1\n2\n1\n");
    assertEquals(2, TraceReport.COMMAND.run("--fast"));
    assertEquals(2, TraceReport.COMMAND.run("--sizes", "0"));
    assertEquals(2, TraceReport.COMMAND.run("--sizes", "101"));
    assertEquals(2, TraceReport.COMMAND.run("--page", "4K"));
    assertEquals(2, TraceReport.COMMAND.run("--file", keys.toString()));
    assertEquals(2, TraceReport.COMMAND.run("--file", keys.toString(), "--format", "mp3"));
    assertEquals(
        2, TraceReport.COMMAND.run("--file", keys.toString(), "--format", "arc", "--page", "100"));
    assertEquals(
        2, TraceReport.COMMAND.run("--file", temp.resolve("no").toString(), "--format", "keys"));
    Path empty = Files.writeString(temp.resolve("empty"), "");
    assertEquals(1, TraceReport.COMMAND.run("--file", empty.toString(), "--format", "keys"));
    assertEquals(0, TraceReport.COMMAND.run("--help"));
  }
}
