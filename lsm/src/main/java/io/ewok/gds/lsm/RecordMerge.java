package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.RunReader;
import java.io.IOException;
import java.util.List;

/**
 * All records of several runs in order, forward: every version of every key. The runs are in a heap
 * with the next record on top.
 *
 * <p>Ownership: closes its sources. Threads: confined to one at a time.
 */
final class RecordMerge {
  private final List<RunReader> sources;
  private final RunReader[] heap;
  private int size;
  private boolean closed;

  RecordMerge(List<RunReader> sources) {
    this.sources = sources;
    this.heap = new RunReader[sources.size()];
  }

  void first() throws IOException {
    size = 0;
    for (RunReader source : sources) {
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
  RunReader current() {
    return heap[0];
  }

  void next() throws IOException {
    RunReader moved = heap[0];
    moved.next();
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

  private static int compare(RunReader a, RunReader b) {
    int order = Memory.compareUnsigned(a.keyAddress(), a.keyBytes(), b.keyAddress(), b.keyBytes());
    return order != 0 ? order : RecordKind.compareStamps(a.stamp(), b.stamp());
  }

  /** Closes all, whatever fails. Twice does nothing. */
  void close() throws IOException {
    size = 0;
    if (closed) {
      return;
    }
    closed = true;
    IOException failure = null;
    for (RunReader source : sources) {
      try {
        source.close();
      } catch (IOException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
