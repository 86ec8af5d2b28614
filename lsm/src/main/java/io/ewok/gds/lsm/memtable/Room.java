package io.ewok.gds.lsm.memtable;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Who is writing to a memtable, and how much of its memory is taken or promised, in one word: so it
 * is one step to come in with the promise of enough memory, and the memtable can be closed to
 * writers before its last byte is taken.
 *
 * <p>Threads: any.
 */
final class Room {
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Room.class, "state", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /*
   * Bytes in the low 40 bits, writers inside in the next 23; the sign: closed. Exit is the partner of isEmpty: who finds
   * nobody inside sees what they all wrote.
   */
  private static final int WRITERS_SHIFT = 40;
  private static final long ONE_WRITER = 1L << WRITERS_SHIFT;
  private static final long BYTES_MASK = ONE_WRITER - 1;
  private static final long CLOSED = Long.MIN_VALUE;

  private final long capacityBytes;

  /** Written after the state has it: in between a little more seems to be taken. */
  private volatile long overheadBytes;

  private volatile long state;

  /** Room of so many bytes, of which some are not for writers. */
  Room(long capacityBytes, long overheadBytes) {
    this.capacityBytes = capacityBytes;
    this.overheadBytes = overheadBytes;
    this.state = overheadBytes;
  }

  /** Comes in with the promise of so many bytes, unless it is closed or has not so many. */
  boolean tryEnter(long bytes) {
    long seen = state;
    while (seen >= 0 && (seen & BYTES_MASK) + bytes <= capacityBytes) {
      if (STATE.weakCompareAndSet(this, seen, seen + ONE_WRITER + bytes)) {
        return true;
      }
      seen = state;
    }
    return false;
  }

  /** Leaves. */
  void exit() {
    long unused = (long) STATE.getAndAdd(this, -ONE_WRITER);
  }

  /** Leaves, and gives back what was promised: nothing was written. */
  void leaveUnused(long bytes) {
    long unused = (long) STATE.getAndAdd(this, -ONE_WRITER - bytes);
  }

  /**
   * Takes so many bytes that are not for writers, for as long as there is the memtable, if it has
   * them. By one at a time, who is inside.
   */
  boolean tryTakeOverhead(long bytes) {
    long seen = state;
    while ((seen & BYTES_MASK) + bytes <= capacityBytes) {
      if (STATE.weakCompareAndSet(this, seen, seen + bytes)) {
        long more = overheadBytes + bytes; // nobody else writes it meanwhile
        overheadBytes = more;
        return true;
      }
      seen = state;
    }
    return false;
  }

  /** Lets nobody in any more. */
  void close() {
    long unused = (long) STATE.getAndBitwiseOr(this, CLOSED);
  }

  /** Whether nobody is inside. */
  boolean isEmpty() {
    return (state & ~CLOSED) >>> WRITERS_SHIFT == 0;
  }

  /** What writers have taken, or were promised. */
  long takenBytes() {
    return (state & BYTES_MASK) - overheadBytes;
  }

  /** What there was for writers. */
  long sizeBytes() {
    return capacityBytes - overheadBytes;
  }

  /** Whether so many bytes are left. */
  boolean has(long bytes) {
    return (state & BYTES_MASK) + bytes <= capacityBytes;
  }
}
