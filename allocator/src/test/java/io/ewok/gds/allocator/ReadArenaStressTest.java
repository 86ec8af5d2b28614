package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** An arena under real threads, beside a shadow that knows who has which sector. */
class ReadArenaStressTest {
  private static final int BLOCK = ReadArena.BLOCK_BYTES;
  private static final long LONG_NANOS = TimeUnit.MINUTES.toNanos(2);
  private static final int MIN = 3;
  private static final int MAX = 12;

  private final MemoryBudget core = MemoryBudget.root("core", 14L * BLOCK);
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  private interface Body {
    void run(int thread) throws Exception;
  }

  private void inThreads(int count, Thread.Builder builder, Body body) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int thread = i;
      threads.add(
          builder.start(
              () -> {
                try {
                  body.run(thread);
                } catch (Throwable e) {
                  failure.compareAndSet(null, e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertNull(failure.get(), () -> String.valueOf(failure.get()));
  }

  /** Whether a sector of 512 bytes is somebody's. */
  private static final class Shadow {
    private final ReadArena arena;
    private final AtomicIntegerArray owned = new AtomicIntegerArray(MAX * BLOCK / 512);

    Shadow(ReadArena arena) {
      this.arena = arena;
    }

    void change(long handle, int from, int to) {
      long offset = arena.offset(handle);
      for (long at = 0; at < arena.segment(handle).byteSize(); at += 512) {
        int sector = (int) ((offset + at) / 512);
        assertTrue(owned.compareAndSet(sector, from, to), "sector=" + sector);
      }
    }
  }

  @Test
  void noPageIsIssuedTwiceAndNothingIsLostUnderAnyMixOfCalls() throws Exception {
    long seed = 4711;
    try (ReadArena arena =
        new ReadArena(core, ReadArenaOptions.ofBytes(MIN * BLOCK, MAX * BLOCK))) {
      Shadow shadow = new Shadow(arena);
      MemoryBudget others = core.child("others", core.limitBytes());
      Queue<Long> granted = new ConcurrentLinkedQueue<>();
      AtomicBoolean done = new AtomicBoolean();
      Thread observer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!done.get()) {
                      long committed = arena.committedBytes();
                      if (committed < 0 || committed > MAX * BLOCK) {
                        failure.compareAndSet(null, new AssertionError("committed=" + committed));
                      }
                      arena.stats();
                    }
                  });
      inThreads(
          4,
          Thread.ofPlatform(),
          thread -> {
            Random random = new Random(seed + thread);
            List<Long> mine = new ArrayList<>();
            for (int i = 0; i < 30_000; i++) {
              int pageBytes = random.nextBoolean() ? 512 : 4096;
              int pages = 1 + random.nextInt(4);
              switch (random.nextInt(100)) {
                case 0 -> compete(others, 1L + random.nextInt(8 * BLOCK));
                case 1 -> own(shadow, mine, arena.allocate(pageBytes, pages, 100_000));
                case 2, 3 -> arena.whenAvailable(pageBytes, pages, granted::add);
                case 4 -> {
                  ReadRequest request = arena.whenAvailable(pageBytes, pages, granted::add);
                  assertFalse(request.cancel() && request.isGranted());
                }
                case 5 -> arena.compact();
                default -> {
                  if (random.nextInt(100) < (i / 3_000 % 2 == 0 ? 60 : 40)) {
                    own(shadow, mine, arena.allocate(pageBytes, pages));
                  } else if (!mine.isEmpty()) {
                    disown(shadow, arena, mine.remove(random.nextInt(mine.size())), random);
                  }
                }
              }
              Long other = granted.poll();
              if (other != null) {
                own(shadow, mine, other);
              }
            }
            for (long handle : mine) {
              disown(shadow, arena, handle, random);
            }
          });
      while (!granted.isEmpty()) {
        arena.release(granted.poll());
      }
      done.set(true);
      observer.join();
      String replay = "seed=" + seed + " " + arena.stats();
      assertEquals(0, arena.stats().waiting(), replay);
      assertEquals(0, arena.stats().smallPages() + arena.stats().largePages(), replay);
      assertEquals(MIN * BLOCK, arena.committedBytes(), replay);
      assertEquals(MIN * BLOCK, core.usedBytes(), replay);
      assertTrue(core.peakBytes() <= core.limitBytes(), replay);
      assertTrue(arena.stats().blocksGivenBack() > 0 && arena.stats().refusals() > 0, replay);
    }
    assertEquals(0, core.usedBytes());
  }

  private static void compete(MemoryBudget others, long bytes) {
    if (others.tryReserve(bytes)) {
      others.release(bytes);
    }
  }

  private static void own(Shadow shadow, List<Long> mine, long handle) {
    if (handle != ReadArena.NONE) {
      shadow.change(handle, 0, 1);
      mine.add(handle);
    }
  }

  private static void disown(Shadow shadow, ReadArena arena, long handle, Random random) {
    shadow.change(handle, 1, 0);
    long bytes = arena.segment(handle).byteSize();
    switch (random.nextInt(3)) {
      case 0 -> arena.release(handle);
      case 1 -> {
        Region region = arena.region(handle);
        long offset = arena.offset(handle);
        RegionLeases.take(region, offset, bytes);
        arena.release(handle);
        RegionLeases.giveBack(region, offset, bytes);
      }
      default -> {
        arena.releasePage(handle, 0);
        if (bytes > 4096 || (bytes > 512 && bytes < 4096)) {
          arena.release(handle);
        }
      }
    }
  }

  @Test
  void requestIsNotForgottenWhenTheLastPageGoesMeanwhile() throws Exception {
    int rounds = 5_000;
    try (ReadArena arena = new ReadArena(core, ReadArenaOptions.ofBytes(2 * BLOCK, 2 * BLOCK))) {
      for (int i = 0; i < BLOCK / 4096; i++) {
        arena.allocate(4096, 1);
      }
      CyclicBarrier barrier = new CyclicBarrier(2);
      inThreads(
          2,
          Thread.ofPlatform(),
          thread -> {
            for (int i = 0; i < rounds; i++) {
              long small = thread == 0 ? arena.allocate(512, 1) : ReadArena.NONE;
              barrier.await(2, TimeUnit.MINUTES);
              if (thread == 0) {
                assertNotEquals(ReadArena.NONE, small);
                arena.release(small);
              } else {
                long large = arena.allocate(4096, 1, LONG_NANOS);
                assertNotEquals(ReadArena.NONE, large, "forgotten in round " + i);
                arena.release(large);
              }
              barrier.await(2, TimeUnit.MINUTES);
            }
          });
    }
  }

  @Test
  void ofTwoReleasesExactlyOneSucceeds() throws Exception {
    int rounds = 20_000;
    AtomicInteger released = new AtomicInteger();
    long[] handle = new long[1];
    try (ReadArena arena = new ReadArena(core, ReadArenaOptions.ofBytes(0, 2 * BLOCK))) {
      CyclicBarrier barrier = new CyclicBarrier(2);
      inThreads(
          2,
          Thread.ofPlatform(),
          thread -> {
            for (int i = 0; i < rounds; i++) {
              if (thread == 0) {
                handle[0] = arena.allocate(512, 1 + i % 4);
              }
              barrier.await(2, TimeUnit.MINUTES);
              try {
                arena.release(handle[0]);
                released.incrementAndGet();
              } catch (StaleHandleException second) {
                assertTrue(second.getMessage().contains("released already"));
              }
              barrier.await(2, TimeUnit.MINUTES);
            }
          });
      assertEquals(rounds, released.get());
      assertEquals(0, arena.committedBytes());
    }
  }

  @Test
  void thousandsOfVirtualThreadsTakeTurns() throws Exception {
    try (ReadArena arena = new ReadArena(core, ReadArenaOptions.ofBytes(0, 2 * BLOCK))) {
      inThreads(
          10_000,
          Thread.ofVirtual(),
          thread -> {
            long handle = arena.allocate(thread % 3 == 0 ? 512 : 4096, 1 + thread % 4, LONG_NANOS);
            assertNotEquals(ReadArena.NONE, handle);
            arena.release(handle);
          });
      assertEquals(0, arena.committedBytes());
      assertEquals(0, core.usedBytes());
    }
  }
}
