package io.ewok.gds.bench;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does one step of a service cost that frees a random one of its live blocks and allocates
 * another, in the sizes of {@link SizeMix}?
 *
 * <p>Touched: eight bytes at the start of each block. Time: for one free and one allocation.
 *
 * <p>{@code ./gds bench micro MixedBenchmark -prof gc}
 */
@State(Scope.Thread)
public class MixedBenchmark extends AllocationSuite {
  /** Live blocks, a power of two. */
  @Param({"512", "8192"})
  public int live = 512;

  private Contender.Slots slots;
  private Churn churn;

  /** Called by JMH. */
  @Setup
  public void open(SharedContender shared) {
    slots = shared.contender.slots();
    churn = new Churn(slots, SizeMix.sizes(Churn.SIZES, 1), live);
    churn.fill();
  }

  /** Called by JMH. */
  @TearDown
  public void close() {
    churn.drain();
    slots.leave();
  }

  /** The traffic that nobody can avoid. */
  @Benchmark
  public int floor() {
    return churn.step();
  }

  /** Ours, with a shard. */
  @Benchmark
  public int slabShard() {
    return churn.step();
  }

  /** Ours, by the calls for any thread. */
  @Benchmark
  public int slabAllocator() {
    return churn.step();
  }

  /** Rival: the C library, called in the cheapest way. */
  @Benchmark
  public int malloc() {
    return churn.step();
  }

  /** Rival: the C library, called in the ordinary way. */
  @Benchmark
  public int mallocPlain() {
    return churn.step();
  }

  /** Rival: Netty's default allocator with thread-local magazines. */
  @Benchmark
  public int nettyAdaptive() {
    return churn.step();
  }

  /** Rival: Netty's default allocator with magazines that all threads share. */
  @Benchmark
  public int nettyAdaptiveShared() {
    return churn.step();
  }

  /** Rival: Netty's older allocator with thread-local caches. */
  @Benchmark
  public int nettyPooled() {
    return churn.step();
  }

  /** Rival: the JDK, an arena for each block. */
  @Benchmark
  public int confinedArena() {
    return churn.step();
  }
}
