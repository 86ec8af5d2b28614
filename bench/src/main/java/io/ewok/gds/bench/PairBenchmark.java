package io.ewok.gds.bench;

import io.ewok.gds.allocator.FramePool;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.SlabAllocator;
import io.ewok.gds.allocator.SlabOptions;
import io.ewok.gds.allocator.SlabShard;
import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What does one owner pay to get a block and give it back at once? The least that an allocator can
 * cost, and flattering: the same block comes back each time. {@link BatchBenchmark} and {@link
 * MixedBenchmark} are nearer to life.
 *
 * <p>Touched: nothing of the blocks, except by the JDK's rivals, which clear them. Time: for one
 * allocation and one free.
 *
 * <p>{@code ./gds bench micro PairBenchmark -prof gc}
 */
@State(Scope.Thread)
public class PairBenchmark extends AllocationSuite {
  private static final int FLOOR_NAMES = 64;

  /** Size of a block; a frame pool's frames have 512 bytes at least. */
  @Param({"64", "4096"})
  public int bytes = 64;

  private final long[] names = new long[FLOOR_NAMES];
  private int free = FLOOR_NAMES;
  private SlabAllocator slabs;
  private SlabShard shard;
  private Region region;
  private FramePool frames;
  private ByteBufAllocator netty;

  /** Called by JMH. */
  @Setup
  public void open(BenchmarkParams params) {
    String name = params.getBenchmark();
    open(name.substring(name.lastIndexOf('.') + 1));
  }

  /** Opens what one method needs, and nothing else: the fork shall not know the others. */
  void open(String method) {
    polluteProfiles();
    switch (method) {
      case "slabShard", "slabAllocator" -> {
        slabs = new SlabAllocator(MemoryBudget.root("bench", 64 << 20), SlabOptions.named("bench"));
        shard = slabs.shard();
      }
      case "framePool" -> {
        MemoryBudget budget = MemoryBudget.root("bench", 64 << 20);
        region = Region.map(budget, RegionOptions.ofSize(16 << 20).withPrefaultThreads(1));
        frames = new FramePool(region, Math.max(512, bytes));
      }
      case "nettyAdaptive" -> netty = new AdaptiveByteBufAllocator(true, true);
      case "nettyAdaptiveShared" -> netty = new AdaptiveByteBufAllocator(true, false);
      case "nettyAsDefault" -> netty = ByteBufAllocator.DEFAULT;
      case "nettyPooled" -> netty = new PooledByteBufAllocator(true);
      default -> {}
    }
  }

  /** Called by JMH. */
  @TearDown
  public void close() {
    if (slabs != null) {
      shard.close();
      slabs.close();
    }
    if (region != null) {
      region.close();
    }
  }

  /** A stack of names, without checks or limits. */
  @Benchmark
  public long floor() {
    long name = names[--free];
    names[free++] = name;
    return name;
  }

  /** Ours, with a shard. */
  @Benchmark
  public long slabShard() {
    long handle = shard.allocate(bytes);
    shard.free(handle);
    return handle;
  }

  /** Ours, by the calls for any thread. */
  @Benchmark
  public long slabAllocator() {
    long handle = slabs.allocate(bytes);
    slabs.free(handle);
    return handle;
  }

  /** Ours: frames of one region, under a lock that the owner has anyway. */
  @Benchmark
  public long framePool() {
    long handle = frames.allocate();
    frames.free(handle);
    return handle;
  }

  /** Rival: the C library, called in the cheapest way. */
  @Benchmark
  public long malloc() {
    long address = Malloc.allocateCritical(bytes);
    Malloc.freeCritical(address);
    return address;
  }

  /** Rival: the C library, called in the ordinary way. */
  @Benchmark
  public long mallocPlain() {
    long address = Malloc.allocate(bytes);
    Malloc.free(address);
    return address;
  }

  /** Rival: Netty's default allocator with thread-local magazines. */
  @Benchmark
  public boolean nettyAdaptive() {
    return nettyPair();
  }

  /** Rival: Netty's default allocator with magazines that all threads share. */
  @Benchmark
  public boolean nettyAdaptiveShared() {
    return nettyPair();
  }

  /** Rival: Netty as it starts on Java 25 without a flag, on a thread that is not its own. */
  @Benchmark
  @Fork(
      value = 3,
      jvmArgs = {NATIVE_ACCESS, NO_LEAK_DETECTION, HEAP_LEAST, HEAP_MOST})
  public boolean nettyAsDefault() {
    return nettyPair();
  }

  /** Rival: Netty's older allocator with thread-local caches. */
  @Benchmark
  public boolean nettyPooled() {
    return nettyPair();
  }

  private boolean nettyPair() {
    ByteBuf buffer = netty.directBuffer(bytes);
    return buffer.release();
  }

  /** Rival: a confined arena for each block. */
  @Benchmark
  public long confinedArena() {
    try (Arena arena = Arena.ofConfined()) {
      return arena.allocate(bytes).address();
    }
  }

  /** Rival: a shared arena for each block, whose close stops all threads for a moment. */
  @Benchmark
  @Warmup(iterations = 1, time = 1)
  @Measurement(iterations = 2, time = 1)
  public long sharedArena() {
    try (Arena arena = Arena.ofShared()) {
      return arena.allocate(bytes).address();
    }
  }

  /** Rival: a direct buffer, which only the collector frees. */
  @Benchmark
  public ByteBuffer directByteBuffer() {
    return ByteBuffer.allocateDirect(bytes);
  }
}
