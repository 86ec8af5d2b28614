package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Families are written, read, compacted, created and dropped at the same time. */
class FamilyThreadsTest {
  private static final int KEYS = 200;

  /** What everybody does at least. */
  private static final int ROUNDS = 100;

  private static final StoreOptions OPTIONS = Fixtures.TINY.withTablesBeforeMerge(2);

  private final SimEngine engine = new SimEngine(1);

  /** What one batch has put into two families is never seen in one of them alone. */
  @Test
  void snapshotsSeeBatchesInAllFamiliesOrInNone() throws Exception {
    AtomicBoolean ended = new AtomicBoolean();
    try (ExecutorService threads = Executors.newCachedThreadPool();
        Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      Family left = store.createFamily("left");
      Family right = store.createFamily("right");
      List<AtomicInteger> done = new ArrayList<>();
      List<Future<Integer>> running = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        done.add(new AtomicInteger());
      }
      for (int i = 0; i < 3; i++) {
        SplittableRandom random = new SplittableRandom(i);
        AtomicInteger writes = done.get(i);
        running.add(threads.submit(() -> writePairs(store, left, right, random, writes, ended)));
      }
      running.add(threads.submit(() -> createAndDrop(store, done.get(3), ended)));
      running.add(threads.submit(() -> compact(List.of(left, store), done.get(4), ended)));
      SplittableRandom random = new SplittableRandom(9);
      int rounds = 0;
      for (; rounds < ROUNDS || isBehind(done, running); rounds++) {
        try (Snapshot snapshot = store.snapshot()) {
          for (int i = 0; i < 20; i++) {
            byte[] key = key(random.nextInt(KEYS));
            int inLeft = number(snapshot.family(left).get(key));
            assertEquals(inLeft, number(snapshot.family(right).get(key)));
            assertEquals(inLeft, number(snapshot.get(key)));
          }
          assertEquals(
              Fixtures.text(Fixtures.contents(snapshot.family(left))),
              Fixtures.text(Fixtures.contents(snapshot.family(right))));
        }
      }
      ended.set(true);
      for (Future<Integer> each : running) {
        assertTrue(each.get(1, TimeUnit.MINUTES) > 2);
      }
      assertTrue(rounds > 2, "rounds: " + rounds);
    }
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertEquals(
          Fixtures.text(Fixtures.contents(store)),
          Fixtures.text(Fixtures.contents(store.family("left").orElseThrow())));
    }
  }

  /** Whether somebody who still runs has done little. */
  private static boolean isBehind(List<AtomicInteger> done, List<Future<Integer>> running) {
    return done.stream().anyMatch(rounds -> rounds.get() < ROUNDS)
        && running.stream().noneMatch(Future::isDone); // which is a failure
  }

  private static int writePairs(
      Store store,
      Family left,
      Family right,
      SplittableRandom random,
      AtomicInteger writes,
      AtomicBoolean ended)
      throws Exception {
    for (; !ended.get(); writes.incrementAndGet()) {
      byte[] key = key(random.nextInt(KEYS));
      byte[] value = ByteBuffer.allocate(100).putInt(random.nextInt(1, 1 << 30)).array();
      store.write(
          new WriteBatch().put(left, key, value).put(right, key, value).put(key, value),
          random.nextInt(200) == 0 ? Durability.SYNCED : Durability.NONE);
    }
    return writes.get();
  }

  private static int createAndDrop(Store store, AtomicInteger rounds, AtomicBoolean ended)
      throws Exception {
    for (; !ended.get(); rounds.incrementAndGet()) {
      Family family = store.createFamily("brief");
      for (int i = 0; i < 300; i++) {
        family.put(key(i), new byte[200], Durability.NONE);
      }
      try (StoreCursor cursor = family.cursor()) {
        cursor.first();
        if (rounds.get() % 3 == 0) {
          store.flush();
        }
        store.dropFamily(family);
        int count = 0;
        for (; cursor.isValid(); cursor.next()) {
          count++;
        }
        assertEquals(300, count);
      }
    }
    return rounds.get();
  }

  private static int compact(List<Family> families, AtomicInteger rounds, AtomicBoolean ended)
      throws Exception {
    for (; !ended.get(); rounds.incrementAndGet()) {
      families.get(rounds.get() % families.size()).compact();
    }
    return rounds.get();
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%05d".formatted(number));
  }

  private static int number(byte[] valueOrNull) {
    return valueOrNull == null ? 0 : ByteBuffer.wrap(valueOrNull).getInt();
  }

  private static long writtenBytes(Store store) {
    return store.stats().levels().stream().mapToLong(StoreStats.Level::writtenBytes).sum();
  }

  @Test
  void aFamilyIsDroppedWhileItIsCompacted() throws Exception {
    int cut = 0;
    StoreOptions options = Fixtures.TINY.withTablesBeforeMerge(60);
    try (ExecutorService threads = Executors.newCachedThreadPool();
        Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      for (int round = 0; round < 10; round++) {
        Family family = store.createFamily("family");
        for (int i = 0; i < 30_000; i++) {
          family.put(key(i), new byte[100], Durability.NONE);
        }
        store.flush();
        long before = writtenBytes(store);
        Callable<Boolean> compaction =
            () -> {
              try {
                family.compact();
                return false;
              } catch (IllegalStateException e) {
                assertTrue(e.getMessage().contains("name=family"), e.getMessage());
                return true;
              }
            };
        Future<Boolean> running = threads.submit(compaction);
        long wanted = before + round * 200_000L;
        Fixtures.await(store, () -> running.isDone() || writtenBytes(store) >= wanted);
        store.dropFamily(family);
        cut += running.get(1, TimeUnit.MINUTES) ? 1 : 0;
      }
      assertTrue(cut > 0, "compactions that came to no end: " + cut);
      store.put(key(1), key(1), Durability.NONE);
      store.flush();
      store.compact();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (Fixtures.tables(engine).size() > 1 && System.nanoTime() < deadline) {
        store.flush();
      }
      assertEquals(1, Fixtures.tables(engine).size());
    }
  }
}
