package io.ewok.gds.bench;

import io.ewok.gds.allocator.ConcurrentBumpArena;
import io.ewok.gds.allocator.MemoryBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What do 64 bytes cost when two threads bump one arena, as writers of one memtable do?
 *
 * <p>Touched: nothing; memory is reserved block by block and never reused within an iteration.
 * Time: for one allocation on one thread.
 *
 * <p>{@code ./gds bench micro ConcurrentBumpBenchmark -prof gc}
 */
@State(Scope.Benchmark)
@Threads(2)
public class ConcurrentBumpBenchmark extends AllocationSuite {
  static final int BYTES = 64;

  /** Large, so that opening blocks does not count. */
  private static final long BLOCK_BYTES = 256L << 20;

  private static final long SLICES = 1 << 14;

  private final AtomicLong floorAddress = new AtomicLong();
  private final ReentrantLock lock = new ReentrantLock();
  private ConcurrentBumpArena bump;
  private Arena memory;
  private MemorySegment block;
  private SegmentAllocator slices;
  private long slicesLeft;

  /** Called by JMH. */
  @Setup(Level.Iteration)
  public void open(BenchmarkParams params) {
    open(params.getBenchmark());
  }

  void open(String name) {
    polluteProfiles();
    switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "concurrentBumpArena", "concurrentBumpArenaAligned" ->
          bump = new ConcurrentBumpArena(MemoryBudget.root("bench", 1L << 46), BLOCK_BYTES);
      case "slicingAllocatorLocked" -> {
        memory = Arena.ofShared();
        block = memory.allocate(SLICES * BYTES, BYTES);
      }
      default -> {}
    }
  }

  /** Called by JMH. */
  @TearDown(Level.Iteration)
  public void close() {
    if (bump != null) {
      bump.close();
    }
    if (memory != null) {
      memory.close();
      slicesLeft = 0;
    }
  }

  /** An atomic addition, without limit. */
  @Benchmark
  public long floor() {
    return floorAddress.getAndAdd(BYTES);
  }

  /** Ours. */
  @Benchmark
  public long concurrentBumpArena() {
    return bump.allocate(BYTES);
  }

  /** Ours: addresses that are multiples of eight. */
  @Benchmark
  public long concurrentBumpArenaAligned() {
    return bump.allocateAligned(BYTES);
  }

  /** Rival: slices of one segment under a lock, from the JDK; the memory is used again. */
  @Benchmark
  public long slicingAllocatorLocked() {
    lock.lock();
    try {
      if (slicesLeft == 0) {
        slices = SegmentAllocator.slicingAllocator(block);
        slicesLeft = SLICES;
      }
      slicesLeft--;
      return slices.allocate(BYTES, 8).address();
    } finally {
      lock.unlock();
    }
  }

  /** Rival: the C library, called in the cheapest way; each block is freed at once. */
  @Benchmark
  public long mallocPair() {
    long address = Malloc.allocateCritical(BYTES);
    Malloc.freeCritical(address);
    return address;
  }
}
