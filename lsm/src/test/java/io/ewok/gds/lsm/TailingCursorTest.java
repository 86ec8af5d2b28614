package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A tailing cursor shows what comes behind its place, each key once, and wakes for it. */
class TailingCursorTest {
  private static final int RECORDS = 4_000;
  private static final Duration LONG = Duration.ofHours(1);

  private Store store;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1));
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private TailingCursor tail() {
    return store.tail(CursorOptions.defaults());
  }

  private void put(String... keys) throws IOException {
    for (String key : keys) {
      store.put(Fixtures.bytes(key), Fixtures.bytes(key + key), Durability.NONE);
    }
  }

  private void delete(String key) throws IOException {
    store.delete(Fixtures.bytes(key), Durability.NONE);
  }

  /** All that comes now, one after the other. */
  private static String rest(TailingCursor tail) throws IOException {
    StringBuilder keys = new StringBuilder();
    while (tail.next()) {
      assertTrue(tail.isValid());
      String key = Fixtures.text(Fixtures.array(tail.key()));
      assertEquals(key + key, Fixtures.text(Fixtures.array(tail.value())));
      keys.append(key).append(' ');
    }
    assertFalse(tail.isValid());
    assertThrows(IllegalStateException.class, tail::key);
    return keys.toString();
  }

  @Test
  void whatComesBehindTheLastRecordIsShown() throws IOException {
    try (TailingCursor tail = tail()) {
      assertEquals("", rest(tail));
      put("b", "d");
      assertEquals("b d ", rest(tail));
      assertEquals("", rest(tail));
      put("a", "b", "c", "d", "e"); // only the last is behind its place
      assertEquals("e ", rest(tail));
      delete("e");
      put("f");
      store.flush();
      assertEquals("f ", rest(tail));
      put("g");
      store.compact();
      put("h");
      assertEquals("g h ", rest(tail));
    }
  }

  @Test
  void itIsAtOneTimeUntilItsEnd() throws IOException {
    put("b", "d");
    try (TailingCursor tail = tail()) {
      assertTrue(tail.next());
      put("c", "e"); // c is before what it has in sight, e is not
      assertEquals("d e ", rest(tail));
    }
  }

  @Test
  void seekGoesToAPlace() throws IOException {
    put("b", "d");
    try (TailingCursor tail = tail()) {
      tail.seek(Fixtures.bytes("c"));
      assertFalse(tail.isValid());
      assertThrows(IllegalStateException.class, tail::value);
      assertEquals("d ", rest(tail));
      tail.seek(Fixtures.bytes("d"));
      put("cc", "dd");
      assertEquals("d dd ", rest(tail));
      tail.seek(Fixtures.bytes("x"));
      assertEquals("", rest(tail));
      put("e", "x");
      assertEquals("x ", rest(tail));
      tail.seek(new byte[0]);
      assertEquals("b cc d dd e x ", rest(tail));
      byte[] room = new byte[4];
      tail.seek(Fixtures.bytes("dd"));
      assertThrows(IllegalStateException.class, () -> tail.copyKey(MemorySegment.ofArray(room)));
      assertTrue(tail.next());
      assertEquals(2, tail.copyKey(MemorySegment.ofArray(room)));
      assertEquals(4, tail.copyValue(MemorySegment.ofArray(room)));
      assertEquals("dddd", Fixtures.text(room));
      assertThrows(
          IllegalArgumentException.class, () -> tail.seek(new byte[WriteBatch.KEY_BYTES_MAX + 1]));
    }
  }

  @Test
  void boundsAndFilterHoldForWhatComesLater() throws IOException {
    CursorOptions options =
        CursorOptions.defaults()
            .withPrefix(Fixtures.bytes("k"))
            .withFilter(record -> record.keyBytes() == 2);
    try (TailingCursor tail = store.tail(options)) {
      put("j1", "k", "k1", "k10", "l1");
      assertEquals("k1 ", rest(tail));
      put("k11", "k2", "l2");
      assertEquals("k2 ", rest(tail));
    }
  }

  @Test
  void waitEndsWithAWriteOrTheTime() throws Exception {
    try (TailingCursor tail = tail()) {
      assertTrue(tail.await(LONG)); // it has not looked yet
      put("a");
      assertEquals("a ", rest(tail));
      assertFalse(tail.await(Duration.ofMillis(1)));
      put("b");
      assertTrue(tail.await(LONG)); // before it waited
      assertEquals("b ", rest(tail));
      for (String key : List.of("c", "d", "e")) {
        FutureTask<Boolean> wait = startAwait(tail);
        put(key);
        assertTrue(wait.get(1, TimeUnit.MINUTES));
        assertEquals(key + " ", rest(tail));
      }
    }
  }

  private static FutureTask<Boolean> startAwait(TailingCursor tail) {
    FutureTask<Boolean> wait = new FutureTask<>(() -> tail.await(LONG));
    Thread thread = Thread.ofPlatform().daemon().start(wait);
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    return wait;
  }

  @Test
  void closeOfTheStoreEndsTheWait() throws Exception {
    try (TailingCursor tail = tail()) {
      assertFalse(tail.next());
      FutureTask<Boolean> wait = startAwait(tail);
      store.close();
      ExecutionException ended =
          assertThrows(ExecutionException.class, () -> wait.get(1, TimeUnit.MINUTES));
      assertInstanceOf(IllegalStateException.class, ended.getCause());
      assertThrows(IllegalStateException.class, tail::next);
      assertThrows(IllegalStateException.class, () -> tail.await(LONG));
    }
    TailingCursor closed = tailOfAnother();
    assertThrows(IllegalStateException.class, closed::next);
    assertThrows(IllegalStateException.class, () -> closed.await(LONG));
  }

  private TailingCursor tailOfAnother() throws IOException {
    open();
    TailingCursor tail = tail();
    tail.close();
    return tail;
  }

  /** Through flushes and compactions, with several readers. */
  @Test
  void everyKeyOfAGrowingSeriesComesOnce() throws Exception {
    List<FutureTask<List<Integer>>> readers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      FutureTask<List<Integer>> reader = new FutureTask<>(this::readSeries);
      readers.add(reader);
      Thread.ofPlatform().daemon().start(reader);
    }
    List<Integer> expected = new ArrayList<>();
    for (int i = 0; i < RECORDS; i++) {
      expected.add(i);
      store.put(Fixtures.bytes("%06d".formatted(i)), new byte[i % 700], Durability.NONE);
      if (i % 1_500 == 0) {
        store.compact();
      }
    }
    for (FutureTask<List<Integer>> reader : readers) {
      assertEquals(expected, reader.get(2, TimeUnit.MINUTES));
    }
    assertTrue(store.stats().flushes() > 3);
  }

  private List<Integer> readSeries() throws IOException {
    List<Integer> seen = new ArrayList<>();
    try (TailingCursor tail = tail()) {
      while (seen.size() < RECORDS) {
        while (tail.next()) {
          int number = Integer.parseInt(Fixtures.text(Fixtures.array(tail.key())));
          assertEquals(number % 700, tail.value().byteSize());
          seen.add(number);
        }
        assertTrue(seen.size() == RECORDS || tail.await(LONG));
      }
    }
    return seen;
  }
}
