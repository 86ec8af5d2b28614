package io.ewok.gds.reactor;

import io.ewok.gds.ffm.LinuxSockets;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CancellationException;

/**
 * Accepts TCP connections on the ring of a reactor, which is theirs, too. Waits for them, on a
 * fiber without a thread; or calls back.
 *
 * <p>Ownership: who opens it closes it; connections that were accepted stay open. Takes one
 * operation of the ring ({@link RingOptions#queueDepth}) as long as it is open.
 *
 * <p>Threads: any; one accepts at a time. Callbacks are called on the reactor's thread, which must
 * not be made to wait.
 *
 * <pre>{@code
 * try (TcpListener listener = TcpListener.open(reactor, new InetSocketAddress(7000), 128)) {
 *   while (true) serve(listener.accept());
 * }
 * }</pre>
 *
 * <p>Errors: as of {@link TcpConnection}, with the listener's address.
 */
public final class TcpListener implements AutoCloseable {
  /** Told when a connection was accepted. */
  public interface Callback {
    /**
     * It has ended; the next one may be accepted, and the listener closed.
     *
     * @param connection to be closed by whoever is called; null if there is a failure
     * @param failure null if there is none
     */
    void accepted(TcpConnection connection, IOException failure);
  }

  private final OpenDescriptor socket;
  private final InetSocketAddress address;
  private final Accept accept;

  private TcpListener(OpenDescriptor socket, InetSocketAddress address) {
    this.socket = socket;
    this.address = address;
    accept = new Accept(socket, address);
  }

  /** As {@link #open(Reactor, InetSocketAddress, int, TcpOptions)}, with the defaults. */
  public static TcpListener open(Reactor reactor, InetSocketAddress address, int backlog)
      throws IOException {
    return open(reactor, address, backlog, TcpOptions.defaults());
  }

  /**
   * Listens.
   *
   * @param address a resolved one, of IP version 4 or 6; port 0 for any that is free
   * @param backlog connections that may wait to be accepted; who comes when there are more tries
   *     again for a while
   * @param options of connections that are accepted
   * @throws BindException if the address is not ours, or another socket listens there
   * @throws IOException if the process may not have more descriptors, or the ring is not deep
   *     enough for another listener
   */
  public static TcpListener open(
      Reactor reactor, InetSocketAddress address, int backlog, TcpOptions options)
      throws IOException {
    if (address.isUnresolved()) {
      throw new IllegalArgumentException("the address is not resolved: address=" + address);
    }
    if (backlog < 1) {
      throw new IllegalArgumentException("at least 1: backlog=" + backlog);
    }
    OpenDescriptor socket =
        OpenDescriptor.socket(reactor, 1, () -> LinuxSockets.open(address.getAddress()));
    boolean complete = false;
    try {
      options.apply(socket.number);
      listen(socket.number, address, backlog);
      int port = LinuxSockets.localPort(socket.number);
      TcpListener listener =
          new TcpListener(socket, new InetSocketAddress(address.getAddress(), port));
      complete = true;
      return listener;
    } finally {
      if (!complete) {
        socket.close();
      }
    }
  }

  private static void listen(int descriptor, InetSocketAddress address, int backlog)
      throws BindException {
    try {
      LinuxSockets.listen(descriptor, address, backlog);
    } catch (IOException e) {
      BindException failure =
          new BindException("cannot listen, " + e.getMessage() + " address=" + address);
      failure.initCause(e);
      throw failure;
    }
  }

  /** Accepts one connection after the other. */
  private static final class Accept extends SocketOperation {
    private final InetSocketAddress address;
    private Callback callback;

    /** Whether there are places for a connection that has not come yet. */
    private boolean reserved;

    private TcpConnection accepted;

    Accept(OpenDescriptor socket, InetSocketAddress address) {
      super(socket, "accept");
      this.address = address;
    }

    void begin(Callback callback) throws IOException {
      take();
      try {
        socket.reactor.reserve(TcpConnection.PLACES);
        reserved = true;
      } finally {
        if (!reserved) {
          giveUp();
        }
      }
      this.callback = callback;
      prepareAgain();
      start(callback == null);
    }

    TcpConnection awaitAccepted(long timeoutNanos) throws IOException {
      try {
        int unused = await(timeoutNanos);
        return accepted;
      } finally {
        accepted = null;
        free();
      }
    }

    @Override
    void prepareAgain() {
      prepareAccept(socket.number);
    }

    @Override
    boolean isComplete(int descriptor) {
      accepted = TcpConnection.accepted(socket.reactor, descriptor);
      if (accepted == null) {
        OpenDescriptor.closeNow(descriptor);
      }
      reserved = accepted == null;
      return !reserved;
    }

    @Override
    void letGo(boolean memoryInUse) {
      if (reserved) {
        reserved = false;
        socket.reactor.unreserve(TcpConnection.PLACES);
      }
    }

    @Override
    void tell(int result, IOException failure) {
      Callback to = callback;
      TcpConnection connection = accepted;
      callback = null;
      accepted = null;
      free();
      to.accepted(connection, failure);
    }

    @Override
    String where() {
      return "address=" + address;
    }
  }

  /** As {@link #accept(long)}, as long as it takes. */
  public TcpConnection accept() throws IOException {
    return accept(Baton.FOREVER);
  }

  /**
   * Waits for a connection.
   *
   * @param timeoutNanos how long at most
   * @throws SocketTimeoutException if the time was over first
   * @throws SocketException if the listener was closed meanwhile, or the kernel refuses
   * @throws IOException if the ring is not deep enough for another connection; it still waits
   * @throws CancellationException if the task that waits was cancelled
   */
  public TcpConnection accept(long timeoutNanos) throws IOException {
    accept.begin(null);
    return accept.awaitAccepted(timeoutNanos);
  }

  /** Starts to accept one; on a callback's own thread, too. */
  public void accept(Callback callback) throws IOException {
    accept.begin(callback);
  }

  /** Returns where it listens, with the port that it got. */
  public InetSocketAddress address() {
    return address;
  }

  /**
   * Listens no more. Ends an accept that is under way, with a {@link SocketException}. On the
   * reactor's own thread it does not wait for that.
   */
  @Override
  public void close() {
    socket.close(accept);
  }

  @Override
  public String toString() {
    return "TcpListener[address=" + address + "]";
  }
}
