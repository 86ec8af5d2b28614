package io.ewok.gds.bench;

import java.util.concurrent.atomic.AtomicLongArray;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Group;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Control;

/**
 * What does a block cost that one thread allocates and another frees? They hand over 64 blocks at a
 * time through a ring, so that what is measured is the allocator and not the queue; the floor shows
 * what is left of the queue.
 *
 * <p>Touched: eight bytes at the start of each block, by the thread that allocates. Time: for one
 * block on one side; both sides wait for the slower one.
 *
 * <p>{@code ./gds bench micro RemoteFreeBenchmark -prof gc}
 */
public class RemoteFreeBenchmark extends AllocationSuite {
  static final int BLOCKS = 64;

  /** Batches between the two threads; their slots are used in turn. */
  static final int BATCHES = 64;

  private static final int SPINS = 1000;

  /** The ring: what has been handed over, and what has been taken. */
  @State(Scope.Group)
  public static class Ring {
    /** Places in {@link #counters}, on different cache lines. */
    private static final int ALLOCATED = 16;

    private static final int FREED = 48;

    /** Size of a block. */
    @Param({"64", "4096"})
    public int bytes = 64;

    Contender contender;

    /** Batches allocated and freed since the start; each counter has one thread that writes it. */
    private final AtomicLongArray counters = new AtomicLongArray(64);

    /** Called by JMH. */
    @Setup
    public void open(SharedContender shared) {
      contender = shared.contender;
    }

    /** Allocates and hands over a batch, if there is room for one. */
    boolean allocate(Contender.Slots slots) {
      long batch = counters.getPlain(ALLOCATED);
      // Partner of setRelease in free: the slots of the batch are empty.
      if (batch - counters.getAcquire(FREED) == BATCHES) {
        return false;
      }
      slots.allocateAll(from(batch), BLOCKS, bytes);
      counters.setRelease(ALLOCATED, batch + 1);
      return true;
    }

    /** Takes a batch and frees it, if there is one. */
    boolean free(Contender.Slots slots) {
      long batch = counters.getPlain(FREED);
      // Partner of setRelease in allocate: the slots of the batch are full.
      if (batch == counters.getAcquire(ALLOCATED)) {
        return false;
      }
      slots.freeAll(from(batch), BLOCKS);
      counters.setRelease(FREED, batch + 1);
      return true;
    }

    private static int from(long batch) {
      return (int) (batch % BATCHES) * BLOCKS;
    }
  }

  /** One of the two threads. */
  @State(Scope.Thread)
  public static class Side {
    Contender.Slots slots;

    /** Called by JMH. */
    @Setup
    public void open(Ring ring) {
      slots = ring.contender.slots();
    }

    /** Called by JMH. */
    @TearDown
    public void close() {
      slots.leave();
    }
  }

  /** The ring alone. */
  @Benchmark
  @Group("floor")
  @OperationsPerInvocation(BLOCKS)
  public void floorAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** The ring alone. */
  @Benchmark
  @Group("floor")
  @OperationsPerInvocation(BLOCKS)
  public void floorFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Ours, with a shard for each thread. */
  @Benchmark
  @Group("slabShard")
  @OperationsPerInvocation(BLOCKS)
  public void slabShardAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Ours, with a shard for each thread. */
  @Benchmark
  @Group("slabShard")
  @OperationsPerInvocation(BLOCKS)
  public void slabShardFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Ours, with a shard for each thread and one call for a batch. */
  @Benchmark
  @Group("slabShardBatch")
  @OperationsPerInvocation(BLOCKS)
  public void slabShardBatchAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Ours, with a shard for each thread and one call for a batch. */
  @Benchmark
  @Group("slabShardBatch")
  @OperationsPerInvocation(BLOCKS)
  public void slabShardBatchFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Ours, by the calls for any thread. */
  @Benchmark
  @Group("slabAllocator")
  @OperationsPerInvocation(BLOCKS)
  public void slabAllocatorAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Ours, by the calls for any thread. */
  @Benchmark
  @Group("slabAllocator")
  @OperationsPerInvocation(BLOCKS)
  public void slabAllocatorFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Ours, by the calls for any thread, one for a batch. */
  @Benchmark
  @Group("slabAllocatorBatch")
  @OperationsPerInvocation(BLOCKS)
  public void slabAllocatorBatchAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Ours, by the calls for any thread, one for a batch. */
  @Benchmark
  @Group("slabAllocatorBatch")
  @OperationsPerInvocation(BLOCKS)
  public void slabAllocatorBatchFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Rival: the C library, called in the cheapest way. */
  @Benchmark
  @Group("malloc")
  @OperationsPerInvocation(BLOCKS)
  public void mallocAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Rival: the C library, called in the cheapest way. */
  @Benchmark
  @Group("malloc")
  @OperationsPerInvocation(BLOCKS)
  public void mallocFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Rival: Netty's default allocator with thread-local magazines. */
  @Benchmark
  @Group("nettyAdaptive")
  @OperationsPerInvocation(BLOCKS)
  public void nettyAdaptiveAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Rival: Netty's default allocator with thread-local magazines. */
  @Benchmark
  @Group("nettyAdaptive")
  @OperationsPerInvocation(BLOCKS)
  public void nettyAdaptiveFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  /** Rival: Netty's older allocator with thread-local caches. */
  @Benchmark
  @Group("nettyPooled")
  @OperationsPerInvocation(BLOCKS)
  public void nettyPooledAllocate(Ring ring, Side side, Control control) {
    allocate(ring, side, control);
  }

  /** Rival: Netty's older allocator with thread-local caches. */
  @Benchmark
  @Group("nettyPooled")
  @OperationsPerInvocation(BLOCKS)
  public void nettyPooledFree(Ring ring, Side side, Control control) {
    free(ring, side, control);
  }

  private static void allocate(Ring ring, Side side, Control control) {
    for (int tries = 0; !ring.allocate(side.slots) && !control.stopMeasurement; tries++) {
      pause(tries);
    }
  }

  private static void free(Ring ring, Side side, Control control) {
    for (int tries = 0; !ring.free(side.slots) && !control.stopMeasurement; tries++) {
      pause(tries);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // The other side may wait for this very processor.
  private static void pause(int tries) {
    if (tries < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }
}
