package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A page whose last change is not in the manager's log is refused. */
final class PageBeyondLogTest {
  private static final Path FILE = Path.of("/pages");
  private static final Path LOG = Path.of("/log");
  private static final Path OTHER_LOG = Path.of("/other");
  private static final PageSize SIZE = PageSize.BYTES_4096;

  private SimEngine engine = new SimEngine(1);
  private final Fix fix = new Fix();

  /** Creates pages 1 and 2; the second has a change in the log, which ends there in a crash. */
  private long create(TornPages mode) throws IOException {
    try (WriteAheadLog log = log(LOG);
        BufferManager manager = manager(log);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW, mode)) {
      file.create(fix);
      fix.unfix();
      file.create(fix);
      long lsn = log.append(MemorySegment.ofArray(new byte[100]));
      fix.markDirty(lsn);
      fix.unfix();
      manager.flush();
      engine = engine.crash(1);
      return lsn;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = TornPages.class,
      names = {"NONE", "DOUBLE_WRITE", "BACKUP"})
  void aPageOfALaterPositionThanTheLogHasIsRefused(TornPages mode) throws IOException {
    long lsn = create(mode);
    try (WriteAheadLog log = log(OTHER_LOG);
        BufferManager manager = manager(log);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      file.fixShared(1, fix);
      fix.unfix();
      CorruptFileException refused =
          assertThrows(CorruptFileException.class, () -> file.fixShared(2, fix));
      assertEquals(2L * SIZE.bytes(), refused.offset());
      assertTrue(refused.getMessage().contains("page 2 with a change at lsn " + lsn));
      assertThrows(CorruptFileException.class, () -> file.fixExclusive(2, fix));
      assertThrows(CorruptFileException.class, () -> file.fixOptimistic(2, fix));
      file.prefetch(new long[] {1, 2}, 2, Priority.NORMAL);
      assertThrows(
          CorruptFileException.class,
          () -> file.fixShared(new long[] {1, 2}, 2, new Fix[] {fix, new Fix()}));
      file.fixExclusive(1, fix);
      fix.unfix();
    }
  }

  @Test
  void aPageWhoseChangeIsTheLastOfTheLogIsRead() throws IOException {
    long lsn = create(TornPages.AUTO);
    try (WriteAheadLog log = log(LOG);
        BufferManager manager = manager(log);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      assertEquals(lsn, log.endLsn());
      file.fixExclusive(2, fix);
      assertEquals(lsn, PageFormat.lsn(fix.segment()));
      fix.unfix();
    }
  }

  @Test
  void aLogThatNeedsNoRecordsAnyMoreStillHasThePagesPositions() throws IOException {
    long lsn = create(TornPages.AUTO);
    for (int life = 0; life < 2; life++) {
      try (WriteAheadLog log = log(LOG);
          BufferManager manager = manager(log);
          CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        log.truncate(log.durableLsn());
        file.fixShared(2, fix);
        assertEquals(lsn, PageFormat.lsn(fix.segment()));
        fix.unfix();
      }
    }
  }

  @Test
  void withoutALogThereIsNothingToCompareWith() throws IOException {
    create(TornPages.AUTO);
    try (BufferManager manager = manager(null);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      file.fixShared(2, fix);
      fix.unfix();
    }
  }

  private WriteAheadLog log(Path directory) throws IOException {
    LogOptions options = new LogOptions(64 << 10, 4, 8 << 10);
    return WriteAheadLog.open(
        engine, directory, options, BufferFixture.budget(), (lsn, record) -> {});
  }

  private BufferManager manager(WriteAheadLog logOrNull) {
    return new BufferManager(
        engine, BufferFixture.budget(), new BufferOptions(8 * 4096, 4096, logOrNull));
  }
}
