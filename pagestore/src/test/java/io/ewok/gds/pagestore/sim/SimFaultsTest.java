package io.ewok.gds.pagestore.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Each fault happens when its rate says so, and then does what its description says. */
class SimFaultsTest {
  private static final int SECTOR = 512;
  private static final int SECTORS = 16;
  private static final Path DIRECTORY = Path.of("/sim");
  private static final Path FILE = DIRECTORY.resolve("f");
  private static final Path OTHER = DIRECTORY.resolve("g");

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(1 << 20));
  private SimEngine engine;
  private IoFile file;

  @BeforeEach
  void open() throws IOException {
    open(SimOptions.defaults());
  }

  private void open(SimOptions options) throws IOException {
    close(engine);
    engine = new SimEngine(1, options);
    engine.createDirectories(DIRECTORY);
    engine.open(OTHER, OpenMode.CREATE_NEW).close();
    file = engine.open(FILE, OpenMode.CREATE_NEW);
    engine.syncDirectory(DIRECTORY);
    write(0, SECTORS, 1);
    file.sync();
  }

  @AfterEach
  void close() {
    close(engine);
    region.close();
  }

  private static void close(SimEngine engine) {
    if (engine != null) {
      engine.close();
    }
  }

  private void write(int sector, int count, int value) throws IOException {
    region.segment().asSlice(0, (long) count * SECTOR).fill((byte) value);
    file.write((long) sector * SECTOR, region, 0, count * SECTOR);
  }

  /** Returns the sectors by their values, -1 for one that is torn. */
  private List<Integer> sectors(SimEngine from) throws IOException {
    List<Integer> values = new ArrayList<>();
    try (IoFile opened = from.open(FILE, OpenMode.READ_ONLY)) {
      long sizeBytes = opened.sizeBytes();
      opened.readFully(0, region, 0, (int) sizeBytes);
      for (long at = 0; at < sizeBytes; at += SECTOR) {
        byte[] sector = region.segment().asSlice(at, SECTOR).toArray(ValueLayout.JAVA_BYTE);
        byte[] same = new byte[SECTOR];
        Arrays.fill(same, sector[0]);
        values.add(Arrays.equals(sector, same) ? (int) sector[0] : -1);
      }
    }
    return values;
  }

  private static List<Integer> all(int value) {
    Integer[] values = new Integer[SECTORS];
    Arrays.fill(values, value);
    return List.of(values);
  }

  private void assertErrno(String name, Executable operation) {
    StorageException e = assertThrows(StorageException.class, operation);
    assertTrue(e.getMessage().contains("errno=" + name), e.getMessage());
  }

  private void assertFired(SimFault fault) {
    assertTrue(engine.count(fault) > 0, () -> "did not happen: " + fault);
    engine.setRate(fault, 0);
  }

  // ---------------------------------------------------------------- reported

  @Test
  void badSectorIsNotReadUntilItIsWritten() throws IOException {
    engine.setRate(SimFault.BAD_SECTOR, 1);
    assertErrno("EIO", () -> file.read(0, region, 0, SECTORS * SECTOR));
    assertEquals(1, engine.count(SimFault.BAD_SECTOR));
    assertFired(SimFault.BAD_SECTOR);
    int readable = 0;
    for (int sector = 0; sector < SECTORS; sector++) {
      try {
        file.readFully((long) sector * SECTOR, region, 0, SECTOR);
        readable++;
      } catch (StorageException expected) {
        assertTrue(expected.getMessage().contains("errno=EIO"), expected.getMessage());
      }
    }
    assertEquals(SECTORS - 1, readable);
    SimEngine after = engine.crash(1);
    assertThrows(StorageException.class, () -> sectors(after), "still bad after a crash");
    write(0, SECTORS, 2);
    assertEquals(all(2), sectors(engine));
  }

  @Test
  void markedSectorIsBad() throws IOException {
    engine.markBad(FILE, 3 * SECTOR + 7);
    file.readFully(0, region, 0, 3 * SECTOR);
    assertErrno("EIO", () -> file.read(0, region, 0, 4 * SECTOR));
    file.readFully(4 * SECTOR, region, 0, SECTOR);
    write(3, 1, 1);
    assertEquals(all(1), sectors(engine));
  }

  @Test
  void readErrorPasses() throws IOException {
    engine.setRate(SimFault.READ_ERROR, 1);
    assertErrno("EIO", () -> file.read(0, region, 0, SECTOR));
    assertFired(SimFault.READ_ERROR);
    assertEquals(all(1), sectors(engine));
  }

  @Test
  void failedWriteLeavesSomeOfItsFirstSectors() throws IOException {
    Set<Integer> written = new TreeSet<>();
    for (int round = 0; round < 200; round++) {
      write(0, SECTORS, 1);
      boolean full = round % 2 == 1;
      SimFault fault = full ? SimFault.NO_SPACE : SimFault.WRITE_ERROR;
      engine.setRate(fault, 1);
      assertErrno(full ? "ENOSPC" : "EIO", () -> write(0, SECTORS, 2));
      assertFired(fault);
      List<Integer> left = sectors(engine);
      int count = left.contains(1) ? left.indexOf(1) : SECTORS;
      assertFalse(left.subList(count, SECTORS).contains(2), left.toString());
      written.add(count);
    }
    assertEquals(SECTORS + 1, written.size(), written.toString());
  }

  @Test
  void preallocationFindsNoSpace() throws IOException {
    engine.setRate(SimFault.NO_SPACE, 1);
    assertThrows(OutOfSpaceException.class, () -> file.preallocate(0, 1 << 20));
    assertFired(SimFault.NO_SPACE);
    assertEquals(SECTORS * SECTOR, file.sizeBytes());
  }

  @Test
  void operationsOnNamesFailAndLeaveNothing() throws IOException {
    engine.setRate(SimFault.NAME_ERROR, 1);
    assertErrno("EIO", () -> engine.open(FILE, OpenMode.READ_ONLY));
    assertErrno("EIO", () -> engine.open(DIRECTORY.resolve("new"), OpenMode.CREATE_NEW));
    assertErrno("EIO", () -> engine.rename(FILE, OTHER));
    assertErrno("EIO", () -> engine.delete(FILE));
    assertErrno("EIO", () -> engine.syncDirectory(DIRECTORY));
    assertErrno("EIO", () -> file.truncate(0));
    assertEquals(6, engine.count(SimFault.NAME_ERROR));
    assertFired(SimFault.NAME_ERROR);
    assertEquals(List.of(FILE, OTHER), engine.list(DIRECTORY));
    assertEquals(all(1), sectors(engine));
  }

  // ---------------------------------------------------------------- survived

  @Test
  void shortTransfersAreCompleted() throws IOException {
    engine.setRate(SimFault.SHORT_TRANSFER, 1);
    write(0, SECTORS, 2);
    long ofWrite = engine.count(SimFault.SHORT_TRANSFER);
    assertEquals(all(2), sectors(engine));
    assertTrue(ofWrite > 0 && engine.count(SimFault.SHORT_TRANSFER) > ofWrite);
    assertEquals(0, file.read(SECTORS * SECTOR, region, 0, SECTOR), "at the end");
    assertEquals(SECTOR, file.read((SECTORS - 1) * SECTOR, region, 0, 8 * SECTOR));
  }

  @Test
  void stormsOfInterruptsPassOrAreReported() throws IOException {
    for (SimFault storm : List.of(SimFault.INTERRUPTED, SimFault.AGAIN)) {
      engine.setRate(storm, 0.8);
      for (int round = 0; round < 20; round++) {
        write(0, SECTORS, 3);
        assertEquals(all(3), sectors(engine));
      }
      engine.setRate(storm, 1);
      String errno = storm == SimFault.AGAIN ? "EAGAIN" : "EINTR";
      assertErrno(errno, () -> write(0, 1, 4));
      assertErrno(errno, () -> file.read(0, region, 0, SECTOR));
      assertFired(storm);
    }
  }

  // ---------------------------------------------------------------- silent

  @Test
  void misdirectedReadReturnsOtherSectors() throws IOException {
    for (int sector = 0; sector < SECTORS; sector++) {
      write(sector, 1, 10 + sector);
    }
    engine.setRate(SimFault.MISDIRECTED_READ, 1);
    int wrong = 0;
    for (int round = 0; round < 50; round++) {
      assertEquals(SECTOR, file.read(0, region, 0, SECTOR));
      wrong += region.segment().get(ValueLayout.JAVA_BYTE, 0) == 10 ? 0 : 1;
    }
    assertTrue(wrong > 25, "wrong=" + wrong);
    assertEquals(SECTOR, file.read((SECTORS - 1) * SECTOR, region, 0, 2 * SECTOR));
    assertFired(SimFault.MISDIRECTED_READ);
  }

  @Test
  void misdirectedWriteHitsAnotherPlaceOrNone() throws IOException {
    engine.setRate(SimFault.MISDIRECTED_WRITE, 1);
    Set<Integer> hit = new TreeSet<>();
    for (int round = 0; round < 100; round++) {
      write(0, 1, 2);
      List<Integer> after = sectors(engine);
      assertEquals(1, after.get(0));
      hit.add(after.indexOf(2));
      engine.setRate(SimFault.MISDIRECTED_WRITE, 0);
      write(0, SECTORS, 1);
      engine.setRate(SimFault.MISDIRECTED_WRITE, 1);
    }
    assertEquals(SECTORS, hit.size(), "each other sector, and none: " + hit);
    write(SECTORS, 1, 5);
    assertFired(SimFault.MISDIRECTED_WRITE);
    assertEquals((SECTORS + 1) * SECTOR, file.sizeBytes(), "the size is not misdirected");
    assertEquals(0, sectors(engine).get(SECTORS));
  }

  @Test
  void crashTearsSectorsThatWereNotSynced() throws IOException {
    write(0, 4, 2);
    List<Integer> whole = sectors(engine.crash(3));
    engine.setRate(SimFault.TORN_SECTOR, 1);
    for (int seed = 0; seed < 20; seed++) {
      List<Integer> after = sectors(engine.crash(seed));
      assertEquals(List.of(-1, -1, -1, -1), after.subList(0, 4));
      assertEquals(all(1).subList(4, SECTORS), after.subList(4, SECTORS));
    }
    assertEquals(80, engine.count(SimFault.TORN_SECTOR));
    assertFired(SimFault.TORN_SECTOR);
    assertEquals(whole, sectors(engine.crash(3)), "other choices are what they were");
    engine.setRate(SimFault.TORN_SECTOR, 1);
    file.sync();
    assertEquals(all(2).subList(0, 4), sectors(engine.crash(3)).subList(0, 4));
  }

  @Test
  void lyingSyncMakesNothingDurable() throws IOException {
    engine.setRate(SimFault.LYING_SYNC, 1);
    write(0, SECTORS, 2);
    file.sync();
    assertFired(SimFault.LYING_SYNC);
    List<Integer> after = sectors(engine.crash(7));
    assertTrue(after.contains(1) && after.contains(2), after.toString());
    file.sync();
    assertEquals(all(2), sectors(engine.crash(7)), "an honest one does");
  }

  @Test
  void entriesAreLostInSpiteOfASync() throws IOException {
    engine.setRate(SimFault.LOST_ENTRIES, 1);
    engine.delete(OTHER);
    engine.syncDirectory(DIRECTORY);
    assertFired(SimFault.LOST_ENTRIES);
    Set<Boolean> seen = new TreeSet<>();
    for (int seed = 0; seed < 20; seed++) {
      seen.add(engine.crash(seed).exists(OTHER));
    }
    assertEquals(2, seen.size());
    engine.syncDirectory(DIRECTORY);
    assertFalse(engine.crash(1).exists(OTHER));
  }

  // ---------------------------------------------------------------- failed syncs

  private void failSync() {
    engine.setRate(SimFault.FAILED_SYNC, 1);
    assertErrno("EIO", file::sync);
    assertFired(SimFault.FAILED_SYNC);
    assertThrows(PoisonedFileException.class, file::sync);
  }

  @Test
  void sectorsMarkedCleanAreSeenUntilTheyAreEvicted() throws IOException {
    write(0, SECTORS, 2);
    failSync();
    assertEquals(all(2), sectors(engine));
    List<Integer> durable = sectors(engine.crash(1));
    assertTrue(durable.contains(1) && durable.contains(2), durable.toString());
    engine.evict();
    assertEquals(durable, sectors(engine));
  }

  @Test
  void rolledBackFileIsWhatItWas() throws IOException {
    open(SimOptions.defaults().withSyncFailure(SimSyncFailure.ROLLED_BACK));
    write(0, 2 * SECTORS, 2);
    failSync();
    assertEquals(all(1), sectors(engine));
    assertEquals(all(1), sectors(engine.crash(1)));
    try (IoFile again = engine.open(FILE, OpenMode.READ_WRITE)) {
      again.truncate(2L * SECTORS * SECTOR);
      assertEquals(0, sectors(engine).get(SECTORS), "nothing comes back with the size");
      again.sync();
    }
    file = engine.open(FILE, OpenMode.READ_WRITE);
    file.truncate(0);
    failSync();
    assertEquals(2 * SECTORS, sectors(engine).size());
    assertEquals(1, sectors(engine).get(0), "what was cut off is back");
  }

  // ---------------------------------------------------------------- rates and seeds

  @Test
  void ratesAreKept() throws IOException {
    engine.setRate(SimFault.READ_ERROR, 0.25);
    int failed = 0;
    for (int i = 0; i < 2000; i++) {
      try {
        file.readFully(0, region, 0, SECTOR);
      } catch (StorageException expected) {
        failed++;
      }
    }
    assertEquals(failed, engine.count(SimFault.READ_ERROR));
    assertTrue(failed > 400 && failed < 600, "failed=" + failed);
  }

  @Test
  void oneFaultDoesNotMoveAnother() throws IOException {
    assertEquals(failedReads(0), failedReads(0.5));
  }

  private List<Integer> failedReads(double rateOfShortTransfers) throws IOException {
    open(
        SimOptions.defaults()
            .withRate(SimFault.READ_ERROR, 0.2)
            .withRate(SimFault.SHORT_TRANSFER, rateOfShortTransfers));
    List<Integer> failed = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      try {
        file.readFully(0, region, 0, SECTORS * SECTOR);
      } catch (StorageException expected) {
        failed.add(i);
      }
    }
    assertTrue(failed.size() > 5, failed.toString());
    return failed;
  }

  @Test
  void crashInheritsTheDeviceAndNoFaults() throws IOException {
    open(
        SimOptions.defaults()
            .withAlignmentBytes(4096)
            .withRate(SimFault.MISDIRECTED_READ, 1)
            .withRate(SimFault.TORN_SECTOR, 1));
    try (SimEngine after = engine.crash(1);
        IoFile opened = after.open(FILE, OpenMode.READ_WRITE)) {
      assertEquals(4096, opened.alignmentBytes());
      assertEquals(all(1), sectors(after));
      assertEquals(0, after.count(SimFault.MISDIRECTED_READ));
    }
  }

  @Test
  void ratesAreProbabilities() {
    for (double rate : new double[] {-0.1, 1.1, Double.NaN}) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> engine.setRate(SimFault.AGAIN, rate));
      assertTrue(e.getMessage().endsWith("rate=" + rate), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> SimOptions.defaults().withRate(SimFault.AGAIN, rate));
    }
    for (int alignmentBytes : new int[] {0, 256, 768}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> SimOptions.defaults().withAlignmentBytes(alignmentBytes));
    }
  }
}
