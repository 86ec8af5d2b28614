package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogReadRowsTest {
  @TempDir Path directory;

  @Test
  void everyRowIsMeasuredAndNothingIsLeftBehind() throws Exception {
    LogReadRows rows = new LogReadRows(1, 2, 20, directory);
    rows.measure();
    List<Comparison> comparisons = rows.comparisons();
    assertEquals(11, comparisons.size());
    for (Comparison row : comparisons) {
      assertTrue(row.ours() > 0, row::toJson);
      assertTrue(row.rival() == null || row.ratio() > 0, row::toJson);
    }
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void touchingDoesNotChangeWhatIsCopied() {
    assertEquals(checksums(RecordCopyBenchmark::plain), checksums(RecordCopyBenchmark::touchAhead));
    assertEquals(checksums(RecordCopyBenchmark::plain), checksums(RecordCopyBenchmark::touchPage));
  }

  private static List<Long> checksums(ToLongFunction<RecordCopyBenchmark> method) {
    RecordCopyBenchmark benchmark = new RecordCopyBenchmark();
    benchmark.mebibytes = 1;
    benchmark.open();
    List<Long> checksums = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      checksums.add(method.applyAsLong(benchmark) >>> 1); // the lowest bit keeps what was touched
    }
    benchmark.close();
    return checksums;
  }
}
