package io.ewok.gds.reactor;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One operation on a descriptor: somebody starts it and waits, or starts it and is called back.
 * Reused by one after the other, so that it allocates nothing.
 *
 * <p>Threads: any starts it, if nobody else has; ended on the reactor's.
 *
 * <p>The order of an end: the kernel lets go of the memory, whoever closes may go on, the result is
 * told. So a callback may start the same operation again, and close.
 */
abstract class SocketOperation extends RingOperation {
  final OpenDescriptor socket;

  /** What it does, for messages: receive, send. */
  private final String name;

  private final AtomicBoolean taken = new AtomicBoolean();
  private final Baton ended = new Baton();

  /** Whether somebody waits; else there is a callback. Set by who starts it. */
  private boolean awaited;

  /** Confined to the loop: the callback is being called, and what it throws is not our end. */
  private boolean telling;

  /** Published by {@link #ended}. */
  private int result;

  private Throwable cause;

  SocketOperation(OpenDescriptor socket, String name) {
    this.socket = socket;
    this.name = name;
  }

  // ---------------------------------------------------------------- who starts it

  /**
   * Takes the operation and the descriptor, to prepare and {@link #start} it then.
   *
   * @throws IllegalStateException if somebody else has it
   * @throws SocketException if the descriptor is closed
   */
  final void take() throws SocketException {
    if (!taken.compareAndSet(false, true)) {
      throw new IllegalStateException("one at a time may " + name + ": " + where());
    }
    if (!socket.tryEnter()) {
      taken.set(false);
      throw new SocketException(closedHere());
    }
  }

  /**
   * Gives what was taken and prepared to the reactor.
   *
   * @param awaited whether {@link #await} follows; the operation's own callback is called otherwise
   * @throws SocketException if the reactor has ended
   */
  final void start(boolean awaited) throws SocketException {
    this.awaited = awaited;
    boolean submitted = false;
    try {
      socket.reactor.submit(this);
      submitted = true;
    } catch (IllegalStateException e) {
      throw caused(
          new SocketException("cannot " + name + ", the reactor has ended: " + where()), e);
    } finally {
      if (!submitted) {
        giveUp();
      }
    }
    // Partner of OpenDescriptor.close, whose cancel may have come before the submission.
    if (socket.isClosed()) {
      socket.reactor.cancel(this);
    }
  }

  /** Gives back what was taken and not started. */
  final void giveUp() {
    letGo(false);
    socket.exit();
    taken.set(false);
  }

  /**
   * Waits for the end, before {@link #free}; for no longer than a time, and than the task that
   * waits is meant to last. Then the operation is ended, and what it did before that is its result.
   *
   * @return what the kernel said, not negative
   * @throws SocketTimeoutException if the time was over first
   * @throws CancellationException if the task was cancelled first
   */
  final int await(long timeoutNanos) throws IOException {
    Task task = Task.current();
    boolean inTime = ended.await(timeoutNanos, task);
    if (!inTime) {
      socket.reactor.cancel(this);
      ended.await();
    }
    ended.reset();
    try {
      if (result >= 0) {
        return result;
      }
      if (result == -Errno.ECANCELED && cause == null && !inTime && !socket.isClosed()) {
        if (task != null && task.isCancelled()) {
          throw task.cancellation();
        }
        throw timeout();
      }
      throw failure(result, cause);
    } finally {
      cause = null;
    }
  }

  /** Lets somebody have it next; its fields are theirs then. */
  final void free() {
    taken.set(false);
  }

  private SocketTimeoutException timeout() {
    SocketTimeoutException timeout =
        new SocketTimeoutException("the time to " + name + " is over: " + where());
    timeout.bytesTransferred = transferred();
    return timeout;
  }

  // ---------------------------------------------------------------- the loop

  @Override
  protected final boolean completed(int result) {
    if (result == -Errno.EINTR || (result >= 0 && !isComplete(result))) {
      prepareAgain();
      return true;
    }
    end(result, null, false);
    return false;
  }

  @Override
  protected final void failed(Throwable cause, boolean memoryInUse) {
    if (telling) {
      telling = false;
    } else {
      end(-Errno.ECANCELED, cause, memoryInUse);
    }
  }

  private void end(int result, Throwable cause, boolean memoryInUse) {
    int outcome = outcome(result);
    letGo(memoryInUse);
    socket.exit();
    if (awaited) {
      this.result = outcome;
      this.cause = cause;
      ended.post();
      return;
    }
    IOException failure = outcome < 0 ? failure(outcome, cause) : null;
    telling = true;
    tell(outcome, failure);
    telling = false;
  }

  /** The memory is not the kernel's any more, unless that is unknown. */
  void letGo(boolean memoryInUse) {}

  /** Whether what was done is all; if not, {@link #prepareAgain} follows. */
  boolean isComplete(int result) {
    return true;
  }

  /** Prepares what is left. */
  abstract void prepareAgain();

  /** Returns what the operation has come to, on the loop's thread; the kernel's word as it is. */
  int outcome(int result) {
    return result;
  }

  /** Bytes that were transferred before a time was over. */
  int transferred() {
    return 0;
  }

  /**
   * Calls whoever gave a callback, after {@link #free}.
   *
   * @param failure null if there is none; otherwise the result means nothing
   */
  abstract void tell(int result, IOException failure);

  // ---------------------------------------------------------------- messages

  /** Returns where it happens, as in {@code peer=/127.0.0.1:80}. */
  abstract String where();

  private String closedHere() {
    return "cannot " + name + ", it was closed here: " + where();
  }

  private SocketException failure(int said, Throwable why) {
    if (said != -Errno.ECANCELED) {
      String message =
          "cannot %s, %s: errno=%s %s"
              .formatted(name, Errno.describe(-said), Errno.name(-said), where());
      return caused(exception(message), new ErrnoException(name, -said));
    }
    return caused(
        new SocketException(
            socket.isClosed()
                ? closedHere()
                : "cannot " + name + ", the reactor has ended: " + where()),
        why);
  }

  /** Returns an exception of the kind for what the kernel refuses. */
  SocketException exception(String message) {
    return new SocketException(message);
  }

  private static SocketException caused(SocketException failure, Throwable cause) {
    if (cause != null) {
      failure.initCause(cause);
    }
    return failure;
  }
}
