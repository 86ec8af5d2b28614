package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.SlabModelTest.Way;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an allocator costs beside the memory that is asked for: on the heap and outside. */
@WithoutLetters
class SlabSpaceTest {
  private static final long SEED = Long.getLong("gds.seed", 5);

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final MemoryBudget budget = MemoryBudget.root("test", 512 << 20);
  private final SlabAllocator slabs =
      new SlabAllocator(budget, SlabOptions.named("test").withHugePages(HugePages.OFF));

  @AfterEach
  void close() {
    slabs.close();
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsAllocatedOnTheHeap(Way way) {
    SlabCalls calls = way.calls(slabs);
    long[] handles = new long[13 * 150];
    work(calls, handles, 50);
    long before = THREADS.getCurrentThreadAllocatedBytes();
    work(calls, handles, 50);
    long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
    // 195,000 pairs; what the measurement itself takes is far less than one byte for each.
    assertTrue(bytes < 10_000, () -> "heap bytes: " + bytes);
  }

  /** All sizes at once, so that no size takes over the memory of another. */
  private static void work(SlabCalls calls, long[] handles, int rounds) {
    int each = handles.length / 13;
    for (int round = 0; round < rounds; round++) {
      for (int size = 0; size < 13; size++) {
        assertEquals(each, calls.allocateBatch(16 << size, handles, size * each, each));
      }
      calls.freeBatch(handles, 0, 13 * each);
      for (int i = 0; i < 13 * each; i++) {
        handles[i] = calls.allocate(16 << (i / each));
      }
      for (int i = 0; i < 13 * each; i++) {
        calls.free(handles[i]);
      }
    }
  }

  @Test
  void metadataOfFramesIsSmall() {
    int frames = 64 << 10;
    long[] handles = new long[frames];
    SlabCalls warm = SlabCalls.ofShards(slabs);
    warm.free(warm.allocate(4096));
    SlabCalls calls = SlabCalls.ofShards(slabs);
    long before = THREADS.getCurrentThreadAllocatedBytes();
    assertEquals(frames, calls.allocateBatch(4096, handles, 0, frames));
    // All that was allocated meanwhile, kept or not.
    long heapBytes = THREADS.getCurrentThreadAllocatedBytes() - before;
    long outsideBytes = slabs.stats().committedBytes() - frames * 4096L;
    double part = (heapBytes + Math.max(0, outsideBytes)) / (frames * 4096.0);
    assertTrue(part < 0.015, () -> "metadata: " + part);
  }

  /** Sizes in bytes and how often each is asked for, in percent: a web-socket proxy, rounded. */
  private static final int[][] MIX = {
    {15, 13}, {256, 24}, {636, 11}, {1024, 34}, {2048, 3}, {4463, 1}, {8447, 2}, {16_639, 12}
  };

  private static int draw(Random random) {
    int percent = random.nextInt(100);
    for (int[] size : MIX) {
      percent -= size[1];
      if (percent < 0) {
        return size[0];
      }
    }
    throw new AssertionError("the mix does not make a whole");
  }

  @Test
  void littleMoreIsTakenThanAskedFor() {
    Random random = new Random(SEED);
    SlabCalls calls = SlabCalls.ofShards(slabs);
    int live = 65_536;
    long[] handles = new long[live];
    int[] sizes = new int[live];
    long asked = 0;
    for (int step = 0; step < 8 * live; step++) {
      int index = random.nextInt(live);
      if (handles[index] != SlabAllocator.NONE) {
        calls.free(handles[index]);
        asked -= sizes[index];
      }
      sizes[index] = draw(random);
      handles[index] = calls.allocate(sizes[index]);
      asked += sizes[index];
    }
    SlabStats stats = slabs.stats();
    long askedBytes = asked;
    assertTrue(
        stats.slabBytes() < askedBytes * 1.10,
        () -> "asked for %d, %s, -Dgds.seed=%d".formatted(askedBytes, stats, SEED));
  }
}
