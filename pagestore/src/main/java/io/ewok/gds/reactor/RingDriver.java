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
 * {@link #signal} raises. With a second ring, whose devices are asked whether they are done, it
 * does not sleep while that one has something.
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
  private final RingLane main;

  /** For operations whose device is polled; null if there is no such. */
  private final RingLane polled;

  private int polledInFlight;
  private boolean wakeArmed;
  private final RingOperation[] inFlight;
  private final int[] generations;
  private final int[] freeSlots;
  private int freeCount;

  private RingDriver(int depth, int wakeDescriptor, Arena arena, RingLane main, RingLane polled) {
    this.wakeDescriptor = wakeDescriptor;
    this.arena = arena;
    this.main = main;
    this.polled = polled;
    wakeBuffer = arena.allocate(Long.BYTES, Long.BYTES);
    inFlight = new RingOperation[depth];
    generations = new int[depth];
    freeSlots = new int[depth];
    while (freeCount < depth) {
      freeSlots[freeCount] = freeCount;
      freeCount++;
    }
  }

  /** Opens rings for the calling platform thread. */
  static RingDriver open(RingOptions options) throws IOException {
    int entries = options.ringEntries();
    int flags = options.setupFlags();
    int wakeDescriptor = LinuxFiles.eventfd(0, 0);
    Arena arena = Arena.ofShared();
    Ring ring = null;
    Ring polledRing = null;
    boolean opened = false;
    try {
      ring = Ring.open(entries, flags, options.sqPollIdleMillis());
      if (options.ioPoll()) {
        polledRing = Ring.open(entries, flags | Liburing.IORING_SETUP_IOPOLL(), 0);
      }
      RingDriver driver =
          new RingDriver(
              options.queueDepth(),
              wakeDescriptor,
              arena,
              new RingLane(ring),
              polledRing == null ? null : new RingLane(polledRing));
      if (options.sqPollIdleMillis() > 0) {
        // Older kernels make such a ring and refuse operations on descriptors that it does not
        // know.
        driver.armWakeUp();
        driver.endWakeUp();
      }
      opened = true;
      return driver;
    } finally {
      if (!opened) {
        if (polledRing != null) {
          polledRing.close();
        }
        if (ring != null) {
          ring.close();
        }
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
    return main.buffers.supported();
  }

  @Override
  public int register(Region region) {
    int errno = main.buffers.register(region);
    return errno == 0 && polled != null ? polled.buffers.register(region) : errno;
  }

  @Override
  public void unregister(Region region) {
    main.buffers.unregister(region);
    if (polled != null) {
      polled.buffers.unregister(region);
    }
  }

  @Override
  public int registerFile(int descriptor) {
    int errno = main.files.register(descriptor);
    return errno == 0 && polled != null ? polled.files.register(descriptor) : errno;
  }

  @Override
  public void unregisterFile(int descriptor) {
    main.files.unregister(descriptor);
    if (polled != null) {
      polled.files.unregister(descriptor);
    }
  }

  @Override
  public boolean hasRoom() {
    return freeCount > 0
        && main.ring.hasRoom()
        && (polled == null || polled.ring.hasRoom())
        && !lost;
  }

  @Override
  public boolean tryStart(RingOperation operation) {
    if (!hasRoom()) {
      return false;
    }
    int slot = freeSlots[--freeCount];
    inFlight[slot] = operation;
    generations[slot]++;
    RingLane lane = operation.polled && polled != null ? polled : main;
    if (lane == polled) {
      polledInFlight++;
    }
    // Devices that are polled are fast, and their ring cancels nothing.
    operation.cancelSent = lane == polled;
    lane.push(operation, userData(slot));
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
        if (!main.ring.hasRoom()) {
          flush(false);
        }
        if (!main.ring.hasRoom()) {
          return false;
        }
        main.ring.push(
            Liburing.IORING_OP_ASYNC_CANCEL(), 0, -1, 0, userData(slot), 0, 0, 0, CANCEL);
        operation.cancelSent = true;
      }
    }
    return true;
  }

  @Override
  public void flush(boolean poll) throws IOException {
    if (lost) {
      return;
    }
    if (main.ring.pendingCount() > 0 || (poll && inFlight() > 0 && !hasEnded())) {
      enter(main, 0);
    }
    if (polledInFlight > 0 && !polled.ring.hasCompletion()) {
      enter(polled, 0);
    }
  }

  private void enter(RingLane lane, int completionsMin) throws ErrnoException {
    if (lane.ring.enter(completionsMin)) {
      enterCount.increment();
    }
  }

  @Override
  public void flushAndWait(long timeoutNanos) throws IOException {
    if (lost) {
      LockSupport.parkNanos(this, timeoutNanos);
      return;
    }
    if (polledInFlight > 0) {
      flush(false);
      return;
    }
    armWakeUp();
    if (timeoutNanos == FOREVER) {
      enter(main, 1);
    } else {
      enterCount.increment();
      main.ring.enter(1, timeoutNanos);
    }
  }

  /** Has the kernel read the event counter, which ends a wait when somebody raises it. */
  private void armWakeUp() throws ErrnoException {
    if (!wakeArmed) {
      while (!main.ring.hasRoom()) {
        enter(main, 0);
      }
      main.ring.push(
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
    return !lost
        && (main.ring.hasCompletion() || (polledInFlight > 0 && polled.ring.hasCompletion()));
  }

  @Override
  public RingOperation take() throws IOException {
    while (hasEnded()) {
      Ring ring = main.ring.hasCompletion() ? main.ring : polled.ring;
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
        polledInFlight -= ring == main.ring ? 0 : 1;
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
    endWakeUp();
    if (polled != null) {
      polled.ring.close();
    }
    main.ring.close();
    arena.close();
    wakeGate.close();
    LinuxFiles.close(wakeDescriptor);
  }

  /** Has the read of the event counter end. */
  private void endWakeUp() throws IOException {
    if (wakeArmed) {
      LinuxFiles.eventfdWrite(wakeDescriptor, 1);
    }
    while (wakeArmed) {
      enter(main, 1);
      take();
    }
  }
}
