package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What gets leave on the heap that ask the record cache, find something there or put it there. */
@Tag("no-escape-analysis")
class RecordCacheGarbageTest extends GarbageFixture {
  /** So few keys that all of them have room. */
  private static final int FEW = 100;

  @Override
  StoreOptions options() {
    return Fixtures.TINY.withRecordCacheBytes(64 << 10);
  }

  @Test
  void getsThatFindARecordMakeNone() throws IOException {
    store.flush();
    assertNoGarbage(
        i -> {
          setKey(i % FEW);
          assertEquals(i % FEW, store.get(key, room));
        });
    StoreStats.Records stats = store.stats().recordCache();
    assertTrue(stats.hits() > 9 * stats.misses(), stats::toString);
  }

  @Test
  void pinsOfRecordsThatAreFoundMakeNone() throws IOException {
    store.flush();
    try (PinnedValue pin = new PinnedValue()) {
      assertNoGarbage(
          i -> {
            setKey(i % FEW);
            assertTrue(store.get(key, pin));
            assertEquals(i % FEW, pin.lengthBytes());
            pin.unpin();
          });
    }
    assertTrue(store.stats().recordCache().hits() > 0);
  }

  @Test
  void getsThatDriveOutRecordsMakeNone() throws IOException {
    store.flush();
    assertNoGarbage(
        i -> {
          setKey(i % RECORDS);
          assertEquals(i % 100, store.get(key, room));
        });
    StoreStats.Records stats = store.stats().recordCache();
    assertTrue(stats.records() < RECORDS && stats.misses() > stats.hits() / 2, stats::toString);
  }

  @Test
  void getsOfWhatIsNotThereMakeNone() throws IOException {
    assertNoGarbage(
        i -> {
          setKey(i);
          key.set(ValueLayout.JAVA_BYTE, 7, (byte) 1);
          assertEquals(ReadView.NOT_FOUND, store.get(key, room));
        });
  }
}
