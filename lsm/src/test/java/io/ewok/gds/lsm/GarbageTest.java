package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What calls leave on the heap. In a process of its own: whether the compiler sees that a view is
 * not kept depends on what it has learned of the same code before.
 */
@Tag("own-process")
class GarbageTest {
  private static final int RECORDS = 2_000;
  private static final int CALLS = 20_000;

  /** Until the compiler has done its work; more often than any machine needs. */
  private static final int ATTEMPTS = 200;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment key = arena.allocate(8);
  private final MemorySegment room = arena.allocate(64 << 10);
  private Store store;
  private Family family;

  /** One in three records in memory, the others in tables of two levels. */
  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1));
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

  private void setKey(int number) {
    key.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, Long.reverseBytes(number * 2L));
  }

  private interface Call {
    void run(int number) throws IOException;
  }

  /** That many calls leave nothing; so none of them does, since each would leave something. */
  private static void assertNoGarbage(Call call) throws IOException {
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

  @Test
  void theMeasureSeesGarbage() throws IOException {
    long[][] kept = new long[1][];
    long before = THREADS.getCurrentThreadAllocatedBytes();
    kept[0] = new long[CALLS];
    assertTrue(THREADS.getCurrentThreadAllocatedBytes() - before >= CALLS * 8L);
    assertEquals(CALLS, kept[0].length);
  }

  @Test
  void getIntoTheCallersMemoryMakesNone() throws IOException {
    assertNoGarbage(
        i -> {
          setKey(i);
          assertEquals(i % 100, store.get(key, room));
        });
  }

  @Test
  void getOfWhatIsNotThereMakesNone() throws IOException {
    assertNoGarbage(
        i -> {
          setKey(i);
          key.set(ValueLayout.JAVA_BYTE, 7, (byte) 1);
          assertEquals(ReadView.NOT_FOUND, store.get(key, room));
        });
  }

  @Test
  void readsOfAFamilyMakeNone() throws IOException {
    try (StoreCursor cursor = family.cursor()) {
      assertNoGarbage(
          i -> {
            setKey(i);
            assertEquals(i % 90, family.get(key, room));
            cursor.seek(key);
            assertEquals(i % 90, cursor.copyValue(room));
          });
    }
  }

  /** As long as there is room: a memtable and its trees are objects, but few. */
  @Test
  void putsOfAFamilyMakeNone() throws IOException {
    MemorySegment value = room.asSlice(0, 8);
    int puts = 1_000;
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < ATTEMPTS && least > 0; attempt++) {
      store.flush();
      setKey(0);
      family.put(key, value, Durability.NONE);
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < puts; i++) {
        setKey(i);
        family.put(key, value, Durability.NONE);
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < puts / 10, "bytes for " + puts + " puts: " + least);
  }

  @Test
  void pinnedGetMakesNone() throws IOException {
    try (PinnedValue pin = new PinnedValue()) {
      assertNoGarbage(
          i -> {
            setKey(i);
            assertTrue(store.get(key, pin));
            assertEquals(i % 100, pin.lengthBytes());
            pin.unpin();
          });
    }
  }

  @Test
  void cursorMakesNone() throws IOException {
    try (StoreCursor cursor = store.cursor()) {
      assertNoGarbage(
          i -> {
            if (!cursor.isValid()) {
              cursor.first();
            }
            assertEquals(8, cursor.copyKey(key));
            assertTrue(cursor.copyValue(room) < 100);
            cursor.next();
          });
      assertNoGarbage(
          i -> {
            if (!cursor.isValid()) {
              cursor.last();
            }
            cursor.previous();
          });
    }
  }

  @Test
  void viewsThatAreNotKeptMakeNoneWhereverTheRecordIs() throws IOException {
    try (StoreCursor cursor = store.cursor()) {
      assertNoGarbage(
          i -> {
            if (!cursor.isValid()) {
              cursor.first();
            }
            assertEquals(0, cursor.key().get(ValueLayout.JAVA_LONG_UNALIGNED, 0) & 1);
            assertTrue(cursor.value().byteSize() < 100);
            cursor.next();
          });
    }
  }

  @Test
  void seekMakesNone() throws IOException {
    try (StoreCursor cursor = store.cursor()) {
      assertNoGarbage(
          i -> {
            setKey(i);
            cursor.seek(key);
            assertTrue(cursor.isValid());
            cursor.seekForPrev(key);
          });
    }
  }

  @Test
  void refreshMakesNoneWhileTheFilesStayTheSame() throws IOException {
    try (StoreCursor cursor = store.cursor()) {
      assertNoGarbage(
          i -> {
            setKey(i);
            cursor.refresh();
            cursor.seek(key);
            assertTrue(cursor.isValid());
          });
    }
  }

  /** Several filters, so that the compiler does not know at the call which one it is. */
  @Test
  void filtersMakeNoneHoweverManyThereAre() throws IOException {
    List<CursorFilter> filters =
        List.of(
            record -> record.valueBytes() == 1,
            record -> record.value().byteSize() == 2,
            record -> record.key().get(ValueLayout.JAVA_BYTE, 7) == 4,
            record -> (record.key().get(ValueLayout.JAVA_LONG_UNALIGNED, 0) & 1) != 0);
    List<StoreCursor> cursors =
        filters.stream()
            .map(filter -> store.cursor(CursorOptions.defaults().withFilter(filter)))
            .toList();
    assertNoGarbage(
        i -> {
          StoreCursor cursor = cursors.get(i % filters.size());
          setKey(Math.min(i, RECORDS - 200));
          if (i % filters.size() == 3) {
            setKey(RECORDS - 5); // it passes by all that come
          }
          cursor.seek(key);
        });
    cursors.forEach(StoreCursor::close);
  }

  @Test
  void tailMakesNoneWhileTheFilesStayTheSame() throws IOException {
    try (TailingCursor tail = store.tail(CursorOptions.defaults())) {
      assertNoGarbage(
          i -> {
            if (i % 10 == 0 || !tail.next()) {
              setKey(i);
              tail.seek(key);
            }
          });
    }
  }

  /** Every other ten keys: in tables with a level beneath, and some in memory. */
  private void deleteRanges() throws IOException {
    for (int i = 0; i < RECORDS; i += 20) {
      setKey(i);
      byte[] first = Fixtures.array(key);
      setKey(i + 10);
      store.deleteRange(first, Fixtures.array(key), Durability.NONE);
      if (i == RECORDS / 2) {
        store.flush();
      }
    }
  }

  @Test
  void rangeDeletesMakeNoneForGets() throws IOException {
    deleteRanges();
    assertNoGarbage(
        i -> {
          setKey(i);
          assertEquals(i % 20 < 10 ? ReadView.NOT_FOUND : i % 100, store.get(key, room));
        });
  }

  @Test
  void rangeDeletesMakeNoneForCursors() throws IOException {
    deleteRanges();
    try (StoreCursor cursor = store.cursor()) {
      assertNoGarbage(
          i -> {
            if (!cursor.isValid()) {
              cursor.first();
            }
            assertTrue(cursor.copyValue(room) < 100);
            cursor.next();
          });
      assertNoGarbage(
          i -> {
            if (!cursor.isValid()) {
              cursor.last();
            }
            cursor.previous();
          });
      assertNoGarbage(
          i -> {
            setKey(i);
            if (i % 100 == 0) {
              cursor.refresh();
            }
            cursor.seek(key);
          });
    }
  }

  @Test
  void fillMakesNone() throws IOException {
    RecordBatch batch = new RecordBatch(room, 100);
    try (StoreCursor cursor = store.cursor()) {
      cursor.first();
      assertNoGarbage(
          i -> {
            if (i % 100 == 0 && cursor.fill(batch) == 0) {
              cursor.first();
            }
          });
    }
  }
}
