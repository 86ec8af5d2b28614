package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * One allocator and what the workers at it share.
 *
 * <p>Threads: any.
 */
final class BurnScene {
  static final int QUEUE_BATCHES = 16;

  private static final long WAIT_MILLIS = 20;

  final MemoryBudget budget;
  final SlabAllocator allocator;

  /** Where workers leave blocks for others to free. */
  final AtomicReferenceArray<BurnBlock> swap = new AtomicReferenceArray<>(256);

  /** From those who only allocate to those who only free. */
  final BlockingQueue<List<BurnBlock>> queue = new ArrayBlockingQueue<>(QUEUE_BATCHES);

  /** In flight, to be ended by anybody. */
  final Queue<Operation> operations = new ConcurrentLinkedQueue<>();

  private final LiveCells shadow = new LiveCells();
  private final AtomicLong stamps = new AtomicLong();

  /** I/O on a block that has been freed: until it ends, the bytes are the device's. */
  record Operation(Region region, long offset, long bytes, BurnBlock block) {
    void end() {
      block.release();
      RegionLeases.giveBack(region, offset, bytes);
    }
  }

  BurnScene(long limitBytes) {
    this.budget = MemoryBudget.root("burn", limitBytes);
    this.allocator =
        new SlabAllocator(
            budget,
            SlabOptions.named("burn").withHugePages(HugePages.OFF).withTopology(twoNodes()));
  }

  /** Every other CPU is on another node, so that threads move between nodes all the time. */
  private static NumaTopology twoNodes() {
    List<NumaNode> nodes = new ArrayList<>();
    for (int node = 0; node < 2; node++) {
      BitSet cpus = new BitSet();
      for (int cpu = node; cpu < Runtime.getRuntime().availableProcessors(); cpu += 2) {
        cpus.set(cpu);
      }
      List<Integer> distances = node == 0 ? List.of(10, 20) : List.of(20, 10);
      nodes.add(new NumaNode(node, cpus, 1 << 30, 1 << 30, distances));
    }
    return NumaTopology.declared(nodes);
  }

  /** A size to ask for: mostly small, seldom up to the largest. */
  static int size(SplittableRandom random) {
    int bits = 3 + Math.min(random.nextInt(14), random.nextInt(14));
    return 1 + random.nextInt(1 << bits);
  }

  /** Takes hold of what was just allocated; null for no room. */
  BurnBlock block(long handle, int bytes) {
    return handle == SlabAllocator.NONE
        ? null
        : new BurnBlock(allocator, handle, bytes, stamps.incrementAndGet(), shadow);
  }

  /** Returns as many as there were. */
  List<BurnBlock> allocateBatch(SlabCalls calls, int bytes, int count) {
    long[] handles = new long[count];
    int got = calls.allocateBatch(bytes, handles, 0, count);
    List<BurnBlock> blocks = new ArrayList<>(got);
    for (int i = 0; i < got; i++) {
      blocks.add(block(handles[i], bytes));
    }
    return blocks;
  }

  void free(SlabCalls calls, BurnBlock block) {
    block.release();
    calls.free(block.handle);
  }

  void freeBatch(SlabCalls calls, List<BurnBlock> blocks) {
    long[] handles = new long[blocks.size()];
    for (int i = 0; i < handles.length; i++) {
      blocks.get(i).release();
      handles[i] = blocks.get(i).handle;
    }
    calls.freeBatch(handles, 0, handles.length);
  }

  /** Passes blocks on to a consumer, or frees them if none takes them. */
  void offer(SlabCalls calls, List<BurnBlock> blocks) throws InterruptedException {
    if (!queue.offer(blocks, WAIT_MILLIS, TimeUnit.MILLISECONDS)) {
      freeBatch(calls, blocks);
    }
  }

  /** Begins an operation on some bytes of a block, and frees it. */
  Operation operateAndFree(SlabCalls calls, BurnBlock block, SplittableRandom random) {
    Region region = allocator.region(block.handle);
    long cellBytes = allocator.cellBytes(block.handle);
    long from = random.nextLong(cellBytes);
    long bytes = 1 + random.nextLong(cellBytes - from);
    long offset = allocator.offset(block.handle) + from;
    RegionLeases.take(region, offset, bytes);
    block.verify();
    calls.free(block.handle);
    return new Operation(region, offset, bytes, block);
  }

  /** Checks that a handle that was freed before is refused. */
  void requireStale(SlabCalls calls, long handle) {
    assertThrows(StaleHandleException.class, () -> calls.free(handle));
    assertThrows(StaleHandleException.class, () -> allocator.segment(handle));
  }

  /** Frees what nobody has taken, and checks that everything goes back to the system. */
  void close() {
    SlabCalls calls = SlabCalls.ofAnyThread(allocator);
    for (int i = 0; i < swap.length(); i++) {
      BurnBlock left = swap.getAndSet(i, null);
      if (left != null) {
        free(calls, left);
      }
    }
    for (List<BurnBlock> left = queue.poll(); left != null; left = queue.poll()) {
      freeBatch(calls, left);
    }
    for (Operation left = operations.poll(); left != null; left = operations.poll()) {
      left.end();
    }
    assertEquals(0, shadow.bytes());
    assertEquals(0, allocator.stats().liveCells(), allocator::toString);
    allocator.trim();
    assertEquals(0, budget.usedBytes(), () -> allocator.stats().toString());
    allocator.close();
  }
}
