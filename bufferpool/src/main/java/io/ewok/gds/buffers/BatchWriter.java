package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.util.List;

/**
 * Writes dirty pages of a file in batches. A page is latched, shared, while it is copied, and not
 * while the log and the device work: it may change meanwhile, and stays dirty then.
 *
 * <p>Threads: any.
 */
final class BatchWriter {
  /** Whoever has to write a page to make room waits for a batch at most. */
  private static final int PAGES_MAX = 64;

  private final WriteAheadLog log;

  BatchWriter(WriteAheadLog logOrNull) {
    this.log = logOrNull;
  }

  /** A frame and the page that it held a moment ago. */
  record Dirty(Frame frame, long key) {}

  /** Pages that are being written, and what was known of each when it was copied. */
  private static final class Batch {
    final Dirty[] pages = new Dirty[PAGES_MAX];
    final long[] stamps = new long[PAGES_MAX];
    final long[] endLsns = new long[PAGES_MAX];
    int count;
  }

  /**
   * Writes pages; skips those that somebody changes now.
   *
   * @param pages in the order of their numbers
   */
  void write(CachedPageFile file, GroupWriter writes, List<Dirty> pages, WorkClass work)
      throws IOException {
    int[] next = {0};
    boolean open = true;
    while (open && next[0] < pages.size()) {
      Batch batch = new Batch();
      open = writes.write(writer -> next[0] = fill(writer, batch, file, pages, next[0]), work);
      for (int i = 0; i < batch.count; i++) {
        Dirty page = batch.pages[i];
        WriteBack marks = page.frame.partition.writeBack;
        marks.markWritten(page.frame, file, page.key, batch.stamps[i], batch.endLsns[i]);
      }
    }
  }

  /** Returns where the next batch begins. */
  private int fill(PageWriter writer, Batch batch, CachedPageFile file, List<Dirty> pages, int from)
      throws IOException {
    long lsn = 0;
    int next = from;
    while (next < pages.size() && batch.count < PAGES_MAX && writer.hasRoom()) {
      Dirty page = pages.get(next++);
      Frame frame = page.frame;
      if (frame.tryLatch(file, page.key, false)) {
        try {
          if (frame.dirty) {
            writer.add(page.key, frame.segment);
            lsn = Math.max(lsn, frame.lsn);
            batch.pages[batch.count] = page;
            batch.stamps[batch.count] = frame.stamp();
            batch.endLsns[batch.count++] = log == null ? 0 : log.endLsn();
          }
        } finally {
          frame.partition.waits.release(frame, false);
        }
      }
    }
    if (log != null) {
      log.sync(lsn);
    }
    return next;
  }
}
