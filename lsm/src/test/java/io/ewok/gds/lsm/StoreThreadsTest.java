package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many threads at once, and closes that come at the worst time. */
@Timeout(60)
class StoreThreadsTest {
  private static final int KEYS = 200;

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withTablesBeforeMerge(2), engine);
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%03d".formatted(number));
  }

  /** All bytes of a value are equal, so that a torn read shows. */
  private static byte[] value(int number, int lengthBytes) {
    byte[] value = new byte[lengthBytes];
    Arrays.fill(value, (byte) number);
    return value;
  }

  private static void assertWhole(MemorySegment value) {
    byte first = value.get(ValueLayout.JAVA_BYTE, 0);
    for (long i = 1; i < value.byteSize(); i++) {
      assertEquals(first, value.get(ValueLayout.JAVA_BYTE, i));
    }
  }

  private static void run(ExecutorService executor, List<Callable<Void>> tasks) throws Exception {
    List<Future<Void>> futures = new ArrayList<>();
    for (Callable<Void> task : tasks) {
      futures.add(executor.submit(task));
    }
    for (Future<Void> future : futures) {
      future.get();
    }
  }

  @Test
  void readersSeeWholeValuesAndConsistentViewsWhileAWriterMerges() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (Store store = open();
        ExecutorService executor = Executors.newCachedThreadPool()) {
      // Every batch writes one number to two keys: nobody may see them differ in one view.
      WriteBatch batch = new WriteBatch();
      for (int i = 0; i < KEYS; i++) {
        batch.put(key(i), value(0, 1_500));
      }
      for (int i = 0; i < KEYS; i += 50) {
        WriteBatch part = new WriteBatch();
        for (int j = i; j < i + 50; j++) {
          part.put(key(j), value(0, 1_500));
        }
        store.write(part, Durability.NONE);
      }
      List<Callable<Void>> tasks = new ArrayList<>();
      tasks.add(
          () -> {
            SplittableRandom random = new SplittableRandom(1);
            try {
              for (int i = 0; i < 1_500; i++) {
                int pair = random.nextInt(KEYS / 2);
                byte[] value = value(i, 1_000 + random.nextInt(1_000));
                store.write(
                    new WriteBatch().put(key(pair), value).put(key(KEYS - 1 - pair), value),
                    i % 100 == 0 ? Durability.SYNCED : Durability.NONE);
              }
            } finally {
              done.set(true); // or else a failure here would never be seen
            }
            return null;
          });
      for (int reader = 0; reader < 2; reader++) {
        SplittableRandom random = new SplittableRandom(reader + 2);
        tasks.add(
            () -> {
              while (!done.get()) {
                byte[] wanted = key(random.nextInt(KEYS));
                assertTrue(store.get(MemorySegment.ofArray(wanted), StoreThreadsTest::assertWhole));
              }
              return null;
            });
      }
      tasks.add(
          () -> {
            while (!done.get()) {
              try (StoreCursor cursor = store.cursor()) {
                byte[] numbers = new byte[KEYS];
                int count = 0;
                for (cursor.first(); cursor.isValid(); cursor.next()) {
                  assertWhole(cursor.value());
                  numbers[count++] = cursor.value().get(ValueLayout.JAVA_BYTE, 0);
                }
                assertEquals(KEYS, count);
                for (cursor.last(); cursor.isValid(); cursor.previous()) {
                  count--;
                  assertEquals(numbers[count], cursor.value().get(ValueLayout.JAVA_BYTE, 0));
                }
                assertEquals(0, count);
                for (int i = 0; i < KEYS; i++) {
                  assertEquals(numbers[i], numbers[KEYS - 1 - i], "two keys of one batch");
                }
              }
            }
            return null;
          });
      run(executor, tasks);
      assertTrue(store.stats().flushes() > 5 && store.stats().merges() > 2);
    }
  }

  @Test
  void writersOnVirtualThreadsShareSyncsAndLoseNothing() throws Exception {
    int writers = 64;
    int writes = 40;
    try (Store store = open()) {
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int writer = 0; writer < writers; writer++) {
        int number = writer;
        tasks.add(
            () -> {
              for (int i = 0; i < writes; i++) {
                byte[] key = Fixtures.bytes(number + "/" + i);
                store.put(key, value(number, 300), Durability.SYNCED);
                assertArrayEquals(value(number, 300), store.get(key));
              }
              return null;
            });
      }
      try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
        run(executor, tasks);
      }
    }
    SimEngine after = engine.crash(9);
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, after)) {
      assertEquals(writers * writes, Fixtures.contents(store).size());
    }
  }

  /** What a thread may meet when its store closes under it. */
  private static void untilClosed(Callable<Void> work) throws Exception {
    try {
      while (true) {
        work.call();
      }
    } catch (IllegalStateException expected) {
      assertNotNull(expected.getMessage());
    }
  }

  @Test
  void closeUnderRunningReadersWritersAndCursorsIsAnExceptionForThem() throws Exception {
    try (ExecutorService executor = Executors.newCachedThreadPool()) {
      for (int round = 0; round < 40; round++) {
        Store store = open();
        SplittableRandom random = new SplittableRandom(round);
        SplittableRandom seeks = random.split();
        AtomicLong steps = new AtomicLong();
        List<Future<Void>> futures = new ArrayList<>();
        List<Callable<Void>> works = new ArrayList<>();
        StoreCursor shared = store.cursor();
        works.add(
            () -> {
              store.put(key(random.nextInt(KEYS)), value(1, 3_000), Durability.NONE);
              return null;
            });
        works.add(
            () -> {
              store.get(key(3));
              store.get(MemorySegment.ofArray(key(4)), StoreThreadsTest::assertWhole);
              return null;
            });
        works.add(
            () -> {
              store.compact(MemorySegment.ofArray(key(20)), MemorySegment.ofArray(key(90)));
              return null;
            });
        works.add(
            () -> {
              try (StoreCursor own = store.cursor()) {
                own.seek(key(seeks.nextInt(KEYS)));
                for (int i = 0; i < 10 && own.isValid(); i++) {
                  assertWhole(own.value());
                  own.previous();
                }
                own.seekForPrev(key(seeks.nextInt(KEYS)));
                for (int i = 0; i < 10 && own.isValid(); i++) {
                  assertWhole(own.value());
                  own.next();
                }
              }
              return null;
            });
        // Two threads on one cursor, which is not allowed but must not hurt either.
        for (int i = 0; i < 2; i++) {
          works.add(
              () -> {
                shared.first();
                while (shared.isValid()) {
                  try {
                    assertNotNull(shared.key());
                    shared.next();
                  } catch (IllegalStateException moved) {
                    // The other thread moved it past the end, or the store is closed.
                    shared.isValid();
                  }
                }
                return null;
              });
        }
        CountDownLatch running = new CountDownLatch(works.size());
        for (Callable<Void> work : works) {
          futures.add(
              executor.submit(
                  () -> {
                    AtomicBoolean first = new AtomicBoolean(true);
                    untilClosed(
                        () -> {
                          work.call();
                          steps.incrementAndGet();
                          if (first.getAndSet(false)) {
                            running.countDown();
                          }
                          return null;
                        });
                    return null;
                  }));
        }
        assertTrue(running.await(30, TimeUnit.SECONDS));
        long until = steps.get() + random.nextInt(200);
        while (steps.get() < until) {
          Thread.onSpinWait();
        }
        store.close();
        for (Future<Void> future : futures) {
          try {
            future.get();
          } catch (ExecutionException e) {
            throw new AssertionError("round=" + round, e);
          }
        }
        assertThrows(IllegalStateException.class, shared::first);
        assertThrows(IllegalStateException.class, shared::key);
        shared.close();
      }
    }
    try (Store store = open()) {
      Fixtures.contents(store).values().forEach(value -> assertEquals(3_000, value.length));
    }
  }

  /** What it writes to, and what it needs of the store, stays open as long. */
  @Test
  void closeWaitsForAFlushThatRuns() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    StoreListener listener =
        new StoreListener() {
          @Override
          public void flushed(Flush flush) {
            told.add("flushed");
          }

          @Override
          public void failed(Throwable reason) {
            told.add("failed: " + reason);
          }
        };
    Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withListener(listener), engine);
    store.put(key(1), value(1, 100), Durability.NONE);
    CountDownLatch flushing = new CountDownLatch(1);
    CompletableFuture<Thread> closing = new CompletableFuture<>();
    engine.onSync(
        () -> {
          if (Thread.currentThread().getName().startsWith("gds-store-")) {
            flushing.countDown();
            awaitWaiting(closing.join());
          }
        });
    try (ExecutorService executor = Executors.newCachedThreadPool()) {
      Callable<Void> flushes =
          () -> {
            store.flush();
            return null;
          };
      Callable<Void> closes =
          () -> {
            closing.complete(Thread.currentThread());
            store.close();
            return null;
          };
      Future<Void> flush =
          executor.submit(
              () -> {
                untilClosed(flushes);
                return null;
              });
      assertTrue(flushing.await(30, TimeUnit.SECONDS));
      executor.submit(closes).get();
      flush.get();
    }
    assertEquals(List.of("flushed"), told);
    engine.onSync(() -> {});
    assertEquals(1, Fixtures.tables(engine).size());
    try (Store reopened = open()) {
      assertArrayEquals(value(1, 100), reopened.get(key(1)));
    }
  }

  /** Waits until a thread waits, or ends. */
  private static void awaitWaiting(Thread thread) {
    while (thread.getState() != Thread.State.WAITING
        && thread.getState() != Thread.State.TERMINATED) {
      Thread.onSpinWait();
    }
  }

  @Test
  void viewsThatOutliveTheStoreThrow() throws Exception {
    Store store = open();
    store.put(key(1), value(1, 100), Durability.NONE);
    store.flush();
    store.put(key(2), value(2, 100), Durability.NONE);
    StoreCursor cursor = store.cursor();
    List<MemorySegment> views = new ArrayList<>();
    cursor.first();
    views.add(cursor.key());
    views.add(cursor.value());
    cursor.next();
    views.add(cursor.key());
    views.add(cursor.value());
    store.get(MemorySegment.ofArray(key(1)), views::add);
    store.get(MemorySegment.ofArray(key(2)), views::add);
    assertTrue(views.stream().allMatch(MemorySegment::isReadOnly));
    store.close();
    for (MemorySegment view : views) {
      assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_BYTE, 0));
    }
    assertThrows(IllegalStateException.class, cursor::next);
    assertThrows(IllegalStateException.class, cursor::isValid);
    assertThrows(IllegalStateException.class, () -> store.get(key(1)));
    assertThrows(IllegalStateException.class, store::cursor);
    assertThrows(IllegalStateException.class, store::flush);
    assertThrows(IllegalStateException.class, store::compact);
    assertThrows(IllegalStateException.class, store::stats);
    assertThrows(IllegalStateException.class, () -> store.put(key(1), key(1), Durability.NONE));
    assertThrows(
        IllegalStateException.class, () -> store.write(new WriteBatch(), Durability.SYNCED));
    cursor.close();
    store.close();
  }

  @Test
  void consumerThatClosesItsStoreIsToldSoInsteadOfHanging() throws Exception {
    try (Store store = open()) {
      store.put(key(1), value(1, 100), Durability.NONE);
      AtomicBoolean refused = new AtomicBoolean();
      store.get(
          MemorySegment.ofArray(key(1)),
          value -> {
            assertThrows(IllegalStateException.class, store::close);
            refused.set(true);
          });
      assertTrue(refused.get());
      assertArrayEquals(value(1, 100), store.get(key(1)));
    }
  }

  @Test
  void idleCursorDoesNotHoldUpWriters() throws Exception {
    try (Store store = open()) {
      List<StoreCursor> cursors = new ArrayList<>();
      for (int i = 0; i < 2_000; i++) {
        store.put(Fixtures.bytes("key%05d".formatted(i)), value(i, 1_000), Durability.NONE);
        if (i % 100 == 0) {
          StoreCursor cursor = store.cursor();
          cursor.seekForPrev(Fixtures.bytes("key%05d".formatted(i)));
          cursors.add(cursor);
        }
        if (cursors.size() > 6) {
          cursors.removeFirst().close();
        }
      }
      assertTrue(store.stats().flushes() > 6);
      for (StoreCursor cursor : cursors) {
        int position = Integer.parseInt(Fixtures.text(Fixtures.array(cursor.key())).substring(3));
        assertEquals((byte) position, cursor.value().get(ValueLayout.JAVA_BYTE, 0));
        cursor.next();
        assertFalse(cursor.isValid());
        cursor.last();
        for (int i = position; i >= 0; i--) {
          assertEquals((byte) i, cursor.value().get(ValueLayout.JAVA_BYTE, 0));
          cursor.previous();
        }
        assertFalse(cursor.isValid());
        cursor.close();
      }
    }
  }

  /** Its place in the log is reserved already, and nobody can have it back. */
  @Test
  void valueThatIsFreedWhileItIsWrittenIsAnExceptionForItsWriterAlone() throws Exception {
    int rounds = 300;
    Store store = open();
    SplittableRandom random = new SplittableRandom(4);
    try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
      MemorySegment name = MemorySegment.ofArray(Fixtures.bytes("freed"));
      for (int round = 0; round < rounds; round++) {
        Arena arena = Arena.ofShared();
        MemorySegment freed = arena.allocate(100_000);
        CountDownLatch running = new CountDownLatch(1);
        Future<Void> writer =
            executor.submit(
                () -> {
                  untilClosed(
                      () -> {
                        store.put(name, freed, Durability.NONE);
                        running.countDown();
                        return null;
                      });
                  return null;
                });
        running.await();
        for (int spins = random.nextInt(20_000); spins > 0; spins--) {
          Thread.onSpinWait();
        }
        arena.close();
        writer.get();
        store.put(key(round % KEYS), value(round, 100), Durability.SYNCED);
      }
    }
    SimEngine after = engine.crash(9);
    store.close();
    try (Store again = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, after)) {
      assertEquals(100_000, again.get(Fixtures.bytes("freed")).length);
      for (int round = rounds - KEYS; round < rounds; round++) {
        assertArrayEquals(value(round, 100), again.get(key(round % KEYS)));
      }
    }
  }

  @Test
  void writerThatHoldsTheMemoryItWaitsForGetsAnErrorInsteadOfHanging() throws Exception {
    try (Store store = open()) {
      store.writer().room().setMemoryWait(Duration.ofMillis(300));
      // Views of records in memory keep that memory; each cursor looks at another memtable.
      List<StoreCursor> cursors = new ArrayList<>();
      StorageException e =
          assertThrows(
              StorageException.class,
              () -> {
                for (int i = 0; i < 5_000; i++) {
                  store.put(key(i % KEYS), value(i, 1_000), Durability.NONE);
                  if (i % 150 == 0) {
                    StoreCursor cursor = store.cursor();
                    cursor.seek(key(i % KEYS));
                    assertNotNull(cursor.value());
                    cursors.add(cursor);
                  }
                }
              });
      assertTrue(e.getMessage().contains("memory that open cursors"), e.getMessage());
      cursors.forEach(StoreCursor::close);
      store.put(key(1), value(1, 1_000), Durability.SYNCED);
    }
  }
}
