package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Filters choose what cursors show, whatever they do themselves. */
class CursorFilterTest {
  private static final int RECORDS = 900;

  /** Values of the records that are wanted end in it. */
  private static final int WANTED = 7;

  private static final CursorFilter LAST_DIGIT =
      record -> record.value().get(ValueLayout.JAVA_BYTE, record.valueBytes() - 1L) == '0' + WANTED;

  private Store store;

  /** Keys 000 to 899, values the same, in two levels and in memory; each written twice. */
  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1));
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < RECORDS; i++) {
        put(i, round == 0 ? "old" + WANTED : key(i));
        if (i == RECORDS / 3) {
          store.compact();
        } else if (i == RECORDS / 2) {
          store.flush();
        }
      }
    }
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private static String key(int number) {
    return "%03d".formatted(number);
  }

  private void put(int number, String value) throws IOException {
    store.put(Fixtures.bytes(key(number)), Fixtures.bytes(value), Durability.NONE);
  }

  private StoreCursor cursor(CursorFilter filter) {
    return store.cursor(CursorOptions.defaults().withFilter(filter));
  }

  private static String at(StoreCursor cursor) {
    return cursor.isValid() ? Fixtures.text(Fixtures.array(cursor.key())) : "none";
  }

  private static List<String> forward(StoreCursor cursor) throws IOException {
    List<String> keys = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      keys.add(at(cursor));
    }
    return keys;
  }

  private static List<String> wanted(int from, int to) {
    List<String> keys = new ArrayList<>();
    for (int i = from; i < to; i++) {
      if (i % 10 == WANTED) {
        keys.add(key(i));
      }
    }
    return keys;
  }

  @Test
  void onlyWhatIsAcceptedIsShown() throws IOException {
    try (StoreCursor cursor = cursor(LAST_DIGIT)) {
      assertEquals(wanted(0, RECORDS), forward(cursor));
      List<String> backward = new ArrayList<>();
      for (cursor.last(); cursor.isValid(); cursor.previous()) {
        backward.addFirst(at(cursor));
      }
      assertEquals(wanted(0, RECORDS), backward);
      cursor.seek(Fixtures.bytes("118"));
      assertEquals("127", at(cursor));
      cursor.previous();
      assertEquals("117", at(cursor));
      cursor.seekForPrev(Fixtures.bytes("118"));
      assertEquals("117", at(cursor));
      cursor.next();
      assertEquals("127", at(cursor));
      cursor.seek(Fixtures.bytes("898"));
      assertEquals("none", at(cursor));
      cursor.seekForPrev(Fixtures.bytes("006"));
      assertEquals("none", at(cursor));
      cursor.seek(Fixtures.bytes("871"));
      RecordBatch batch = new RecordBatch(MemorySegment.ofArray(new byte[1000]), 2);
      assertEquals(2, cursor.fill(batch));
      assertEquals("887", Fixtures.text(Fixtures.array(batch.value(1))));
      assertEquals("897", at(cursor));
      put(887, "no");
      put(888, key(WANTED));
      cursor.refresh();
      cursor.seek(Fixtures.bytes("878"));
      assertEquals("888", at(cursor));
    }
  }

  @Test
  void filterIsAskedOfNothingThatWouldNotBeShownAndOnceOfEachOther() throws IOException {
    store.delete(Fixtures.bytes("500"), Durability.NONE);
    List<String> asked = new ArrayList<>();
    CursorOptions bounds =
        CursorOptions.defaults()
            .withLower(Fixtures.bytes("200"))
            .withUpper(Fixtures.bytes("800"))
            .withFilter(
                record -> {
                  asked.add(
                      Fixtures.text(Fixtures.array(record.key()))
                          + Fixtures.text(Fixtures.array(record.value())));
                  return false;
                });
    List<String> expected = new ArrayList<>();
    for (int i = 200; i < 800; i++) {
      if (i != 500) {
        expected.add(key(i) + key(i));
      }
    }
    try (StoreCursor cursor = store.cursor(bounds)) {
      cursor.first();
      assertFalse(cursor.isValid());
      assertEquals(expected, asked);
      asked.clear();
      cursor.last();
      assertFalse(cursor.isValid());
      assertEquals(expected.reversed(), asked);
    }
  }

  @Test
  void segmentsAreReadOnlyAndTheRecordIsGoneAfterwards() throws IOException {
    List<RecordView> kept = new ArrayList<>();
    CursorFilter filter =
        record -> {
          kept.add(record);
          assertTrue(record.key().isReadOnly() && record.value().isReadOnly());
          assertEquals(3, record.keyBytes());
          assertEquals(3, record.key().byteSize());
          assertThrows(
              IndexOutOfBoundsException.class, () -> record.value().get(ValueLayout.JAVA_BYTE, 3));
          return true;
        };
    try (StoreCursor cursor = cursor(filter)) {
      cursor.first();
      assertThrows(IllegalStateException.class, kept.getFirst()::key);
      assertThrows(IllegalStateException.class, kept.getFirst()::value);
    }
  }

  @Test
  void whatAFilterThrowsEndsTheMoveAlone() throws IOException {
    boolean[] fails = {true};
    CursorFilter filter =
        record -> {
          if (fails[0] && Fixtures.text(Fixtures.array(record.key())).equals("017")) {
            throw new ArithmeticException("from the filter");
          }
          return LAST_DIGIT.accepts(record);
        };
    RecordBatch batch = new RecordBatch(MemorySegment.ofArray(new byte[1000]), 9);
    try (StoreCursor cursor = cursor(filter)) {
      cursor.first();
      assertEquals("007", at(cursor));
      assertThrows(ArithmeticException.class, cursor::next);
      assertFalse(cursor.isValid());
      assertThrows(IllegalStateException.class, cursor::next);
      cursor.first();
      assertThrows(ArithmeticException.class, () -> cursor.fill(batch));
      assertEquals(1, batch.count());
      assertEquals("007", Fixtures.text(Fixtures.array(batch.key(0))));
      fails[0] = false;
      assertEquals(wanted(0, RECORDS), forward(cursor));
    }
  }

  @Test
  void filterMayReadTheStoreButNeitherUseItsCursorNorCloseTheStore() throws IOException {
    StoreCursor[] itself = new StoreCursor[1];
    int[] reads = {0};
    CursorFilter filter =
        record -> {
          assertThrows(IllegalStateException.class, itself[0]::first);
          assertThrows(IllegalStateException.class, itself[0]::refresh);
          assertThrows(IllegalStateException.class, itself[0]::close);
          assertThrows(IllegalStateException.class, () -> itself[0].copyKey(record.key()));
          assertThrows(IllegalStateException.class, store::close);
          try (StoreCursor other = cursor(LAST_DIGIT)) {
            other.seek(record.key());
            assertEquals(other.isValid(), store.get(Fixtures.bytes(at(other))) != null);
            reads[0]++;
          } catch (IOException e) {
            throw new AssertionError(e);
          }
          return LAST_DIGIT.accepts(record);
        };
    try (StoreCursor cursor = cursor(filter)) {
      itself[0] = cursor;
      cursor.seek(Fixtures.bytes("101"));
      assertEquals("107", at(cursor));
      assertEquals(7, reads[0]);
    }
  }

  /** A filter that stops at the first record until it is let go on. */
  private static final class Stopping implements CursorFilter {
    final CountDownLatch inside = new CountDownLatch(1);
    final CountDownLatch goOn = new CountDownLatch(1);
    int asked;

    @Override
    public boolean accepts(RecordView record) {
      asked++;
      inside.countDown();
      try {
        assertTrue(goOn.await(1, TimeUnit.MINUTES));
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      return false;
    }
  }

  private static FutureTask<Throwable> startFirst(StoreCursor cursor) {
    FutureTask<Throwable> move =
        new FutureTask<>(() -> assertThrows(IllegalStateException.class, cursor::first));
    Thread.ofPlatform().start(move);
    return move;
  }

  @Test
  void slowFilterHoldsUpNobodyElse() throws Exception {
    Stopping slow = new Stopping();
    StoreCursor cursor = cursor(slow);
    FutureTask<Throwable> move = startFirst(cursor);
    slow.inside.await();
    for (int i = 0; i < RECORDS; i++) {
      put(i, "new" + i);
    }
    store.flush();
    put(1, "newest");
    store.compact();
    assertEquals("newest", Fixtures.text(store.get(Fixtures.bytes("001"))));
    try (StoreCursor other = cursor(LAST_DIGIT)) {
      assertEquals(RECORDS / 10, forward(other).size());
    }
    assertFalse(move.isDone());
    endWhileInside(slow, cursor::close);
    assertEquals("the cursor is closed", move.get().getMessage());
    assertEquals(1, slow.asked);
  }

  @Test
  void closeOfTheStoreEndsAMoveThatFindsNothing() throws Exception {
    Stopping slow = new Stopping();
    FutureTask<Throwable> move = startFirst(cursor(slow));
    slow.inside.await();
    endWhileInside(slow, store::close);
    assertEquals("the store is closed", move.get().getMessage());
    assertEquals(1, slow.asked);
  }

  private interface Ending {
    void run() throws IOException;
  }

  /** Lets the filter go on when somebody waits for it. */
  private static void endWhileInside(Stopping slow, Ending ending) throws Exception {
    FutureTask<Void> end =
        new FutureTask<>(
            () -> {
              ending.run();
              return null;
            });
    Thread thread = Thread.ofPlatform().start(end);
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    assertFalse(end.isDone());
    slow.goOn.countDown();
    end.get();
  }
}
