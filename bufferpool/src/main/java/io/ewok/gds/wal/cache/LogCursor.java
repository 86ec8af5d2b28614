package io.ewok.gds.wal.cache;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.LogDurability;
import io.ewok.gds.wal.LogSource;
import io.ewok.gds.wal.LogTruncatedException;
import io.ewok.gds.wal.LogWalk;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A reader of a log: one record after the other, each copied into the reader's memory and checked
 * there. Made by {@link LogReadCache#open}.
 *
 * <p>Ownership: who opened it closes it; the cache's close does too.
 *
 * <p>Threads: one at a time, platform or virtual.
 *
 * <pre>{@code
 * while (true) {
 *   int bytes = cursor.next(memory);
 *   if (bytes > memory.byteSize()) {
 *     memory = arena.allocate(bytes);           // longer than expected: once more
 *   } else if (bytes > 0) {
 *     consume(memory.asSlice(0, bytes), cursor.lsn());
 *   } else {
 *     cursor.await(SECOND);                     // END: until there is more
 *   }
 * }
 * }</pre>
 *
 * <p>Errors: {@link LogTruncatedException} if it was too slow, {@link CorruptFileException} if the
 * device lost what was written; {@link IllegalStateException} after close, and for two threads at
 * the same time.
 */
public final class LogCursor implements AutoCloseable {
  /** There is no more record for now. */
  public static final int END = 0;

  /*
   * A cursor between two calls may still have pages; whoever needs memory may drop them.
   *
   *   IDLE --enter--> BUSY --exit--> IDLE
   *   IDLE --reclaim--> RECLAIMED --> IDLE     any thread; short, and without waits
   *   IDLE --close--> CLOSED
   *
   * What is not final is guarded by having left IDLE. Who waits for memory says so, then reclaims;
   * who exits becomes IDLE, then looks whether somebody waits. One of them sees the other.
   */
  private static final int IDLE = 0;
  private static final int BUSY = 1;
  private static final int RECLAIMED = 2;
  private static final int CLOSED = 3;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(LogCursor.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final LogReadCache cache;
  private final LogSource source;
  private final LogDurability level;
  private final PayloadCheck check;
  private final Strides strides;

  private long lsn;

  /** The way on from {@link #lsn}; null after an error, which ends a way. */
  private LogWalk walk;

  /** Where headers are copied to. */
  private MemorySegment header = MemorySegment.ofArray(new byte[0]);

  /** The memory that was last read into, and a view of it. */
  private MemorySegment viewed;

  private ByteBuffer view;

  /** Whether it was in use since the last look, see {@link #reclaimIfUnused}. */
  private boolean used;

  @SuppressWarnings("unused") // by STATE
  private volatile int state;

  LogCursor(LogReadCache cache, long lsn, LogDurability level, PayloadCheck check) {
    this.cache = cache;
    this.source = cache.source();
    this.level = level;
    this.check = check;
    this.strides = new Strides(cache);
    this.walk = source.walk(lsn);
    this.lsn = lsn;
  }

  /**
   * Copies the next record, if there is one, checks it and moves on behind it. Waits for the device
   * and for memory, not for the log's end to move.
   *
   * @param into native memory or an array of bytes; undefined content if nothing is returned
   * @return the length of the record in bytes, {@link #END} if there is none. If it is more than
   *     {@code into} has, nothing was copied and the cursor has not moved.
   * @throws LogTruncatedException if the log was truncated beyond the cursor
   * @throws CorruptFileException if there is no record, or another than was written, and the cursor
   *     has not moved; or if the {@link PayloadCheck} refuses it, and it has
   * @throws StorageException if the record is encrypted
   */
  public int next(MemorySegment into) throws IOException {
    Objects.requireNonNull(into, "into");
    enter();
    try {
      return read(into);
    } finally {
      exit();
    }
  }

  private int read(MemorySegment into) throws IOException {
    long limit = source.endLsn(level);
    while (position() < limit) {
      if (walk == null) {
        if (lsn < source.oldestLsn()) {
          throw lost();
        }
        walk = source.walk(lsn);
      }
      int bytes = walk.bytes();
      if (walk.lsn() + bytes > source.writtenLsn()) {
        throw lost(); // what leads there was not written by the log
      }
      if (!walk.isAtContent()) {
        if (header.byteSize() != bytes) {
          header = MemorySegment.ofArray(new byte[bytes]); // of a block, instead of a record
        }
        strides.copy(walk.lsn(), header, bytes);
        boolean unused = isRecord(walk.feed(header));
        continue;
      }
      if (bytes > into.byteSize()) {
        return bytes;
      }
      strides.copy(walk.lsn(), into, bytes);
      if (isRecord(walk.feedContent(view(into).limit(bytes)))) {
        if (walk.isSealed()) {
          throw source.sealed(lsn);
        }
        strides.note(bytes);
        check(into, bytes);
        return bytes;
      }
    }
    strides.drop();
    return END;
  }

  /** Where the cursor is; behind {@link #lsn} if no record was found on the way. */
  private long position() {
    return walk == null ? lsn : Math.max(lsn, walk.endLsn());
  }

  /** Whether the walk has come to the end of a record. */
  private boolean isRecord(LogWalk.Step step) throws StorageException {
    if (step == LogWalk.Step.END) {
      throw lost();
    }
    return step == LogWalk.Step.RECORD;
  }

  private ByteBuffer view(MemorySegment into) {
    if (into != viewed) {
      view = into.asSlice(0, Math.min(into.byteSize(), Integer.MAX_VALUE)).asByteBuffer();
      viewed = into;
    }
    return view.clear();
  }

  /** Moves on behind a record and lets its payload be checked. */
  private void check(MemorySegment into, int bytes) throws StorageException {
    long start = lsn;
    lsn = walk.endLsn();
    if (check != PayloadCheck.NONE && !check.isValid(into.asSlice(0, bytes))) {
      throw source.lost(start, "a record with the payload that its writer meant");
    }
  }

  private StorageException lost() {
    walk = null;
    return source.lost(lsn, "a record");
  }

  /**
   * Waits until there is something behind the cursor. It has no memory of the cache meanwhile.
   *
   * @param timeoutNanos longest wait in nanoseconds
   * @return false if the time was over first
   * @throws IOException if the log is poisoned, so that no more will come
   */
  public boolean await(long timeoutNanos) throws IOException {
    long from;
    enter();
    try {
      from = position();
      if (source.endLsn(level) > from) {
        return true;
      }
      strides.drop();
    } finally {
      exit();
    }
    return source.awaitBeyond(from, level, timeoutNanos);
  }

  /**
   * Moves the cursor, which then finds its way as after {@link LogReadCache#open}.
   *
   * @param lsn where a record ends, or the log begins; as for {@link LogSource#walk}
   * @throws IllegalArgumentException if the position is outside of the log; nothing has changed
   */
  public void seek(long lsn) {
    enter();
    try {
      walk = source.walk(lsn);
      this.lsn = lsn;
    } finally {
      exit();
    }
  }

  /** Returns the end of the last record, or where the cursor was put since. */
  public long lsn() {
    enter();
    try {
      return lsn;
    } finally {
      exit();
    }
  }

  /**
   * Gives the memory back. Twice does nothing.
   *
   * @throws IllegalStateException if another thread is in a call
   */
  @Override
  public void close() {
    if (move(CLOSED)) {
      strides.close();
      cache.closed(this);
    }
  }

  private void enter() {
    if (!move(BUSY)) {
      throw new IllegalStateException("the cursor is closed: " + cache);
    }
    used = true;
  }

  /** Leaves IDLE. Returns false if the cursor is closed. */
  @SuppressWarnings("ThreadPriorityCheck") // for whoever reclaims, who is at work
  private boolean move(int to) {
    while (!STATE.compareAndSet(this, IDLE, to)) {
      int seen = state;
      if (seen == CLOSED) {
        return false;
      }
      if (seen == BUSY) {
        throw new IllegalStateException("another thread uses the cursor: " + cache);
      }
      Thread.yield();
    }
    return true;
  }

  private void exit() {
    state = IDLE;
    if (cache.isShortOfMemory()) {
      reclaim();
    }
  }

  /** Drops the pages if nobody is in a call. Any thread. */
  void reclaim() {
    if (STATE.compareAndSet(this, IDLE, RECLAIMED)) {
      dropAndRest();
    }
  }

  /** As {@link #reclaim}, if there was no call since the last one of this. */
  void reclaimIfUnused() {
    if (STATE.compareAndSet(this, IDLE, RECLAIMED)) {
      if (used) {
        used = false;
        state = IDLE;
      } else {
        dropAndRest();
      }
    }
  }

  private void dropAndRest() {
    try {
      if (strides.drop()) {
        cache.counters().reclaimed.increment();
      }
    } finally {
      state = IDLE;
    }
  }
}
