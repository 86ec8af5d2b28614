package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Devices that fail: everything is reported, nothing acknowledged is lost, nothing wrong is read.
 */
@ParameterizedClass
@ValueSource(ints = {0, 1_000})
class StoreFaultTest {
  private final StoreOptions options;

  /** More than a round has operations of one kind: the last ones must not fail any more. */
  private static final int ROUNDS = 160;

  private static final int ROUNDS_WITHOUT = 10;

  private final SplittableRandom random = new SplittableRandom(42);

  /** What was acknowledged, and what was tried. No key is written twice. */
  private final Map<byte[], byte[]> acknowledged = new TreeMap<>(Fixtures.ORDER);

  private final Map<byte[], byte[]> tried = new TreeMap<>(Fixtures.ORDER);
  private int keys;

  StoreFaultTest(int separatedValueBytes) {
    options = Fixtures.separated(separatedValueBytes).withTablesBeforeMerge(2);
  }

  private void put(Store store, int valueBytes, Durability durability) throws IOException {
    byte[] key = Fixtures.bytes("key%05d".formatted(keys++));
    byte[] value = Fixtures.randomBytes(random, valueBytes);
    tried.put(key, value);
    store.put(key, value, durability);
    acknowledged.put(key, value);
  }

  private void checkNothingLost(Store store) throws Exception {
    Map<byte[], byte[]> found = Fixtures.contents(store);
    acknowledged.forEach((key, value) -> assertArrayEquals(value, found.get(key)));
    found.forEach((key, value) -> assertArrayEquals(tried.get(key), value));
    for (byte[] key : acknowledged.keySet()) {
      assertArrayEquals(acknowledged.get(key), store.get(key));
    }
  }

  /** A part of a workload; its failures are expected. */
  @FunctionalInterface
  private interface Work {
    void run() throws Exception;
  }

  private int failures;

  private void mayFail(Work work) throws Exception {
    try {
      work.run();
    } catch (IOException e) {
      failures++;
      assertNotNull(e.getMessage());
    }
  }

  /** Opens a store on an engine that may still have its one failure to come. */
  private Store openAgain(SimEngine engine) throws IOException {
    try {
      return Store.open(Fixtures.DIRECTORY, options, engine);
    } catch (IOException injected) {
      return Store.open(Fixtures.DIRECTORY, options, engine);
    }
  }

