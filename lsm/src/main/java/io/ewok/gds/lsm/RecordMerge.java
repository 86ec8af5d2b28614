package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.RunSource;
import java.io.IOException;
import java.util.List;

/**
 * All records of several runs in order, forward: every version of every key. The runs are in a heap
 * with the next record on top.
 *
 * <p>Ownership: closes its sources. Threads: confined to one at a time.
 */
final class RecordMerge {
  private final List<RunSource> sources;
  private final RunSource[] heap;
  private int size;
  private boolean closed;

  RecordMerge(List<RunSource> sources) {
    this.sources = sources;
    this.heap = new RunSource[sources.size()];
  }

  void first() throws IOException {
    size = 0;
    for (RunSource source : sources) {
      source.first();
      if (source.isValid()) {
        int at = size++;
        while (at > 0 && compare(source, heap[(at - 1) / 2]) < 0) {
          heap[at] = heap[(at - 1) / 2];
          at = (at - 1) / 2;
        }
        heap[at] = source;
      }
    }
  }

  boolean isValid() {
    return size > 0;
  }

  /** The source that is on the current record. */
  RunSource current() {
    return heap[0];
  }

  void next() throws IOException {
    RunSource moved = heap[0];
    moved.nextRecord();
    if (!moved.isValid()) {
      moved = heap[--size];
      heap[size] = null;
      if (size == 0) {
        return;
      }
    }
    int at = 0;
    for (int child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && compare(heap[child + 1], heap[child]) < 0) {
        child++;
      }
      if (compare(moved, heap[child]) <= 0) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
  }

  private static int compare(RunSource a, RunSource b) {
    int order = Memory.compareUnsigned(a.keyAddress(), a.keyBytes(), b.keyAddress(), b.keyBytes());
    return order != 0 ? order : RecordKind.compareStamps(a.stamp(), b.stamp());
  }

  /** Twice does nothing. */
  void close() {
    size = 0;
    if (!closed) {
      closed = true;
      sources.forEach(RunSource::close);
    }
  }
}
