package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Views of keys and values are objects, which the compiler leaves out if they are not kept. In a
 * process of its own: whether it sees that depends on what it has learned of the same code before.
 */
@Tag("own-process")
class ViewGarbageTest extends GarbageFixture {
  @Test
  void theMeasureSeesGarbage() throws IOException {
    long[][] kept = new long[1][];
    long before = THREADS.getCurrentThreadAllocatedBytes();
    kept[0] = new long[CALLS];
    assertTrue(THREADS.getCurrentThreadAllocatedBytes() - before >= CALLS * 8L);
    assertEquals(CALLS, kept[0].length);
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
}
