package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A value of 64 MiB under a key of 65,535 bytes, on the real file system. */
class LargestRecordsTest {
  private static final int VALUE_BYTES = 64 << 20;
  private static final int BATCH_BYTES_MAX = 65 << 20;
  private static final LevelOptions PLAIN = LevelOptions.defaults();

  private static final StoreOptions OPTIONS =
      StoreOptions.defaults()
          .withMemtableBytes(2L * BATCH_BYTES_MAX)
          .withLogSegmentBytes(2L * BATCH_BYTES_MAX)
          .withLogSegmentCount(2)
          .withPoolBytes(8L * BATCH_BYTES_MAX)
          .withBatchBytesMax(BATCH_BYTES_MAX)
          .withTree(
              TreeOptions.defaults()
                  .withLevels(List.of(PLAIN, PLAIN.withCompression(Compression.LZ4))));

  private final SplittableRandom random = new SplittableRandom(11);
  private final byte[] key = Fixtures.randomBytes(random, WriteBatch.KEY_BYTES_MAX);
  private final byte[] keyBefore = Arrays.copyOf(key, key.length - 1);
  private final byte[] value = value(random);
  private final byte[] small = Fixtures.bytes("small");

  @TempDir private Path directory;

  /** Half of it can be compressed. */
  private static byte[] value(SplittableRandom random) {
    byte[] value = Fixtures.randomBytes(random, VALUE_BYTES);
    for (int at = 0; at < VALUE_BYTES / 2; at += 1 << 10) {
      Arrays.fill(value, at, at + (1 << 10), value[at]);
    }
    return value;
  }

  private Store open() throws Exception {
    return Store.open(directory, OPTIONS);
  }

  private void check(Store store, String station) throws Exception {
    assertArrayEquals(value, store.get(key), station);
    assertArrayEquals(small, store.get(keyBefore), station);
    try (StoreCursor cursor = store.cursor()) {
      cursor.first();
      assertArrayEquals(keyBefore, Fixtures.array(cursor.key()), station);
      cursor.next();
      assertArrayEquals(key, Fixtures.array(cursor.key()), station);
      assertArrayEquals(value, Fixtures.array(cursor.value()), station);
      cursor.next();
      assertFalse(cursor.isValid(), station);
    }
  }

  private static void assertRefused(Store store, byte[] key, byte[] value, String size) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> store.put(key, value, Durability.SYNCED));
    assertTrue(e.getMessage().contains(" has at most "), e.getMessage());
    assertTrue(e.getMessage().contains(": " + size + "="), e.getMessage());
  }

  @Test
  void theLargestSurviveEveryStation() throws Exception {
    try (Store store = open()) {
      store.put(keyBefore, small, Durability.NONE);
      store.put(key, value, Durability.SYNCED);
      check(store, "memory");
      assertRefused(store, key, new byte[(int) OPTIONS.valueBytesMax(key.length) + 1], "sizeBytes");
      assertRefused(store, new byte[key.length + 1], small, "keyBytes");
      check(store, "after those that are too large");
    }
    try (Store store = open()) {
      check(store, "log");
      store.flush();
      check(store, "table");
      store.compact();
      check(store, "merged");
      long bytes = store.stats().levels().stream().mapToLong(StoreStats.Level::bytes).sum();
      assertTrue(bytes < VALUE_BYTES * 3L / 4, "compressed: " + bytes);
    }
    try (Store store = open()) {
      check(store, "opened again");
    }
  }
}
