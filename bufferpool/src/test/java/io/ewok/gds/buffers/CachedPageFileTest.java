package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

final class CachedPageFileTest {
  private static final Path FILE = Path.of("/pages");
  private static final PageSize SIZE = PageSize.BYTES_1024;
  private static final BufferOptions OPTIONS =
      new BufferOptions(64 * 4096, 4096, null).withWaitMax(Duration.ofMillis(50));

  private final SimEngine engine = new SimEngine(1);

  @Test
  void pagesOfAllSizesComeBackWhateverTheDevicesSectors() throws IOException {
    for (int sectorBytes : new int[] {512, 4096}) {
      for (PageSize size : PageSize.values()) {
        SimEngine device = new SimEngine(1, sectorBytes);
        int pages = 3 * OPTIONS.frameCount();
        try (BufferManager manager = manager(device);
            CachedPageFile file = manager.openPages(FILE, size, OpenMode.CREATE_NEW)) {
          assertEquals(1, file.pageCount());
          for (long page = 1; page <= pages; page++) {
            assertEquals(page, create(file, page * 7));
          }
        }
        try (BufferManager manager = manager(device.crash(5));
            CachedPageFile file = manager.openPages(FILE, size, OpenMode.READ_ONLY);
            Fix fix = new Fix()) {
          assertEquals(pages + 1, file.pageCount());
          for (long page = 1; page <= pages; page++) {
            file.fixShared(page, fix);
            assertEquals(size.bytes(), fix.segment().byteSize());
            assertEquals(page * 7, value(fix));
            fix.unfix();
          }
        }
      }
    }
  }

