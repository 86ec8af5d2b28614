package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.FiberMode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** What calls leave on the heap, on the thread of the caller and on those of the owners. */
@Tag("no-escape-analysis")
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ShardedGarbageTest {
  private static final int RECORDS = 1_000;
  private static final int CALLS = 5_000;
  private static final int ATTEMPTS = 60;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Arena arena = Arena.ofShared();
  private final MemorySegment key = arena.allocate(Long.BYTES);
  private final MemorySegment room = arena.allocate(128);
  private ShardedStore store;

  /** How the names of the owners' threads begin. */
  private String owners = "gds-shard";

  @BeforeEach
  void open() throws IOException {
    ShardedOptions options = ShardedStoreTest.options(FiberMode.REACTOR).withCount(2);
    store = ShardedStore.open(Fixtures.DIRECTORY, options, new SimEngine(1));
    for (int i = 0; i < RECORDS; i++) {
      setKey(i);
      store.put(key, room, Durability.NONE);
    }
  }

  @AfterEach
  void close() throws IOException {
    store.close();
    arena.close();
  }

  private void setKey(int number) {
    key.set(ValueLayout.JAVA_LONG, 0, number);
  }

  private interface Call {
    void run(int number) throws IOException;
  }

  /** Of this thread, and of the reactors' with their fibers. */
  private long allocatedBytes() {
    long[] threads =
        Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds()))
            .filter(info -> info != null && info.getThreadName().startsWith(owners))
            .mapToLong(ThreadInfo::getThreadId)
            .toArray();
    assertEquals(2, threads.length);
    return THREADS.getCurrentThreadAllocatedBytes()
        + LongStream.of(threads).map(THREADS::getThreadAllocatedBytes).sum();
  }

  /** Returns the bytes of a call, when the compiler has done its work. */
  private double bytesOfACall(Call call) throws IOException {
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
      long before = allocatedBytes();
      long own = allocatedBytes() - before; // to look costs something, too
      before = allocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        call.run(i % RECORDS);
      }
      least = Math.min(least, Math.max(0, allocatedBytes() - before - own));
    }
    return (double) least / CALLS;
  }

  @Test
  void getsFromOutsideLeaveNothing() throws Exception {
    double get =
        bytesOfACall(
            number -> {
              setKey(number);
              assertEquals(128, store.get(key, room));
            });
    assertTrue(get < 1, "bytes of a get: " + get);
  }

  /** A simulated device lies on the heap. A new memtable makes objects, but not in each attempt. */
  @Test
  void putsFromOutsideLeaveHardlyAnything(@TempDir Path directory) throws Exception {
    ShardedOptions options = ShardedStoreTest.options(FiberMode.REACTOR).withCount(2);
    options = options.withStore(options.store().withMemtableBytes(16 << 20));
    owners = "shard-test";
    try (ShardedStore real = ShardedStore.open(directory.resolve("store"), options)) {
      double put =
          bytesOfACall(
              number -> {
                setKey(number);
                real.put(key, room, Durability.NONE);
              });
      assertTrue(put < 8, "bytes of a put: " + put);
    }
  }

  @Test
  void aCallThatIsBegunAndAwaitedLeavesNothing() throws Exception {
    ShardCall first = store.newCall();
    ShardCall second = store.newCall();
    MemorySegment other = arena.allocate(128);
    MemorySegment otherKey = arena.allocate(Long.BYTES);
    double bytes =
        bytesOfACall(
            number -> {
              setKey(number);
              otherKey.set(ValueLayout.JAVA_LONG, 0, (number + 1) % RECORDS);
              first.get(key, room);
              second.get(otherKey, other);
              assertEquals(128, first.await());
              assertEquals(128, second.await());
            });
    assertTrue(bytes < 1, "bytes of two calls: " + bytes);
  }

  /** What a scan needs to begin is spread over its records. */
  @Test
  void aMoveOfAScanLeavesHardlyAnything() throws Exception {
    ShardedScan[] scan = {store.scan(CursorOptions.defaults())};
    double bytes =
        bytesOfACall(
            _ -> {
              if (!scan[0].next()) {
                scan[0].close();
                scan[0] = store.scan(CursorOptions.defaults());
              }
            });
    scan[0].close();
    assertTrue(bytes < 64, "bytes of a move: " + bytes);
  }
}
