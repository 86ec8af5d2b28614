package io.ewok.gds.bench;

import io.ewok.gds.wal.cache.LogReadCacheOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Readers of a log, for a report: each way to read beside the other one, in turn on the same log.
 *
 * <ul>
 *   <li>a read of 4096 bytes beside one of 512, and what small pages cost a reader;
 *   <li>strides of two pages beside reads of one, where a record is longer than a page;
 *   <li>fetches with prefetch beside those without, for 1, 16 and 256 readers;
 *   <li>the memory that these take.
 * </ul>
 *
 * <p>Whether to touch what is copied next is for JMH: {@link #COPIES}.
 */
final class LogReadRows {
  private static final String LAYER = "bufferpool";
  private static final int SMALL_RECORD_BYTES = 100;
  private static final int LARGE_RECORD_BYTES = 6000;
  private static final int[] READERS = {1, 16, 256};
  private static final double MEBI = 1 << 20;

  /** How often a reader comes, times the readers: all numbers of readers ask as much of a disk. */
  private static final long PAUSE_NANOS_PER_READER = 200_000;

  /** A quarter of a page. */
  private static final int FETCH_RECORDS = 8;

  /** For {@link Rounds}. */
  static final List<AllocationCase> COPIES = List.of(copies("100"), copies("500"));

  private final int count;
  private final int segments;
  private final int fetches;
  private final Path directory;

  /** One element a round. */
  private final Map<String, double[]> micros = new LinkedHashMap<>();

  private final double[] memory;

  /**
   * Prepares.
   *
   * @param count rounds
   * @param quick whether to spend seconds instead of minutes
   * @param directory on the disk in question
   */
  LogReadRows(int count, boolean quick, Path directory) {
    this(count, quick ? 3 : 16, quick ? 1000 : 10_000, directory);
  }

  /**
   * As above.
   *
   * @param segments of the log
   * @param fetches of all readers together, more or less
   */
  LogReadRows(int count, int segments, int fetches, Path directory) {
    this.count = count;
    this.segments = segments;
    this.fetches = fetches;
    this.directory = directory;
    this.memory = new double[count];
  }

  private static AllocationCase copies(String bytes) {
    return new AllocationCase(
        "record out of cold pages, " + bytes + " B",
        RecordCopyBenchmark.class,
        Map.of("bytes", bytes),
        List.of("touchAhead", "touchPage"),
        List.of("plain"));
  }

  void measure() throws IOException, InterruptedException {
    LogReadCacheOptions options = LogReadCacheOptions.defaults();
    LogReadCacheOptions without = options.withPrefetch(false);
    LogReadCacheOptions small = options.withPageBytes(512);
    LogReadCacheOptions single = options.withStridePagesMax(1);
    try (LogReadLoad log = new LogReadLoad(directory, SMALL_RECORD_BYTES, segments);
        LogReadLoad large = new LogReadLoad(directory, LARGE_RECORD_BYTES, segments)) {
      try (Progress progress = Progress.of("warming up", 1)) {
        progress.begin("warming up: readers of a log", 1);
        LogReadLoad.Sample unused = log.run(options, new LogReadLoad.Readers(4, fetches, 8, 0));
      }
      try (Progress progress = Progress.ofRounds(count, 8 + 2 * READERS.length)) {
        for (int round = 0; round < count; round++) {
          progress.begin(round, "readers of a log, sizes", 8);
          for (int bytes : new int[] {512, 4096, 8192}) {
            put("read " + bytes, round, log.readMicros(bytes, fetches));
          }
          var busy = new LogReadLoad.Readers(1, fetches, FETCH_RECORDS, 0);
          put("page 4096", round, log.run(options, busy));
          put("page 512", round, log.run(small, busy));
          var longer = new LogReadLoad.Readers(1, fetches / 2, 1, PAUSE_NANOS_PER_READER);
          put("stride 2", round, large.run(options, longer));
          put("stride 1", round, large.run(single, longer));
          for (int readers : READERS) {
            progress.begin(round, "readers of a log, " + readers, 2);
            var some =
                new LogReadLoad.Readers(
                    readers,
                    fetches / readers + 10,
                    FETCH_RECORDS,
                    PAUSE_NANOS_PER_READER * readers);
            LogReadLoad.Sample sample = log.run(options, some);
            memory[round] = sample.memoryBytes() / MEBI;
            put("ahead " + readers, round, sample);
            put("behind " + readers, round, log.run(without, some));
          }
        }
      }
    }
  }

  private void put(String what, int round, LogReadLoad.Sample sample) {
    put(what, round, sample.meanMicros());
    put(what + " high", round, sample.highMicros());
  }

  private void put(String what, int round, double value) {
    micros.computeIfAbsent(what, key -> new double[count])[round] = value;
  }

  List<Comparison> comparisons() {
    List<Comparison> rows = new ArrayList<>();
    rows.add(row("one read of 4096 B", "read 4096", "of 512 B", "read 512"));
    rows.add(row("one read of 8192 B", "read 8192", "of 4096 B", "read 4096"));
    rows.add(row("8 records, pages of 4096 B", "page 4096", "of 512 B", "page 512"));
    rows.add(row("record of 6000 B, by strides", "stride 2", "by pages", "stride 1"));
    for (int readers : READERS) {
      String name = "8 records, prefetch, readers: " + readers;
      rows.add(row(name, "ahead " + readers, "without", "behind " + readers));
      rows.add(
          row(
              name + ", p99",
              "ahead " + readers + " high",
              "without",
              "behind " + readers + " high"));
    }
    rows.add(Comparison.alone(LAYER, "memory of 256 readers, and the tail", "Mi", memory));
    return rows;
  }

  private Comparison row(String name, String ours, String rival, String theirs) {
    return Comparison.of(LAYER, name, "us", micros.get(ours), rival, micros.get(theirs));
  }
}
