package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From where the log is needed. */
final class RedoLsnTest {
  private final SimEngine engine = new SimEngine(1);
  private final Fix fix = new Fix();
  private WriteAheadLog log;
  private BufferManager manager;
  private CachedPageFile file;

  @BeforeEach
  void open() throws IOException {
    log =
        WriteAheadLog.open(
            engine,
            Path.of("/log"),
            new LogOptions(64 << 10, 4, 8 << 10),
            BufferFixture.budget(),
            (lsn, record) -> {});
    manager =
        new BufferManager(engine, BufferFixture.budget(), new BufferOptions(8 * 4096, 4096, log));
    file = manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.CREATE_NEW);
    for (int i = 0; i < 3; i++) {
      file.create(fix);
      fix.unfix();
    }
    file.flush();
  }

  @AfterEach
  void close() throws IOException {
    fix.close();
    manager.close();
    log.close();
  }

  private long append() throws IOException {
    return log.append(MemorySegment.ofArray(new byte[100]));
  }

  private long redoLsn() {
    return manager.table().redoLsn();
  }

  @Test
  void nothingIsNeededOfAPoolWithoutChanges() throws IOException {
    assertEquals(log.endLsn(), redoLsn());
    append();
    assertEquals(log.endLsn(), redoLsn());
    file.fixShared(1, fix);
    append();
    assertEquals(log.endLsn(), redoLsn());
  }

  @Test
  void aChangeIsNeededFromItsLatchOnUntilItIsWritten() throws IOException {
    append();
    long before = log.endLsn();
    file.fixExclusive(1, fix);
    append();
    assertEquals(before, redoLsn());
    fix.markDirty(append());
    fix.unfix();
    append();
    assertEquals(before, redoLsn());
    file.fixExclusive(1, fix); // dirty already
    fix.markDirty(append());
    assertEquals(before, redoLsn());
    fix.unfix();
    file.flush();
    assertEquals(log.endLsn(), redoLsn());
  }

  @Test
  void theOldestChangeCounts() throws IOException {
    long before = log.endLsn();
    for (int page = 1; page <= 3; page++) {
      file.fixExclusive(page, fix);
      fix.markDirty(append());
      fix.unfix();
    }
    assertEquals(before, redoLsn());
  }

  @Test
  void aLatchWithoutAChangeIsForgotten() throws IOException {
    file.fixExclusive(1, fix);
    append();
    fix.unfix();
    assertEquals(log.endLsn(), redoLsn());
  }

  @Test
  void whoReadsForItselfExclusivelyCounts() throws IOException {
    file.close();
    file = manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.READ_WRITE);
    file.fixExclusive(1, fix);
    long before = log.endLsn();
    append();
    assertEquals(before, redoLsn());
  }
}
