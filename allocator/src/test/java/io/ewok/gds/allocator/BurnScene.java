package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
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

  private final LiveCells shadow = new LiveCells();
  private final AtomicLong stamps = new AtomicLong();

  BurnScene(long limitBytes) {
    this.budget = MemoryBudget.root("burn", limitBytes);
    this.allocator =
        new SlabAllocator(budget, SlabOptions.named("burn").withHugePages(HugePages.OFF));
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
    assertEquals(0, shadow.bytes());
    assertEquals(0, allocator.stats().liveCells(), allocator::toString);
    allocator.trim();
    assertEquals(0, budget.usedBytes(), () -> allocator.stats().toString());
    allocator.close();
  }
}
