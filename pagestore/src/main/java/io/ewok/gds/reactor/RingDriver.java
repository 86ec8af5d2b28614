package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.liburing.Liburing;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * I/O through a ring. Sleeps in the kernel with a read of an event counter in the ring, which
 * {@link #signal} raises.
 *
 * <p>Threads: {@link #signal} is for any, the rest confined to the thread that opened it.
 */
final class RingDriver implements LoopDriver {
  /*
   * User data of an operation is its slot in the lower half and how often the slot was used in the
   * upper, so that a cancel never meets the next operation in the slot. Others are negative.
   */
  private static final long WAKE_UP = -1;
  private static final long CANCEL = -2;

  private final Thread thread = Thread.currentThread();
  private final int wakeDescriptor;
  private final Gate wakeGate = new Gate();
  private final LongAdder enterCount = new LongAdder();
  private final LongAdder signalCount = new LongAdder();
  private volatile boolean lost;

  /** Shared, since fibers use it too; not closed when the kernel may still write to it. */
  private final Arena arena;

  private final MemorySegment wakeBuffer;
  private final Ring ring;
  private final RingBuffers buffers;
  private final RingFiles files;
  private boolean wakeArmed;
  private final RingOperation[] inFlight;
  private final int[] generations;
  private final int[] freeSlots;
  private int freeCount;

  private RingDriver(RingOptions options, int wakeDescriptor, Arena arena) throws IOException {
    this.wakeDescriptor = wakeDescriptor;
    this.arena = arena;
    wakeBuffer = arena.allocate(Long.BYTES, Long.BYTES);
    int depth = options.queueDepth();
    inFlight = new RingOperation[depth];
    generations = new int[depth];
    freeSlots = new int[depth];
    while (freeCount < depth) {
      freeSlots[freeCount] = freeCount;
      freeCount++;
    }
    ring = Ring.open(options.ringEntries(), options.setupFlags());
    buffers = new RingBuffers(ring);
    files = new RingFiles(ring);
  }

  /** Opens a ring for the calling platform thread. */
  static RingDriver open(RingOptions options) throws IOException {
    int wakeDescriptor = LinuxFiles.eventfd(0, 0);
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try {
      RingDriver driver = new RingDriver(options, wakeDescriptor, arena);
      opened = true;
      return driver;
    } finally {
      if (!opened) {
        arena.close();
        LinuxFiles.close(wakeDescriptor);
      }
    }
  }

  @Override
  public long enterCount() {
    return enterCount.sum();
  }

  @Override
  public long signalCount() {
    return signalCount.sum();
  }

  @Override
  public boolean hasFixedBuffers() {
    return buffers.supported();
  }

  @Override
  public int register(Region region) {
    return buffers.register(region);
  }

  @Override
  public void unregister(Region region) {
    buffers.unregister(region);
  }

  @Override
  public int registerFile(int descriptor) {
    return files.register(descriptor);
  }

  @Override
  public void unregisterFile(int descriptor) {
    files.unregister(descriptor);
  }

  @Override
  public boolean hasRoom() {
    return freeCount > 0 && ring.hasRoom() && !lost;
  }

  @Override
  public boolean tryStart(RingOperation operation) {
    if (!hasRoom()) {
      return false;
    }
    int slot = freeSlots[--freeCount];
    inFlight[slot] = operation;
    generations[slot]++;
    operation.cancelSent = false;
    Region region = operation.region;
    int opcode = operation.opcode;
    int buffer = -1;
    // The kernel takes atomic writes from memory that it maps for them alone.
    if ((opcode == RingOperation.READ || opcode == RingOperation.WRITE)
        && (operation.flags & LinuxFiles.RWF_ATOMIC) == 0) {
      buffer = buffers.slotOf(region);
      if (buffer >= 0) {
        opcode =
            opcode == RingOperation.READ
                ? Liburing.IORING_OP_READ_FIXED()
                : Liburing.IORING_OP_WRITE_FIXED();
      }
    }
    int file = files.slotOf(operation.descriptor);
    ring.push(
        opcode,
        file < 0 ? 0 : Liburing.IOSQE_FIXED_FILE(),
        file < 0 ? operation.descriptor : file,
        operation.offset,
        (region == null ? 0 : region.address()) + operation.regionOffset,
        operation.length,
        operation.flags,
        Math.max(0, buffer),
        userData(slot));
    return true;
  }

  @Override
  public void cancelWaits() {
    for (RingOperation operation : inFlight) {
      if (operation != null && operation.waitsForOthers()) {
        operation.cancelRequested = true;
      }
    }
  }

  private long userData(int slot) {
    return (long) (generations[slot] & Integer.MAX_VALUE) << Integer.SIZE | slot;
  }

  @Override
  public boolean cancelRequested() throws IOException {
    for (int slot = 0; slot < inFlight.length; slot++) {
      RingOperation operation = inFlight[slot];
      if (operation != null && operation.cancelRequested && !operation.cancelSent) {
        if (!ring.hasRoom()) {
          flush(false);
        }
        if (!ring.hasRoom()) {
          return false;
        }
        ring.push(Liburing.IORING_OP_ASYNC_CANCEL(), 0, -1, 0, userData(slot), 0, 0, 0, CANCEL);
        operation.cancelSent = true;
      }
    }
    return true;
  }

  @Override
  public void flush(boolean poll) throws IOException {
    if (!lost && (ring.pendingCount() > 0 || (poll && inFlight() > 0 && !hasEnded()))) {
      enter(0);
    }
  }

  private void enter(int completionsMin) throws ErrnoException {
    enterCount.increment();
    ring.enter(completionsMin);
  }

  @Override
  public void flushAndWait(long timeoutNanos) throws IOException {
    if (lost) {
      LockSupport.parkNanos(this, timeoutNanos);
      return;
    }
    armWakeUp();
    if (timeoutNanos == FOREVER) {
      enter(1);
    } else {
      enterCount.increment();
      ring.enter(1, timeoutNanos);
    }
  }

  /** Has the kernel read the event counter, which ends a wait when somebody raises it. */
  private void armWakeUp() throws ErrnoException {
    if (!wakeArmed) {
      if (!ring.hasRoom()) {
        enter(0);
      }
      ring.push(
          Liburing.IORING_OP_READ(),
          0,
          wakeDescriptor,
          0,
          wakeBuffer.address(),
          Long.BYTES,
          0,
          0,
          WAKE_UP);
      wakeArmed = true;
    }
  }

  @Override
  public boolean hasEnded() {
    return !lost && ring.hasCompletion();
  }

  @Override
  public RingOperation take() throws IOException {
    while (hasEnded()) {
      long userData = ring.userData();
      int result = ring.result();
      ring.advance();
      if (userData == WAKE_UP) {
        wakeArmed = false;
        if (result < 0 && result != -Errno.EINTR && result != -Errno.EAGAIN) {
          throw new ErrnoException("read", -result);
        }
      } else if (userData >= 0) {
        int slot = (int) userData;
        assert userData == userData(slot) : "userData=" + userData;
        RingOperation operation = inFlight[slot];
        inFlight[slot] = null;
        freeSlots[freeCount++] = slot;
        operation.outcome = result;
        return operation;
      }
    }
    return null;
  }

  @Override
  public int inFlight() {
    return inFlight.length - freeCount;
  }

  /* The gate keeps the descriptor ours. */
  @Override
  public void signal() {
    signalCount.increment();
    if (lost) {
      LockSupport.unpark(thread);
    } else if (wakeGate.tryEnter()) {
      try {
        LinuxFiles.eventfdWrite(wakeDescriptor, 1);
      } catch (IOException e) {
        throw new IllegalStateException("the reactor cannot be woken", e);
      } finally {
        wakeGate.exit();
      }
    }
  }

  @Override
  public void abandon(Throwable cause) {
    lost = true;
    for (int slot = 0; slot < inFlight.length; slot++) {
      RingOperation operation = inFlight[slot];
      if (operation != null) {
        inFlight[slot] = null;
        freeSlots[freeCount++] = slot;
        operation.failed(cause, true);
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (lost) {
      return;
    }
    if (wakeArmed) {
      signal();
    }
    while (wakeArmed) {
      enter(1);
      take();
    }
    ring.close();
    arena.close();
    wakeGate.close();
    LinuxFiles.close(wakeDescriptor);
  }
}
