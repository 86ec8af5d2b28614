package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What calls leave on the heap: nothing, since they make no object. In a process whose compiler
 * leaves none out, so that nothing depends on what it has learned of the same code before.
 */
@Tag("no-escape-analysis")
class GarbageTest extends GarbageFixture {
  @Test
  void anObjectThatTheCompilerCouldLeaveOutIsSeen() {
    assertThrows(
        AssertionError.class,
        () -> assertNoGarbage(i -> assertEquals(8, room.asSlice(i, 8).byteSize())),
        "run with -XX:-DoEscapeAnalysis");
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

  /** Of blocks that are in the pool. */
  @Test
  void rangesMakeNone() throws IOException {
    ScanRanges ranges = new ScanRanges();
    for (int i = 0; i + 8 < RECORDS; i += 8) {
      setKey(i);
      byte[] lower = Fixtures.array(key);
      setKey(i + 3);
      ranges.add(lower, Fixtures.array(key));
    }
    try (RangesCursor cursor = store.cursor(ranges)) {
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
            if (i % 4 == 0) {
              cursor.previousRange();
            } else {
              cursor.previous();
            }
          });
    }
  }

  @Test
  void filtersThatWantNoViewMakeNone() throws IOException {
    try (StoreCursor cursor =
        store.cursor(CursorOptions.defaults().withFilter(record -> record.valueBytes() % 7 == 0))) {
      assertNoGarbage(
          i -> {
            setKey(Math.min(i, RECORDS - 200));
            cursor.seek(key);
            assertEquals(0, cursor.copyValue(room) % 7);
          });
    }
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

  /** Of values that are in the pool. */
  @Test
  void valuesInValueFilesMakeNone() throws IOException {
    int values = 50;
    Family separated = store.createFamily("separated", Fixtures.separated(10).tree());
    for (int i = 0; i < values; i++) {
      setKey(i);
      separated.put(key, room.asSlice(0, 10 + i), Durability.NONE);
    }
    store.flush();
    assertEquals(values, store.stats().valueFiles().getFirst().entries());
    try (PinnedValue pin = new PinnedValue();
        StoreCursor cursor = separated.cursor()) {
      assertNoGarbage(
          i -> {
            setKey(i % values);
            assertEquals(10 + i % values, separated.get(key, room));
            assertTrue(separated.get(key, pin));
            assertEquals(10 + i % values, pin.lengthBytes());
            pin.unpin();
          });
      assertNoGarbage(
          i -> {
            if (!cursor.isValid()) {
              cursor.first();
            }
            assertTrue(cursor.copyValue(room) >= 10);
            cursor.next();
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
