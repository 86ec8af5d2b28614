package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.liburing.Liburing;
import io.ewok.gds.ffm.unchecked.Pieces;
import java.lang.foreign.MemorySegment;

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
  static final int READ = Liburing.IORING_OP_READ();
  static final int WRITE = Liburing.IORING_OP_WRITE();
  private static final int READV = Liburing.IORING_OP_READV();
  private static final int WRITEV = Liburing.IORING_OP_WRITEV();

  /** The kernel's flags of sending and accepting; the same on all machines. */
  private static final int MSG_NOSIGNAL = 0x4000;

  private static final int SOCK_CLOEXEC = 0x80000;

  /** Something can be read, for {@link #preparePoll}. */
  protected static final int POLL_IN = 0x1;

  /** Something can be written, for {@link #preparePoll}. */
  protected static final int POLL_OUT = 0x4;

  /* The fields of a submission entry. */
  int opcode;
  int descriptor;
  long offset;
  Region region;

  /** In the region; an address if there is none. */
  long regionOffset;

  int length;

  int flags;

  /** Whether it goes to the ring whose devices are polled, if there is one. */
  boolean polled;

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
    prepare(READ, descriptor, offset, region, regionOffset, length, 0);
  }

  /**
   * Prepares to write; region and descriptor stay open until the operation has completed.
   *
   * @param flags a combination of the {@code RWF_} constants of {@link io.ewok.gds.ffm.LinuxFiles}
   */
  protected final void prepareWrite(
      int descriptor, long offset, Region region, long regionOffset, int length, int flags) {
    prepare(WRITE, descriptor, offset, region, regionOffset, length, flags);
  }

  /**
   * Prepares to read into pieces of memory; they, what tells of them, and the descriptor stay until
   * the operation has completed.
   *
   * @param done bytes of the pieces that are done with
   * @param bytesMax as of {@link ScatteredMemory#entries}
   */
  protected final void prepareRead(
      int descriptor, long offset, ScatteredMemory memory, int done, int bytesMax) {
    MemorySegment pieces = memory.entries(done, bytesMax);
    prepare(READV, descriptor, offset, null, pieces.address(), Pieces.count(pieces), 0);
  }

  /** Prepares to write from pieces of memory; as for the read into such. */
  protected final void prepareWrite(
      int descriptor, long offset, ScatteredMemory memory, int done, int bytesMax, int flags) {
    MemorySegment pieces = memory.entries(done, bytesMax);
    prepare(WRITEV, descriptor, offset, null, pieces.address(), Pieces.count(pieces), flags);
  }

  /** Prepares to make the data durable (fdatasync). */
  protected final void prepareSync(int descriptor) {
    prepare(
        Liburing.IORING_OP_FSYNC(), descriptor, 0, null, 0, 0, Liburing.IORING_FSYNC_DATASYNC());
  }

  /**
   * Prepares to receive from a socket, once there is something; the result is 0 when the other side
   * sends no more. Region and descriptor stay open until the operation has completed, as for all
   * operations on sockets.
   */
  protected final void prepareReceive(
      int descriptor, Region region, long regionOffset, int lengthMax) {
    prepare(Liburing.IORING_OP_RECV(), descriptor, 0, region, regionOffset, lengthMax, 0);
  }

  /** Prepares to send to a socket; fewer bytes may be sent than asked for. */
  protected final void prepareSend(int descriptor, Region region, long regionOffset, int length) {
    prepare(Liburing.IORING_OP_SEND(), descriptor, 0, region, regionOffset, length, MSG_NOSIGNAL);
  }

  /** Prepares to accept a connection; the result is its descriptor, which is the caller's. */
  protected final void prepareAccept(int descriptor) {
    prepare(Liburing.IORING_OP_ACCEPT(), descriptor, 0, null, 0, 0, SOCK_CLOEXEC);
  }

  /**
   * Prepares to connect.
   *
   * @param region where the address is, as {@link io.ewok.gds.ffm.LinuxSockets#address} writes it
   */
  protected final void prepareConnect(
      int descriptor, Region region, long regionOffset, int addressBytes) {
    // The kernel wants the length where other operations have the offset.
    prepare(Liburing.IORING_OP_CONNECT(), descriptor, addressBytes, region, regionOffset, 0, 0);
  }

  /** As the above, with an address anywhere off-heap, which stays until the operation has ended. */
  final void prepareConnect(int descriptor, MemorySegment address, int addressBytes) {
    prepareConnect(descriptor, null, address.address(), addressBytes);
  }

  /** Prepares to tell the other side that nothing more is sent. */
  protected final void prepareShutdownSending(int descriptor) {
    int sending = 1;
    prepare(Liburing.IORING_OP_SHUTDOWN(), descriptor, 0, null, 0, sending, 0);
  }

  /**
   * Prepares to wait until a foreign descriptor is ready; the result is for what.
   *
   * @param events {@link #POLL_IN}, {@link #POLL_OUT} or both
   */
  protected final void preparePoll(int descriptor, int events) {
    prepare(Liburing.IORING_OP_POLL_ADD(), descriptor, 0, null, 0, 0, events);
  }

  /**
   * Has the prepared read or write wait for the device by asking it, where {@link
   * RingOptions#ioPoll} says so. For files that are open for direct I/O. A device or file system
   * that cannot be asked ends it with EOPNOTSUPP, and nothing is done.
   */
  protected final void pollDevice() {
    polled = true;
  }

  /** Whether the kernel may have it for ever. */
  boolean waitsForOthers() {
    return opcode != READ
        && opcode != WRITE
        && opcode != READV
        && opcode != WRITEV
        && opcode != Liburing.IORING_OP_FSYNC();
  }

  private void prepare(
      int opcode,
      int descriptor,
      long offset,
      Region region,
      long regionOffset,
      int length,
      int flags) {
    this.opcode = opcode;
    this.descriptor = descriptor;
    this.offset = offset;
    this.region = region;
    this.regionOffset = regionOffset;
    this.length = length;
    this.flags = flags;
    this.polled = false;
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
