package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.liburing.Liburing;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/**
 * A platform thread that owns a ring: takes operations from any thread, keeps at most a fixed
 * number of them with the kernel, and calls each back when it is done. What does not fit waits
 * here.
 *
 * <p>Ownership: whoever starts a reactor closes it. Close waits for what the kernel has and fails
 * what it does not have yet.
 *
 * <p>Threads: any, for all public methods, save that {@link #close}, {@link #register} and {@link
 * #unregister} wait for the reactor and are refused on its own thread.
 *
 * <pre>{@code
 * try (Reactor reactor = Reactor.start("io", 64, probe.setupFlags())) {
 *   reactor.submit(operation);
 * }
 * }</pre>
 *
 * <p>Errors: a failure of the ring or of a callback ends the reactor: every operation is failed
 * with the cause, and submit throws {@link IllegalStateException} with it from then on.
 */
public final class Reactor implements AutoCloseable {
  /*
   * Completions are taken a few at a time, with new entries handed over in between: taking all of
   * them first lets the device run empty.
   */
  private static final int REAP_MAX = 8;

  /** Regions that can be registered at once. */
  private static final int BUFFER_SLOTS = 64;

  /** User data of the read that wakes the ring; operations have their slot, not negative. */
  private static final long WAKE_UP = -1;

  /** Any thread. */
  private final Inbox inbox = new Inbox();

  private final Gate wakeGate = new Gate();
  private final LongAdder enterCount = new LongAdder();
  private final Thread thread;
  private final Baton started = new Baton();
  private volatile boolean closing;
  private volatile Throwable failure;

  /** Written by the thread before it posts {@link #started}, then constant. */
  private IOException startFailure;

  private int wakeDescriptor;
  private boolean fixedBuffers;

  /** Confined to the thread. */
  private Ring ring;

  private MemorySegment wakeBuffer;
  private boolean wakeArmed;
  private final RingOperation[] inFlight;
  private final int[] freeSlots;
  private int freeCount;
  private final Region[] buffers = new Region[BUFFER_SLOTS];
  private int buffersEnd;
  private RingOperation queueHead;
  private RingOperation queueTail;

  private Reactor(String name, int queueDepth, int setupFlags) {
    inFlight = new RingOperation[queueDepth];
    freeSlots = new int[queueDepth];
    while (freeCount < queueDepth) {
      freeSlots[freeCount] = freeCount;
      freeCount++;
    }
    thread = Thread.ofPlatform().daemon().name(name).unstarted(() -> run(setupFlags));
  }

  /**
   * Starts a reactor.
   *
   * @param name of the thread
   * @param queueDepth operations that the kernel has at once
   * @param setupFlags {@code IORING_SETUP_} flags, as probed
   * @throws IOException if the kernel refuses the ring
   */
  public static Reactor start(String name, int queueDepth, int setupFlags) throws IOException {
    Reactor reactor = new Reactor(name, queueDepth, setupFlags);
    reactor.thread.start();
    reactor.started.await();
    if (reactor.startFailure != null) {
      throw reactor.startFailure;
    }
    return reactor;
  }

  /** Returns the entries of the ring that a reactor makes: one more, for the read that wakes. */
  public static int ringEntries(int queueDepth) {
    return queueDepth + 1;
  }

  // ---------------------------------------------------------------- any thread

  /**
   * Gives an operation to the reactor.
   *
   * @throws IllegalStateException if the reactor is closed or has failed; the operation is not
   *     called back
   */
  public void submit(RingOperation operation) {
    enqueue(operation);
    wakeUp();
  }

  /** As {@link #submit}, but the reactor need not see it before {@link #wakeUp}. For batches. */
  public void enqueue(RingOperation operation) {
    if (!inbox.push(operation)) {
      throw new IllegalStateException(
          "the reactor is closed or has failed: name=" + thread.getName(), failure);
    }
  }

  /** Makes sure that the reactor sees what was enqueued. */
  public void wakeUp() {
    if (inbox.claimWakeUp()) {
      signal();
    }
  }

  /** Ends the ring's wait, or its next one. The gate keeps the descriptor ours. */
  private void signal() {
    if (wakeGate.tryEnter()) {
      try {
        LinuxFiles.eventfdWrite(wakeDescriptor, 1);
      } catch (IOException e) {
        throw new IllegalStateException("the reactor cannot be woken", e);
      } finally {
        wakeGate.exit();
      }
    }
  }

