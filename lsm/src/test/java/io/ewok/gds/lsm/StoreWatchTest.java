package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The counters of an open store are seen from outside, as long as somebody looks. */
class StoreWatchTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir private Path temp;

  private Store open() throws IOException {
    return Store.open(temp.resolve("store"), Fixtures.TINY.withEngine(EngineOptions.defaults()));
  }

  private Path file() {
    return temp.resolve("store").resolve("WATCH");
  }

  /** The first reading that is newer than this call. */
  private static StoreWatch.Reading awaitReading(StoreWatch watch) throws Exception {
    long asked = System.currentTimeMillis();
    while (true) {
      Optional<StoreWatch.Reading> read = watch.read();
      if (read.isPresent() && read.get().millis() > asked) {
        return read.get();
      }
      assertTrue(System.currentTimeMillis() - asked < LONG.toMillis(), "the store is silent");
      Thread.onSpinWait();
    }
  }

  @Test
  @SuppressWarnings("try") // it is closed while it is watched
  void whoLooksSeesWhatTheStoreCounts() throws Exception {
    try (Store store = open();
        StoreWatch watch = StoreWatch.open(temp.resolve("store"))) {
      for (int i = 0; i < 100; i++) {
        store.put(Fixtures.bytes("key " + i), Fixtures.bytes("value"), Durability.NONE);
        store.get(Fixtures.bytes("key " + i));
      }
      store.flush();
      StoreWatch.Reading read = awaitReading(watch);
      StoreStats stats = store.stats();
      assertEquals(ProcessHandle.current().pid(), read.process());
      assertEquals(100, read.number("operations"));
      assertEquals(100, read.number("gets"));
      assertEquals(stats.sequence(), read.number("sequence"));
      assertEquals(1, read.number("flushes"));
      assertEquals(stats.written().flushBytes(), read.number("bytes.flush"));
      assertEquals(1, read.number("level.0.tables"));
      assertEquals(stats.memory().limitBytes(), read.number("memory.limit"));
      assertEquals(stats.engine(), read.values().get("engine"));
      assertEquals(0, read.number("no such counter"));
      store.put(Fixtures.bytes("another"), Fixtures.bytes("value"), Durability.NONE);
      assertEquals(101, awaitReading(watch).number("operations"));
      assertTrue(watch.isOpen());
      store.close();
      assertFalse(watch.isOpen());
      assertFalse(Files.exists(file()));
    }
  }

  /** A process of another container, whose number means nothing here, or somebody else. */
  @Test
  void numberOfAnotherNamespaceSaysNothing() throws Exception {
    Files.createDirectories(file().getParent());
    try (FileChannel file =
        FileChannel.open(file(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long none = Integer.MAX_VALUE;
      WatchFormat.create(file, none);
      try (StoreWatch watch = StoreWatch.open(temp.resolve("store"))) {
        assertTrue(watch.read().isEmpty());
        assertFalse(watch.isOpen()); // there is no such process
        String elsewhere = WatchFormat.NAMESPACE + "=pid:[1]";
        WatchFormat.publish(file, new WatchFormat.Published(1, none, elsewhere));
        assertTrue(watch.read().isPresent());
        assertTrue(watch.isOpen());
      }
    }
  }

  @Test
  void nothingIsWrittenWhileNobodyLooks() throws Exception {
    long[] nanos = new long[1];
    try (Store store = open()) {
      WatchedStats watched = WatchedStats.of(store.parts(), () -> nanos[0]); // in place of its own
      try (FileChannel file = FileChannel.open(file(), StandardOpenOption.READ)) {
        for (int i = 0; i < 10; i++) {
          nanos[0] += 1_000_000_000;
          assertTrue(watched.isDue());
          watched.publishIfDue();
          assertFalse(watched.isDue());
          assertEquals(0, WatchFormat.readOrNull(file).millis());
          assertEquals(1_000_000_000, watched.nanosLeft());
        }
        try (StoreWatch watch = StoreWatch.open(temp.resolve("store"))) {
          assertTrue(watch.read().isEmpty());
          assertFalse(watched.isDue());
          nanos[0] += 1_000_000_000;
          watched.publishIfDue();
          assertTrue(watch.read().isPresent());
          assertEquals(250_000_000, watched.nanosLeft());
        }
      } finally {
        watched.close();
      }
      assertEquals(Long.MAX_VALUE, watched.nanosLeft());
      assertFalse(watched.isDue());
    }
  }

  @Test
  void fileIsItsUsersAlone() throws Exception {
    try (Store store = open()) {
      assertEquals(
          "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file())));
      assertEquals(0, store.stats().openCursors());
    }
  }

  @Test
  void whoKillsTheFileHarmsNobody() throws Exception {
    try (Store store = open();
        StoreWatch watch = StoreWatch.open(temp.resolve("store"))) {
      StoreWatch.Reading before = awaitReading(watch);
      try (FileChannel file = FileChannel.open(file(), StandardOpenOption.WRITE)) {
        file.truncate(3);
      }
      assertFalse(watch.isOpen());
      Files.delete(file());
      store.put(Fixtures.bytes("key"), Fixtures.bytes("value"), Durability.SYNCED);
      store.flush();
      assertEquals("value", Fixtures.text(store.get(Fixtures.bytes("key"))));
      assertTrue(before.millis() > 0);
    }
  }

  @Test
  void whatOneLeftThatWasKilledIsReplaced() throws Exception {
    Path left = temp.resolve("left");
    try (Store store = open()) {
      store.put(Fixtures.bytes("key"), Fixtures.bytes("value"), Durability.SYNCED);
      Files.copy(file(), left);
    }
    Files.move(left, file());
    try (Store store = open();
        StoreWatch watch = StoreWatch.open(temp.resolve("store"))) {
      assertTrue(awaitReading(watch).number("sequence") > 0);
      assertEquals("value", Fixtures.text(store.get(Fixtures.bytes("key"))));
    }
  }

  @Test
  void whereNoStoreIsOpenNobodyLooks() throws Exception {
    assertThrows(StorageException.class, () -> StoreWatch.open(temp.resolve("store")));
    open().close();
    StorageException none =
        assertThrows(StorageException.class, () -> StoreWatch.open(temp.resolve("store")));
    assertTrue(none.getMessage().contains("no process has a store open here"), none.getMessage());
    Files.writeString(file(), "something else, which is long enough for a magic number");
    assertThrows(StorageException.class, () -> StoreWatch.open(temp.resolve("store")));
    Files.delete(file());
    Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "text");
    Files.createSymbolicLink(file(), elsewhere);
    assertThrows(IOException.class, () -> StoreWatch.open(temp.resolve("store")));
    open().close(); // takes the link's place
    assertEquals("text", Files.readString(elsewhere));
  }

  @Test
  void simulatedStoreLeavesNoFile() throws Exception {
    try (Store store = Store.open(temp.resolve("store"), Fixtures.TINY, new SimEngine(1))) {
      store.put(Fixtures.bytes("key"), Fixtures.bytes("value"), Durability.NONE);
      assertFalse(Files.exists(temp.resolve("store")));
    }
  }

  /** What is read while it is being written is not taken for a reading. */
  @Test
  void tornReadingsAreNone() throws Exception {
    Path path = temp.resolve("file");
    AtomicBoolean isEnded = new AtomicBoolean();
    try (FileChannel writing =
            FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        FileChannel reading = FileChannel.open(path, StandardOpenOption.READ)) {
      WatchFormat.create(writing, 1);
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 1; i < 3_000; i++) {
                      publish(writing, i);
                    }
                    isEnded.set(true);
                  });
      long last = 0;
      while (!isEnded.get()) {
        WatchFormat.Published read = WatchFormat.readOrNull(reading);
        if (read != null && read.millis() > 0) {
          assertEquals(text(read.millis()), read.text());
          assertTrue(read.millis() >= last);
          last = read.millis();
        }
      }
      writer.join();
    }
    try (FileChannel file =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      assertEquals(2_999, WatchFormat.readOrNull(file).millis());
      byte[] bytes = Files.readAllBytes(path);
      bytes[100]++;
      Files.write(path, bytes);
      assertNull(WatchFormat.readOrNull(file));
    }
  }

  /** Long and short ones in turn. */
  private static String text(long number) {
    return ("count=" + number + "\n").repeat(number % 2 == 0 ? 50 : 2_000);
  }

  private static void publish(FileChannel file, int number) {
    try {
      WatchFormat.publish(file, new WatchFormat.Published(number, 1, text(number)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
