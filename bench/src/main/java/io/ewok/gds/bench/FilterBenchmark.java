package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyHash;
import io.ewok.gds.lsm.table.FilterBuilder;
import io.ewok.gds.lsm.table.FilterView;
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
 * How many keys a second does a filter answer for, which lies in the processor's cache: keys that
 * are there, keys that are not, and with the hashing of a key of 16 bytes?
 *
 * <p>{@code ./gds bench micro FilterBenchmark}
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class FilterBenchmark {
  static final int PROBES = 4_096;

  private static final int KEYS = 10_000;
  private static final int KEY_BYTES = 16;

  /** Bits of the filter for each key. */
  @Param({"10"})
  public int bitsPerKey = 10;

  private Region region;
  private long filter;
  private long key;
  private final long[] present = new long[PROBES];
  private final long[] absent = new long[PROBES];

  /** Makes the filter. */
  @Setup
  public void open() {
    long bytes = 1 << 20;
    region = Region.map(MemoryBudget.root("filter", bytes), RegionOptions.ofSize(bytes));
    FilterBuilder builder = new FilterBuilder(region.address());
    filter = region.address() + FilterBuilder.MEMORY_BYTES;
    key = filter + bytes / 2;
    builder.start(bitsPerKey, 0);
    for (int i = 0; i < KEYS; i++) {
      builder.add(key(i), KEY_BYTES);
    }
    builder.finish(filter);
    for (int i = 0; i < PROBES; i++) {
      present[i] = KeyHash.of(key(i), KEY_BYTES);
      absent[i] = KeyHash.of(key(KEYS + i), KEY_BYTES);
    }
  }

  private long key(int number) {
    Memory.putLong(key, number);
    Memory.putLong(key + Long.BYTES, ~number);
    return key;
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    region.close();
  }

  /** Keys that were added. Returns how many are known. */
  @Benchmark
  @OperationsPerInvocation(PROBES)
  public int present() {
    return count(present);
  }

  /** Keys that were not. Returns how many seem known. */
  @Benchmark
  @OperationsPerInvocation(PROBES)
  public int absent() {
    return count(absent);
  }

  private int count(long[] hashes) {
    int known = 0;
    for (long hash : hashes) {
      known += FilterView.mayContain(filter, hash) ? 1 : 0;
    }
    return known;
  }

  /** Keys that were not, whose hash is not known yet. */
  @Benchmark
  @OperationsPerInvocation(PROBES)
  public int absentWithHash() {
    int known = 0;
    for (int i = 0; i < PROBES; i++) {
      known += FilterView.mayContain(filter, KeyHash.of(key(KEYS + i), KEY_BYTES)) ? 1 : 0;
    }
    return known;
  }
}