  /** Returns the calls of io_uring_enter so far. */
  public long enterCount() {
    return enterCount.sum();
  }

  /** Returns whether the kernel has a table for registered buffers. */
  public boolean hasFixedBuffers() {
    return fixedBuffers;
  }

  /**
   * Registers a region with the kernel, so that transfers in it need not map its pages each time.
   * Waits for the reactor; pinning takes seconds per GiB of small pages.
   *
   * @return 0, or the positive errno that the kernel refused with: ENOMEM where the limit of locked
   *     memory is too small, ENOSPC where all slots are taken
   */
  public int register(Region region) {
    return runTask(
        () -> {
          if (!fixedBuffers) {
            return Errno.EOPNOTSUPP;
          }
          for (int slot = 0; slot < BUFFER_SLOTS; slot++) {
            if (buffers[slot] == null) {
              int result = ring.setBuffer(slot, region.address(), region.sizeBytes());
              if (result == 0) {
                buffers[slot] = region;
                buffersEnd = Math.max(buffersEnd, slot + 1);
              }
              return -result;
            }
          }
          return Errno.ENOSPC;
        });
  }

  /** Undoes {@link #register}; does nothing for a region that is not registered. */
  public void unregister(Region region) {
    runTask(
        () -> {
          int slot = bufferSlot(region);
          if (slot >= 0) {
            buffers[slot] = null;
            return -ring.setBuffer(slot, 0, 0);
          }
          return 0;
        });
  }

