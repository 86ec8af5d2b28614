package io.ewok.gds.bench;

import io.ewok.gds.allocator.BumpArena;
import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What does one owner pay to get 4 KiB and give them back, and to bump 64 bytes? The rivals are
 * what the JDK offers.
 *
 * <p>{@code ./gds bench micro AllocationBenchmark -prof gc}
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class AllocationBenchmark {
  static final int FRAME_BYTES = 4096;
  static final int SMALL_BYTES = 64;

  private static final int BUMPS_PER_ARENA = 1 << 20;

  private MemoryBudget budget;
  private Region region;
  private FramePool frames;
  private BumpArena bump;
  private int bumps;

  /** Maps the memory. */
  @Setup
  public void open() {
    budget = MemoryBudget.root("bench", 1 << 30);
    region = Region.map(budget, RegionOptions.ofSize(16 << 20).withPrefaultThreads(1));
    frames = new FramePool(region, FRAME_BYTES);
    bump = new BumpArena(budget, 1 << 20);
  }

  /** Unmaps it. */
  @TearDown
  public void close() {
    bump.close();
    region.close();
  }

  /** Ours: a frame with a generation-checked handle. */
  @Benchmark
  public long framePool() {
    long handle = frames.allocate();
    frames.free(handle);
    return handle;
  }

  /** Rival: a confined arena per allocation. */
  @Benchmark
  public long confinedArena() {
    try (Arena arena = Arena.ofConfined()) {
      return arena.allocate(FRAME_BYTES, 64).address();
    }
  }

  /** Rival: a direct buffer, which only the collector frees. */
  @Benchmark
  public ByteBuffer directByteBuffer() {
    return ByteBuffer.allocateDirect(FRAME_BYTES);
  }

  /** Ours: 64 bytes from a bump arena that is thrown away every million. */
  @Benchmark
  public long bumpArena() {
    if (++bumps == BUMPS_PER_ARENA) {
      bump.close();
      bump = new BumpArena(budget, 1 << 20);
      bumps = 0;
    }
    return bump.allocate(SMALL_BYTES);
  }
}
