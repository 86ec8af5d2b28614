package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CancellationException;

/**
 * Waits on the ring of a reactor until a descriptor that somebody else owns is ready: a pipe, a
 * socket of another library, an event counter. Waits on a fiber without a thread, or calls back.
 *
 * <p>Ownership: closed by who opened it, and before the descriptor is, which stays its owner's.
 * Takes one operation of the ring ({@link RingOptions#queueDepth}) as long as it is open.
 *
 * <p>Threads: any; one waits at a time. Callbacks are called on the reactor's thread, which must
 * not be made to wait.
 *
 * <pre>{@code
 * try (DescriptorPoll poll = DescriptorPoll.open(reactor, descriptor)) {
 *   int ready = poll.await(DescriptorPoll.READABLE);
 * }
 * }</pre>
 *
 * <p>Errors: as of {@link TcpConnection}, with the descriptor. To receive from and send to sockets
 * of our own needs no poll: {@link TcpConnection#receive(Region, long, int)}.
 */
public final class DescriptorPoll implements AutoCloseable {
  /** Something can be read, or the other side has gone. */
  public static final int READABLE = RingOperation.POLL_IN;

  /** Something can be written. */
  public static final int WRITABLE = RingOperation.POLL_OUT;

  /** Told when the descriptor is ready. */
  public interface Callback {
    /**
     * It has ended; the next wait may be started, and the poll closed.
     *
     * @param events as {@link #await(int, long)} returns; 0 with a failure
     * @param failure null if there is none
     */
    void ready(int events, IOException failure);
  }

  private final OpenDescriptor descriptor;
  private final Poll poll;

  private DescriptorPoll(OpenDescriptor descriptor) {
    this.descriptor = descriptor;
    poll = new Poll(descriptor);
  }

  /**
   * Prepares to wait for a descriptor.
   *
   * @throws IOException if the ring is not deep enough for another one
   */
  public static DescriptorPoll open(Reactor reactor, int descriptor) throws IOException {
    reactor.reserve(1);
    return new DescriptorPoll(new OpenDescriptor(reactor, descriptor, 1, false));
  }

  private static final class Poll extends SocketOperation {
    private int events;
    private Callback callback;

    Poll(OpenDescriptor descriptor) {
      super(descriptor, "poll");
    }

    void begin(int events, Callback callback) throws IOException {
      if (events == 0 || (events & ~(READABLE | WRITABLE)) != 0) {
        throw new IllegalArgumentException("readable, writable or both: events=" + events);
      }
      take();
      this.events = events;
      this.callback = callback;
      prepareAgain();
      start(callback == null);
    }

    @Override
    void prepareAgain() {
      preparePoll(socket.number, events);
    }

    @Override
    void tell(int result, IOException failure) {
      Callback to = callback;
      callback = null;
      free();
      to.ready(failure == null ? result : 0, failure);
    }

    @Override
    String where() {
      return "descriptor=" + socket.number;
    }
  }

  /** As {@link #await(int, long)}, as long as it takes. */
  public int await(int events) throws IOException {
    return await(events, Baton.FOREVER);
  }

  /**
   * Waits until the descriptor is ready.
   *
   * @param events {@link #READABLE}, {@link #WRITABLE} or both
   * @param timeoutNanos how long at most
   * @return for what it is ready; the kernel adds POLLERR (8) and POLLHUP (16) where they apply
   * @throws SocketTimeoutException if the time was over first
   * @throws SocketException if this was closed, or the reactor has ended
   * @throws CancellationException if the task that waits was cancelled
   */
  public int await(int events, long timeoutNanos) throws IOException {
    poll.begin(events, null);
    try {
      return poll.await(timeoutNanos);
    } finally {
      poll.free();
    }
  }

  /** Starts to wait; on a callback's own thread, too. */
  public void start(int events, Callback callback) throws IOException {
    poll.begin(events, callback);
  }

  /** Ends a wait that is under way, with a {@link SocketException}. The descriptor stays open. */
  @Override
  public void close() {
    descriptor.close(poll);
  }
}
