package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * What has just been written need not be read again, unless nobody has wanted what it was before.
 */
class WarmBlocksTest {
  private static final int RECORDS = 2_000;
  private static final int VALUE_BYTES = 200;
  private static final int POOL_BYTES = 8 << 20;
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withPoolBytes(POOL_BYTES).withMemtableBytes(1 << 20).withTablesBeforeMerge(8);

  private final SimEngine engine = new SimEngine(1);

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  private static byte[] value(int number) {
    byte[] value = new byte[VALUE_BYTES];
    value[number % VALUE_BYTES] = (byte) (number + 1);
    return value;
  }

  /** As two tables, each of every other record. */
  private static void fill(Store store, boolean read) throws IOException {
    for (int half = 0; half < 2; half++) {
      for (int i = half; i < RECORDS; i += 2) {
        store.put(key(i), value(i), Durability.NONE);
      }
      if (read) {
        assertArrayEquals(value(half), store.get(key(half)));
      }
      store.flush();
    }
  }

  /** Returns how often the device was read to get all records. */
  private long readsOfAll(Store store) throws IOException {
    long before = engine.stats().reads();
    for (int i = 0; i < RECORDS; i++) {
      assertArrayEquals(value(i), store.get(key(i)));
    }
    return engine.stats().reads() - before;
  }

  @Test
  void whatAFlushHasWrittenIsInThePoolIfTheStoreIsReadAtAll() throws IOException {
    try (Store store = open()) {
      fill(store, true);
      assertEquals(0, readsOfAll(store));
    }
  }

  @Test
  void whatALoadHasWrittenIsNot() throws IOException {
    try (Store store = open()) {
      fill(store, false);
      assertReadOnce(store);
    }
  }

  private void assertReadOnce(Store store) throws IOException {
    long blocks = RECORDS * VALUE_BYTES / 4096;
    long reads = readsOfAll(store);
    assertTrue(reads >= blocks && reads <= 2 * blocks, "reads=" + reads);
    assertEquals(0, readsOfAll(store));
  }

  @Test
  void whatACompactionHasWrittenIsInThePoolIfWhatItReadWasUsedThere() throws IOException {
    try (Store store = open()) {
      fill(store, true);
      assertEquals(0, readsOfAll(store));
      store.compact();
      assertEquals(0, readsOfAll(store));
      store.put(key(7), value(7), Durability.NONE);
      store.flush();
      store.compact();
      assertEquals(0, readsOfAll(store));
    }
  }

  @Test
  void whatNobodyUsedACompactionLeavesOutOfThePool() throws IOException {
    try (Store store = open()) {
      fill(store, true);
      store.compact();
      assertReadOnce(store);
    }
  }

  @Test
  void whatDoesNotFitIntoThePoolIsReadAsEver() throws IOException {
    byte[] large = new byte[2 * POOL_BYTES / RECORDS];
    try (Store store = open()) {
      for (int i = 0; i < RECORDS; i++) {
        large[i] = (byte) (i + 1);
        store.put(key(i), large, Durability.NONE);
      }
      store.compact();
      long before = engine.stats().reads();
      for (int i = RECORDS - 1; i >= 0; i--) {
        assertArrayEquals(large, store.get(key(i)));
        large[i] = 0;
      }
      assertTrue(engine.stats().reads() > before);
    }
  }
}
