package io.ewok.gds.reactor;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LockedMemory;
import io.ewok.gds.ffm.liburing.Liburing;
import io.ewok.gds.ffm.liburing.__kernel_timespec;
import io.ewok.gds.ffm.liburing.io_uring;
import io.ewok.gds.ffm.liburing.io_uring_cq;
import io.ewok.gds.ffm.liburing.io_uring_cqe;
import io.ewok.gds.ffm.liburing.io_uring_getevents_arg;
import io.ewok.gds.ffm.liburing.io_uring_params;
import io.ewok.gds.ffm.liburing.io_uring_sq;
import io.ewok.gds.ffm.liburing.io_uring_sqe;
import io.ewok.gds.ffm.liburing.iovec;
import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * One io_uring. Entries are written and completions read in the memory that is shared with the
 * kernel; {@link #enter} is the only call.
 *
 * <p>Ownership: whoever opens it closes it, when nothing is in flight.
 *
 * <p>Threads: confined to the thread that opened it, which the kernel enforces (SINGLE_ISSUER).
 *
 * <pre>{@code
 * ring.push(opcode, 0, fd, offset, address, length, 0, 0, userData);
 * ring.enter(1);
 * while (ring.hasCompletion()) {
 *   use(ring.userData(), ring.result());
 *   ring.advance();
 * }
 * }</pre>
 */
final class Ring implements AutoCloseable {
  /*
   * Who publishes what to the kernel, and the other way:
   *
   *   submission tail   we release it after writing entries; the kernel acquires it in enter
   *   completion tail   the kernel releases it after writing completions; we acquire it
   *   completion head   we release it after reading completions; the kernel acquires it before it
   *                     writes over them
   *
   * The submission head need not be read: enter tells how many entries it took. Only where a thread
   * of the kernel takes them (SQPOLL) it does not, and we acquire the head, which the thread
   * releases after reading entries.
   */
  private static final VarHandle INDEX = ValueLayout.JAVA_INT.varHandle();

  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long SQE_BYTES = io_uring_sqe.layout().byteSize();
  private static final long CQE_BYTES = io_uring_cqe.layout().byteSize();
  private static final long SQE_OPCODE = io_uring_sqe.opcode$offset();
  private static final long SQE_FLAGS = io_uring_sqe.flags$offset();
  private static final long SQE_FD = io_uring_sqe.fd$offset();
  private static final long SQE_OFFSET = io_uring_sqe.off$offset();
  private static final long SQE_ADDRESS = io_uring_sqe.addr$offset();
  private static final long SQE_LENGTH = io_uring_sqe.len$offset();
  private static final long SQE_OPERATION_FLAGS = io_uring_sqe.rw_flags$offset();
  private static final long SQE_USER_DATA = io_uring_sqe.user_data$offset();
  private static final long SQE_BUFFER_INDEX = io_uring_sqe.buf_index$offset();
  private static final long CQE_USER_DATA = io_uring_cqe.user_data$offset();
  private static final long CQE_RESULT = io_uring_cqe.res$offset();

  private final Arena arena;
  private final MemorySegment ring;
  private final MemorySegment bufferEntry;
  private final MemorySegment fileEntry;
  private final MemorySegment timeout;
  private final MemorySegment timeoutArgument;

  private final MemorySegment entries;
  private final MemorySegment entryHead;
  private final MemorySegment entryTail;
  private final MemorySegment entryState;
  private final int entryMask;

  /** Whether a thread of the kernel takes the entries. */
  private final boolean taker;

  private final MemorySegment completions;
  private final MemorySegment completionHead;
  private final MemorySegment completionTail;
  private final int completionMask;

  private final int enterDescriptor;
  private final int enterFlags;

  /** Our copies of the indexes; they count on and are masked on use. */
  private int tail;

  private int submitted;
  private int head;

  private boolean hasBufferTable;

  private Ring(Arena arena, MemorySegment ring, boolean taker) {
    this.arena = arena;
    this.ring = ring;
    this.taker = taker;
    this.bufferEntry = iovec.allocate(arena);
    this.fileEntry = arena.allocate(ValueLayout.JAVA_INT);
    this.timeout = __kernel_timespec.allocate(arena);
    this.timeoutArgument = io_uring_getevents_arg.allocate(arena);
    io_uring_getevents_arg.ts(timeoutArgument, timeout.address());

    MemorySegment sq = io_uring.sq(ring);
    int entryCount = intAt(io_uring_sq.kring_entries(sq));
    entryMask = intAt(io_uring_sq.kring_mask(sq));
    entries = Memory.view(io_uring_sq.sqes(sq).address(), entryCount * SQE_BYTES);
    entryHead = Memory.view(io_uring_sq.khead(sq).address(), Integer.BYTES);
    entryTail = Memory.view(io_uring_sq.ktail(sq).address(), Integer.BYTES);
    entryState = Memory.view(io_uring_sq.kflags(sq).address(), Integer.BYTES);
    // Entries are used in their order, so the index array is written once.
    long array = io_uring_sq.array(sq).address();
    if (array != 0) {
      MemorySegment order = Memory.view(array, (long) entryCount * Integer.BYTES);
      for (int i = 0; i < entryCount; i++) {
        order.setAtIndex(ValueLayout.JAVA_INT, i, i);
      }
    }

    MemorySegment cq = io_uring.cq(ring);
    int completionCount = intAt(io_uring_cq.kring_entries(cq));
    completionMask = intAt(io_uring_cq.kring_mask(cq));
    completions = Memory.view(io_uring_cq.cqes(cq).address(), completionCount * CQE_BYTES);
    completionHead = Memory.view(io_uring_cq.khead(cq).address(), Integer.BYTES);
    completionTail = Memory.view(io_uring_cq.ktail(cq).address(), Integer.BYTES);

    // Saves the kernel a look-up of the descriptor in each enter; older kernels refuse.
    boolean registered = Liburing.io_uring_register_ring_fd(ring) == 1;
    enterDescriptor = registered ? io_uring.enter_ring_fd(ring) : io_uring.ring_fd(ring);
    enterFlags =
        Liburing.IORING_ENTER_GETEVENTS()
            | (registered ? Liburing.IORING_ENTER_REGISTERED_RING() : 0);
  }

  private static int intAt(MemorySegment pointer) {
    return Memory.getInt(pointer.address());
  }

  /**
   * Opens a ring that belongs to the calling platform thread.
   *
   * @param entryCount operations that can be pushed between two enters; rounded up to a power of
   *     two. Twice as many may be in flight.
   * @param setupFlags {@code IORING_SETUP_} flags, as probed
   * @param takerIdleMillis for how long a thread of the kernel goes on to look for entries; 0 for
   *     no such thread
   */
  static Ring open(int entryCount, int setupFlags, int takerIdleMillis) throws ErrnoException {
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try {
      MemorySegment ring = io_uring.allocate(arena);
      MemorySegment params = io_uring_params.allocate(arena);
      int flags = setupFlags;
      if (takerIdleMillis > 0) {
        // Completions are the thread's work, too, so the flags that defer ours are refused.
        flags =
            (setupFlags & Liburing.IORING_SETUP_SINGLE_ISSUER()) | Liburing.IORING_SETUP_SQPOLL();
        io_uring_params.sq_thread_idle(params, takerIdleMillis);
      }
      io_uring_params.flags(params, flags);
      int result =
          LockedMemory.ask(
              entryCount * SQE_BYTES,
              () -> Liburing.io_uring_queue_init_params(entryCount, ring, params));
      if (result < 0) {
        throw new ErrnoException("io_uring_setup", -result);
      }
      opened = true;
      return new Ring(arena, ring, takerIdleMillis > 0);
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  /** Returns whether {@link #push} has room; {@link #enter} makes some. */
  boolean hasRoom() {
    return tail - (taker ? (int) INDEX.getAcquire(entryHead, 0L) : submitted) <= entryMask;
  }

  /** Returns the entries that were pushed and that no enter has handed over. */
  int pendingCount() {
    return tail - submitted;
  }

  /**
   * Writes one entry, for the next enter. There has to be room.
   *
   * @param entryFlags {@code IOSQE_} flags
   * @param operationFlags those of the operation
   */
  void push(
      int opcode,
      int entryFlags,
      int descriptor,
      long offset,
      long address,
      int length,
      int operationFlags,
      int bufferIndex,
      long userData) {
    assert hasRoom() : "tail=" + tail + " submitted=" + submitted;
    long at = (tail & entryMask) * SQE_BYTES;
    for (long i = 0; i < SQE_BYTES; i += Long.BYTES) {
      entries.set(ValueLayout.JAVA_LONG, at + i, 0);
    }
    entries.set(ValueLayout.JAVA_BYTE, at + SQE_OPCODE, (byte) opcode);
    entries.set(ValueLayout.JAVA_BYTE, at + SQE_FLAGS, (byte) entryFlags);
    entries.set(ValueLayout.JAVA_INT, at + SQE_FD, descriptor);
    entries.set(ValueLayout.JAVA_LONG, at + SQE_OFFSET, offset);
    entries.set(ValueLayout.JAVA_LONG, at + SQE_ADDRESS, address);
    entries.set(ValueLayout.JAVA_INT, at + SQE_LENGTH, length);
    entries.set(ValueLayout.JAVA_INT, at + SQE_OPERATION_FLAGS, operationFlags);
    entries.set(ValueLayout.JAVA_SHORT, at + SQE_BUFFER_INDEX, (short) bufferIndex);
    entries.set(ValueLayout.JAVA_LONG, at + SQE_USER_DATA, userData);
    tail++;
  }

  /**
   * Hands the pushed entries to the kernel and waits for completions.
   *
   * @param completionsMin how many completions must be there before it returns; 0 does not wait
   * @return whether that took a call
   * @throws ErrnoException if the ring is unusable; a busy kernel or a signal is not an error, and
   *     leaves entries pending
   */
  boolean enter(int completionsMin) throws ErrnoException {
    int count = tail - submitted;
    int flags = publish();
    if (taker && completionsMin == 0 && flags == enterFlags) {
      return false;
    }
    taken(
        Liburing.io_uring_enter(enterDescriptor, count, completionsMin, flags, MemorySegment.NULL));
    return true;
  }

  /**
   * As {@link #enter(int)}, at most for a time.
   *
   * @param timeoutNanos from now, at least 0
   */
  void enter(int completionsMin, long timeoutNanos) throws ErrnoException {
    __kernel_timespec.tv_sec(timeout, timeoutNanos / NANOS_PER_SECOND);
    __kernel_timespec.tv_nsec(timeout, timeoutNanos % NANOS_PER_SECOND);
    int count = tail - submitted;
    taken(
        Liburing.io_uring_enter2(
            enterDescriptor,
            count,
            completionsMin,
            publish() | Liburing.IORING_ENTER_EXT_ARG(),
            timeoutArgument,
            timeoutArgument.byteSize()));
  }

  /** Shows the kernel what was pushed. Returns the flags for the call. */
  private int publish() {
    boolean more = tail != submitted;
    INDEX.setRelease(entryTail, 0L, tail);
    int flags = enterFlags;
    if (taker) {
      submitted = tail;
      // The kernel's thread says that it sleeps, then looks at the tail once more; here it is the
      // other way round. So one of the two sees the other.
      VarHandle.fullFence();
      if (more
          && ((int) INDEX.getAcquire(entryState, 0L) & Liburing.IORING_SQ_NEED_WAKEUP()) != 0) {
        flags |= Liburing.IORING_ENTER_SQ_WAKEUP();
      }
      if (!hasRoom()) {
        flags |= Liburing.IORING_ENTER_SQ_WAIT();
      }
    }
    return flags;
  }

  /* With a timeout the result is ETIME only where nothing was submitted. */
  private void taken(int result) throws ErrnoException {
    if (result >= 0) {
      submitted += taker ? 0 : result;
    } else if (result != -Errno.EINTR
        && result != -Errno.EAGAIN
        && result != -Errno.EBUSY
        && result != -Errno.ETIME) {
      throw new ErrnoException("io_uring_enter", -result);
    }
  }

  /** Returns whether a completion is there. */
  boolean hasCompletion() {
    return head != (int) INDEX.getAcquire(completionTail, 0L);
  }

  /** Returns what the entry of the first completion was pushed with. */
  long userData() {
    return completions.get(
        ValueLayout.JAVA_LONG, (head & completionMask) * CQE_BYTES + CQE_USER_DATA);
  }

  /** Returns the result of the first completion: a count, or -errno. */
  int result() {
    return completions.get(ValueLayout.JAVA_INT, (head & completionMask) * CQE_BYTES + CQE_RESULT);
  }

  /** Goes on to the next completion. */
  void advance() {
    head++;
    INDEX.setRelease(completionHead, 0L, head);
  }

  /**
   * Makes a table of buffers, all empty.
   *
   * @return 0, or -errno where the kernel has no such tables
   */
  int makeBufferTable(int slots) {
    int result = Liburing.io_uring_register_buffers_sparse(ring, slots);
    hasBufferTable = result == 0;
    return result;
  }

  /**
   * Puts memory into a slot of the table, or with a length of 0 takes it out.
   *
   * @return 0, or -errno: ENOMEM where the limit of locked memory is too small
   */
  int setBuffer(int slot, long address, long lengthBytes) {
    iovec.iov_base(bufferEntry, MemorySegment.ofAddress(address));
    iovec.iov_len(bufferEntry, lengthBytes);
    int result =
        Liburing.io_uring_register_buffers_update_tag(
            ring, slot, bufferEntry, MemorySegment.NULL, 1);
    return result < 0 ? result : 0;
  }

  /**
   * Makes a table of files, all empty.
   *
   * @return 0, or -errno where the kernel has no such tables
   */
  int makeFileTable(int slots) {
    return Liburing.io_uring_register_files_sparse(ring, slots);
  }

  /**
   * Puts a file into a slot of the table, or with a descriptor of -1 takes it out.
   *
   * @return 0, or -errno
   */
  int setFile(int slot, int descriptor) {
    fileEntry.set(ValueLayout.JAVA_INT, 0, descriptor);
    return Math.min(0, Liburing.io_uring_register_files_update(ring, slot, fileEntry, 1));
  }

  /** Gives the ring back to the kernel, which cancels what is in flight. */
  @Override
  public void close() {
    if (hasBufferTable) {
      // The kernel takes a ring apart later, and until then its buffers count as locked memory,
      // which the next ring may need. No use asking whether it worked: the table goes either way.
      int ignored = Liburing.io_uring_unregister_buffers(ring);
      assert ignored == 0 : "result=" + ignored;
    }
    Liburing.io_uring_queue_exit(ring);
    arena.close();
  }
}
