package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** A device that is full, and a store that makes room there itself. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class SpaceReserveTest {
  private static final StoreFiles FILES = new StoreFiles(Fixtures.DIRECTORY);
  private static final long RESERVE = 4 << 20;
  private static final StoreOptions OPTIONS = Fixtures.TINY.withReserveBytes(RESERVE);
  private static final byte[] VALUE = new byte[1_000];

  private final SimEngine engine = new SimEngine(1);

  private static byte[] key(int number) {
    return Fixtures.bytes("key%06d".formatted(number));
  }

  /** Puts until that is refused. Returns how many keys there are then, of so many before. */
  private static int fill(Store store, int before) {
    for (int i = before; ; i++) {
      try {
        store.put(key(i), VALUE, Durability.SYNCED);
      } catch (OutOfSpaceException e) {
        return i;
      } catch (IOException e) {
        throw new AssertionError("another failure", e);
      }
    }
  }

  /** The same until no merge makes room any more. */
  private static int fillWhileMergesMakeRoom(Store store) throws Exception {
    int before = -1;
    int taken = 0;
    while (taken > before) {
      before = taken;
      taken = fill(store, taken);
      store.background().setRest(1_000_000);
      try {
        assertTrue(store.awaitRest(Duration.ofMinutes(1)));
      } catch (OutOfSpaceException e) {
        assertTrue(e.getMessage().contains("cannot be"), e.getMessage()); // so it is tried no more
      }
    }
    return taken;
  }

  private static OutOfSpaceException assertRefused(Store store) {
    return assertThrows(
        OutOfSpaceException.class,
        () -> store.put(Fixtures.bytes("new"), VALUE, Durability.SYNCED));
  }

  @Test
  void aStoreThatHasFilledItsDeviceMakesRoomByItself() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      engine.setCapacityBytes(engine.usedBytes() + (6 << 20));
      int taken = fillWhileMergesMakeRoom(store);
      assertTrue(taken > 1_000, "taken: " + taken);
      assertFalse(engine.exists(FILES.reserve()));
      String refusal = assertRefused(store).getMessage();
      assertTrue(refusal.contains("reserveBytes=" + RESERVE), refusal);
      WriteBatch both = new WriteBatch().delete(key(0)).put(key(1), VALUE);
      assertThrows(OutOfSpaceException.class, () -> store.write(both, Durability.SYNCED));
      // What was taken is there, and deletes make room.
      for (int i = 0; i < taken; i++) {
        assertArrayEquals(VALUE, store.get(key(i)));
      }
      for (int i = 0; i < taken; i += 2) {
        store.delete(key(i), Durability.SYNCED);
      }
      store.deleteRange(key(0), key(taken / 2), Durability.SYNCED);
      store.write(new WriteBatch().delete(key(taken - 1)), Durability.SYNCED);
      store.compact();
      store.put(Fixtures.bytes("new"), VALUE, Durability.SYNCED);
      assertTrue(engine.exists(FILES.reserve()));
      for (int i = 0; i < taken - 1; i++) {
        assertEquals(i % 2 == 1 && i >= taken / 2, store.get(key(i)) != null, "key " + i);
      }
    }
  }

  @Test
  void aMergeThatHasNoRoomIsDoneInTheReserve() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS.withTablesBeforeMerge(20), engine)) {
      for (int i = 0; i < 1_500; i++) {
        store.put(key(i), VALUE, Durability.NONE);
      }
      store.flush();
      engine.setCapacityBytes(engine.usedBytes() + (64 << 10));
      store.compact();
      assertEquals(1, store.stats().levels().stream().filter(level -> level.tables() > 0).count());
      for (int i = 0; i < 1_500; i++) {
        assertArrayEquals(VALUE, store.get(key(i)));
      }
    }
  }

  /** As it is without one. */
  @Test
  void withoutAReserveSomebodyElseHasToMakeRoom() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      engine.setCapacityBytes(engine.usedBytes() + (2 << 20));
      int taken = fill(store, 0);
      assertFalse(engine.exists(FILES.reserve()));
      assertThrows(
          OutOfSpaceException.class,
          () -> {
            for (int i = 0; i < taken; i++) {
              store.delete(key(i), Durability.SYNCED);
            }
            store.compact();
          });
    }
  }

  /** Whoever else has filled it: as soon as there is room values are taken again. */
  @Test
  void valuesAreTakenAgainWhenThereIsRoom() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      engine.setCapacityBytes(engine.usedBytes());
      int taken = fill(store, 0);
      OutOfSpaceException unused = assertRefused(store);
      engine.setCapacityBytes(Long.MAX_VALUE);
      store.put(key(taken), VALUE, Durability.SYNCED);
      assertTrue(engine.exists(FILES.reserve()));
      for (int i = 0; i <= taken; i++) {
        assertArrayEquals(VALUE, store.get(key(i)));
      }
    }
  }

  @Test
  void aStoreOnAFullDeviceIsOpened() throws Exception {
    for (long reserve : new long[] {0, RESERVE}) {
      SimEngine full = new SimEngine(1);
      StoreOptions options = OPTIONS.withReserveBytes(reserve);
      try (Store store = Store.open(Fixtures.DIRECTORY, options, full)) {
        store.put(key(1), VALUE, Durability.SYNCED);
      }
      full.setCapacityBytes(full.usedBytes());
      if (reserve == 0) {
        assertThrows(
            OutOfSpaceException.class, () -> Store.open(Fixtures.DIRECTORY, options, full).close());
        continue;
      }
      try (Store store = Store.open(Fixtures.DIRECTORY, options, full)) {
        assertArrayEquals(VALUE, store.get(key(1)));
        store.delete(key(1), Durability.SYNCED);
        assertNull(store.get(key(1)));
      }
    }
  }

  /** It is given up once, and taken again; whatever is cut off, nothing is lost. */
  @Test
  void powerCutsLoseNothingWhileTheReserveIsInUse() throws Exception {
    List<SimEngine> cuts = new ArrayList<>();
    List<Integer> acknowledged = new ArrayList<>();
    int[] taken = {0};
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      engine.setCapacityBytes(engine.usedBytes() + (1 << 20));
      engine.onSync(
          () -> {
            if (cuts.size() < 400) {
              cuts.add(engine.crash(cuts.size()));
              acknowledged.add(taken[0]);
            }
          });
      OutOfSpaceException full =
          assertThrows(
              OutOfSpaceException.class,
              () -> {
                for (; ; taken[0]++) {
                  Durability durability = taken[0] % 8 == 0 ? Durability.SYNCED : Durability.NONE;
                  store.put(key(taken[0]), VALUE, durability);
                }
              });
      assertTrue(full.getMessage().contains("reserve"), full.getMessage());
      store.flush();
      engine.onSync(() -> {});
    }
    assertTrue(cuts.size() > 20, "cuts: " + cuts.size());
    for (int i = 0; i < cuts.size(); i++) {
      try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, cuts.get(i))) {
        int synced = (acknowledged.get(i) - 1) / 8 * 8;
        for (int k = 0; k < synced; k++) {
          assertArrayEquals(VALUE, store.get(key(k)), "cut " + i + " key " + k);
        }
      }
    }
  }

  @Test
  void whatIsNotWantedAnyMoreGoes() throws Exception {
    Store.open(Fixtures.DIRECTORY, OPTIONS, engine).close();
    Path file = FILES.reserve();
    assertEquals(RESERVE, Fixtures.sizeBytes(engine, file));
    Store.open(Fixtures.DIRECTORY, OPTIONS.withReserveBytes(2 << 20), engine).close();
    assertEquals(2 << 20, Fixtures.sizeBytes(engine, file));
    Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine).close();
    assertFalse(engine.exists(file));
  }
}
