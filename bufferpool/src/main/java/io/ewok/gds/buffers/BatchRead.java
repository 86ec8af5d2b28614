package io.ewok.gds.buffers;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoRequest;

/** Reads of those of some pages or blocks that are not in the pool, as one batch. */
final class BatchRead {
  /** At most one in so many frames is taken by one batch. */
  private static final int PART = 4;

  private final PageTable table;
  private final IoEngine engine;

  BatchRead(PageTable table, IoEngine engine) {
    this.table = table;
    this.engine = engine;
  }

  /** Takes frames for one of the pages or blocks. */
  interface Binding {
    /**
     * As {@link PageTable#bindAtOnce}.
     *
     * @param number the place in the batch
     */
    Frame bind(int number, Thread readerOrNull, Priority priority);
  }

  /**
   * Starts to read as many as there is room for without waiting, and returns. Whoever wants one
   * meanwhile waits as for any read.
   *
   * @return how many these are
   */
  int start(int count, Priority priority, Binding binding) {
    Started started = new Started(count);
    started.bind(null, priority, binding);
    for (int i = 0; i < started.count; i++) {
      Frame frame = started.frames[i];
      started.requests[i].onComplete((_, bytes, failure) -> end(frame, bytes, failure));
    }
    started.submit();
    return started.count;
  }

  /** Reads as many as there is room for without waiting, and verifies them on this thread. */
  void run(int count, Priority priority, Binding binding) {
    Started started = new Started(count);
    started.bind(Thread.currentThread(), priority, binding);
    started.submit();
    for (int i = 0; i < started.count; i++) {
      int bytes = 0;
      Throwable failure = null;
      try {
        bytes = started.requests[i].await();
      } catch (Throwable e) {
        failure = e;
      }
      end(started.frames[i], bytes, failure);
    }
  }

  /** A failure is told to those who wait; the next fix tries again. */
  private static void end(Frame frame, int bytes, Throwable failureOrNull) {
    Throwable problem = failureOrNull;
    if (problem == null) {
      try {
        frame.file.verify(frame, bytes);
      } catch (Throwable e) {
        problem = e;
      }
    }
    frame.partition.endBatchRead(frame, problem);
  }

  private final class Started {
    final Frame[] frames;
    final IoRequest[] requests;
    int count;

    Started(int count) {
      this.frames = new Frame[count];
      this.requests = new IoRequest[count];
    }

    void bind(Thread readerOrNull, Priority priority, Binding binding) {
      int room = table.frames().length / PART;
      try {
        for (int i = 0; i < frames.length && room > 0; i++) {
          Frame frame = binding.bind(i, readerOrNull, priority);
          if (frame != null) {
            frames[count] = frame;
            requests[count] = frame.file.prepareRead(frame);
            count++;
            room -= frame.count;
          }
        }
      } catch (Throwable e) {
        giveUp(e);
        throw e;
      }
    }

    void submit() {
      if (count == 0) {
        return;
      }
      try {
        engine.submitAll(requests, count);
      } catch (Throwable e) {
        giveUp(e);
        throw e;
      }
    }

    private void giveUp(Throwable cause) {
      for (Frame frame : frames) {
        if (frame != null) {
          frame.partition.endBatchRead(frame, cause);
        }
      }
    }
  }
}
