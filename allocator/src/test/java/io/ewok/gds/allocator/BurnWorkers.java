package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Burn.Worker;
import io.ewok.gds.allocator.BurnScene.Operation;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What users do to the allocator of a {@link BurnScene}. */
final class BurnWorkers {
  private static final int BATCH_MAX = 32;
  private static final int WAIT_MILLIS = 20;
  private static final MemorySegment ZEROES =
      MemorySegment.ofArray(new byte[SlabAllocator.BYTES_MAX]);

  private BurnWorkers() {}

  /** Allocates and frees one by one, own blocks and those of others. */
  static final class Churn implements Worker {
    private static final int STALE_MAX = 64;

    private final BurnScene scene;
    private final SlabCalls calls;
    private final BurnBlock[] own = new BurnBlock[256];
    private final Deque<Long> freed = new ArrayDeque<>();

    Churn(BurnScene scene, SlabCalls calls) {
      this.scene = scene;
      this.calls = calls;
    }

    @Override
    public void step(SplittableRandom random) {
      int slot = random.nextInt(own.length);
      int dice = random.nextInt(1000);
      if (dice < 700) {
        if (own[slot] == null) {
          own[slot] = allocate(random);
        } else {
          free(own[slot]);
          own[slot] = null;
        }
      } else if (dice < 980) {
        own[slot] = scene.swap.getAndSet(random.nextInt(scene.swap.length()), own[slot]);
      } else if (dice < 999) {
        if (!freed.isEmpty()) {
          scene.requireStale(calls, freed.removeFirst());
        }
      } else {
        calls.flush();
      }
    }

    private BurnBlock allocate(SplittableRandom random) {
      int bytes = BurnScene.size(random);
      return switch (random.nextInt(8)) {
        case 0 -> {
          int alignmentBytes = 1 << random.nextInt(17);
          long handle = calls.allocate(bytes, alignmentBytes);
          if (handle != SlabAllocator.NONE) {
            assertEquals(0, scene.allocator.address(handle) % alignmentBytes);
          }
          yield scene.block(handle, bytes);
        }
        case 1 -> {
          long handle = calls.allocateZeroed(bytes);
          if (handle != SlabAllocator.NONE) {
            MemorySegment segment = scene.allocator.segment(handle, bytes);
            assertEquals(-1, segment.mismatch(ZEROES.asSlice(0, bytes)));
          }
          yield scene.block(handle, bytes);
        }
        default -> scene.block(calls.allocate(bytes), bytes);
      };
    }

    private void free(BurnBlock block) {
      scene.free(calls, block);
      freed.add(block.handle);
      if (freed.size() > STALE_MAX) {
        freed.removeFirst();
      }
    }

    @Override
    public void end() {
      for (BurnBlock block : own) {
        if (block != null) {
          scene.free(calls, block);
        }
      }
      calls.flush();
    }
  }

  /** Has I/O in flight on its blocks, frees them meanwhile, and lets others end it. */
  record Operator(BurnScene scene, SlabCalls calls) implements Worker {
    private static final int OPERATIONS_MAX = 64;

    @Override
    public void step(SplittableRandom random) {
      if (random.nextBoolean()) {
        int bytes = BurnScene.size(random);
        BurnBlock block = scene.block(calls.allocate(bytes), bytes);
        if (block != null) {
          scene.operations.add(scene.operateAndFree(calls, block, random));
          scene.requireStale(calls, block.handle);
        }
      }
      // On average as many as begin, and always some in flight.
      if (scene.operations.size() > random.nextInt(OPERATIONS_MAX)) {
        Operation operation = scene.operations.poll();
        if (operation != null) {
          operation.end();
        }
      }
    }

    @Override
    public void end() {
      calls.flush();
    }
  }

  /** Allocates batches and passes them on; never frees but what nobody takes. */
  record Producer(BurnScene scene, SlabCalls calls) implements Worker {
    @Override
    public void step(SplittableRandom random) throws InterruptedException {
      int count = 1 + random.nextInt(BATCH_MAX);
      scene.offer(calls, scene.allocateBatch(calls, BurnScene.size(random), count));
    }