  @Test
  void eachFailingReadIsReportedAndReadsRightTheNextTime() throws Exception {
    SimEngine base = new SimEngine(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, base)) {
      for (int i = 0; i < 40; i++) {
        put(store, 5_000, Durability.NONE);
        if (i % 16 == 15) {
          store.flush();
        }
      }
    }
    SimEngine sound = base.crash(0);
    readEverything(sound);
    assertEquals(0, failures);
    long reads = sound.stats().reads();
    assertTrue(reads > 40, "reads to fail: " + reads);
    for (long n = 1; n <= reads; n++) {
      SimEngine engine = base.crash(n);
      engine.failNth(SimOperation.READ, n, Errno.EIO);
      mayFail(() -> readEverything(engine));
      try (Store store = openAgain(engine)) {
        mayFail(() -> checkNothingLost(store));
        checkNothingLost(store);
      }
    }
    assertTrue(failures > reads / 2, "failures: " + failures);
  }

  private void readEverything(SimEngine engine) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      mayFail(() -> checkNothingLost(store));
      mayFail(store::compact);
      mayFail(() -> checkNothingLost(store));
      store.compact();
      checkNothingLost(store);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SimOperation.class,
      names = {"WRITE", "SYNC", "SYNC_DIRECTORY", "OPEN", "RENAME", "DELETE"})
  void eachFailingOperationLosesNothing(SimOperation operation) throws Exception {
    int errno = operation == SimOperation.WRITE ? Errno.ENOSPC : Errno.EIO;
    SimEngine base = new SimEngine(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, base)) {
      put(store, 5_000, Durability.SYNCED);
    }
    int failed = 0;
    int last = 0;
    for (int n = 1; n <= ROUNDS && n <= last + 3 * ROUNDS_WITHOUT; n++) {
      failures = 0;
      keys = 1;
      byte[] first = Fixtures.bytes("key00000");
      acknowledged.keySet().removeIf(key -> Fixtures.ORDER.compare(key, first) != 0);
      SimEngine engine = base.crash(n);
      engine.failNth(operation, n, errno);
      for (int life = 0; life < 3; life++) {
        mayFail(() -> live(engine));
      }
      // The power fails right after.
      try (Store store = openAgain(engine.crash(n))) {
        checkNothingLost(store);
      }
      mayFail(
          () -> {
            try (Store store = openAgain(engine)) {
              checkNothingLost(store);
              mayFail(() -> put(store, 100, Durability.SYNCED));
              mayFail(store::compact);
              checkNothingLost(store);
            }
          });
      failed += failures > 0 ? 1 : 0;
      last = failures > 0 ? n : last;
    }
    // What is deleted is not needed: such a failure is only logged.
    assertTrue(failed >= 6 || operation == SimOperation.DELETE, "rounds with failures: " + failed);
    assertTrue(last <= ROUNDS - ROUNDS_WITHOUT, "there are more to fail: last=" + last);
  }

  private void live(SimEngine engine) throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      for (int i = 0; i < 6; i++) {
        mayFail(() -> put(store, 5_000, Durability.SYNCED));
        if (i % 3 == 2) {
          mayFail(store::flush);
        }
      }
      checkNothingLost(store);
      mayFail(store::compact);
      checkNothingLost(store);
    }
  }

  @Test
  void fullDiskIsSurvivedAndWorkGoesOnWhenThereIsSpace() throws Exception {
    SimEngine engine = new SimEngine(1);
    Store store = Store.open(Fixtures.DIRECTORY, options, engine);
    for (int i = 0; i < 20; i++) {
      put(store, 5_000, Durability.NONE);
    }
    store.flush();
    engine.setCapacityBytes(engine.usedBytes() + 100_000);
    OutOfSpaceException full =
        assertThrows(
            OutOfSpaceException.class,
            () -> {
              for (int i = 0; i < 1_000; i++) {
                put(store, 5_000, Durability.SYNCED);
              }
            });
    assertTrue(full.getMessage().contains("path=/store"), full.getMessage());
    checkNothingLost(store);
    assertThrows(OutOfSpaceException.class, store::flush);
    assertThrows(OutOfSpaceException.class, () -> put(store, 5_000, Durability.NONE));
    checkNothingLost(store);
    // Recovery needs no space.
    store.close();
    Store reopened = Store.open(Fixtures.DIRECTORY, options, engine);
    checkNothingLost(reopened);
    assertThrows(OutOfSpaceException.class, reopened::flush);
    engine.setCapacityBytes(Long.MAX_VALUE);
    for (int i = 0; i < 100; i++) {
      put(reopened, 5_000, Durability.NONE);
    }
    checkNothingLost(reopened);
    reopened.compact();
    checkNothingLost(reopened);
    reopened.close();
    // What failed attempts wrote is gone.
    try (Store last = Store.open(Fixtures.DIRECTORY, options, engine)) {
      StoreStats stats = last.stats();
      long tables = stats.levels().stream().mapToLong(StoreStats.Level::tables).sum();
      long files =
          engine.list(Fixtures.DIRECTORY).stream()
              .filter(path -> StoreFiles.fileNumber(path).isPresent())
              .count();
      assertEquals(tables + stats.valueFiles().size(), files);
    }
  }

  @Test
  void failedSyncOfTheLogEndsWritesAndNotReads() throws Exception {
    SimEngine engine = new SimEngine(1);
    Store poisoned = Store.open(Fixtures.DIRECTORY, options, engine);
    put(poisoned, 100, Durability.SYNCED);
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    assertThrows(IOException.class, () -> put(poisoned, 100, Durability.SYNCED));
    assertThrows(PoisonedFileException.class, () -> put(poisoned, 100, Durability.NONE));
    assertThrows(
        PoisonedFileException.class, () -> poisoned.write(new WriteBatch(), Durability.SYNCED));
    assertThrows(PoisonedFileException.class, poisoned::flush);
    checkNothingLost(poisoned);
    assertThrows(PoisonedFileException.class, poisoned::close, "the second put is not durable");
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      checkNothingLost(store);
      put(store, 100, Durability.SYNCED);
    }
  }

  @Test
  void closeTellsThatBufferedWritesWereLost() throws Exception {
    SimEngine engine = new SimEngine(1);
    Store store = Store.open(Fixtures.DIRECTORY, options, engine);
    store.put(Fixtures.bytes("key"), new byte[100], Durability.NONE);
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    assertThrows(IOException.class, store::flush);
    assertThrows(PoisonedFileException.class, store::close);
  }
}
