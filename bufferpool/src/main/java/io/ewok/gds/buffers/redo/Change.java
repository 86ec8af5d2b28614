package io.ewok.gds.buffers.redo;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * One change of several pages that happens as a whole or not at all: to those who fix the pages,
 * and after a crash. It keeps its pages fixed exclusively until it is committed, as one log record,
 * or rolled back. Reusable: make one, and begin again after each commit.
 *
 * <p>Ownership: whoever made it closes it, before the manager; what was not committed is rolled
 * back.
 *
 * <p>Threads: one at a time. Several changes at once fix their pages in an order of their choice,
 * the same everywhere, or they may wait for each other until {@link
 * io.ewok.gds.buffers.LatchTimeoutException} ends it.
 *
 * {@snippet :
 * try (var change = new Change(manager, BTreeRedo::apply)) {
 *   ChangedPage leaf = change.fix(tree, 7);
 *   leaf.apply(INSERT, item);
 *   long lsn = change.commit(); // seen by everybody
 *   log.sync(lsn); // and durable
 * }
 * }
 *
 * <p>Errors: after any exception the change is still open and nobody has seen anything of it: close
 * it or {@link #rollBack}, and perhaps try again.
 */
public final class Change implements AutoCloseable {
  private final BufferManager manager;
  private final WriteAheadLog log;
  private final PageRedo redo;
  private final RedoBuffer record = new RedoBuffer();

  /** The first {@link #count} are in use, the others have been. */
  private final List<ChangedPage> pages = new ArrayList<>();

  private int count;

  /**
   * Makes an empty change.
   *
   * @param manager that of all the files, made with a log
   * @param redo what the caller's operations do
   * @throws IllegalArgumentException if the manager has no log
   */
  public Change(BufferManager manager, PageRedo redo) {
    this.manager = manager;
    this.redo = redo;
    this.log = manager.options().logOrNull();
    if (log == null) {
      throw new IllegalArgumentException("changes need a log: logOrNull=null");
    }
  }

  /**
   * Fixes a page exclusively until the end of the change; one that it has fixed already is returned
   * again.
   *
   * @throws IOException and others as {@link CachedPageFile#fixExclusive}
   */
  public ChangedPage fix(LoggedFile file, long page) throws IOException {
    for (int i = 0; i < count; i++) {
      ChangedPage held = pages.get(i);
      if (held.number() == page && held.file().equals(file)) {
        return held;
      }
    }
    ChangedPage next = next(file);
    file.pages().fixExclusive(page, next.fix);
    next.begin(file, false);
    count++;
    return next;
  }

  /**
   * Takes a free page, or a new one at the end of the file; it is empty. Rolled back, it is free
   * again.
   *
   * @throws IOException as {@link CachedPageFile#create}
   */
  public ChangedPage create(LoggedFile file) throws IOException {
    ChangedPage next = next(file);
    long unused = file.pages().create(next.fix);
    next.begin(file, true);
    count++;
    return next;
  }

  /**
   * Gives a page of this change back, when the change is committed. Until then it is as it was.
   *
   * @throws IllegalStateException if it was given back already
   */
  public void free(ChangedPage page) {
    page.giveBack();
  }

  /**
   * Logs the change, lets everybody see it, and empties this object for the next. Not durable yet.
   *
   * @return the log position to {@link WriteAheadLog#sync}; zero if nothing was changed
   * @throws io.ewok.gds.wal.LogFullException if the log has to be truncated first, for which the
   *     change must be rolled back
   * @throws io.ewok.gds.pagestore.PoisonedFileException if a write or sync of the log failed, now
   *     or earlier: whether the change happened is in doubt until the log is opened again
   * @throws IllegalArgumentException if the change is larger than {@link
   *     WriteAheadLog#recordBytesMax}
   * @throws IllegalStateException if an operation failed before
   */
  public long commit() throws IOException {
    RedoFormat.startRecord(record);
    for (int i = 0; i < count; i++) {
      ChangedPage page = pages.get(i);
      if (page.isChanged()) {
        page.requireWhole();
        assert page.canBeRedone() : "an operation depends on more than the page: " + page.number();
        RedoFormat.addPart(record, page.file().id(), page.number(), page.operations());
      }
    }
    boolean changed = record.length() > RedoFormat.HEADER_BYTES;
    long lsn = changed ? log.append(record.content()) : 0;
    for (int i = 0; i < count; i++) {
      pages.get(i).commit(lsn);
    }
    count = 0;
    return lsn;
  }

  /** Makes all pages what they were, unfixes them, and empties this object for the next change. */
  public void rollBack() {
    for (int i = 0; i < count; i++) {
      pages.get(i).rollBack();
    }
    count = 0;
  }

  /** The same as {@link #rollBack}. */
  @Override
  public void close() {
    rollBack();
  }

  private ChangedPage next(LoggedFile file) {
    if (file.pages().manager() != manager) {
      throw new IllegalArgumentException(
          "the file belongs to another manager: path=" + file.pages().path());
    }
    if (count == pages.size()) {
      pages.add(new ChangedPage(redo));
    }
    return pages.get(count);
  }
}