    @Override
    public void end() {
      calls.flush();
    }
  }

  /** Frees what producers have allocated; never allocates. */
  record Consumer(BurnScene scene, SlabCalls calls) implements Worker {
    @Override
    public void step(SplittableRandom random) throws InterruptedException {
      List<BurnBlock> blocks = scene.queue.poll(WAIT_MILLIS, TimeUnit.MILLISECONDS);
      if (blocks == null) {
        return;
      }
      if (random.nextBoolean()) {
        scene.freeBatch(calls, blocks);
      } else {
        blocks.forEach(block -> scene.free(calls, block));
      }
    }

    @Override
    public void end() {
      calls.flush();
    }
  }

  /** Takes all there is, frees all of it, and gives the others some time. */
  record Burster(BurnScene scene, SlabCalls calls) implements Worker {
    private static final int BYTES_MIN = 2048;

    @Override
    public void step(SplittableRandom random) {
      int bytes = Math.max(BYTES_MIN, BurnScene.size(random));
      List<BurnBlock> all = new ArrayList<>();
      int before;
      do {
        before = all.size();
        all.addAll(scene.allocateBatch(calls, bytes, BATCH_MAX));
      } while (all.size() == before + BATCH_MAX);
      scene.freeBatch(calls, all);
      calls.flush();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(WAIT_MILLIS));
    }
  }

  /** Returns memory to the system while the others use it. */
  record Trimmer(BurnScene scene) implements Worker {
    @Override
    public void step(SplittableRandom random) {
      long bytes = scene.allocator.trim();
      assertTrue(bytes >= 0 && bytes % Region.UNIT_BYTES == 0, () -> "bytes=" + bytes);
      SlabStats stats = scene.allocator.stats();
      assertTrue(stats.committedBytes() <= scene.budget.limitBytes(), stats::toString);
      assertTrue(stats.slabBytes() <= stats.committedBytes(), stats::toString);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(WAIT_MILLIS)));
    }
  }

  /** Opens an allocator of its own and closes it with live handles in it. */
  static final class ShortLived implements Worker {
    private final BurnScene scene;
    private final SlabCalls ofScene;

    ShortLived(BurnScene scene) {
      this.scene = scene;
      this.ofScene = SlabCalls.ofAnyThread(scene.allocator);
    }

    @Override
    public void step(SplittableRandom random) {
      SlabAllocator allocator =
          new SlabAllocator(scene.budget, SlabOptions.named("short").withHugePages(HugePages.OFF));
      SlabCalls calls =
          random.nextBoolean() ? SlabCalls.ofShards(allocator) : SlabCalls.ofAnyThread(allocator);
      List<Long> handles = new ArrayList<>();
      for (int i = 0; i < BATCH_MAX; i++) {
        long handle = calls.allocate(BurnScene.size(random));
        if (handle == SlabAllocator.NONE) {
          continue;
        }
        scene.requireStale(ofScene, handle);
        handles.add(handle);
        if (random.nextBoolean()) {
          calls.free(handle);
        }
      }
      allocator.close();
      for (long handle : handles) {
        assertThrows(StaleHandleException.class, () -> allocator.address(handle));
        scene.requireStale(ofScene, handle);
      }
    }
  }

  /** Many threads, each for a few allocations only. */
  static final class VirtualThreads implements Worker {
    private static final int THREADS = 200;

    private final BurnScene scene;
    private final SlabCalls calls;

    VirtualThreads(BurnScene scene) {
      this.scene = scene;
      this.calls = SlabCalls.ofAnyThread(scene.allocator);
    }

    @Override
    public void step(SplittableRandom random) throws Exception {
      List<Future<?>> all = new ArrayList<>();
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < THREADS; i++) {
          int bytes = BurnScene.size(random);
          all.add(executor.submit(() -> visit(bytes)));
        }
      }
      for (Future<?> each : all) {
        each.get();
      }
    }

    private void visit(int bytes) {
      BurnBlock block = scene.block(calls.allocate(bytes), bytes);
      // Goes on on another carrier.
      LockSupport.parkNanos(1);
      if (block != null) {
        scene.free(calls, block);
      }
    }
  }
}
