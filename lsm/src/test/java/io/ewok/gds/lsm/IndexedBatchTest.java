package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Batches that are read through before they are written. */
class IndexedBatchTest {
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY.tree().withMergeOperator(MergeOperators.append(new byte[] {','})));

  private final SimEngine engine = new SimEngine(1);
  private Store store;
  private Family other;
  private IndexedBatch batch;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
    other = store.createFamily("other", OPTIONS.tree());
    put("a", "1");
    put("b", "2");
    put("c", "3");
    store.flush();
    put("d", "4");
    batch = store.indexedBatch();
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private static byte[] bytes(String text) {
    return Fixtures.bytes(text);
  }

  private void put(String key, String value) throws IOException {
    store.put(bytes(key), bytes(value), Durability.NONE);
  }

  private String get(String key) throws IOException {
    String found = Fixtures.text(batch.get(store, bytes(key)));
    byte[] room = new byte[10];
    int length = batch.get(store, MemorySegment.ofArray(bytes(key)), MemorySegment.ofArray(room));
    assertEquals(found == null ? ReadView.NOT_FOUND : found.length(), length);
    assertEquals(found, found == null ? null : new String(room, 0, length, StandardCharsets.UTF_8));
    return found;
  }

  private static List<String> contents(StoreCursor cursor) throws IOException {
    List<String> contents = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      contents.add(
          Fixtures.text(Fixtures.array(cursor.key()))
              + Fixtures.text(Fixtures.array(cursor.value())));
    }
    return contents;
  }

  private List<String> contents() throws IOException {
    try (StoreCursor cursor = batch.cursor(store, CursorOptions.defaults())) {
      return contents(cursor);
    }
  }

  @Test
  void itsReadsShowTheStoreAsItWouldBe() throws IOException {
    batch
        .put(store, bytes("b"), bytes("22"))
        .delete(store, bytes("c"))
        .merge(store, bytes("d"), bytes("x"))
        .merge(store, bytes("d"), bytes("y"))
        .merge(store, bytes("e"), bytes("z"))
        .put(other, bytes("b"), bytes("of the other"));
    assertEquals(6, batch.count());
    assertEquals("1", get("a"));
    assertEquals("22", get("b"));
    assertNull(get("c"));
    assertEquals("4,x,y", get("d"));
    assertEquals("z", get("e"));
    assertNull(get("f"));
    assertArrayEquals(bytes("of the other"), batch.get(other, bytes("b")));
    assertEquals(List.of("a1", "b22", "d4,x,y", "ez"), contents());
    batch.deleteRange(store, bytes("a"), bytes("d"));
    batch.put(store, bytes("b"), bytes("again")).merge(store, bytes("a"), bytes("n"));
    assertEquals("n", get("a"));
    assertEquals("again", get("b"));
    assertNull(get("c"));
    assertEquals(List.of("an", "bagain", "d4,x,y", "ez"), contents());
    assertEquals("2", Fixtures.text(store.get(bytes("b"))), "nobody else sees it");
    batch.write(Durability.NONE);
    assertEquals(0, batch.count());
    try (StoreCursor cursor = store.cursor()) {
      assertEquals(List.of("an", "bagain", "d4,x,y", "ez"), contents(cursor));
    }
    assertEquals(List.of("an", "bagain", "d4,x,y", "ez"), contents());
    assertArrayEquals(bytes("of the other"), other.get(bytes("b")));
  }

  @Test
  void itReadsTheStoreAsItIsAtThatMoment() throws IOException {
    batch.merge(store, bytes("a"), bytes("x"));
    try (StoreCursor cursor = batch.cursor(store, CursorOptions.defaults())) {
      put("a", "9");
      put("b", "8");
      assertEquals("9,x", get("a"));
      assertEquals("8", get("b"));
      assertEquals(List.of("a1,x", "b2", "c3", "d4"), contents(cursor));
      batch.delete(store, bytes("c"));
      assertEquals(List.of("a1,x", "b2", "c3", "d4"), contents(cursor));
      cursor.refresh();
      assertEquals(List.of("a9,x", "b8", "d4"), contents(cursor));
    }
    batch.write(Durability.NONE); // whatever was written meanwhile
    assertEquals("9,x", Fixtures.text(store.get(bytes("a"))));
  }

  @Test
  void rangesAreThoseOfTheStoreAsItWouldBe() throws IOException {
    batch.put(store, bytes("bb"), bytes("22")).delete(store, bytes("d"));
    ScanRanges ranges = new ScanRanges().add(bytes("b"), bytes("c")).add(bytes("d"), bytes("e"));
    try (RangesCursor cursor = batch.cursor(store, ranges, CursorOptions.defaults())) {
      List<String> keys = new ArrayList<>();
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        keys.add(Fixtures.text(Fixtures.array(cursor.key())));
      }
      assertEquals(List.of("b", "bb"), keys);
    }
  }

  @Test
  void cursorsEndWithWhatTheyShow() throws IOException {
    batch.put(store, bytes("x"), bytes("y"));
    StoreCursor cursor = batch.cursor(store, CursorOptions.defaults());
    cursor.last();
    batch.clear();
    assertThrows(IllegalStateException.class, cursor::isValid);
    cursor.close();
    assertNull(get("x"));
    batch.write(Durability.NONE);
    assertNull(store.get(bytes("x")));
    StoreCursor open = batch.cursor(store, CursorOptions.defaults());
    batch.write(Durability.NONE);
    assertThrows(IllegalStateException.class, open::first);
  }

  @Test
  void whatCannotBeAddedLeavesItAsItWas() throws IOException {
    batch.put(store, bytes("x"), bytes("y"));
    Family plain = store.createFamily("plain", Fixtures.TINY.tree());
    byte[] much = new byte[Fixtures.TINY.batchBytesMax()];
    assertThrows(IllegalArgumentException.class, () -> batch.put(store, bytes("z"), much));
    assertThrows(
        IllegalArgumentException.class,
        () -> batch.delete(store, new byte[WriteBatch.KEY_BYTES_MAX + 1]));
    assertThrows(
        IllegalArgumentException.class, () -> batch.deleteRange(store, bytes("b"), bytes("b")));
    assertThrows(IllegalStateException.class, () -> batch.merge(plain, bytes("a"), bytes("b")));
    try (Store foreign = Store.open(Fixtures.DIRECTORY, OPTIONS, new SimEngine(2))) {
      assertThrows(
          IllegalArgumentException.class, () -> batch.put(foreign, bytes("a"), bytes("b")));
      assertThrows(IllegalArgumentException.class, () -> batch.get(foreign, bytes("a")));
    }
    store.dropFamily(plain);
    assertThrows(IllegalStateException.class, () -> batch.put(plain, bytes("a"), bytes("b")));
    assertEquals(1, batch.count());
    batch.write(Durability.NONE);
    assertArrayEquals(bytes("y"), store.get(bytes("x")));
  }

  @Test
  void aCallInsideOfAnotherOneIsRefused() throws IOException {
    boolean[] refused = {false};
    CursorFilter filter =
        record -> {
          assertThrows(IllegalStateException.class, batch::count);
          refused[0] = true;
          return true;
        };
    try (StoreCursor cursor = batch.cursor(store, CursorOptions.defaults().withFilter(filter))) {
      cursor.first();
      assertTrue(refused[0]);
    }
  }

  @Test
  void itIsWrittenWhollyOrNotAtAll() throws IOException {
    for (int i = 0; i < 100; i++) {
      batch.put(i % 2 == 0 ? store : other, bytes("key" + i), bytes("value"));
    }
    batch.write(Durability.SYNCED);
    for (int i = 0; i < 100; i++) {
      batch.put(i % 2 == 0 ? store : other, bytes("later" + i), bytes("value"));
    }
    batch.write(Durability.NONE);
    for (int seed = 0; seed < 20; seed++) {
      SimEngine after = engine.crash(seed);
      try (Store survived = Store.open(Fixtures.DIRECTORY, OPTIONS, after)) {
        Family second = survived.family("other").orElseThrow();
        boolean isThere = survived.get(bytes("later0")) != null;
        for (int i = 0; i < 100; i++) {
          Family in = i % 2 == 0 ? survived : second;
          assertArrayEquals(bytes("value"), in.get(bytes("key" + i)));
          assertEquals(isThere, in.get(bytes("later" + i)) != null);
        }
        assertFalse(isThere && survived.get(bytes("a")) == null);
      }
    }
  }
}
