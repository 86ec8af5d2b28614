package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;

/**
 * One operation on its way through a {@link Reactor}: what to do, and whom to tell. Reusable; in
 * one reactor at a time.
 *
 * <p>Threads: prepared by whoever submits it, or by its own {@link #completed}; called back on the
 * reactor's thread, which must not be made to wait.
 *
 * <pre>{@code
 * operation.prepareRead(fd, offset, region, regionOffset, length);
 * reactor.submit(operation);   // later, on the reactor's thread: operation.completed(bytes)
 * }</pre>
 */
public abstract class RingOperation extends Message {
  static final int READ = 0;
  static final int WRITE = 1;
  static final int SYNC = 2;

  int kind;
  int descriptor;
  long offset;
  Region region;
  long regionOffset;
  int length;

  /** The {@code RWF_} flags of a write. */
  int flags;

  /** What the kernel said, once it has ended. */
  int outcome;

  /** Whether it is counted by the overflow queue. Confined to the loop. */
  boolean hasPlace;

  /** Somebody wants it to end early; it may have ended before. Any thread. */
  volatile boolean cancelRequested;

  /** Whether the kernel was asked to end it. Confined to the loop. */
  boolean cancelSent;

  /** For subclasses. */
  protected RingOperation() {}

  /** Prepares to read; region and descriptor stay open until the operation has completed. */
  protected final void prepareRead(
      int descriptor, long offset, Region region, long regionOffset, int length) {
    prepare(READ, descriptor, offset, region, regionOffset, length);
  }

  /**
   * Prepares to write; region and descriptor stay open until the operation has completed.
   *
   * @param flags a combination of the {@code RWF_} constants of {@link io.ewok.gds.ffm.LinuxFiles}
   */
  protected final void prepareWrite(
      int descriptor, long offset, Region region, long regionOffset, int length, int flags) {
    prepare(WRITE, descriptor, offset, region, regionOffset, length);
    this.flags = flags;
  }

  /** Prepares to make the data durable (fdatasync). */
  protected final void prepareSync(int descriptor) {
    prepare(SYNC, descriptor, 0, null, 0, 0);
  }

  private void prepare(
      int kind, int descriptor, long offset, Region region, long regionOffset, int length) {
    this.kind = kind;
    this.descriptor = descriptor;
    this.offset = offset;
    this.region = region;
    this.regionOffset = regionOffset;
    this.length = length;
    this.flags = 0;
  }

  /**
   * The kernel is done.
   *
   * @param result bytes, or -errno; ECANCELED after {@link Reactor#cancel(RingOperation)}
   * @return true if this operation was prepared anew and is to run again; after false the reactor
   *     does not touch it any more
   */
  protected abstract boolean completed(int result);

  /**
   * The reactor cannot complete the operation: it is closed, or it failed.
   *
   * @param memoryInUse whether the kernel may still read or write the memory, for all that is
   *     known; it must then never be reused
   */
  protected abstract void failed(Throwable cause, boolean memoryInUse);
}
