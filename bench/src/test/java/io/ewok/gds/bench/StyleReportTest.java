package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StyleReportTest {
  @TempDir private Path directory;

  @Test
  void eachStyleIsMeasuredAndNothingIsLeftBehind() throws Exception {
    StyleReport report = new StyleReport(1, 30_000, directory);
    report.measure();
    List<Comparison> comparisons = report.comparisons();
    assertEquals(12, comparisons.size());
    for (Comparison comparison : comparisons) {
      assertEquals("lsm", comparison.layer());
      assertTrue(comparison.ours() > 0, comparison::toRow);
    }
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, StyleReport.COMMAND.run("--fast"));
    assertEquals(2, StyleReport.COMMAND.run("--entries", "10"));
    assertEquals(2, StyleReport.COMMAND.run("--directory", "/nowhere"));
    assertEquals(0, StyleReport.COMMAND.run("--help"));
  }
}
