package io.ewok.gds.bench;

import io.ewok.gds.allocator.BumpArena;
import io.ewok.gds.allocator.MemoryBudget;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What does one owner pay for a block that is zero, and to give it back?
 *
 * <p>Touched: all of the block, which is cleared. Time: for one allocation and one free.
 *
 * <p>{@code ./gds bench micro ZeroedBenchmark -prof gc}
 */
@State(Scope.Thread)
public class ZeroedBenchmark extends AllocationSuite {
  /** Size of a block. */
  @Param({"64", "4096", "65536"})
  public int bytes = 64;

  private SlabAllocator slabs;
  private SlabShard shard;
  private BumpArena bump;
  private long floorAddress;
  private ByteBufAllocator netty;

  /** Called by JMH. */
  @Setup
  public void open(BenchmarkParams params) {
    open(params.getBenchmark());
  }

  void open(String name) {
    polluteProfiles();
    switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "slabShard" -> {
        slabs = new SlabAllocator(MemoryBudget.root("bench", 64 << 20), SlabOptions.named("bench"));
        shard = slabs.shard();
      }
      case "bumpArena" -> bump = new BumpArena(MemoryBudget.root("bench", 64 << 20), 1 << 20);
      case "floor" -> floorAddress = Malloc.allocate(bytes);
      case "nettyAdaptive" -> netty = new AdaptiveByteBufAllocator(true, true);
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
    if (bump != null) {
      bump.close();
    }
    if (floorAddress != 0) {
      Malloc.free(floorAddress);
    }
  }

  /** The same block cleared each time. */
  @Benchmark
  public long floor() {
    Malloc.clear(floorAddress, bytes);
    return floorAddress;
  }

  /** Ours, with a shard. */
  @Benchmark
  public long slabShard() {
    long handle = shard.allocateZeroed(bytes);
    shard.free(handle);
    return handle;
  }

  /** Ours: a bump arena that is reset after each block, so that none is zero already. */
  @Benchmark
  public long bumpArena() {
    long address = bump.allocateZeroed(bytes, Long.BYTES);
    bump.reset();
    return address;
  }

  /** Rival: the C library, called in the cheapest way, which keeps the JVM from stopping. */
  @Benchmark
  public long calloc() {
    long address = Malloc.allocateZeroedCritical(bytes);
    Malloc.freeCritical(address);
    return address;
  }

  /** Rival: Netty's default allocator with thread-local magazines, cleared by its own call. */
  @Benchmark
  public boolean nettyAdaptive() {
    return nettyZeroed();
  }

  /** Rival: Netty's older allocator with thread-local caches, cleared by its own call. */
  @Benchmark
  public boolean nettyPooled() {
    return nettyZeroed();
  }

  private boolean nettyZeroed() {
    ByteBuf buffer = netty.directBuffer(bytes);
    buffer.setZero(0, bytes);
    return buffer.release();
  }

  /** Rival: a confined arena for each block, which always clears. */
  @Benchmark
  public long confinedArena() {
    try (Arena arena = Arena.ofConfined()) {
      return arena.allocate(bytes).address();
    }
  }

  /** Rival: a direct buffer, which always is cleared, and which only the collector frees. */
  @Benchmark
  public ByteBuffer directByteBuffer() {
    return ByteBuffer.allocateDirect(bytes);
  }
}
