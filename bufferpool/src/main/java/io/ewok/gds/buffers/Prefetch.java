package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoCompletion;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoRequest;

/** Reads of pages that nobody waits for yet: whoever wants one meanwhile waits as for any read. */
final class Prefetch {
  private final PageTable table;
  private final IoEngine engine;

  Prefetch(PageTable table, IoEngine engine) {
    this.table = table;
    this.engine = engine;
  }

  /**
   * Starts to read those of some pages that are not in the pool, as one batch; as many as there is
   * room for without waiting.
   */
  void start(CachedPageFile file, long[] pages, int count, boolean cold) {
    IoRequest[] requests = new IoRequest[count];
    Frame[] frames = new Frame[count];
    int started = 0;
    try {
      for (int i = 0; i < count; i++) {
        Frame frame = table.bindForPrefetch(file, pages[i], file.pageSize().bytes(), cold);
        if (frame != null) {
          frames[started] = frame;
          requests[started] =
              file.prepareRead(frame).onComplete(ended(file, frame, file.transferBytes()));
          started++;
        }
      }
      engine.submitAll(requests, started);
    } catch (Throwable e) {
      for (Frame frame : frames) {
        if (frame != null) {
          frame.partition.endPrefetch(frame, e);
        }
      }
      throw e;
    }
  }

  private static IoCompletion ended(CachedPageFile file, Frame frame, int lengthBytes) {
    return (request, bytes, failure) -> {
      Throwable problem = failure;
      if (problem == null) {
        try {
          if (bytes < lengthBytes) {
            throw new CorruptFileException(
                file.path(), request.offset(), lengthBytes + " bytes", bytes + " bytes");
          }
          file.verify(frame);
        } catch (Throwable e) {
          problem = e; // for those who wait; the next fix tries again
        }
      }
      frame.partition.endPrefetch(frame, problem);
    };
  }
}
