package io.ewok.gds.buffers.redo;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.reactor.Monitor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Map;

/**
 * Redoes some of the pages, in the order of the log: those that it is given by {@link #put} on a
 * thread of its own, or by {@link #redo} at once.
 *
 * <p>Threads: one that puts, and its own.
 */
final class RedoLane {
  private static final int BATCH_BYTES = 64 << 10;
  private static final int BATCHES_WAITING_MAX = 2;

  private final Map<Integer, LoggedFile> files;
  private final PageRedo redo;

  // Of whoever redoes.
  private final Fix fix = new Fix();
  private MemorySegment before = MemorySegment.NULL;

  // The latest page that was found.
  private long latestLsn;
  private LoggedFile latestFile;
  private long latestPage;

  /** Of whoever puts: pairs of a position and a part. */
  private RedoBuffer filling = new RedoBuffer();

  private final Monitor lock = new Monitor();

  // Guarded by lock.
  private final Monitor.Line changed = lock.newLine();
  private final ArrayDeque<RedoBuffer> waiting = new ArrayDeque<>();
  private RedoBuffer spare;
  private boolean started;
  private boolean ending;
  private boolean ended;
  private Throwable failure;

  RedoLane(Map<Integer, LoggedFile> files, PageRedo redo) {
    this.files = files;
    this.redo = redo;
  }

  /** Has a part redone by and by. Waits while too much is waiting already. */
  void put(long lsn, MemorySegment part) {
    int at = filling.extend(Long.BYTES);
    filling.segment().set(RedoFormat.LONG, at, lsn);
    filling.append(part);
    if (filling.length() >= BATCH_BYTES) {
      hand();
    }
  }

  /** Nothing more will be put. */
  void end() {
    if (filling.length() > 0) {
      hand();
    }
  }

  private void hand() {
    lock.lock();
    try {
      if (!started) {
        started = true;
        Thread.ofVirtual().name("gds-redo").start(this::run);
      }
      while (waiting.size() >= BATCHES_WAITING_MAX && !ended) {
        changed.await();
      }
      waiting.add(filling);
      changed.wakeAll();
      filling = spare == null ? new RedoBuffer() : spare;
      spare = null;
    } finally {
      lock.unlock();
    }
    filling.clear();
  }

  /** Ends the thread when it has redone what waits; what was not handed over is forgotten. */
  void stop() {
    lock.lock();
    try {
      ending = true;
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns when the thread is at work no more. */
  void awaitEnd() {
    lock.lock();
    try {
      while (started && !ended) {
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  void requireNoFailure() throws IOException {
    Throwable found;
    lock.lock();
    try {
      found = failure;
    } finally {
      lock.unlock();
    }
    switch (found) {
      case null -> {}
      case IOException e -> throw e;
      default -> throw new IllegalStateException("redo failed on another thread", found);
    }
  }

  /** When all is redone: no page that was found had a change from after the log's end. */
  void requireLogged(long endLsn) throws CorruptFileException {
    if (latestLsn > endLsn) {
      throw new CorruptFileException(
          latestFile.pages().path(),
          latestPage * latestFile.pages().pageSize().bytes(),
          "a page of the log, which ends at lsn " + endLsn,
          "page " + latestPage + " with a change at lsn " + latestLsn);
    }
  }

  private void run() {
    Throwable thrown = null;
    try {
      for (RedoBuffer batch = next(null); batch != null; batch = next(batch)) {
        redoAll(batch.content());
      }
    } catch (Throwable e) { // whoever puts is told
      thrown = e;
    }
    lock.lock();
    try {
      failure = thrown;
      ended = true;
      changed.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  private RedoBuffer next(RedoBuffer done) {
    lock.lock();
    try {
      spare = done == null ? spare : done;
      while (waiting.isEmpty() && !ending) {
        changed.await();
      }
      RedoBuffer batch = waiting.poll();
      changed.wakeAll();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  private void redoAll(MemorySegment batch) throws IOException {
    long at = 0;
    while (at < batch.byteSize()) {
      long lsn = batch.get(RedoFormat.LONG, at);
      at += Long.BYTES;
      long length =
          (long) RedoFormat.PART_HEADER_BYTES
              + batch.get(RedoFormat.INT, at + RedoFormat.PART_LENGTH);
      redo(lsn, batch.asSlice(at, length));
      at += length;
    }
  }

  /** Redoes a part unless the page has it. */
  void redo(long lsn, MemorySegment part) throws IOException {
    LoggedFile file = files.get(part.get(RedoFormat.INT, RedoFormat.PART_FILE));
    long page = part.get(RedoFormat.LONG, RedoFormat.PART_PAGE);
    file.pages().extendTo(page + 1);
    file.pages().fixExclusive(page, fix);
    try {
      long pageLsn = PageFormat.lsn(fix.segment());
      if (pageLsn < lsn) {
        redo(file, page, lsn, part.asSlice(RedoFormat.PART_HEADER_BYTES));
        fix.markDirty(lsn);
      } else if (pageLsn > latestLsn) {
        latestLsn = pageLsn;
        latestFile = file;
        latestPage = page;
      }
    } finally {
      fix.unfix();
    }
  }

  private void redo(LoggedFile file, long page, long lsn, MemorySegment operations)
      throws IOException {
    MemorySegment bytes = fix.segment();
    if (PageFormat.isNeverWritten(bytes) && !RedoFormat.startAnew(operations)) {
      throw corrupt(file, page, lsn, "a page that was never written", null);
    }
    if (before.byteSize() != bytes.byteSize()) {
      before = MemorySegment.ofArray(new byte[(int) bytes.byteSize()]);
    }
    before.copyFrom(bytes);
    boolean done = false;
    try {
      RedoFormat.applyAll(redo, file.pages().pageSize(), bytes, operations);
      done = true;
    } catch (RuntimeException e) {
      throw corrupt(file, page, lsn, e.toString(), e);
    } finally {
      if (!done) {
        bytes.copyFrom(before); // it may be dirty from before, and must not be written half done
      }
    }
  }

  private static CorruptFileException corrupt(
      LoggedFile file, long page, long lsn, String found, Throwable cause) {
    CorruptFileException corrupt =
        new CorruptFileException(
            file.pages().path(),
            page * file.pages().pageSize().bytes(),
            "page " + page + " as it was before the change at lsn " + lsn,
            found);
    if (cause != null) {
      corrupt.addSuppressed(cause);
    }
    return corrupt;
  }
}
