package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import java.io.IOException;

/**
 * What an {@link EventLoop} does I/O with and sleeps in. An interface, so that a test can lose one.
 *
 * <p>Threads: {@link #signal} and counts are for any; the rest is confined to the loop's thread.
 *
 * <p>Errors: an {@link IOException} says that operations are with the kernel and nobody will learn
 * when they end; {@link #abandon} then tells them.
 */
interface LoopDriver {
  /** For {@link #flush}: as long as it takes. */
  long FOREVER = Long.MAX_VALUE;

  /** Starts an operation, for the next {@link #flush}. Returns false if there is no room for it. */
  boolean tryStart(RingOperation operation);

  /** Returns whether {@link #tryStart} has room. */
  boolean hasRoom();

  /**
   * Hands over what was started. Calls the kernel only if there is something.
   *
   * @param poll whether there is something also if operations are in flight: the kernel ends them
   *     only when it is called, and a loop with other work does not call it to wait
   */
  void flush(boolean poll) throws IOException;

  /**
   * Hands over what was started and waits until an operation has ended, somebody signalled, or the
   * time is over. May return for nothing.
   *
   * @param timeoutNanos how long at most; {@link #FOREVER} for no limit
   */
  void flushAndWait(long timeoutNanos) throws IOException;

  /** Returns whether {@link #take} has something. */
  boolean hasEnded();

  /**
   * Takes an operation that has ended, with its {@link RingOperation#outcome} set; null if there is
   * none.
   */
  RingOperation take() throws IOException;

  /**
   * Asks the kernel to end early what is {@link RingOperation#cancelRequested}. Each still ends in
   * its own time and is taken.
   *
   * @return false if there was no room for all; to be called again
   */
  boolean cancelRequested() throws IOException;

  /** Requests cancelling of all that may last for ever, since others have to do something first. */
  void cancelWaits();

  /** Returns how many operations were started and not taken. */
  int inFlight();

  /** Ends the wait, or the next one. Any thread, also after close. */
  void signal();

  /** As {@link Reactor#register}. */
  int register(Region region);

  /** As {@link Reactor#unregister}. */
  void unregister(Region region);

  /** As {@link Reactor#registerFile}. */
  int registerFile(int descriptor);

  /** As {@link Reactor#unregisterFile}. */
  void unregisterFile(int descriptor);

  /** After an IOException: fails what is in flight. Goes on as a driver that can only wait. */
  void abandon(Throwable cause);

  /** As {@link Reactor#hasFixedBuffers}. */
  boolean hasFixedBuffers();

  /** Returns the calls that started or awaited operations. Any thread. */
  long enterCount();

  /** Returns the calls of {@link #signal}. Any thread. */
  long signalCount();

  /** Frees everything, when nothing is in flight. */
  void close() throws IOException;

  /** Makes a driver for the calling thread. */
  interface Source {
    LoopDriver open(RingOptions options) throws IOException;
  }
}
