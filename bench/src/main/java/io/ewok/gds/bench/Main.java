package io.ewok.gds.bench;

import java.util.Arrays;
import java.util.Map;

/**
 * Starts the benchmarks: {@code gds bench micro [JMH options]}, {@code gds bench alloc}, {@code gds
 * bench io}, {@code gds bench tasks}, {@code gds bench feeds}, {@code gds bench pool}, {@code gds
 * bench wal}, {@code gds bench kv}, {@code gds bench styles}, {@code gds bench shards}, {@code gds
 * bench trace}, {@code gds bench compare}.
 */
public final class Main {
  static final String USAGE =
      """
      Usage: gds bench micro [JMH options] [regular expression of names]
             gds bench micro [--quick] [--rounds N] [--json] [regular expression of names]
             gds bench alloc [--quick] [--rounds N] [--json]
             gds bench io [--quick] [--rounds N] [--json] [--file PATH] [--size BYTES]
             gds bench tasks [--quick] [--rounds N] [--json]
             gds bench feeds [--quick] [--rounds N] [--json]
             gds bench pool [--quick] [--rounds N] [--json] [--file PATH]
             gds bench wal [--quick] [--rounds N] [--json] [--directory PATH]
             gds bench kv [--quick] [--rounds N] [--json] [--entries N] [--cases NAMES]
             gds bench styles [--quick] [--rounds N] [--json] [--entries N] [--directory PATH]
             gds bench shards [--quick] [--rounds N] [--json] [--entries N] [--directory PATH]
             gds bench trace [--quick] [--rounds N] [--json] [--sizes PERCENTS]
                             [--file PATH --format FORMAT [--page BYTES]]
             gds bench compare A B

      micro runs the JMH suites of the layers, each with its rivals.

        gds bench micro                         all of them
        gds bench micro PairBenchmark -prof gc  with the bytes allocated per operation
        gds bench micro -l                      list them
        gds bench micro -h                      the options of JMH
        gds bench micro --quick                 ours beside rivals, within a minute
        gds bench micro --help                  the options of such a report

      alloc compares time and bytes of the allocators with those of malloc, Netty and the JDK.

        gds bench alloc --quick                 within a minute
        gds bench alloc --help                  its options

      io compares rate and processor time of direct I/O with those of fio, where it is installed.

        gds bench io --quick                    within a minute
        gds bench io --file /mnt/disk/bench     on that disk, with a file that is made and kept
        gds bench io --help                     its options

      tasks compares time and heap of tasks, fibers and shards with those of the JDK's threads.

        gds bench tasks --quick                 within a minute
        gds bench tasks --help                  its options

      feeds compares fibers that read TCP feeds on one reactor with a selector loop of the JDK.

        gds bench feeds --quick                 within a minute
        gds bench feeds --help                  its options

      pool compares pages found in the buffer pool with maps on the heap, and misses with fio.

        gds bench pool --quick                  within a minute
        gds bench pool --help                   its options

      wal compares the write-ahead log with what the device can do, and with RocksDB.

        gds bench wal --quick                   within a minute
        gds bench wal --help                    its options

      kv compares the store with RocksDB and LMDB.

        gds bench kv --quick                    within a minute
        gds bench kv --help                     its options

      styles compares the compaction styles of the store with each other.

        gds bench styles --quick                within a minute
        gds bench styles --help                 its options

      shards compares a store in two shards with two threads that have a plain store each.

        gds bench shards --quick                within a minute
        gds bench shards --help                 its options

      trace compares hit ratios of the buffer pool's policy with those of other policies.

        gds bench trace --quick                 within a minute
        gds bench trace --file p3.gz --format arc
        gds bench trace --help                  its options

      All write their results into a file with --output FILE, as JSON lines, and as a page with charts
      with --html FILE. compare tells how the ratios of two such files differ.

        gds bench kv --quick --output a.jsonl --html a.html
        gds bench compare a.jsonl b.jsonl
      """;

  /** By name. */
  static final Map<String, ReportCommand> REPORTS =
      Map.of(
          "alloc", AllocationReport.COMMAND,
          "io", IoReport.COMMAND,
          "tasks", TaskReport.COMMAND,
          "feeds", FeedReport.COMMAND,
          "pool", PoolReport.COMMAND,
          "wal", WalReport.COMMAND,
          "kv", KvReport.COMMAND,
          "styles", StyleReport.COMMAND,
          "shards", ShardReport.COMMAND,
          "trace", TraceReport.COMMAND);

  private Main() {}

  /**
   * Runs what the first argument names.
   *
   * @throws Exception as JMH throws it
   */
  public static void main(String[] args) throws Exception {
    int exitCode = run(args);
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /** The same; returns the exit code. */
  static int run(String... args) throws Exception {
    String command = args.length > 0 ? args[0] : "";
    String[] rest = args.length > 0 ? Arrays.copyOfRange(args, 1, args.length) : args;
    ReportCommand report = REPORTS.get(command);
    if (report != null) {
      return report.run(rest);
    }
    return switch (command) {
      case "micro" -> MicroReport.run(rest);
      case "compare" -> CompareReport.run(rest);
      case "--help", "-h" -> {
        System.out.print(USAGE);
        yield 0;
      }
      default -> {
        System.err.print(USAGE);
        yield 2;
      }
    };
  }
}
