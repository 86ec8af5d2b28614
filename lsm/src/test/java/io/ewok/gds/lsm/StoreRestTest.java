package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A store is at rest when nothing is left to do, and who waits for that hears why it does not. */
@Timeout(60)
class StoreRestTest {
  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(2);
  private static final Map<String, String> MERGE_AT_FOUR = Map.of("store.tables-before-merge", "4");

  /** More nanoseconds than there are numbers. */
  private static final Duration LONG = Duration.ofDays(400 * 365);

  private static final Duration SHORT = Duration.ofMillis(50);

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
  }

  private static void fill(Store store, int puts) throws IOException {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < puts; i++) {
      byte[] key = Fixtures.bytes("key" + random.nextInt(3_000));
      store.put(key, Fixtures.randomBytes(random, 1_000), Durability.NONE);
    }
  }

  private static void putAndFlush(Store store) throws IOException {
    store.put(Fixtures.bytes("key"), Fixtures.bytes("value"), Durability.NONE);
    store.flush();
  }

  @Test
  void atRestNothingIsDueAndNothingChangesAnyMore() throws Exception {
    try (Store store = open()) {
      store.background().setRest(1_000_000);
      for (int round = 0; round < 5; round++) {
        fill(store, 2_000);
        assertTrue(store.awaitRest(LONG));
        StoreStats stats = store.stats();
        assertTrue(stats.levels().stream().allMatch(level -> level.score() < 1), stats.toString());
        assertTrue(stats.levels().getFirst().tables() < 2, stats.toString());
        Thread.sleep(20);
        assertEquals(stats.written(), store.stats().written());
      }
      assertTrue(store.awaitRest(Duration.ofSeconds(10)), "it still is");
    }
  }

  /** A second table on level 0 is merged, but not before nothing has been written for a while. */
  @Test
  void whatIsMergedAtRestIsWaitedFor() throws Exception {
    try (Store store = open()) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      putAndFlush(store);
      assertTrue(store.awaitRest(LONG));
      // The second one starts no merge by itself.
      store.change(MERGE_AT_FOUR);
      putAndFlush(store);
      long start = System.nanoTime();
      assertFalse(store.awaitRest(SHORT));
      assertTrue(System.nanoTime() - start >= SHORT.toNanos());
      assertFalse(store.awaitRest(Duration.ZERO));
      assertFalse(store.awaitRest(Duration.ofSeconds(-1)));
      assertEquals(2, store.stats().levels().getFirst().tables());
      store.background().setRest(1_000_000);
      assertTrue(store.awaitRest(LONG));
      assertEquals(0, store.stats().levels().getFirst().tables());
    }
  }

  /** It would look each millisecond whether the reader has left. */
  @ParameterizedTest
  @EnumSource
  void theThreadSleepsWhileAReaderHoldsBackWhatIsDoneAtRest(Reader reader) throws Exception {
    try (Store store = open()) {
      store.background().setRest(1_000_000);
      fill(store, 3_000);
      store.compact();
      assertTrue(store.awaitRest(LONG));
      Snapshot snapshot = reader == Reader.SNAPSHOT ? store.snapshot() : null;
      StoreCursor cursor = reader == Reader.SNAPSHOT ? null : store.cursor();
      store.deleteRange(Fixtures.bytes("key1"), Fixtures.bytes("key2"), Durability.NONE);
      store.flush();
      Fixtures.await(store, () -> backgroundThread().getThreadState() == Thread.State.WAITING);
      long before = waits();
      Thread.sleep(300);
      assertTrue(waits() - before < 10, "waits=" + (waits() - before));
      assertEquals(1, rangeDeletes(store));
      switch (reader) {
        case SNAPSHOT -> snapshot.close();
        case CURSOR -> cursor.close();
        case REFRESHED -> cursor.refresh();
      }
      Fixtures.await(store, () -> rangeDeletes(store) == 0);
      if (reader == Reader.REFRESHED) {
        cursor.close();
      }
    }
  }

  /** Who holds back what is done at rest, and how it leaves. */
  private enum Reader {
    SNAPSHOT,
    CURSOR,
    REFRESHED
  }

  private static long rangeDeletes(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::rangeDeletes).sum();
  }

  /** How often the store's thread has begun to wait. */
  private static long waits() {
    return backgroundThread().getWaitedCount();
  }

  private static ThreadInfo backgroundThread() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return Arrays.stream(threads.dumpAllThreads(false, false))
        .filter(
            info -> info.getThreadName().equals("gds-store-" + Fixtures.DIRECTORY.getFileName()))
        .max(Comparator.comparingLong(ThreadInfo::getThreadId)) // other tests may have left some
        .orElseThrow();
  }

  @Test
  void aFlushThatFailsIsToldAndTriedOnceMoreByTheNext() throws Exception {
    try (Store store = open()) {
      store.put(Fixtures.bytes("key"), Fixtures.bytes("value"), Durability.SYNCED);
      engine.setCapacityBytes(engine.usedBytes());
      assertThrows(OutOfSpaceException.class, store::flush);
      for (int i = 0; i < 2; i++) {
        IOException e = assertThrows(OutOfSpaceException.class, () -> store.awaitRest(LONG));
        assertTrue(e.getMessage().contains("in memory cannot be written"), e.getMessage());
        assertNotNull(e.getCause());
      }
      engine.setCapacityBytes(Long.MAX_VALUE);
      assertTrue(store.awaitRest(LONG));
      assertEquals(1, store.stats().flushes());
    }
  }

  @Test
  void aMergeThatFailsIsToldAndTriedOnceMoreByTheNext() throws Exception {
    try (Store store = open()) {
      store.change(MERGE_AT_FOUR);
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      putAndFlush(store);
      putAndFlush(store);
      for (int n = 1; n <= 10; n++) { // of several attempts; nothing but a merge reads
        engine.failNth(SimOperation.READ, n, Errno.EIO);
      }
      store.background().setRest(1_000_000);
      // Perhaps it has failed once already.
      StorageException e = assertThrows(StorageException.class, () -> store.awaitRest(LONG));
      assertTrue(e.getMessage().contains("the tables cannot be merged"), e.getMessage());
      assertEquals(2, store.stats().levels().getFirst().tables());
      boolean ended = false;
      while (!ended) {
        try {
          ended = store.awaitRest(LONG);
        } catch (StorageException again) {
          assertTrue(again.getMessage().contains("the tables cannot be merged"));
        }
      }
      assertEquals(0, store.stats().levels().getFirst().tables());
    }
  }

  @Test
  void anInterruptEndsTheWaitAndNothingElse() throws Exception {
    try (Store store = open()) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      AtomicReference<Throwable> end = waitInAThread(store, Thread::interrupt);
      assertInstanceOf(InterruptedException.class, end.get());
      Thread.currentThread().interrupt();
      assertThrows(InterruptedException.class, () -> store.awaitRest(LONG));
      assertFalse(Thread.interrupted(), "the exception says it");
      assertEquals("value", Fixtures.text(store.get(Fixtures.bytes("key"))));
    }
  }

  @Test
  void closeEndsTheWait() throws Exception {
    Store store = open();
    store.background().setRest(TimeUnit.HOURS.toNanos(1));
    AtomicReference<Throwable> end =
        waitInAThread(
            store,
            _ -> {
              try {
                store.close();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    assertInstanceOf(IllegalStateException.class, end.get());
    assertThrows(IllegalStateException.class, () -> store.awaitRest(LONG));
  }

  /** Has a thread wait for a rest that does not come, and returns how that ended. */
  private static AtomicReference<Throwable> waitInAThread(Store store, Consumer<Thread> ending)
      throws Exception {
    store.change(MERGE_AT_FOUR);
    putAndFlush(store);
    putAndFlush(store);
    AtomicReference<Throwable> end = new AtomicReference<>();
    CountDownLatch begun = new CountDownLatch(1);
    Thread waiting =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    begun.countDown();
                    boolean unused = store.awaitRest(LONG);
                  } catch (Throwable e) {
                    end.set(e);
                  }
                });
    begun.await();
    Thread.sleep(20);
    assertNull(end.get());
    assertTrue(waiting.isAlive());
    ending.accept(waiting);
    waiting.join();
    return end;
  }
}
