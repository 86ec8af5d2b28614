package io.ewok.gds.bench;

import io.ewok.gds.allocator.BumpArena;
import io.ewok.gds.allocator.MemoryBudget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What do 64 bytes cost that die together with others? 1,024 of them are allocated, then all are
 * freed at once.
 *
 * <p>Touched: nothing. Time: for one allocation and its share of freeing all.
 *
 * <p>{@code ./gds bench micro '\.BumpBenchmark' -prof gc}
 */
@State(Scope.Thread)
public class BumpBenchmark extends AllocationSuite {
  static final int BYTES = 64;
  static final int ALLOCATIONS = 1024;

  private static final int BLOCK_BYTES = 1 << 20;

  private final long[] addresses = new long[ALLOCATIONS];
  private BumpArena bump;
  private Arena memory;
  private MemorySegment block;
  private long floorAddress;

  /** Called by JMH. */
  @Setup
  public void open(BenchmarkParams params) {
    open(params.getBenchmark());
  }

  void open(String name) {
    polluteProfiles();
    switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "bumpArena", "bumpArenaAligned", "bumpArenaSegment" ->
          bump = new BumpArena(MemoryBudget.root("bench", 64 << 20), BLOCK_BYTES);
      case "slicingAllocator" -> {
        memory = Arena.ofShared();
        block = memory.allocate(BLOCK_BYTES, BYTES);
      }
      default -> {}
    }
  }

  /** Called by JMH. */
  @TearDown
  public void close() {
    if (bump != null) {
      bump.close();
    }
    if (memory != null) {
      memory.close();
    }
  }

  /** A pointer that is moved, without limit. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long floor() {
    floorAddress = 0;
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      long address = floorAddress;
      floorAddress = address + BYTES;
      sum ^= address;
    }
    return sum;
  }

  /** Ours: addresses. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long bumpArena() {
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      sum ^= bump.allocate(BYTES);
    }
    bump.reset();
    return sum;
  }

  /** Ours: addresses that are multiples of eight. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long bumpArenaAligned() {
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      sum ^= bump.allocateAligned(BYTES);
    }
    bump.reset();
    return sum;
  }

  /** Ours: segments with the lifetime of the arena. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long bumpArenaSegment() {
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      sum ^= bump.allocateSegment(BYTES, 8).address();
    }
    bump.reset();
    return sum;
  }

  /** Rival: slices of one segment, from the JDK. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long slicingAllocator() {
    SegmentAllocator slices = SegmentAllocator.slicingAllocator(block);
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      sum ^= slices.allocate(BYTES, 8).address();
    }
    return sum;
  }

  /** Rival: a confined arena, which calls the C library for each block and clears it. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long confinedArena() {
    long sum = 0;
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < ALLOCATIONS; i++) {
        sum ^= arena.allocate(BYTES, 8).address();
      }
    }
    return sum;
  }

  /** Rival: the C library, called in the cheapest way. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long malloc() {
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      long address = Malloc.allocateCritical(BYTES);
      addresses[i] = address;
      sum ^= address;
    }
    for (long address : addresses) {
      Malloc.freeCritical(address);
    }
    return sum;
  }

  /** Rival: the same with each block freed before the next is allocated, which suits it best. */
  @Benchmark
  @OperationsPerInvocation(ALLOCATIONS)
  public long mallocPair() {
    long sum = 0;
    for (int i = 0; i < ALLOCATIONS; i++) {
      long address = Malloc.allocateCritical(BYTES);
      sum ^= address;
      Malloc.freeCritical(address);
    }
    return sum;
  }
}
