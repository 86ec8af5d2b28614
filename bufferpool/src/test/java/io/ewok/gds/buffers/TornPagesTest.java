package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TornPagesTest {
  private static final Path FILE = Path.of("/pages");
  private static final Path JOURNAL = Path.of("/pages.journal");
  private static final PageSize SIZE = PageSize.BYTES_8192;
  private static final BufferOptions OPTIONS = new BufferOptions(64 * 4096, 4096, null);

  private final SimEngine engine = new SimEngine(1);
  private final SimEngine atomic =
      new SimEngine(1, SimOptions.defaults().withAtomicBytesMax(SIZE.bytes()));

  @Test
  void settingsSayWhatTheDefaultIs() throws IOException {
    PageOptions options =
        PageOptions.from(Map.of("pages.size", "8K", "pages.torn", "backup", "io.engine", "pool"));
    assertEquals(new PageOptions(SIZE, TornPages.BACKUP), options);
    try (BufferManager manager =
        new BufferManager(engine, MemoryBudget.root("pages", OPTIONS.memoryBytes()), OPTIONS)) {
      CachedPageFile file = manager.openPages(FILE, OpenMode.CREATE_NEW, options);
      assertEquals(TornPages.BACKUP, file.tornPages());
      assertEquals(SIZE, file.pageSize());
    }
    assertEquals(PageOptions.defaults(), PageOptions.from(Map.of()));
    assertEquals(PageOptions.defaults(), PageOptions.from(Map.of("pages.torn", "AUTO ")));
    for (Map<String, String> wrong :
        List.of(
            Map.of("pages.size", "3K"),
            Map.of("pages.size", "50%"),
            Map.of("pages.torn", "double write"),
            Map.of("pages.tear", "auto"))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> PageOptions.from(wrong)).getMessage();
      assertTrue(message.endsWith(wrong.toString().replaceAll("[{}]", "")), message);
    }
  }

  @Test
  void autoIsWhatTheDeviceCanDoAtNoCostElseDoubleWrite() throws IOException {
    assertEquals(TornPages.ATOMIC, create(atomic, TornPages.AUTO, SIZE));
    assertFalse(atomic.exists(JOURNAL));
    SimEngine small = new SimEngine(1, SimOptions.defaults().withAtomicBytesMax(4096));
    assertEquals(TornPages.DOUBLE_WRITE, create(small, TornPages.AUTO, SIZE));
    assertEquals(TornPages.DOUBLE_WRITE, create(engine, TornPages.AUTO, SIZE));
    assertTrue(engine.exists(JOURNAL));
  }

  @Test
  void theModeIsThatOfTheFileForGood() throws IOException {
    for (TornPages mode : TornPages.values()) {
      SimEngine device = new SimEngine(1, SimOptions.defaults().withAtomicBytesMax(SIZE.bytes()));
      TornPages recorded = create(device, mode, SIZE);
      try (BufferManager manager = manager(device.crash(1));
          CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        assertEquals(recorded, file.tornPages());
        assertEquals(mode == TornPages.AUTO ? TornPages.ATOMIC : mode, recorded);
      }
      for (TornPages wanted : TornPages.values()) {
        try (BufferManager manager = manager(device)) {
          if (wanted == TornPages.AUTO || wanted == recorded) {
            manager.openPages(FILE, SIZE, OpenMode.READ_WRITE, wanted).close();
          } else {
            assertThrows(
                IllegalArgumentException.class,
                () -> manager.openPages(FILE, SIZE, OpenMode.READ_WRITE, wanted));
          }
        }
      }
    }
  }

  @Test
  void atomicIsRefusedWhereTheDeviceCannot() throws IOException {
    assertThrows(StorageException.class, () -> create(engine, TornPages.ATOMIC, SIZE));
    assertFalse(engine.exists(FILE));
    assertThrows(
        StorageException.class, () -> create(atomic, TornPages.ATOMIC, PageSize.BYTES_16384));
  }

  @Test
  void aFileWithoutItsJournalCanOnlyBeRead() throws IOException {
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    engine.delete(JOURNAL);
    try (BufferManager manager = manager(engine);
        Fix fix = new Fix()) {
      assertThrows(
          MissingFileException.class, () -> manager.openPages(FILE, SIZE, OpenMode.READ_WRITE));
      try (CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_ONLY)) {
        file.fixShared(1, fix);
        fix.unfix();
      }
    }
  }

  @Test
  void theJournalOfAnotherFileIsRefused() throws IOException {
    create(engine, TornPages.BACKUP, SIZE);
    engine.rename(FILE, Path.of("/other"));
    create(engine, TornPages.BACKUP, SIZE);
    engine.rename(Path.of("/other"), FILE);
    try (BufferManager manager = manager(engine)) {
      assertThrows(
          CorruptFileException.class, () -> manager.openPages(FILE, SIZE, OpenMode.READ_WRITE));
      assertEquals(OPTIONS.frameCount(), manager.stats().freeFrames());
    }
  }

  @Test
  void aJournalLeftBehindIsNotThatOfANewFile() throws IOException {
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    engine.delete(FILE);
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    assertEquals(7, valueOfPageOne(engine, OpenMode.READ_WRITE));
  }

  @Test
  void aRottenPageIsWrittenAnewFromItsCopy() throws IOException {
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    engine.flipBit(FILE, SIZE.bytes() + 5000);
    try (BufferManager manager = manager(engine)) {
      assertThrows(StorageException.class, () -> manager.openPages(FILE, SIZE, OpenMode.READ_ONLY));
    }
    assertEquals(7, valueOfPageOne(engine, OpenMode.READ_WRITE));
    assertEquals(7, valueOfPageOne(engine, OpenMode.READ_ONLY));
  }

  @Test
  void whatWasRepairedIsDurableWithoutTheJournal() throws IOException {
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    engine.flipBit(FILE, SIZE.bytes() + 5000);
    assertEquals(7, valueOfPageOne(engine, OpenMode.READ_WRITE));
    engine.delete(JOURNAL); // as one does who only reads from now on
    engine.syncDirectory(FILE.getParent());
    for (long seed = 0; seed < 20; seed++) {
      assertEquals(7, valueOfPageOne(engine.crash(seed), OpenMode.READ_ONLY), "seed=" + seed);
    }
  }

  @Test
  void aBackupIsNotPutBackOnceThePagesAreDurable() throws IOException {
    create(engine, TornPages.BACKUP, SIZE);
    engine.flipBit(FILE, SIZE.bytes() + 5000);
    // The copy is of the page before it was written; a log may not reach back as far.
    assertThrows(CorruptFileException.class, () -> valueOfPageOne(engine, OpenMode.READ_WRITE));
  }

  @Test
  void aRottenJournalDoesNoHarmToWholePages() throws IOException {
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    for (long offset = 4096; offset < 40_000; offset += 512) {
      engine.flipBit(JOURNAL, offset + (1 << 20));
    }
    engine.markBad(JOURNAL, 4096 + 4096 + (1 << 20));
    assertEquals(7, valueOfPageOne(engine, OpenMode.READ_WRITE));
  }

  @Test
  void aJournalThatCannotBeWrittenIsReportedAndReadsGoOn() throws IOException {
    create(engine, TornPages.DOUBLE_WRITE, SIZE);
    try (BufferManager manager = manager(engine);
        Fix fix = new Fix()) {
      CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
      set(file, 8);
      engine.failNth(SimOperation.WRITE, 1, Errno.EIO);
      assertThrows(StorageException.class, file::flush);
      file.flush();
      set(file, 9);
      engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
      assertThrows(StorageException.class, file::flush);
      assertThrows(StorageException.class, file::flush);
      file.fixShared(1, fix);
      assertEquals(9, fix.segment().get(ValueLayout.JAVA_LONG, 24));
      fix.unfix();
      assertThrows(StorageException.class, file::close);
    }
    long value = valueOfPageOne(engine, OpenMode.READ_WRITE);
    assertTrue(value == 8 || value == 9, "value=" + value);
  }

  private static TornPages create(SimEngine engine, TornPages mode, PageSize size)
      throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, size, OpenMode.CREATE_NEW, mode);
        Fix fix = new Fix()) {
      assertEquals(1, file.create(fix));
      fix.segment().set(ValueLayout.JAVA_LONG, 24, 7);
      return file.tornPages();
    }
  }

  private static void set(CachedPageFile file, long value) throws IOException {
    try (Fix fix = new Fix()) {
      file.fixExclusive(1, fix);
      fix.segment().set(ValueLayout.JAVA_LONG, 24, value);
      fix.markDirty(0);
    }
  }

  private static long valueOfPageOne(SimEngine engine, OpenMode mode) throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, mode);
        Fix fix = new Fix()) {
      file.fixShared(1, fix);
      return fix.segment().get(ValueLayout.JAVA_LONG, 24);
    }
  }

  private static BufferManager manager(SimEngine engine) {
    return new BufferManager(engine, BufferFixture.budget(), OPTIONS);
  }
}