  @Test
  void aFlippedByteIsFoundWhenThePageIsRead() throws IOException {
    writePages(3, TornPages.NONE);
    engine.flipBit(FILE, 2L * SIZE.bytes() + 700);
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      CorruptFileException e =
          assertThrows(CorruptFileException.class, () -> file.fixShared(2, fix));
      assertEquals(2L * SIZE.bytes(), e.offset());
      assertTrue(e.getMessage().contains("page 2"), e.getMessage());
      assertFalse(fix.isFixed());
      file.fixShared(3, fix);
    }
  }

  @Test
  void freedPagesAreUsedAgainAndHoldNothingOld() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      for (int i = 1; i <= 5; i++) {
        create(file, i);
      }
      file.free(4, 0);
      file.free(2, 0);
      assertThrows(IllegalStateException.class, () -> file.free(2, 0));
      file.fixShared(4, fix);
      assertEquals(PageFormat.FLAG_FREE, PageFormat.flags(fix.segment()));
      assertEquals(0, value(fix));
      fix.unfix();
      assertEquals(2, create(file, 22));
      assertEquals(4, create(file, 44));
      assertEquals(6, create(file, 66));
      file.free(5, 0);
    }
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      assertEquals(7, create(file, 77));
      file.extendTo(10);
      assertEquals(3, file.reclaimFreePages()); // 5, 8 and 9
      assertEquals(5, create(file, 55));
    }
  }

  @Test
  void aPageKeepsItsLogPositionWhenItIsUsedAgain() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      create(file, 1);
      file.free(1, 900);
      assertEquals(1, file.create(fix));
      assertEquals(900, PageFormat.lsn(fix.segment()));
      fix.markDirty(800);
      assertEquals(900, PageFormat.lsn(fix.segment()));
      fix.markDirty(1000);
      assertEquals(1000, PageFormat.lsn(fix.segment()));
    }
  }

  @Test
  void pagesThatRedoNeedsCanBeBroughtBack() throws IOException {
    writePages(1);
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      assertThrows(IllegalArgumentException.class, () -> file.fixExclusive(5000, fix));
      file.extendTo(5001);
      file.fixExclusive(5000, fix);
      assertTrue(PageFormat.isNeverWritten(fix.segment()));
      fix.unfix();
      assertThrows(IllegalArgumentException.class, () -> file.extendTo(Long.MAX_VALUE));
      assertThrows(IllegalArgumentException.class, () -> file.extendTo(-1));
    }
  }

  @Test
  void pageZeroIsTheFilesOwn() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      assertThrows(IllegalArgumentException.class, () -> file.fixShared(0, fix));
      for (long page = -1; page <= 1; page++) {
        long none = page;
        assertThrows(IllegalArgumentException.class, () -> file.fixOptimistic(none, fix));
      }
      assertThrows(IllegalArgumentException.class, () -> file.free(0, 0));
      assertThrows(IllegalArgumentException.class, () -> file.fixExclusive(-1, fix));
      assertThrows(IllegalArgumentException.class, () -> file.fixShared(1, fix));
    }
  }

  @Test
  void aFileThatIsNotWhatWasAskedForIsRefused() throws IOException {
    writePages(1);
    Path other = Path.of("/other");
    BufferFixture.writeBlocks(engine, other, 8);
    try (BufferManager manager = manager(engine)) {
      assertThrows(
          IllegalArgumentException.class,
          () -> manager.openPages(FILE, PageSize.BYTES_2048, OpenMode.READ_WRITE));
      assertThrows(
          CorruptFileException.class, () -> manager.openPages(other, SIZE, OpenMode.READ_WRITE));
      assertThrows(
          MissingFileException.class,
          () -> manager.openPages(Path.of("/none"), SIZE, OpenMode.READ_WRITE));
      assertThrows(
          StorageException.class, () -> manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW));
      assertTrue(engine.exists(FILE), "was there before the refused creation");
      assertEquals(OPTIONS.frameCount(), manager.stats().freeFrames());
    }
    engine.flipBit(FILE, 500); // in page 0
    engine.flipBit(other, 0);
    try (BufferManager manager = manager(engine)) {
      assertThrows(
          CorruptFileException.class, () -> manager.openPages(FILE, SIZE, OpenMode.READ_WRITE));
    }
  }

  @Test
  void aFileOfANewerVersionIsRefused() throws IOException {
    writePages(1);
    try (Region region = Region.map(BufferFixture.budget(), RegionOptions.ofSize(4096));
        IoFile file = engine.open(FILE, OpenMode.READ_WRITE)) {
      file.readFully(0, region, 0, SIZE.bytes());
      MemorySegment page = region.segment().asSlice(0, SIZE.bytes());
      page.set(PageFormat.INT, 32, PageFileFormat.VERSION_SEALED + 1);
      PageFormat.seal(page, SIZE, 0);
      file.write(0, region, 0, SIZE.bytes());
    }
    try (BufferManager manager = manager(engine)) {
      assertThrows(
          UnsupportedFormatException.class,
          () -> manager.openPages(FILE, SIZE, OpenMode.READ_WRITE));
    }
  }

  @Test
  void aFileOpenForReadingCannotBeChanged() throws IOException {
    writePages(2);
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_ONLY);
        Fix fix = new Fix()) {
      assertThrows(IllegalStateException.class, () -> file.fixExclusive(1, fix));
      assertThrows(IllegalStateException.class, () -> file.create(fix));
      assertThrows(IllegalStateException.class, () -> file.free(1, 0));
      assertThrows(IllegalStateException.class, () -> file.extendTo(9));
      file.fixShared(1, fix);
      assertTrue(fix.segment().isReadOnly());
      assertThrows(IllegalStateException.class, () -> fix.markDirty(0));
    }
  }

  @Test
  void creationThatIsCutLeavesNothingOrAnEmptyFileOrOneThatIsRefused() throws IOException {
    int[] whole = {0};
    int[] refused = {0};
    engine.onSync(
        () -> {
          for (long seed = 0; seed < 20; seed++) {
            try (BufferManager manager = manager(engine.crash(seed));
                CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
              assertEquals(1, file.pageCount());
              whole[0]++;
            } catch (MissingFileException | CorruptFileException e) {
              refused[0]++;
            } catch (IOException e) {
              throw new UncheckedIOException("seed=" + seed, e);
            }
          }
        });
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW)) {
      engine.onSync(() -> {});
      assertTrue(whole[0] > 0 && refused[0] > 0, whole[0] + " " + refused[0]);
      try (BufferManager after = manager(engine.crash(1));
          CachedPageFile durable = after.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        assertEquals(file.pageCount(), durable.pageCount());
      }
    }
  }

  @Test
  void creationOnAFullDiskLeavesNothing() throws IOException {
    engine.setCapacityBytes(1000);
    try (BufferManager manager = manager(engine)) {
      assertThrows(
          OutOfSpaceException.class, () -> manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW));
      assertFalse(engine.exists(FILE));
      assertEquals(OPTIONS.frameCount(), manager.stats().freeFrames());
      engine.setCapacityBytes((2 << 20) + 4096 + 512); // as much as the journal takes
      assertThrows(
          OutOfSpaceException.class, () -> manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW));
      assertFalse(engine.exists(FILE));
      assertFalse(engine.exists(PageJournal.pathOf(FILE)));
      engine.setCapacityBytes(4 << 20);
      manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW).close();
    }
  }

  @Test
  void aFileThatCannotGrowStaysUsable() throws IOException {
    engine.setCapacityBytes(1 << 20);
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW, TornPages.NONE);
        Fix fix = new Fix()) {
      for (int page = 1; page < 1024; page++) {
        create(file, page);
      }
      assertThrows(OutOfSpaceException.class, () -> file.create(fix));
      assertFalse(fix.isFixed());
      assertEquals(1024, file.pageCount());
      file.flush();
      engine.setCapacityBytes(2 << 20);
      assertEquals(1024, create(file, 1));
    }
  }

  @Test
  void aFailedWriteBackKeepsThePageDirtyAndCanBeTriedAgain() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW)) {
      create(file, 5);
      engine.failNth(SimOperation.WRITE, 1, Errno.EIO);
      assertThrows(StorageException.class, file::flush);
      assertEquals(1, manager.stats().dirty());
      file.flush();
      assertEquals(0, manager.stats().dirty());
    }
    try (BufferManager manager = manager(engine.crash(1));
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      file.fixShared(1, fix);
      assertEquals(5, value(fix));
    }
  }

  @Test
  void aFailedSyncPoisonsTheFileUntilItIsOpenedAgain() throws IOException {
    writePages(2);
    try (BufferManager manager = manager(engine);
        Fix fix = new Fix()) {
      CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
      create(file, 5);
      file.fixShared(1, fix); // a handle that was used finds what is there on a shorter way
      fix.unfix();
      engine.failNth(SimOperation.SYNC, 3, Errno.EIO); // those before begin the journal
      assertThrows(StorageException.class, file::flush);
      assertThrows(PoisonedFileException.class, () -> file.fixShared(1, fix));
      assertThrows(PoisonedFileException.class, () -> file.fixOptimistic(1, fix));
      assertThrows(PoisonedFileException.class, () -> file.create(fix));
      assertThrows(PoisonedFileException.class, file::flush);
      assertThrows(PoisonedFileException.class, file::close);
      try (CachedPageFile again = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        again.fixShared(1, fix);
        fix.unfix();
      }
    }
  }

  @Test
  void aFileThatCannotBeWrittenDoesNotStopReadersOfAnother() throws IOException {
    Path other = Path.of("/other");
    BufferFixture.writeBlocks(engine, other, 200);
    boolean[] broken = {false};
    IoEngine breakable =
        GatedEngine.before(
            "write",
            engine,
            () -> {
              if (broken[0]) {
                throw new StorageException("broken", FILE);
              }
            });
    try (BufferManager manager = new BufferManager(breakable, BufferFixture.budget(), OPTIONS);
        CachedBlockFile blocks = manager.openBlocks(other, BufferFixture::verifyBlock);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW, TornPages.NONE);
        Fix fix = new Fix()) {
      for (int page = 1; page <= OPTIONS.frameCount() - 3; page++) {
        create(file, page);
      }
      broken[0] = true;
      for (int i = 0; i < 400; i++) {
        blocks.fix(i % 200 * 512L, 512, fix);
        fix.unfix();
      }
      assertThrows(StorageException.class, file::flush);
      broken[0] = false;
    }
  }

  @Test
  void latchesAreSharedByReadersAndWritersAreAlone() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix one = new Fix();
        Fix two = new Fix();
        Fix three = new Fix()) {
      create(file, 1);
      file.fixShared(1, one);
      file.fixShared(1, two);
      assertThrows(LatchTimeoutException.class, () -> file.fixExclusive(1, three));
      one.unfix();
      two.unfix();
      file.fixExclusive(1, three);
      assertThrows(LatchTimeoutException.class, () -> file.fixShared(1, one));
      assertThrows(LatchTimeoutException.class, () -> file.fixExclusive(1, one));
      three.markDirty(0);
      assertThrows(LatchTimeoutException.class, file::flush);
      three.unfix();
      file.flush();
      assertEquals(0, manager.stats().pinned());
    }
  }

  @Test
  void aPageFixedSharedCanBeFlushed() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      create(file, 1);
      file.fixShared(1, fix);
      manager.flush();
      assertEquals(0, manager.stats().dirty());
    }
  }

  @Test
  void aPageWhoseHeaderItsOwnerNeverWroteCanStillBeRead() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      file.extendTo(2);
      file.fixExclusive(1, fix);
      fix.segment().set(ValueLayout.JAVA_LONG, 24, 13);
      fix.markDirty(0);
    }
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      file.fixShared(1, fix);
      assertEquals(13, value(fix));
    }
  }

  @Test
  void flushMakesPagesDurableWithoutClose() throws IOException {
    BufferManager manager = manager(engine);
    CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
    create(file, 11);
    file.flush();
    create(file, 12);
    for (long seed = 0; seed < 50; seed++) {
      try (BufferManager after = manager(engine.crash(seed));
          CachedPageFile durable = after.openPages(FILE, SIZE, OpenMode.READ_WRITE);
          Fix fix = new Fix()) {
        durable.fixShared(1, fix);
        assertEquals(11, value(fix), "seed=" + seed);
      }
    }
    manager.close();
  }

  private static BufferManager manager(SimEngine engine) {
    return new BufferManager(engine, BufferFixture.budget(), OPTIONS);
  }

  private void writePages(int count) throws IOException {
    writePages(count, TornPages.AUTO);
  }

  private void writePages(int count, TornPages tornPages) throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW, tornPages)) {
      for (int page = 1; page <= count; page++) {
        create(file, page);
      }
    }
  }

  private static long create(CachedPageFile file, long value) throws IOException {
    try (Fix fix = new Fix()) {
      long page = file.create(fix);
      fix.segment().set(ValueLayout.JAVA_LONG, 24, value);
      return page;
    }
  }

  private static long value(Fix fix) {
    return fix.segment().get(ValueLayout.JAVA_LONG, 24);
  }
}
