package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What range deletes leave on the heap of who deletes. In a process of its own, as others are. */
@Tag("own-process")
class RangeDeleteGarbageTest {
  private static final int DELETES = 1_000;

  /** Until the compiler has done its work; more often than any machine needs. */
  private static final int ATTEMPTS = 200;

  private static final WriteOptions UNSYNCED = WriteOptions.of(Durability.NONE);
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** As long as there is room: a memtable and its trees are objects, but few. */
  @Test
  void rangeDeletesMakeNoneInAnyFamily() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1))) {
      MemorySegment first = arena.allocate(8);
      MemorySegment end = arena.allocate(9);
      for (Family family : new Family[] {store, store.createFamily("family")}) {
        long least = Long.MAX_VALUE;
        for (int attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
          store.flush();
          delete(family, first, end, 0);
          long before = THREADS.getCurrentThreadAllocatedBytes();
          for (int i = 1; i < DELETES; i++) {
            delete(family, first, end, i);
          }
          least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < DELETES / 10, "bytes for " + DELETES + " range deletes: " + least);
      }
    }
  }

  /** A key, and the next one that there can be. */
  private static void delete(Family family, MemorySegment first, MemorySegment end, int number)
      throws IOException {
    first.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, Long.reverseBytes(number));
    end.copyFrom(first);
    family.deleteRange(first, end, UNSYNCED);
  }
}
