package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class PrefaultTest {
  private static final long SLICE = Prefault.SLICE_BYTES;
  private static final BitSet ANYWHERE = new BitSet();

  private static MemorySegment reserve(Arena arena, long bytes) throws ErrnoException {
    return LinuxMemory.reserve(bytes, Region.UNIT_BYTES, arena);
  }

  /** Does what the caller says for each slice. */
  private interface Slices extends MappingCalls {
    void touch(MemorySegment slice) throws ErrnoException;

    @Override
    default void populate(MemorySegment memory) throws ErrnoException {
      touch(memory);
    }
  }

  @Test
  void everyPageIsTouchedByTheThreadsTogether() throws Exception {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = reserve(arena, 2 * SLICE + Region.UNIT_BYTES);
      Set<Thread> threads = ConcurrentHashMap.newKeySet();
      CyclicBarrier together = new CyclicBarrier(3);
      Slices calls =
          slice -> {
            threads.add(Thread.currentThread());
            arrive(together);
            LinuxMemory.populate(slice);
          };
      new Prefault(memory, ANYWHERE, calls).run(8);
      assertEquals(memory.byteSize() / 4096, Resident.pages(memory));
      assertEquals(3, threads.size());
    }
  }

  private static void arrive(CyclicBarrier barrier) {
    try {
      barrier.await(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void interruptIsNoticedBetweenSlices() throws Exception {
    AtomicInteger touched = new AtomicInteger();
    CountDownLatch inSlice = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    Slices calls =
        slice -> {
          touched.incrementAndGet();
          inSlice.countDown();
          try {
            assertTrue(interrupted.await(20, TimeUnit.SECONDS));
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          // As long as a slice takes: time for the caller to say that there is to be no next one.
          LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
        };
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = reserve(arena, 1L << 30);
      FutureTask<Boolean> run =
          new FutureTask<>(
              () -> {
                assertThrows(
                    InterruptedIOException.class,
                    () -> new Prefault(memory, ANYWHERE, calls).run(1));
                return Thread.currentThread().isInterrupted();
              });
      Thread thread = Thread.ofPlatform().start(run);
      assertTrue(inSlice.await(20, TimeUnit.SECONDS));
      thread.interrupt();
      // The interrupt has been taken up when the status is cleared; the slice goes on until then.
      while (thread.isInterrupted()) {
        Thread.onSpinWait();
      }
      interrupted.countDown();
      assertTrue(run.get(20, TimeUnit.SECONDS), "the interrupt was lost");
      assertTrue(touched.get() < memory.byteSize() / Prefault.SLICE_BYTES, "touched=" + touched);
    }
  }

  @Test
  void interruptedMappingLeavesNothingCharged() {
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    Thread caller = Thread.currentThread();
    Slices calls =
        slice -> {
          while (caller.isInterrupted()) {
            Thread.onSpinWait();
          }
        };
    RegionOptions options = RegionOptions.ofSize(1 << 20).withPrefaultThreads(1);
    caller.interrupt();
    UncheckedIOException e =
        assertThrows(UncheckedIOException.class, () -> Region.map(budget, options, calls));
    assertTrue(Thread.interrupted());
    assertTrue(e.getCause() instanceof InterruptedIOException, e.toString());
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void refusalOfOneSliceStopsAll() throws Exception {
    ErrnoException refusal = new ErrnoException("populate", Errno.ENOMEM);
    AtomicInteger touched = new AtomicInteger();
    AtomicReference<Thread> refused = new AtomicReference<>();
    Slices calls =
        slice -> {
          int count = touched.incrementAndGet();
          if (count == 3) {
            refused.set(Thread.currentThread());
            throw refusal;
          }
          // Slices take long enough for the other thread to have stopped all.
          while (count > 3 && (refused.get() == null || refused.get().isAlive())) {
            Thread.onSpinWait();
          }
        };
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = reserve(arena, 1L << 30);
      assertSame(
          refusal,
          assertThrows(ErrnoException.class, () -> new Prefault(memory, ANYWHERE, calls).run(2)));
      assertTrue(touched.get() <= 4, "touched=" + touched);
    }
  }

  @Test
  void threadsRunOnTheCpusAndTheCallerStaysWhereItIs() throws Exception {
    BitSet before = LinuxThreads.affinity();
    BitSet last = new BitSet();
    last.set(before.length() - 1);
    BitSet wanted = (BitSet) last.clone();
    wanted.set(8000);
    Set<BitSet> seen = ConcurrentHashMap.newKeySet();
    Slices calls = slice -> seen.add(LinuxThreads.affinity());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = reserve(arena, 2 * SLICE);
      new Prefault(memory, wanted, calls).run(2);
      assertEquals(Set.of(last), seen);
      assertEquals(before, LinuxThreads.affinity());
      seen.clear();
      BitSet forbidden = new BitSet();
      forbidden.set(8000);
      new Prefault(memory, forbidden, calls).run(2);
      assertEquals(Set.of(before), seen);
    }
  }

  @Test
  void threadsDoNotLeaveTheCpusOfTheProcess() throws Exception {
    BitSet all = LinuxThreads.affinity();
    assumeTrue(all.cardinality() > 1, "one CPU");
    BitSet first = new BitSet();
    first.set(all.nextSetBit(0));
    Set<BitSet> seen = ConcurrentHashMap.newKeySet();
    Slices calls = slice -> seen.add(LinuxThreads.affinity());
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = reserve(arena, SLICE);
      FutureTask<Void> run =
          new FutureTask<>(
              () -> {
                // Inherited by the threads that this one starts.
                LinuxThreads.setAffinity(first);
                new Prefault(memory, all, calls).run(1);
                return null;
              });
      Thread.ofPlatform().start(run);
      run.get(20, TimeUnit.SECONDS);
    }
    assertEquals(Set.of(first), seen);
  }

  @Test
  void threadsBelongToTheNodeWhereThePagesGo() {
    NumaNode first = node(0, 0, 1);
    NumaNode second = node(2, 2, 3);
    NumaTopology topology = NumaTopology.declared(List.of(first, second)).withCurrentCpu(() -> 3);
    assertEquals(first.cpus(), Prefault.cpus(PlacementPolicy.bind(0), topology));
    assertEquals(second.cpus(), Prefault.cpus(PlacementPolicy.preferred(2), topology));
    assertEquals(second.cpus(), Prefault.cpus(PlacementPolicy.local(), topology));
    assertEquals(second.cpus(), Prefault.cpus(PlacementPolicy.none(), topology));
    assertEquals(ANYWHERE, Prefault.cpus(PlacementPolicy.interleave(0, 2), topology));
    assertEquals(ANYWHERE, Prefault.cpus(PlacementPolicy.bind(7), topology));
  }

  private static NumaNode node(int id, int... cpus) {
    BitSet set = new BitSet();
    for (int cpu : cpus) {
      set.set(cpu);
    }
    return new NumaNode(id, set, 1 << 30, 1 << 30, List.of(10, 10));
  }
}
