package io.ewok.gds.buffers.redo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LatchTimeoutException;
import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.wal.LogFullException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ChangeTest {
  private final SimEngine engine = new SimEngine(1);
  private RedoFixture store;
  private Change change;

  @BeforeEach
  void open() throws IOException {
    RedoFixture.create(engine);
    store = RedoFixture.open(engine);
    change = store.newChange();
  }

  @AfterEach
  void close() throws IOException {
    change.close();
    store.close();
  }

  private long newPage(long value) throws IOException {
    ChangedPage page = change.create(store.file);
    RedoFixture.add(page, 64, value);
    long number = page.number();
    long unused = change.commit();
    return number;
  }

  private byte[] bytes(long page) throws IOException {
    try (Fix fix = new Fix()) {
      store.pages().fixShared(page, fix);
      return fix.segment().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @Test
  void committedPagesCarryThePositionOfTheirRecord() throws IOException {
    long one = newPage(1);
    long other = newPage(2);
    RedoFixture.add(change.fix(store.file, one), 64, 10);
    RedoFixture.add(change.fix(store.file, other), 64, 20);
    long lsn = change.commit();
    assertEquals(store.log.endLsn(), lsn);
    assertEquals(11, store.read(one, 64));
    assertEquals(22, store.read(other, 64));
    try (Fix fix = new Fix()) {
      store.pages().fixShared(one, fix);
      assertEquals(lsn, PageFormat.lsn(fix.segment()));
    }
  }

  @Test
  void nobodySeesAChangeBeforeItsCommit() throws IOException {
    long page = newPage(1);
    RedoFixture.add(change.fix(store.file, page), 64, 10);
    assertThrows(LatchTimeoutException.class, () -> store.read(page, 64));
    long unused = change.commit();
    assertEquals(11, store.read(page, 64));
  }

  @Test
  void rollBackRestoresEveryByteAndLogsNothing() throws IOException {
    long one = newPage(1);
    long other = newPage(2);
    byte[] before = bytes(one);
    byte[] otherBefore = bytes(other);
    long end = store.log.endLsn();
    RedoFixture.add(change.fix(store.file, one), 64, 10);
    change.fix(store.file, one).write(100, MemorySegment.ofArray(new byte[] {1, 2, 3}));
    change.fix(store.file, other).write(200, MemorySegment.ofArray(new byte[] {4}));
    change.free(change.fix(store.file, other));
    change.rollBack();
    assertArrayEquals(before, bytes(one));
    assertArrayEquals(otherBefore, bytes(other));
    assertEquals(end, store.log.endLsn());
  }

  @Test
  void pageFixedTwiceIsOne() throws IOException {
    long page = newPage(1);
    assertSame(change.fix(store.file, page), change.fix(store.file, page));
  }

  @Test
  void createdPageIsFreeAgainAfterRollBack() throws IOException {
    long page = change.create(store.file).number();
    change.rollBack();
    assertEquals(page, change.create(store.file).number());
  }

  @Test
  void pageGivenBackIsFreeAfterTheCommitAndNotBefore() throws IOException {
    long page = newPage(1);
    change.free(change.fix(store.file, page));
    try (Change other = store.newChange()) {
      assertTrue(other.create(store.file).number() > page);
    }
    long unused = change.commit();
    assertEquals(page, change.create(store.file).number());
  }

  @Test
  void pageIsGivenBackOnce() throws IOException {
    long number = newPage(1);
    ChangedPage page = change.fix(store.file, number);
    change.free(page);
    assertThrows(IllegalStateException.class, () -> change.free(page));
    assertThrows(IllegalStateException.class, () -> RedoFixture.add(page, 64, 1));
    long unused = change.commit();
    ChangedPage free = change.fix(store.file, number);
    assertThrows(IllegalStateException.class, () -> change.free(free));
  }

  @Test
  void failedOperationLeavesOnlyRollBack() throws IOException {
    long number = newPage(1);
    ChangedPage page = change.fix(store.file, number);
    MemorySegment arguments = RedoFixture.arguments(64, 10);
    assertThrows(IllegalStateException.class, () -> page.apply(RedoFixture.FAIL, arguments));
    assertThrows(IllegalStateException.class, () -> RedoFixture.add(page, 64, 1));
    assertThrows(IllegalStateException.class, () -> change.commit());
    change.rollBack();
    assertEquals(1, store.read(number, 64));
  }

  @Test
  void changeWithoutOperationsIsNotLogged() throws IOException {
    long page = newPage(1);
    long end = store.log.endLsn();
    MemorySegment seen = change.fix(store.file, page).segment();
    assertTrue(seen.isReadOnly());
    assertEquals(0, change.commit());
    assertEquals(end, store.log.endLsn());
  }

  @Test
  void changeRefusedByAFullLogCanBeTriedAgain() throws IOException {
    long page = newPage(0);
    long done = 0;
    LogFullException full = null;
    while (full == null) {
      RedoFixture.add(change.fix(store.file, page), 64, 1);
      try {
        long unused = change.commit();
        done++;
      } catch (LogFullException e) {
        full = e;
      }
    }
    change.rollBack();
    assertEquals(done, store.read(page, 64));
    store.log.sync(store.log.endLsn());
    store.manager.flush();
    store.log.truncate(store.log.endLsn());
    RedoFixture.add(change.fix(store.file, page), 64, 1);
    assertTrue(change.commit() > 0);
  }

  @Test
  void changeCannotBeCommittedToAPoisonedLog() throws IOException {
    long page = newPage(1);
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    assertThrows(PoisonedFileException.class, () -> store.log.sync(store.log.endLsn()));
    RedoFixture.add(change.fix(store.file, page), 64, 10);
    assertThrows(PoisonedFileException.class, () -> change.commit());
    change.rollBack();
    assertEquals(1, store.read(page, 64));
    assertThrows(IOException.class, () -> store.manager.close()); // the page waits for the log
    assertThrows(IOException.class, () -> store.log.close());
  }

  @Test
  void headerIsNotWrittenByOffset() throws IOException {
    ChangedPage page = change.create(store.file);
    MemorySegment one = MemorySegment.ofArray(new byte[1]);
    int header = PageFormat.HEADER_BYTES;
    page.write(header, one);
    page.write(RedoFixture.SIZE.bytes() - 1, one);
    assertThrows(IndexOutOfBoundsException.class, () -> page.write(header - 1, one));
    assertThrows(IndexOutOfBoundsException.class, () -> page.write(RedoFixture.SIZE.bytes(), one));
  }

  @Test
  void operationThatDependsOnMoreThanThePageIsFound() throws IOException {
    long number = newPage(1);
    AtomicLong clock = new AtomicLong();
    PageRedo drifting = (_, page, _) -> page.set(RedoFormat.LONG, 64, clock.incrementAndGet());
    try (Change wrong = new Change(store.manager, drifting)) {
      wrong.fix(store.file, number).apply(0, MemorySegment.NULL);
      assertThrows(AssertionError.class, wrong::commit);
    }
  }

  @Test
  void changeNeedsALogAndFilesOfItsManager() throws IOException {
    try (BufferManager other =
            new BufferManager(engine, RedoFixture.budget(), RedoFixture.buffers(null));
        CachedPageFile pages =
            other.openPages(Path.of("/others"), RedoFixture.SIZE, OpenMode.CREATE_NEW)) {
      assertThrows(IllegalArgumentException.class, () -> new Change(other, PageRedo.NONE).close());
      LoggedFile file = new LoggedFile(1, pages);
      assertThrows(IllegalArgumentException.class, () -> change.create(file));
    }
  }
}
