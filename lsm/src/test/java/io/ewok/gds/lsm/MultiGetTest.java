package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Gets of several keys at once, gets for later, and gets that are explained. */
@Timeout(60)
class MultiGetTest {
  private static final int RECORDS = 400;
  private static final int OVERLAPPING = 4;

  private final SimEngine engine = new SimEngine(1);

  /** Reads wait for it while it is not null. */
  private volatile CountDownLatch gate;

  private static byte[] key(int number) {
    return Fixtures.bytes("key%04d".formatted(number));
  }

  /** Several of them fill a block. */
  private static byte[] value(int number) {
    byte[] value = new byte[1_500];
    value[7] = (byte) number;
    return value;
  }

  /** A store with records in three tables and in memory, and none of its blocks in the pool. */
  private Store openCold(IoEngine with) throws IOException {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      for (int i = 0; i < RECORDS; i++) {
        store.put(key(i), value(i), Durability.NONE);
      }
      store.compact();
    }
    Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, with);
    store.put(key(7), value(77), Durability.NONE);
    store.delete(key(8), Durability.NONE);
    return store;
  }

  private static List<byte[]> keys(int from, int to, int step) {
    return IntStream.iterate(from, i -> i < to, i -> i + step).mapToObj(MultiGetTest::key).toList();
  }

  @Test
  void valuesComeInTheOrderOfTheKeys() throws Exception {
    try (Store store = openCold(engine)) {
      for (int round = 0; round < 2; round++) {
        List<byte[]> asked = new ArrayList<>(keys(0, RECORDS, 3).reversed());
        asked.add(key(8));
        asked.add(key(7));
        asked.add(key(RECORDS));
        asked.add(key(7));
        List<byte[]> found = store.multiGet(asked);
        assertEquals(asked.size(), found.size());
        for (int i = 0; i < asked.size(); i++) {
          assertArrayEquals(store.get(asked.get(i)), found.get(i));
        }
        assertNull(found.get(asked.size() - 2));
        assertArrayEquals(value(77), found.getLast());
      }
      assertEquals(List.of(), store.multiGet(List.of()));
    }
  }

  @Test
  void valuesAreThoseOfTheSnapshot() throws Exception {
    try (Store store = openCold(engine);
        Snapshot snapshot = store.snapshot()) {
      store.put(key(100), value(1), Durability.NONE);
      store.delete(key(200), Durability.NONE);
      store.flush();
      List<byte[]> found = snapshot.multiGet(keys(0, RECORDS, 50));
      assertArrayEquals(value(100), found.get(2));
      assertArrayEquals(value(200), found.get(4));
      assertArrayEquals(value(100), snapshot.getAsync(key(100)).get());
    }
  }

  /** No read ends before several have begun. */
  @Test
  void readsOfOneCallOverlap() throws Exception {
    try (Store store = openCold(gated())) {
      assertArrayEquals(value(0), store.get(key(0))); // what leads to all blocks
      gate = new CountDownLatch(OVERLAPPING);
      List<byte[]> found = store.multiGet(keys(20, 120, 10));
      gate = null;
      for (int i = 0; i < 10; i++) {
        assertArrayEquals(value(20 + 10 * i), found.get(i));
      }
    }
  }

  private IoEngine gated() {
    return proxy(
        IoEngine.class,
        engine,
        (method, result) -> result instanceof IoFile file ? gated(file) : result);
  }

  private IoFile gated(IoFile file) {
    return proxy(
        IoFile.class,
        file,
        (method, result) -> {
          CountDownLatch wait = gate;
          if (wait != null && method.getName().equals("read")) {
            wait.countDown();
            assertTrue(wait.await(30, TimeUnit.SECONDS), "reads come one after the other");
          }
          return result;
        });
  }

  private interface After {
    Object call(Method method, Object result) throws Exception;
  }

  private static <T> T proxy(Class<T> type, T target, After after) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              try {
                return after.call(method, method.invoke(target, arguments));
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  @Test
  void consumersExceptionComesOutAndNothingStaysFixed() throws Exception {
    try (Store store = openCold(engine)) {
      List<MemorySegment> asked =
          keys(0, RECORDS, 10).stream().map(MemorySegment::ofArray).toList();
      assertThrows(
          ArithmeticException.class,
          () ->
              store.multiGet(
                  asked,
                  (number, value) -> {
                    throw new ArithmeticException("from the consumer");
                  }));
      assertThrows(
          IllegalStateException.class,
          () -> {
            MultiGetConsumer closer = (number, value) -> assertCloseIsRefused(store);
            store.multiGet(asked, closer);
            throw new IllegalStateException("the end");
          });
      assertThrows(
          IllegalArgumentException.class,
          () -> store.multiGet(List.of(new byte[WriteBatch.KEY_BYTES_MAX + 1])));
    }
  }

  private static void assertCloseIsRefused(Store store) {
    assertThrows(IllegalStateException.class, store::close);
  }

  @Test
  void damagedBlockFailsTheCallsThatNeedIt() throws Exception {
    try (Store store = openCold(engine)) {
      Path table =
          engine.list(Fixtures.DIRECTORY).stream()
              .filter(path -> path.toString().endsWith(".table"))
              .sorted()
              .findFirst()
              .orElseThrow();
      assertArrayEquals(value(399), store.get(key(399)));
      engine.flipBit(Fixtures.DIRECTORY.resolve(table.getFileName()), 100);
      CompletableFuture<byte[]> future = store.getAsync(key(0));
      ExecutionException e = assertThrows(ExecutionException.class, future::get);
      assertInstanceOf(CorruptFileException.class, e.getCause());
      assertThrows(CorruptFileException.class, () -> store.multiGet(keys(0, RECORDS, 10)));
      assertArrayEquals(value(399), store.getAsync(key(399)).get());
    }
  }

  @Test
  void futureIsCompletedAtOnceIfNothingHasToBeRead() throws Exception {
    Store store = openCold(engine);
    assertArrayEquals(value(77), store.getAsync(key(7)).getNow(new byte[1]));
    assertNull(store.getAsync(key(8)).getNow(new byte[1]));
    assertArrayEquals(value(300), store.getAsync(key(300)).get());
    assertArrayEquals(value(300), store.getAsync(key(300)).getNow(null));
    store.close();
    assertThrows(IllegalStateException.class, () -> store.getAsync(key(7)));
    assertThrows(IllegalStateException.class, () -> store.multiGet(keys(0, 9, 1)));
    assertThrows(IllegalStateException.class, () -> store.explain(key(7)));
  }

  @Test
  void closeWaitsForReadsThatRunOrTheyAreToldSo() throws Exception {
    for (int round = 0; round < 20; round++) {
      Store store = openCold(engine);
      List<CompletableFuture<byte[]>> futures = new ArrayList<>();
      for (int i = 0; i < RECORDS; i += 10) {
        futures.add(store.getAsync(key(i)));
      }
      store.close();
      for (int i = 0; i < futures.size(); i++) {
        try {
          assertArrayEquals(value(10 * i), futures.get(i).get());
        } catch (ExecutionException e) {
          assertInstanceOf(IllegalStateException.class, e.getCause());
        }
      }
    }
  }

  @Test
  void explanationSaysWhereAKeyWasLookedFor() throws Exception {
    try (Store store = openCold(engine)) {
      Explanation cold = store.explain(key(300));
      assertTrue(cold.found());
      assertTrue(cold.blocksRead() > 0);
      assertEquals("memtable", cold.steps().getFirst().place());
      assertEquals(Explanation.Outcome.ABSENT, cold.steps().getFirst().outcome());
      assertEquals(Explanation.Outcome.FOUND, cold.steps().getLast().outcome());
      assertTrue(cold.steps().getLast().place().startsWith("level "), cold.toString());
      assertTrue(
          cold.steps().stream()
              .anyMatch(step -> step.outcome() == Explanation.Outcome.OUT_OF_RANGE));
      assertEquals(0, store.explain(key(300)).blocksRead());
      Explanation deleted = store.explain(key(8));
      assertFalse(deleted.found());
      assertEquals(1, deleted.steps().size());
      assertEquals(Explanation.Outcome.DELETED, deleted.steps().getFirst().outcome());
      assertFalse(store.explain(key(RECORDS)).found());
      assertTrue(cold.toString().contains("FOUND"), cold.toString());
      assertTrue(cold.toString().endsWith("nanos=" + cold.nanos()), cold.toString());
    }
  }
}
