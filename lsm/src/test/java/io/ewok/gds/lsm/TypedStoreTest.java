package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TypedStoreTest {
  private static final long[] NUMBERS = {
    Long.MIN_VALUE, -1L << 40, -256, -2, -1, 0, 1, 255, 256, 1L << 40, Long.MAX_VALUE
  };

  @Test
  void numbersComeBackInTheirOrder() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1))) {
      TypedStore<Long, String> texts = new TypedStore<>(store, Codec.longs(), Codec.strings());
      for (int i = NUMBERS.length - 1; i >= 0; i--) {
        texts.put(NUMBERS[i], "of " + NUMBERS[i], Durability.NONE);
      }
      List<Long> found = new ArrayList<>();
      try (TypedCursor<Long, String> cursor = texts.cursor()) {
        for (cursor.first(); cursor.isValid(); cursor.next()) {
          found.add(cursor.key());
          assertEquals("of " + cursor.key(), cursor.value());
        }
        assertEquals(Arrays.stream(NUMBERS).boxed().toList(), found);
        for (cursor.last(); cursor.isValid(); cursor.previous()) {
          assertEquals(found.removeLast(), cursor.key());
        }
        cursor.seek(2L);
        assertEquals(255, cursor.key());
        cursor.seekForPrev(2L);
        assertEquals(1, cursor.key());
      }
      try (TypedCursor<Long, String> cursor = texts.cursor(-2L, 1L)) {
        cursor.last();
        assertEquals(0, cursor.key());
        cursor.first();
        assertEquals(-2, cursor.key());
      }
      try (TypedCursor<Long, String> cursor = texts.cursor(null, Long.MIN_VALUE)) {
        cursor.first();
        assertFalse(cursor.isValid());
      }
    }
  }

  @Test
  void getPutDeleteBatchAndSnapshotSpeakOfObjects() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, new SimEngine(1))) {
      TypedStore<String, byte[]> typed = new TypedStore<>(store, Codec.strings(), Codec.bytes());
      byte[] value = {1, 2};
      typed.put("schlüssel", value, Durability.NONE);
      assertArrayEquals(value, typed.get("schlüssel"));
      assertNull(typed.get("schlussel"));
      WriteBatch batch = new WriteBatch();
      typed.put(batch, "other", new byte[0]);
      typed.delete(batch, "schlüssel");
      try (Snapshot snapshot = store.snapshot()) {
        store.write(batch, Durability.SYNCED);
        assertNull(typed.get("schlüssel"));
        assertEquals(0, typed.get("other").length);
        assertArrayEquals(value, typed.at(snapshot).get("schlüssel"));
        assertNull(typed.at(snapshot).get("other"));
      }
      typed.delete("other", Durability.NONE);
      assertNull(typed.get("other"));
    }
  }

  @Test
  void rangesOperandsAndSingleDeletesSpeakOfObjectsToo() throws Exception {
    StoreOptions options =
        Fixtures.TINY.withTree(
            Fixtures.TINY.tree().withMergeOperator(MergeOperators.append(new byte[0])));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, new SimEngine(1))) {
      TypedStore<Long, String> typed = new TypedStore<>(store, Codec.longs(), Codec.strings());
      for (long number : NUMBERS) {
        typed.put(number, "a", Durability.NONE);
      }
      typed.merge(0L, Fixtures.bytes("b"), Durability.NONE);
      typed.singleDelete(255L, Durability.NONE);
      typed.deleteRange(-256L, 0L, Durability.NONE);
      assertNull(typed.get(-2L));
      assertNull(typed.get(255L));
      assertEquals("ab", typed.get(0L));
      assertThrows(
          IllegalArgumentException.class, () -> typed.deleteRange(1L, -1L, Durability.NONE));
      WriteBatch batch = new WriteBatch();
      typed.deleteRange(batch, Long.MIN_VALUE, 2L);
      typed.merge(batch, 0L, Fixtures.bytes("c"));
      store.write(batch, Durability.NONE);
      assertEquals("c", typed.get(0L));
      assertNull(typed.get(-1L << 40));
      assertEquals("a", typed.get(256L));
    }
  }

  @Test
  void encodedNumbersAreOrderedAsTheNumbers() {
    long seed = Fixtures.seed(11);
    SplittableRandom random = new SplittableRandom(seed);
    Codec<Long> codec = Codec.longs();
    for (int i = 0; i < 10_000; i++) {
      long a = random.nextLong() >> random.nextInt(64);
      long b = random.nextLong() >> random.nextInt(64);
      int order = Arrays.compareUnsigned(codec.encode(a), codec.encode(b));
      assertEquals(Long.signum(Long.compare(a, b)), Integer.signum(order), "seed=" + seed);
      assertEquals(a, codec.decode(MemorySegment.ofArray(codec.encode(a))));
    }
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> codec.decode(MemorySegment.ofArray(new byte[7])));
    assertTrue(e.getMessage().contains("lengthBytes=7"));
  }
}
