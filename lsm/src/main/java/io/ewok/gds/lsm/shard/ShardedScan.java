package io.ewok.gds.lsm.shard;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * All records of a sharded store, or those within bounds, in the order of their keys. Their owners
 * read ahead, some records at a time, while the caller is at those before; what he gets are copies.
 *
 * <p>Of each shard it sees what was there when the scan came to it: by hash, at the beginning; by
 * ranges, one after the other.
 *
 * <p>Ownership: whoever opened it closes it, before the store. Memory for it, some KiB a shard and
 * more where records are longer, is not charged to the store's budget.
 *
 * <p>Threads: one at a time. A move makes no garbage; {@link #key} and {@link #value} make a small
 * view each, valid until the next move.
 *
 * {@snippet :
 * try (ShardedScan scan = store.scan(CursorOptions.defaults())) {
 *   while (scan.next()) {
 *     print(scan.key(), scan.value());
 *   }
 * }
 * }
 *
 * <p>Errors: {@link IllegalStateException} after close; an {@link IOException} of a shard ends the
 * scan: each move after it throws it again, since records would be missing.
 */
public final class ShardedScan implements AutoCloseable {
  /** In the order of their keys, if they are ranges. */
  private final ScanSource[] sources;

  /** Whether all shards may have keys everywhere; else each has those behind the one before. */
  private final boolean merges;

  /** Those that have a record, as a heap by their keys: the current one first. */
  private final ScanSource[] heap;

  private int count;

  /** By ranges, which is next. */
  private int next;

  private boolean begun;

  /** What has ended it, or null. */
  private Throwable failure;

  private boolean closed;

  ShardedScan(ScanSource[] sources, boolean merges) {
    this.sources = sources;
    this.merges = merges;
    this.heap = new ScanSource[sources.length];
  }

  /**
   * Moves to the next record, the first one at first.
   *
   * @return whether there is one
   * @throws IOException if a shard cannot be read, now or when it was tried before
   */
  public boolean next() throws IOException {
    requireOpen();
    if (failure != null) {
      Failures.rethrow(failure);
    }
    try {
      return move();
    } catch (IOException | RuntimeException | Error e) {
      failure = e;
      count = 0; // it is on no record
      throw e;
    }
  }

  private boolean move() throws IOException {
    if (!begun) {
      begun = true;
      beginAll();
    } else if (count > 0) {
      if (heap[0].move()) {
        siftDown();
      } else {
        heap[0] = heap[--count];
        siftDown();
      }
    }
    while (count == 0 && next < sources.length) {
      ScanSource source = sources[next++];
      source.begin();
      addIfMoved(source);
    }
    return count > 0;
  }

  /** By hash all at the same time. */
  private void beginAll() throws IOException {
    if (!merges) {
      return;
    }
    next = sources.length;
    for (ScanSource source : sources) {
      source.begin();
    }
    for (ScanSource source : sources) {
      addIfMoved(source);
    }
  }

  private void addIfMoved(ScanSource source) throws IOException {
    if (!source.move()) {
      return;
    }
    int at = count++;
    while (at > 0 && source.isBefore(heap[(at - 1) / 2])) {
      heap[at] = heap[(at - 1) / 2];
      at = (at - 1) / 2;
    }
    heap[at] = source;
  }

  /** Brings the first one to its place. */
  private void siftDown() {
    ScanSource moved = heap[0];
    int at = 0;
    for (int child = 1; child < count; child = 2 * at + 1) {
      if (child + 1 < count && heap[child + 1].isBefore(heap[child])) {
        child++;
      }
      if (!heap[child].isBefore(moved)) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
  }

  /**
   * Returns the key of the current record.
   *
   * @throws IllegalStateException if there is none
   */
  public MemorySegment key() {
    return current().key();
  }

  /**
   * Returns the value of the current record.
   *
   * @throws IllegalStateException if there is none
   */
  public MemorySegment value() {
    return current().value();
  }

  private ScanSource current() {
    requireOpen();
    if (count == 0) {
      throw new IllegalStateException("the scan is not on a record");
    }
    return heap[0];
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the scan is closed");
    }
  }

  /** Ends what is read ahead, and lets go of it. Closing twice does nothing. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      for (ScanSource source : sources) {
        source.close();
      }
    }
  }
}
