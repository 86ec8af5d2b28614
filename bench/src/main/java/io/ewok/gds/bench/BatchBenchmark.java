package io.ewok.gds.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * What does a thread pay for a block when it keeps {@link #live} of them, writes to each and frees
 * them in the order of their allocation? With one live block this is the pair of {@link
 * PairBenchmark} in use, with 64 what a batch of I/O does.
 *
 * <p>Touched: eight bytes at the start of each block. Time: for one block, allocated and freed.
 *
 * <p>{@code ./gds bench micro '\.BatchBenchmark' -prof gc}; with {@code -t 2} or as {@link
 * TwoThreadsBenchmark} on two threads.
 */
@State(Scope.Thread)
public class BatchBenchmark extends AllocationSuite {
  /** Blocks per invocation, whatever is live at once. */
  static final int BLOCKS = 64;

  /** Slots of one thread, apart from those of others. */
  static final int THREAD_SLOTS = 1024;

  /** Size of a block. */
  @Param({"64", "4096"})
  public int bytes = 64;

  /** Blocks that are live at once. */
  @Param({"1", "64"})
  public int live = BLOCKS;

  private Contender.Slots slots;
  private int from;

  /** Called by JMH. */
  @Setup
  public void open(SharedContender shared, ThreadParams thread) {
    open(shared, thread.getThreadIndex());
  }

  void open(SharedContender shared, int threadIndex) {
    slots = shared.contender.slots();
    from = threadIndex * THREAD_SLOTS;
  }

  /** Called by JMH. */
  @TearDown
  public void close() {
    slots.leave();
  }

  /** The traffic that nobody can avoid. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int floor() {
    return blocks();
  }

  /** Ours, with a shard for each thread. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int slabShard() {
    return blocks();
  }

  /** Ours, with a shard for each thread and one call for all that are live. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int slabShardBatch() {
    return blocks();
  }

  /** Ours, by the calls for any thread. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int slabAllocator() {
    return blocks();
  }

  /** Ours, by the calls for any thread, one for all that are live. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int slabAllocatorBatch() {
    return blocks();
  }

  /** Rival: the C library, called in the cheapest way. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int malloc() {
    return blocks();
  }

  /** Rival: the C library, called in the ordinary way. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int mallocPlain() {
    return blocks();
  }

  /** Rival: Netty's default allocator with thread-local magazines. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int nettyAdaptive() {
    return blocks();
  }

  /** Rival: Netty's older allocator with thread-local caches. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int nettyPooled() {
    return blocks();
  }

  /** Rival: the JDK, an arena for each block. */
  @Benchmark
  @OperationsPerInvocation(BLOCKS)
  public int confinedArena() {
    return blocks();
  }

  private int blocks() {
    int from = this.from;
    int live = this.live;
    for (int done = 0; done < BLOCKS; done += live) {
      slots.allocateAll(from, live, bytes);
      slots.freeAll(from, live);
    }
    return from;
  }
}
