package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The store and a TreeMap do the same random operations and must agree all the time. */
class StoreModelTest {
  private static final int OPERATIONS = 6_000;
  private static final int CURSORS_MAX = 3;

  private final SimEngine engine = new SimEngine(1);
  private final TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
  private final List<Snapshot> snapshots = new ArrayList<>();
  private StoreOptions options;
  private SplittableRandom random;
  private Store store;
  private long flushes;
  private long merges;
  private long misses;

  /** A cursor, what it should see, and the key it should be on. */
  private static final class Snapshot {
    final StoreCursor cursor;
    final NavigableMap<byte[], byte[]> model;
    byte[] at;

    Snapshot(StoreCursor cursor, NavigableMap<byte[], byte[]> model) {
      this.cursor = cursor;
      this.model = model;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void storeAgreesWithATreeMap(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    random = new SplittableRandom(seed);
    options =
        Fixtures.TINY
            .withPoolBytes(2 << 20) // Up to four cursors at once stand on large blocks.
            .withTablesBeforeMerge(2 + random.nextInt(4))
            .withBlockBytes(4096 << random.nextInt(2));
    try {
      store = Store.open(Fixtures.DIRECTORY, options, engine);
      for (int i = 0; i < OPERATIONS; i++) {
        step();
      }
      checkAll();
      reopen();
      checkAll();
      store.close();
      // Else the test would not test much.
      assertTrue(flushes > 20 && merges > 5 && misses > 200, "tables were written and read");
    } catch (Exception | AssertionError e) {
      throw new AssertionError(Fixtures.replay(getClass(), seed), e);
    }
  }

  private void step() throws Exception {
    switch (random.nextInt(100)) {
      case 0 -> store.flush();
      case 1 -> {
        if (random.nextInt(8) == 0) {
          store.compact();
        }
      }
      case 2 -> {
        if (random.nextInt(8) == 0) {
          reopen();
        }
      }
      case 3 -> {
        if (random.nextInt(4) == 0) {
          checkAll();
        }
      }
      case 4 -> openCursor();
      case 5, 6, 7, 8, 9, 10, 11, 12 -> batch();
      case 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26 -> delete();
      default -> {
        if (random.nextInt(3) == 0) {
          get();
        } else if (random.nextInt(3) == 0 || snapshots.isEmpty()) {
          put();
        } else {
          moveCursor();
        }
      }
    }
  }

  private Durability durability() {
    return random.nextInt(10) == 0 ? Durability.SYNCED : Durability.BUFFERED;
  }

  /** Few keys, of all shapes: empty, prefixes of each other, bytes above 127, a long one. */
  private byte[] key() {
    int number = random.nextInt(400);
    int length = number == 399 ? 3_000 : number % 7;
    byte[] key = new byte[length];
    for (int i = 0; i < length; i++) {
      key[i] = (byte) ((number * 31) >> (i % 5));
    }
    return key;
  }

  private byte[] value() {
    int bound =
        switch (random.nextInt(40)) {
          case 0 -> 1;
          case 1 -> 30_000;
          case 2, 3, 4 -> 6_000;
          default -> 200;
        };
    return Fixtures.randomBytes(random, random.nextInt(bound));
  }

  private void put() throws Exception {
    byte[] key = key();
    byte[] value = value();
    store.put(key, value, durability());
    model.put(key, value);
  }

  private void delete() throws Exception {
    byte[] key = key();
    store.delete(key, durability());
    model.remove(key);
  }

  private void batch() throws Exception {
    WriteBatch batch = new WriteBatch();
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      byte[] key = key();
      if (random.nextInt(3) == 0) {
        batch.delete(key);
        model.remove(key);
      } else {
        byte[] value = Fixtures.randomBytes(random, random.nextInt(300));
        batch.put(key, value);
        model.put(key, value);
      }
    }
    store.write(batch, durability());
  }

  private void get() throws Exception {
    byte[] key = key();
    assertArrayEquals(model.get(key), store.get(key));
  }

  private void openCursor() {
    if (snapshots.size() == CURSORS_MAX) {
      snapshots.remove(random.nextInt(CURSORS_MAX)).cursor.close();
    }
    snapshots.add(new Snapshot(store.cursor(), new TreeMap<>(model)));
  }

  private void moveCursor() throws Exception {
    Snapshot snapshot = snapshots.get(random.nextInt(snapshots.size()));
    StoreCursor cursor = snapshot.cursor;
    byte[] at = snapshot.at;
    NavigableMap<byte[], byte[]> seen = snapshot.model;
    byte[] target = key();
    int move = random.nextInt(at == null ? 4 : 14);
    switch (move) {
      case 0 -> cursor.first();
      case 1 -> cursor.last();
      case 2 -> cursor.seek(target);
      case 3 -> cursor.seekForPrev(target);
      case 4, 5, 6, 7, 8 -> cursor.next();
      default -> cursor.previous();
    }
    byte[] expected =
        switch (move) {
          case 0 -> seen.isEmpty() ? null : seen.firstKey();
          case 1 -> seen.isEmpty() ? null : seen.lastKey();
          case 2 -> seen.ceilingKey(target);
          case 3 -> seen.floorKey(target);
          case 4, 5, 6, 7, 8 -> seen.higherKey(at);
          default -> seen.lowerKey(at);
        };
    snapshot.at = expected;
    assertEquals(expected != null, cursor.isValid());
    if (expected != null) {
      assertArrayEquals(expected, Fixtures.array(cursor.key()));
      assertArrayEquals(seen.get(expected), Fixtures.array(cursor.value()));
    }
  }

  private void reopen() throws Exception {
    // Some are left open: closing the store ends them.
    if (random.nextBoolean()) {
      snapshots.forEach(snapshot -> snapshot.cursor.close());
    }
    snapshots.clear();
    StoreStats stats = store.stats();
    flushes += stats.flushes();
    merges += stats.merges();
    misses += stats.read().blockMisses();
    store.close();
    store = Store.open(Fixtures.DIRECTORY, options, engine);
  }

  private void checkAll() throws Exception {
    try (StoreCursor cursor = store.cursor()) {
      cursor.first();
      for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
        assertTrue(cursor.isValid());
        assertArrayEquals(entry.getKey(), Fixtures.array(cursor.key()));
        assertArrayEquals(entry.getValue(), Fixtures.array(cursor.value()));
        assertArrayEquals(entry.getValue(), store.get(entry.getKey()));
        cursor.next();
      }
      assertEquals(false, cursor.isValid());
      cursor.last();
      for (byte[] key : model.descendingKeySet()) {
        assertArrayEquals(key, Fixtures.array(cursor.key()));
        cursor.previous();
      }
      assertEquals(false, cursor.isValid());
    }
    assertNull(store.get(Fixtures.bytes("never written")));
  }
}
