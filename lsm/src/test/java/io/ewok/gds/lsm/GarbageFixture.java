package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A store with some of everything, and a measure of what calls leave on the heap. */
abstract class GarbageFixture {
  static final int RECORDS = 2_000;
  static final int CALLS = 20_000;

  /** Until the compiler has done its work; more often than any machine needs. */
  static final int ATTEMPTS = 200;

  static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Arena arena = Arena.ofConfined();
  final MemorySegment key = arena.allocate(8);
  final MemorySegment room = arena.allocate(64 << 10);
  Store store;
  Family family;

  /** Those of the store. */
  StoreOptions options() {
    return Fixtures.TINY;
  }

  /** One in three records in memory, the others in tables of two levels. */
  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, options(), new SimEngine(1));
    for (int i = 0; i < 5; i++) {
      family = store.createFamily("family " + i);
    }
    for (int third = 0; third < 3; third++) {
      for (int i = third; i < RECORDS; i += 3) {
        setKey(i);
        store.put(key, room.asSlice(0, i % 100), Durability.NONE);
        family.put(key, room.asSlice(0, i % 90), Durability.NONE);
      }
      if (third == 0) {
        store.compact();
        family.compact();
      } else if (third == 1) {
        store.flush();
      }
    }
  }

  @AfterEach
  void close() throws IOException {
    store.close();
    arena.close();
  }

  void setKey(int number) {
    key.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, Long.reverseBytes(number * 2L));
  }

  interface Call {
    void run(int number) throws IOException;
  }

  /** That many calls leave nothing; so none of them does, since each would leave something. */
  static void assertNoGarbage(Call call) throws IOException {
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        call.run(i % RECORDS);
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < CALLS / 10, "bytes for " + CALLS + " calls: " + least);
  }
}
