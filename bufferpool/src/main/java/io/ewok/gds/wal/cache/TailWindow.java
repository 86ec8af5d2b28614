package io.ewok.gds.wal.cache;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * The last bytes that were written to a log, in a ring of memory. One thread at a time writes; any
 * may read, without a lock. Where the log left something out, there is anything.
 */
final class TailWindow {
  /*
   * Position p lies at p mod capacity. The window is [start, end).
   *
   * The writer raises start before it overwrites what leaves the window, a fence in between; a
   * reader copies first and looks at start afterwards, a fence in between. So a reader who copied a
   * byte of a later lap sees a start that tells him. The release of end makes the new bytes visible
   * to who acquires it.
   */
  private final MemorySegment memory;
  private final long capacityBytes;

  private volatile long start;
  private volatile long end;

  /** Written and read by the writer. */
  private boolean begun;

  /** An empty window on memory, which is the caller's and all used. */
  TailWindow(MemorySegment memory) {
    this.memory = memory;
    this.capacityBytes = memory.byteSize();
  }

  /**
   * Adds what was written.
   *
   * @param lsn higher from call to call
   */
  void write(long lsn, MemorySegment bytes) {
    long newEnd = lsn + bytes.byteSize();
    long from = Math.max(lsn, newEnd - capacityBytes);
    start = begun ? Math.max(start, newEnd - capacityBytes) : from;
    begun = true;
    VarHandle.fullFence();
    for (long at = from; at < newEnd; ) {
      long offset = at % capacityBytes;
      long length = Math.min(newEnd - at, capacityBytes - offset);
      MemorySegment.copy(bytes, at - lsn, memory, offset, length);
      at += length;
    }
    end = newEnd;
  }

  /** Where the window begins, for now. */
  long startLsn() {
    return start;
  }

  /** Whether what lies at a position is here, for now. */
  boolean has(long lsn) {
    return lsn < end && lsn >= start;
  }

  /** Copies bytes of the log out; false if not all of them are here, and anything was copied. */
  boolean read(long lsn, long length, MemorySegment to, long toOffset) {
    if (lsn + length > end || lsn < start) {
      return false;
    }
    for (long copied = 0; copied < length; ) {
      long offset = (lsn + copied) % capacityBytes;
      long piece = Math.min(length - copied, capacityBytes - offset);
      MemorySegment.copy(memory, offset, to, toOffset + copied, piece);
      copied += piece;
    }
    VarHandle.fullFence();
    return lsn >= start;
  }
}
