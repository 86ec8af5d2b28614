package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What writes leave on the heap that wait for the log on a real disk, whoever of them writes it. In
 * a process whose compiler leaves no object out, see {@link GarbageTest}.
 */
@Tag("no-escape-analysis")
class SyncedGarbageTest {
  private static final int THREADS = 4;
  private static final int PUTS = 200;

  /** Until everything that is made once is made, and the compiler has done its work. */
  private static final int ATTEMPTS = 100;

  /**
   * Less than the smallest object for each group of threads that share a sync; the JVM itself makes
   * one now and then, for who finds a lock held.
   */
  private static final double BYTES_PER_PUT_MAX = 1;

  private static final int VALUE_BYTES = 1000;

  /** More than is put between two flushes: what a new memtable costs is not asked here. */
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withMemtableBytes(8 << 20).withLogSegmentBytes(8 << 20).withLogSegmentCount(4);

  private final ThreadMXBean measure = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir private Path directory;
  private Store store;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(directory, OPTIONS);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  /** Puts from one thread. Returns what it has left. */
  private long put(int puts, Durability durability, Callable<?> ready) throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(8);
      MemorySegment value = arena.allocate(VALUE_BYTES);
      store.put(key, value, Durability.NONE);
      ready.call();
      long before = measure.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < puts; i++) {
        key.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, i);
        store.put(key, value, durability);
      }
      return measure.getCurrentThreadAllocatedBytes() - before;
    }
  }

  private interface Attempt {
    long bytes() throws Exception;
  }

  private void assertNoGarbage(int puts, Attempt attempt) throws Exception {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < ATTEMPTS && least >= BYTES_PER_PUT_MAX * puts; i++) {
      store.flush();
      least = Math.min(least, attempt.bytes());
    }
    assertTrue(least < BYTES_PER_PUT_MAX * puts, "bytes of " + puts + " puts: " + least);
  }

  @Test
  void oneThreadsSyncedPutsMakeNone() throws Exception {
    assertNoGarbage(PUTS, () -> put(PUTS, Durability.SYNCED, () -> null));
  }

  @Test
  void oneThreadsBufferedPutsMakeNone() throws Exception {
    assertNoGarbage(PUTS, () -> put(PUTS, Durability.BUFFERED, () -> null));
  }

  /** Some lead, and write for all; the others wait. */
  @Test
  void syncedPutsOfSeveralThreadsMakeNone() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      CyclicBarrier ready = new CyclicBarrier(THREADS);
      assertNoGarbage(
          THREADS * PUTS,
          () -> {
            List<Future<Long>> left = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
              left.add(threads.submit(() -> put(PUTS, Durability.SYNCED, ready::await)));
            }
            long bytes = 0;
            for (Future<Long> each : left) {
              bytes += each.get();
            }
            return bytes;
          });
    }
  }

  /** Nor does the thread that writes the log for them. */
  @Test
  void putsThatWaitForNothingMakeNone() throws Exception {
    Thread pump =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().equals("gds-log-" + directory.getFileName()))
            .findAny()
            .orElse(null);
    assertNotNull(pump);
    int putsPerBlock = StoreMemory.logOptions(OPTIONS).bufferBytes() / VALUE_BYTES;
    int puts = 20 * putsPerBlock;
    assertNoGarbage(
        puts,
        () -> {
          long before = measure.getThreadAllocatedBytes(pump.threadId());
          long bytes = put(puts, Durability.NONE, () -> null);
          // As if what it makes for a block had been made for each put.
          return bytes + putsPerBlock * (measure.getThreadAllocatedBytes(pump.threadId()) - before);
        });
  }
}
