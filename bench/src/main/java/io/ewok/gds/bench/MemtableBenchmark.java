package io.ewok.gds.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it take to insert a record into a memtable, to get one by its key, to find its place in
 * the order, and to go on from there? The rivals are a skip list in native memory and that of the
 * JDK on the heap.
 *
 * <p>{@code ./gds bench micro MemtableBenchmark -prof gc}
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class MemtableBenchmark {
  /** As many as a memtable of 16 MiB holds. */
  static final int RECORDS = 100_000;

  /** Which one. */
  @Param({"store", "skiplist", "heap"})
  public String candidate;

  private MemtableRecords records;
  private MemtableCandidate filled;
  private int next;

  /** Fills one. */
  @Setup
  public void open() {
    open(RECORDS);
  }

  void open(int count) {
    records = new MemtableRecords(count);
    filled = create();
    fill(filled);
  }

  private MemtableCandidate create() {
    return switch (candidate) {
      case "store" -> new StoreMemtable(records);
      case "skiplist" -> new SkiplistMemtable(records);
      case "heap" -> new HeapMemtable(records);
      default -> throw new IllegalArgumentException("no such candidate: name=" + candidate);
    };
  }

  private void fill(MemtableCandidate empty) {
    for (int i = 0; i < records.count; i++) {
      empty.insert(i);
    }
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    filled.close();
  }

  /** The last record that was looked for. */
  int visited() {
    return next;
  }

  /** Any other, in no order of memory or keys. */
  private int visit() {
    next = (int) ((next + 61_803L) % records.count);
    return next;
  }

  /** Fills one, whose memory is new. */
  @Benchmark
  @OperationsPerInvocation(RECORDS)
  public int insert() {
    try (MemtableCandidate empty = create()) {
      fill(empty);
      return empty.get(0);
    }
  }

  /** Gets a record by its key. */
  @Benchmark
  public int get() {
    return filled.get(visit());
  }

  /** Finds the place of a record in the order. */
  @Benchmark
  public int seek() {
    return filled.seek(visit());
  }

  /** Goes from one record to the next. */
  @Benchmark
  @OperationsPerInvocation(RECORDS)
  public int next() {
    return filled.scan();
  }
}
