package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.PoisonedFileException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.Objects;

/** What page files and block files have in common for their manager. */
abstract sealed class CachedFile implements AutoCloseable permits CachedPageFile, BlockFile {
  /** Of multiplicative hashing: 2^64 divided by the golden ratio. */
  private static final long HASH_FACTOR = 0x9E37_79B9_7F4A_7C15L;

  private static final VarHandle USABLE;

  static {
    try {
      USABLE = MethodHandles.lookup().findVarHandle(CachedFile.class, "usable", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final BufferManager manager;
  final PageTable table;
  final IoFile io;

  /** Tells it from all others of its manager, in the high half; not 0. */
  private final long number;

  /** What its number adds to a hash. */
  private final long hashOfNumber;

  // Guarded by the page table's lock of those who close.
  private boolean closed;
  private Throwable poison;

  /** The number, or 0 if it is closed or poisoned. Written with the same lock. */
  private volatile long usable;

  CachedFile(BufferManager manager, IoFile io, int number) {
    this.manager = manager;
    this.table = manager.table();
    this.io = io;
    this.number = (long) number << 32;
    this.hashOfNumber = (this.number << 8) * HASH_FACTOR;
    this.usable = this.number;
  }

  /** The file's path as it was opened. */
  public final Path path() {
    return io.path();
  }

  /** Reads and verifies what is bound to a frame, without the lock. */
  abstract void read(Frame frame) throws IOException;

  /** The same read as a request; {@link #verify} follows. */
  abstract IoRequest prepareRead(Frame frame);

  /**
   * Verifies what was read into a frame, and makes of it what is to be there.
   *
   * @param bytes how many were read
   */
  abstract void verify(Frame frame, int bytes) throws IOException;

  /** How much is read to have so many stored bytes; zero if what is read is what is cached. */
  int readBytes(long key, int storedBytes) {
    return 0;
  }

  /** Completes and writes a page, without the lock, latched shared. */
  abstract void write(Frame frame) throws IOException;

  /** Where in its frames the page or block begins, in bytes. */
  abstract int offsetInFrame(long key);

  /** Writes what has changed and makes it durable. */
  abstract void flushAll() throws IOException;

  /** The last thing before the file is closed and its frames are emptied. */
  abstract void end() throws IOException;

  /** What a frame's line says that holds a page or block of it. */
  final long held(int lengthBytes) {
    return number + lengthBytes;
  }

  /** Tells a page or block of it from all others of its manager. */
  final long hash(long key) {
    return key * HASH_FACTOR + hashOfNumber;
  }

  /**
   * Whether it is neither closed nor poisoned, without the lock. If not, {@link #checkUsable} tells
   * for sure: somebody may try to close it, and be refused.
   */
  final boolean mayBeUsed() {
    return usable != 0;
  }

  /**
   * As {@link #held} if it could be used a moment ago, else what no frame holds: for whoever keeps
   * nobody from closing it, and so may come just before. A plain read.
   */
  final long heldIfUsable(int lengthBytes) {
    return (long) USABLE.get(this) + lengthBytes;
  }

  /** Fixes one of several pages or blocks. */
  interface OneFix {
    /**
     * As the fix of a file.
     *
     * @param number the place among them
     */
    void fix(int number) throws IOException;
  }

  /** Fixes all or, after an exception, none; what is not in the pool is read at the same time. */
  final void fixAll(int count, Fix[] into, BatchRead.Binding binding, OneFix one)
      throws IOException {
    Objects.checkFromIndexSize(0, count, into.length);
    if (count > 0) {
      manager.batchRead().run(count, into[0].priority(), binding);
    }
    int fixed = 0;
    try {
      while (fixed < count) {
        one.fix(fixed);
        fixed++;
      }
    } catch (Throwable e) {
      for (int i = 0; i < fixed; i++) {
        into[i].unfix();
      }
      throw e;
    }
  }

  // With that lock.

  final void checkUsable() throws PoisonedFileException {
    if (closed) {
      throw new IllegalStateException("the file is closed: path=" + path());
    }
    if (poison != null) {
      throw new PoisonedFileException(path(), poison);
    }
  }

  /** Whether it was open before this call. */
  final boolean markClosed() {
    boolean wasOpen = !closed;
    closed = true;
    usable = 0;
    return wasOpen;
  }

  /** Undoes {@link #markClosed}. */
  final void markOpen() {
    closed = false;
    usable = poison == null ? number : 0;
  }

  final void markPoisoned(Throwable cause) {
    if (poison == null) {
      poison = cause;
      usable = 0;
    }
  }

  /**
   * Writes what has changed, makes it durable, and forgets the file's pages or blocks. Twice does
   * nothing.
   *
   * @throws IllegalStateException if something in it is still fixed; it stays open
   * @throws IOException if changes could not be written; the file is closed all the same and they
   *     are in the log only. To be able to try again, flush before
   */
  @Override
  public final void close() throws IOException {
    manager.close(this);
  }
}