  private int runTask(IntSupplier task) {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("the reactor would wait for itself");
    }
    Task operation = new Task(task);
    submit(operation);
    operation.done.await();
    if (operation.failure != null) {
      throw new IllegalStateException("the reactor has failed", operation.failure);
    }
    return operation.result;
  }

  /** Something to run on the reactor's thread. */
  private static final class Task extends RingOperation {
    private final IntSupplier task;
    private final Baton done = new Baton();
    private int result;
    private Throwable failure;

    Task(IntSupplier task) {
      this.task = task;
      this.kind = TASK;
    }

    @Override
    protected boolean completed(int ignored) {
      result = task.getAsInt();
      done.post();
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {
      failure = cause;
      done.post();
    }
  }

  /** Waits for what the kernel has, fails the rest, and ends the thread. Twice does nothing. */
  @Override
  public void close() {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("the reactor would wait for itself");
    }
    closing = true;
    signal();
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  // ---------------------------------------------------------------- the thread

  private void run(int setupFlags) {
    // Not closed on the worst way out, where the kernel may still write the wake-up buffer.
    Arena arena = Arena.ofConfined();
    try {
      wakeDescriptor = LinuxFiles.eventfd(0, 0);
      try {
        ring = Ring.open(ringEntries(inFlight.length), setupFlags);
      } catch (IOException e) {
        LinuxFiles.close(wakeDescriptor);
        throw e;
      }
      wakeBuffer = arena.allocate(Long.BYTES, Long.BYTES);
      fixedBuffers = ring.makeBufferTable(BUFFER_SLOTS) == 0;
    } catch (IOException e) {
      startFailure = e;
      arena.close();
      started.post();
      return;
    } catch (RuntimeException | Error e) {
      startFailure = new IOException("the reactor did not start", e);
      started.post();
      return;
    }
    started.post();

    Throwable cause;
    try {
      loop();
      cause = new IllegalStateException("the reactor is closed: name=" + thread.getName());
    } catch (Throwable e) {
      // Whatever it is, those who wait are told.
      failure = e;
      cause = e;
    }
    end(cause, arena);
  }

  private void loop() throws IOException {
    while (true) {
      appendToQueue(inbox.takeAll());
      if (closing) {
        if (inFlightCount() == 0 && !wakeArmed) {
          return;
        }
      } else {
        startQueued();
        armWakeUp();
      }
      boolean wait =
          !ring.hasCompletion()
              && (closing || queueHead == null || freeCount == 0)
              && inbox.prepareToSleep();
      if (wait || ring.pendingCount() > 0) {
        enterCount.increment();
        ring.enter(wait ? 1 : 0);
      }
      if (wait) {
        inbox.awake();
      }
      reap();
    }
  }

  private int inFlightCount() {
    return inFlight.length - freeCount;
  }

  private void appendToQueue(RingOperation list) {
    if (list == null) {
      return;
    }
    if (queueTail == null) {
      queueHead = list;
    } else {
      queueTail.next = list;
    }
    RingOperation last = list;
    while (last.next != null) {
      last = last.next;
    }
    queueTail = last;
  }

  private RingOperation removeFirst() {
    RingOperation first = queueHead;
    queueHead = first.next;
    if (queueHead == null) {
      queueTail = null;
    }
    first.next = null;
    return first;
  }

  private void startQueued() {
    while (queueHead != null) {
      if (queueHead.kind == RingOperation.TASK) {
        callBack(removeFirst(), 0);
      } else if (freeCount > 0 && ring.hasRoom()) {
        start(removeFirst());
      } else {
        return;
      }
    }
  }

  private void start(RingOperation operation) {
    int slot = freeSlots[--freeCount];
    inFlight[slot] = operation;
    if (operation.kind == RingOperation.SYNC) {
      ring.push(
          Liburing.IORING_OP_FSYNC(),
          operation.descriptor,
          0,
          0,
          0,
          Liburing.IORING_FSYNC_DATASYNC(),
          0,
          slot);
      return;
    }
    boolean read = operation.kind == RingOperation.READ;
    int buffer = bufferSlot(operation.region);
    int opcode;
    if (buffer >= 0) {
      opcode = read ? Liburing.IORING_OP_READ_FIXED() : Liburing.IORING_OP_WRITE_FIXED();
    } else {
      opcode = read ? Liburing.IORING_OP_READ() : Liburing.IORING_OP_WRITE();
    }
    ring.push(
        opcode,
        operation.descriptor,
        operation.offset,
        operation.region.address() + operation.regionOffset,
        operation.length,
        0,
        Math.max(0, buffer),
        slot);
  }

  /** Returns the region's slot in the kernel's table, or -1. Regions are few. */
  private int bufferSlot(Region region) {
    for (int slot = 0; slot < buffersEnd; slot++) {
      if (buffers[slot] == region) {
        return slot;
      }
    }
    return -1;
  }

  /** Has the kernel read the event counter, which ends a wait when somebody raises it. */
  private void armWakeUp() {
    if (!wakeArmed && ring.hasRoom()) {
      ring.push(
          Liburing.IORING_OP_READ(),
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

  private void reap() throws IOException {
    for (int count = 0; count < REAP_MAX && ring.hasCompletion(); count++) {
      long userData = ring.userData();
      int result = ring.result();
      ring.advance();
      if (userData == WAKE_UP) {
        wakeArmed = false;
        if (result < 0 && result != -Errno.EINTR && result != -Errno.EAGAIN) {
          throw new IOException(
              "the reactor's wake-up cannot be read: errno=" + Errno.name(-result));
        }
        continue;
      }
      int slot = (int) userData;
      RingOperation operation = inFlight[slot];
      inFlight[slot] = null;
      freeSlots[freeCount++] = slot;
      callBack(operation, result);
    }
  }

  /** Tells an operation its result. One that wants to run again goes to the front. */
  private void callBack(RingOperation operation, int result) {
    boolean again;
    try {
      again = operation.completed(result);
    } catch (RuntimeException | Error e) {
      operation.failed(e, false);
      throw e;
    }
    if (again) {
      operation.next = queueHead;
      queueHead = operation;
      if (queueTail == null) {
        queueTail = operation;
      }
    }
  }

  /** Fails what the kernel does not have, waits for what it has, and frees everything. */
  private void end(Throwable cause, Arena arena) {
    try {
      appendToQueue(inbox.close());
      failQueue(cause);
      if (wakeArmed) {
        signal();
      }
      while (inFlightCount() > 0 || wakeArmed) {
        ring.enter(1);
        try {
          reap();
        } catch (RuntimeException | Error e) {
          cause.addSuppressed(e);
        }
        failQueue(cause);
      }
      ring.close();
      arena.close();
      wakeGate.close();
      LinuxFiles.close(wakeDescriptor);
    } catch (IOException | RuntimeException | Error e) {
      // The ring is unusable with operations in it: nobody knows when the kernel leaves their
      // memory alone, so it stays leased for good.
      cause.addSuppressed(e);
      failure = cause;
      for (RingOperation operation : inFlight) {
        if (operation != null) {
          operation.failed(cause, true);
        }
      }
    }
  }

  private void failQueue(Throwable cause) {
    while (queueHead != null) {
      removeFirst().failed(cause, false);
    }
  }
}
