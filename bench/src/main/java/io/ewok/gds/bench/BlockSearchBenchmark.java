package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.BlockBuilder;
import io.ewok.gds.lsm.table.BlockView;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does it take to find a key in a block that is in the processor's cache? The rival searches
 * the same keys as an array of arrays.
 *
 * <p>{@code ./gds bench micro BlockSearchBenchmark}
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class BlockSearchBenchmark {
  /** The type of a block of records. */
  private static final int DATA = 1;

  private static final int VALUE_BYTES = 100;

  /** Size of the block in bytes. */
  @Param({"4096", "32768"})
  public int blockBytes = 4096;

  private Region region;
  private final BlockView view = new BlockView();
  private SearchKey[] wanted;
  private byte[][] keys;
  private int next;

  /** Fills a block. */
  @Setup
  public void open() {
    long builderBytes = BlockBuilder.memoryBytes(blockBytes, VALUE_BYTES);
    long bytes = (builderBytes + VALUE_BYTES + 3 * 4096) & -4096L;
    region = Region.map(MemoryBudget.root("block", bytes), RegionOptions.ofSize(bytes));
    BlockBuilder builder = new BlockBuilder(region.address(), blockBytes);
    long stamp = RecordKind.stamp(1, RecordKind.PUT);
    long value = region.address() + builderBytes;
    keys = new byte[blockBytes / VALUE_BYTES][];
    wanted = new SearchKey[keys.length];
    int count = 0;
    while (count < keys.length) {
      byte[] key = "user:%011d".formatted(count * 7919L).getBytes(StandardCharsets.US_ASCII);
      SearchKey search = new SearchKey().set(MemorySegment.ofArray(key));
      if (builder.sizeBytesWith(stamp, search.address(), key.length, VALUE_BYTES) > blockBytes) {
        break;
      }
      Memory.putLong(value, count);
      builder.add(stamp, search.address(), key.length, value, VALUE_BYTES);
      keys[count] = key;
      wanted[count++] = search;
    }
    keys = Arrays.copyOf(keys, count);
    int unused = builder.finish(DATA);
    view.attach(builder.address());
  }

  /** Gives everything back. */
  @TearDown
  public void close() {
    region.close();
  }

  private int visit() {
    next = (next + 13) % keys.length;
    return next;
  }

  /** The key that was looked for last. */
  int visited() {
    return next;
  }

  /** In the block. */
  @Benchmark
  public int block() {
    return view.findAtOrAfter(wanted[visit()], RecordKind.searchStamp(RecordKind.SEQUENCE_MAX));
  }

  /** In an array on the heap. */
  @Benchmark
  public int arrays() {
    return Arrays.binarySearch(keys, keys[visit()], Arrays::compareUnsigned);
  }
}
