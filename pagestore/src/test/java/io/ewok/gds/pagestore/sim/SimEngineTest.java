package io.ewok.gds.pagestore.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SimEngineTest {
  private static final int SECTOR = 512;
  private static final Path DIRECTORY = Path.of("/sim");
  private static final Path FILE = DIRECTORY.resolve("f");

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(1 << 20));
  private final SimEngine engine = new SimEngine(1);

  @BeforeEach
  void createDirectory() throws IOException {
    engine.createDirectories(DIRECTORY);
  }

  @AfterEach
  void close() {
    engine.close();
    region.close();
  }

  /** Writes sectors that are filled with a value. */
  private void write(IoFile file, int sector, int count, int value) throws IOException {
    region.segment().asSlice(0, (long) count * SECTOR).fill((byte) value);
    file.write((long) sector * SECTOR, region, 0, count * SECTOR);
  }

  /** Returns a file's sectors by their values; a mixed sector is an error. */
  private List<Integer> sectors(SimEngine from, Path path) throws IOException {
    List<Integer> values = new ArrayList<>();
    try (IoFile file = from.open(path, OpenMode.READ_ONLY)) {
      long sizeBytes = file.sizeBytes();
      assertEquals(0, sizeBytes % SECTOR);
      file.readFully(0, region, 0, (int) sizeBytes);
      for (long at = 0; at < sizeBytes; at += SECTOR) {
        byte first = region.segment().get(ValueLayout.JAVA_BYTE, at);
        for (int i = 0; i < SECTOR; i++) {
          assertEquals(first, region.segment().get(ValueLayout.JAVA_BYTE, at + i));
        }
        values.add((int) first);
      }
    }
    return values;
  }

  private IoFile createDurable(Path path) throws IOException {
    IoFile file = engine.open(path, OpenMode.CREATE_NEW);
    engine.syncDirectory(path.getParent());
    return file;
  }

  @Test
  void syncedDataSurvivesEveryCrash() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 4, 1);
    file.sync();
    for (long seed = 0; seed < 50; seed++) {
      assertEquals(List.of(1, 1, 1, 1), sectors(engine.crash(seed), FILE));
    }
  }

  @Test
  void unsyncedSectorsAreKeptOrLostOneByOne() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 3, 1);
    file.sync();
    write(file, 0, 2, 2);
    write(file, 1, 1, 3);
    Set<String> seen = new TreeSet<>();
    for (long seed = 0; seed < 200; seed++) {
      SimEngine after = engine.crash(seed);
      List<Integer> state = sectors(after, FILE);
      seen.add(state.toString());
      // What a crash left is durable.
      assertEquals(state, sectors(after.crash(seed), FILE));
    }
    Set<String> possible =
        Set.of("[1, 1, 1]", "[1, 2, 1]", "[1, 3, 1]", "[2, 1, 1]", "[2, 2, 1]", "[2, 3, 1]");
    assertEquals(possible, Set.copyOf(seen));
    assertEquals(List.of(2, 3, 1), sectors(engine, FILE), "the original goes on");
  }

  @Test
  void unsyncedSizeIsKeptOrLost() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 1, 1);
    file.sync();
    write(file, 1, 1, 2);
    Set<String> seen = new TreeSet<>();
    for (long seed = 0; seed < 100; seed++) {
      seen.add(sectors(engine.crash(seed), FILE).toString());
    }
    assertEquals(Set.of("[1]", "[1, 0]", "[1, 2]"), Set.copyOf(seen));
  }

  @Test
  void truncationIsVolatileAndLeavesZeros() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 3, 1);
    file.sync();
    file.truncate(SECTOR);
    file.truncate(3 * SECTOR);
    assertEquals(List.of(1, 0, 0), sectors(engine, FILE));
    Set<String> seen = new TreeSet<>();
    for (long seed = 0; seed < 200; seed++) {
      seen.add(sectors(engine.crash(seed), FILE).toString());
    }
    assertTrue(seen.contains("[1, 1, 1]") && seen.contains("[1, 0, 0]") && seen.contains("[1]"));
    file.sync();
    assertEquals(List.of(1, 0, 0), sectors(engine.crash(1), FILE));
  }

  @Test
  void sameSeedIsTheSameCrash() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 100, 1);
    assertEquals(sectors(engine.crash(9), FILE), sectors(engine.crash(9), FILE));
  }

  @Test
  void namesAreVolatileUntilTheirDirectoryIsSynced() throws IOException {
    IoFile file = engine.open(FILE, OpenMode.CREATE_NEW);
    write(file, 0, 1, 1);
    file.sync();
    assertEquals(2, outcomes(FILE).size(), "a created name may be lost");
    engine.syncDirectory(DIRECTORY);
    assertEquals(Set.of(true), outcomes(FILE));

    Path renamed = DIRECTORY.resolve("renamed");
    engine.rename(FILE, renamed);
    for (long seed = 0; seed < 50; seed++) {
      SimEngine after = engine.crash(seed);
      assertTrue(after.exists(FILE) != after.exists(renamed), "a rename is atomic");
    }
    assertEquals(2, outcomes(renamed).size());
    engine.syncDirectory(DIRECTORY);
    assertEquals(Set.of(true), outcomes(renamed));

    engine.delete(renamed);
    assertEquals(2, outcomes(renamed).size());
    engine.syncDirectory(DIRECTORY);
    assertEquals(Set.of(false), outcomes(renamed));
  }

  private Set<Boolean> outcomes(Path path) {
    Set<Boolean> outcomes = new TreeSet<>();
    for (long seed = 0; seed < 50; seed++) {
      outcomes.add(engine.crash(seed).exists(path));
    }
    return outcomes;
  }

  @Test
  void renameBetweenDirectoriesNeverLosesTheFile() throws IOException {
    Path other = Path.of("/other");
    engine.createDirectories(other);
    createDurable(FILE).close();
    engine.rename(FILE, other.resolve("f"));
    engine.syncDirectory(other);
    for (long seed = 0; seed < 20; seed++) {
      SimEngine after = engine.crash(seed);
      assertTrue(after.exists(other.resolve("f")));
      assertFalse(after.exists(FILE));
    }
  }

  @Test
  void directoryIsRenamedWithAllThatIsInItOrNotAtAll() throws IOException {
    Path before = Path.of("/before");
    Path after = Path.of("/after");
    engine.createDirectories(before.resolve("below"));
    createDurable(before.resolve("durable")).close();
    createDurable(before.resolve("below").resolve("deep")).close();
    engine.open(before.resolve("volatile"), OpenMode.CREATE_NEW).close();
    engine.rename(before, after);
    assertFalse(engine.exists(before));
    assertTrue(engine.exists(after.resolve("volatile")));
    assertTrue(engine.exists(after.resolve("below").resolve("deep")));
    Set<String> seen = new TreeSet<>();
    for (long seed = 0; seed < 50; seed++) {
      SimEngine left = engine.crash(seed);
      Path there = left.exists(after) ? after : before;
      assertTrue(left.exists(before) != left.exists(after));
      assertTrue(left.exists(there.resolve("durable")));
      assertTrue(left.exists(there.resolve("below").resolve("deep")));
      seen.add(there + " " + left.exists(there.resolve("volatile")));
    }
    assertEquals(4, seen.size(), seen.toString());
    engine.syncDirectory(Path.of("/"));
    assertEquals(Set.of(true), outcomes(after.resolve("durable")));
    assertEquals(2, outcomes(after.resolve("volatile")).size());
    engine.syncDirectory(after);
    assertEquals(Set.of(true), outcomes(after.resolve("volatile")));
  }

  @Test
  void secondNameLeadsToTheSameFileAndIsVolatileUntilItsDirectoryIsSynced() throws IOException {
    Path other = Path.of("/other");
    engine.createDirectories(other);
    IoFile file = createDurable(FILE);
    write(file, 0, 3, 1);
    file.sync();
    long used = engine.usedBytes();
    assertTrue(engine.link(FILE, other.resolve("f")));
    assertEquals(used, engine.usedBytes(), "it is one file");
    assertEquals(2, outcomes(other.resolve("f")).size());
    engine.syncDirectory(other);
    engine.delete(FILE);
    engine.syncDirectory(DIRECTORY);
    write(file, 0, 1, 2);
    assertEquals(List.of(2, 1, 1), sectors(engine, other.resolve("f")));
    assertEquals(List.of(1, 1), sectors(engine.crash(1), other.resolve("f")).subList(1, 3));
    engine.failNth(SimOperation.LINK, 1, Errno.EIO);
    assertThrows(StorageException.class, () -> engine.link(other.resolve("f"), FILE));
    assertFalse(engine.exists(FILE));
  }

  @Test
  void namesOfOneFileStayNamesOfOneFileInACrash() throws IOException {
    Path second = DIRECTORY.resolve("second");
    IoFile file = createDurable(FILE);
    assertTrue(engine.link(FILE, second));
    engine.syncDirectory(DIRECTORY);
    write(file, 0, 4, 1);
    for (long seed = 0; seed < 20; seed++) {
      SimEngine after = engine.crash(seed);
      assertEquals(sectors(after, FILE), sectors(after, second));
    }
  }

  @Test
  void failedSyncPoisonsTheFileAndLosesData() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 64, 1);
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    StorageException e = assertThrows(StorageException.class, file::sync);
    assertTrue(e.getMessage().contains("errno=EIO"), e.getMessage());
    assertThrows(PoisonedFileException.class, file::sync);
    assertThrows(PoisonedFileException.class, () -> write(file, 0, 1, 2));
    assertThrows(PoisonedFileException.class, () -> file.truncate(0));
    IoRequest request = new IoRequest().prepareSync(file);
    engine.submit(request);
    assertInstanceOf(
        StorageException.class,
        assertThrows(PoisonedFileException.class, request::await).getCause());
    assertEquals(64, sectors(engine, FILE).size(), "reads go on");

    // Marked clean: a later sync succeeds and proves nothing.
    try (IoFile again = engine.open(FILE, OpenMode.READ_WRITE)) {
      again.sync();
    }
    List<Integer> after = sectors(engine.crash(5), FILE);
    assertTrue(after.contains(0) && after.contains(1), after.toString());
  }

  @Test
  void rewrittenSectorsRecoverFromAFailedSync() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 8, 1);
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    assertThrows(StorageException.class, file::sync);
    try (IoFile again = engine.open(FILE, OpenMode.READ_WRITE)) {
      write(again, 0, 8, 2);
      again.sync();
    }
    assertEquals(List.of(2, 2, 2, 2, 2, 2, 2, 2), sectors(engine.crash(5), FILE));
  }

  @Test
  void chosenOperationFailsOnceWithItsError() throws IOException {
    IoFile file = createDurable(FILE);
    write(file, 0, 2, 1);
    engine.failNth(SimOperation.READ, 2, Errno.EIO);
    engine.failNth(SimOperation.WRITE, 1, Errno.ENOSPC);
    engine.failNth(SimOperation.PREALLOCATE, 1, Errno.ENOSPC);
    engine.failNth(SimOperation.SYNC_DIRECTORY, 1, Errno.EIO);
    engine.failNth(SimOperation.RENAME, 1, Errno.EIO);
    engine.failNth(SimOperation.DELETE, 1, Errno.EIO);
    engine.failNth(SimOperation.OPEN, 1, Errno.EMFILE);
    file.readFully(0, region, 0, SECTOR);
    StorageException e =
        assertThrows(StorageException.class, () -> file.read(0, region, 0, SECTOR));
    assertTrue(e.getMessage().endsWith("errno=EIO offset=0 path=/sim/f"), e.getMessage());
    file.readFully(0, region, 0, SECTOR);
    assertThrows(OutOfSpaceException.class, () -> write(file, 0, 2, 3));
    write(file, 0, 2, 3);
    assertThrows(OutOfSpaceException.class, () -> file.preallocate(0, 1));
    assertThrows(StorageException.class, () -> engine.syncDirectory(DIRECTORY));
    assertThrows(StorageException.class, () -> engine.rename(FILE, DIRECTORY.resolve("g")));
    assertThrows(StorageException.class, () -> engine.delete(FILE));
    assertThrows(StorageException.class, () -> engine.open(FILE, OpenMode.READ_ONLY));
    assertEquals(List.of(3, 3), sectors(engine, FILE));
  }

  @Test
  void capacityIsHeld() throws IOException {
    engine.setCapacityBytes(4 * SECTOR);
    IoFile file = createDurable(FILE);
    write(file, 0, 3, 1);
    assertThrows(OutOfSpaceException.class, () -> write(file, 3, 2, 2));
    assertThrows(OutOfSpaceException.class, () -> file.preallocate(0, 5 * SECTOR));
    assertEquals(3 * SECTOR, file.sizeBytes());
    write(file, 0, 3, 2);
    file.preallocate(0, 4 * SECTOR);
    assertEquals(4 * SECTOR, engine.usedBytes());
    Path other = DIRECTORY.resolve("g");
    IoFile second = createDurable(other);
    assertThrows(OutOfSpaceException.class, () -> write(second, 0, 1, 1));
    file.truncate(0);
    write(second, 0, 1, 1);
  }

  @Test
  void hookSeesEverySyncBeforeItTakesEffect() throws IOException {
    List<Set<String>> states = new ArrayList<>();
    IoFile file = createDurable(FILE);
    engine.onSync(
        () -> {
          Set<String> seen = new TreeSet<>();
          for (long seed = 0; seed < 30; seed++) {
            try {
              seen.add(sectors(engine.crash(seed), FILE).toString());
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          }
          states.add(seen);
        });
    write(file, 0, 1, 1);
    file.sync();
    file.sync();
    assertEquals(
        List.of(Set.of("[]", "[0]", "[1]"), Set.of("[1]")),
        states.stream().map(Set::copyOf).toList());
    assertEquals(3, engine.syncCount());
  }

  @Test
  void flippedBitIsFoundByAnAtomicFile() throws IOException {
    byte[] payload = new byte[600];
    for (int offset = 0; offset < 16 + payload.length; offset += 7) {
      AtomicFile.write(engine, FILE, 0x1234, 1, payload);
      engine.flipBit(FILE, offset);
      SimEngine after = engine.crash(offset);
      assertThrows(CorruptFileException.class, () -> AtomicFile.read(engine, FILE, 0x1234, 1));
      assertThrows(CorruptFileException.class, () -> AtomicFile.read(after, FILE, 0x1234, 1));
    }
  }

  /** Cut at every sync, and at every failing operation: the old content or the new, never less. */
  @Test
  void atomicFileIsOldOrNewAfterEveryCrash() throws IOException {
    byte[] old = new byte[700];
    byte[] fresh = new byte[1500];
    fresh[0] = 1;
    AtomicFile.write(engine, FILE, 7, 1, old);
    Set<Integer> seen = new TreeSet<>();
    engine.onSync(
        () -> {
          for (long seed = 0; seed < 40; seed++) {
            try (SimEngine after = engine.crash(seed)) {
              seen.add(AtomicFile.read(after, FILE, 7, 1).length);
              // And it can be replaced, whatever the crash left behind.
              AtomicFile.write(after, FILE, 7, 1, new byte[3]);
              assertEquals(3, AtomicFile.read(after.crash(seed), FILE, 7, 1).length);
            } catch (IOException e) {
              throw new AssertionError("seed=" + seed, e);
            }
          }
        });
    AtomicFile.write(engine, FILE, 7, 1, fresh);
    assertEquals(Set.of(700, 1500), Set.copyOf(seen));
  }

  @Test
  void atomicFileIsOldOrNewAfterEveryFailure() throws IOException {
    AtomicFile.write(engine, FILE, 7, 1, new byte[700]);
    for (SimOperation operation : SimOperation.values()) {
      try (SimEngine failing = engine.crash(1)) {
        failing.failNth(operation, 1, Errno.EIO);
        try {
          AtomicFile.write(failing, FILE, 7, 1, new byte[1500]);
        } catch (StorageException expected) {
          assertFalse(failing.exists(DIRECTORY.resolve("f.tmp")), "left behind: " + operation);
        }
        for (long seed = 0; seed < 20; seed++) {
          try (SimEngine after = failing.crash(seed)) {
            int length = AtomicFile.read(after, FILE, 7, 1).length;
            assertTrue(length == 700 || length == 1500, operation + " length=" + length);
            assertThrows(
                MissingFileException.class,
                () -> after.open(DIRECTORY.resolve("no"), OpenMode.READ_ONLY));
          }
        }
      }
    }
  }
}
