package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The way back of changed pages to their file. Threads that write a page each while another one
 * writes are the next batch, which one of them writes for all.
 *
 * <p>Threads: any.
 */
final class GroupWriter {
  private final PageWriter writer;
  private final Staging staging;

  private final Queue<Page> waiting = new ConcurrentLinkedQueue<>();

  /** One at a time writes a batch, or syncs. Taken before that of the staging memory. */
  private final LongLock deviceLock = new LongLock();

  private volatile boolean unsynced;

  /** Guarded by the lock of the device. */
  private boolean closed;

  GroupWriter(PageWriter writer, Staging staging) {
    this.writer = writer;
    this.staging = staging;
  }

  /** A page that a thread waits to see written. Guarded by the lock of the device. */
  private static final class Page {
    final Frame frame;
    boolean ended;
    Throwable failure;

    Page(Frame frame) {
      this.frame = frame;
    }

    void end(Throwable failure) {
      this.failure = failure;
      ended = true;
    }

    void throwFailure() throws IOException {
      switch (failure) {
        case null -> {}
        case IOException e -> throw e;
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new AssertionError("no write throws such a thing", failure);
      }
    }
  }

  /** Writes a page that is latched shared. */
  void write(Frame frame) throws IOException {
    Page page = new Page(frame);
    waiting.add(page);
    deviceLock.lock();
    try {
      if (!page.ended) {
        writeWaiting();
      }
    } finally {
      deviceLock.unlock();
    }
    page.throwFailure();
  }

  /** Puts pages together that are to be written. */
  interface Filling {
    /** Adds pages, in their order, and makes the log durable as far as they need it. */
    void fill(PageWriter writer) throws IOException;
  }

  /**
   * Writes a batch. What is copied for it is not older than what was written before, and not later
   * than what is written after it.
   *
   * @return false if the file is closed
   */
  boolean write(Filling filling, WorkClass work) throws IOException {
    deviceLock.lock();
    try {
      if (closed) {
        return false;
      }
      staging.lock().lock();
      try {
        writer.begin();
        filling.fill(writer);
        if (!writer.isEmpty()) {
          writer.write(work);
        }
      } finally {
        unsynced = true;
        staging.lock().unlock();
      }
      return true;
    } finally {
      deviceLock.unlock();
    }
  }

  /** As {@link PageWriter#beginLife}. */
  void beginLife(int keyIdOrElse) throws IOException {
    staging.lock().lock();
    try {
      writer.beginLife(keyIdOrElse);
    } finally {
      staging.lock().unlock();
    }
  }

  /** Makes what was written before durable, if there is something. */
  void sync(CachedPageFile file, PageTable table) throws IOException {
    deviceLock.lock();
    try {
      if (unsynced && !closed) {
        unsynced = false; // a write that completes from here on is not covered
        staging.lock().lock();
        try {
          syncLocked(file, table);
        } finally {
          staging.lock().unlock();
        }
      }
    } finally {
      deviceLock.unlock();
    }
  }

  /** Before the file is closed: nothing is written or synced any more. */
  void close() {
    deviceLock.lock();
    closed = true;
    deviceLock.unlock();
  }

  private void syncLocked(CachedPageFile file, PageTable table) throws IOException {
    boolean synced = false;
    try {
      writer.sync();
      synced = true;
      writer.endEpoch();
    } catch (Throwable e) {
      unsynced = true;
      if (!synced) {
        table.poison(file, e);
      }
      throw e;
    }
  }

  private void writeWaiting() {
    List<Page> pages = new ArrayList<>();
    for (Page page = waiting.poll(); page != null; page = waiting.poll()) {
      pages.add(page);
    }
    pages.sort(Comparator.comparingLong(page -> page.frame.key));
    staging.lock().lock();
    try {
      for (int from = 0; from < pages.size(); ) {
        from = writeBatch(pages, from);
      }
    } finally {
      unsynced = true;
      staging.lock().unlock();
    }
  }

  /** Returns where the next batch begins. */
  private int writeBatch(List<Page> pages, int from) {
    int end = from;
    Throwable failure;
    do {
      // One page may be to blame. The others are written without it.
      end = end - from > 1 ? from + 1 : pages.size();
      writer.begin();
      failure = null;
      try {
        int next = from;
        while (next < end && writer.hasRoom()) {
          Frame frame = pages.get(next++).frame;
          writer.add(frame.key, frame.segment);
        }
        end = next;
        writer.write(WorkClass.FOREGROUND);
      } catch (Throwable e) {
        failure = e; // of whatever kind: those who wait must be told
      }
    } while (failure != null && end - from > 1);
    for (Page page : pages.subList(from, end)) {
      page.end(failure);
    }
    return end;
  }
}
