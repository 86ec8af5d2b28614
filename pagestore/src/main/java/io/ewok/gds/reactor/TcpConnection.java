package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.LinuxSockets;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;

/**
 * A TCP connection on the ring of a reactor: bytes go between the kernel and the memory of a {@link
 * Region}, without a copy on the heap. Waits for them, on a fiber without a thread; or calls back.
 *
 * <p>Ownership: who connected or accepted it closes it. The memory of a transfer is leased and not
 * to be touched until that has ended. The region need not be registered. Takes two operations of
 * the ring ({@link RingOptions#queueDepth}) as long as it is open.
 *
 * <p>Threads: any; one receives and one sends at a time. Callbacks are called on the reactor's
 * thread, which must not be made to wait.
 *
 * <pre>{@code
 * try (TcpConnection connection = TcpConnection.connect(reactor, peer)) {
 *   connection.send(region, 0, requestBytes);
 *   connection.shutdownSending();
 *   int count;
 *   while ((count = connection.receive(region, 0, lengthMax)) > 0) use(region, count);
 * }
 * }</pre>
 *
 * <p>Errors: {@link SocketException} names the peer, and what the kernel said or that the
 * connection was closed here or that the reactor has ended. A task that is cancelled while it waits
 * gets a {@link CancellationException} when its transfer has ended. Interrupts are ignored, as in
 * every wait of a reactor, and do not close it. {@link IllegalStateException} for a second receiver
 * or sender; {@link RejectedExecutionException} on the reactor's own thread when too many
 * operations wait for the kernel.
 */
public final class TcpConnection implements AutoCloseable {
  /** One that receives and one that sends. */
  static final int PLACES = 2;

  /** Told when something that was started has ended. */
  public interface Callback {
    /**
     * It has ended; the next one may be started, and the connection closed.
     *
     * @param connection which
     * @param bytes received or sent, 0 of connecting; -1 if the other side sends no more. With a
     *     failure, what was sent before
     * @param failure null if there is none
     */
    void ended(TcpConnection connection, int bytes, IOException failure);
  }

  final OpenDescriptor socket;
  private final InetSocketAddress peer;
  private final TcpTransfer receiver;
  private final TcpTransfer sender;

  /** Null if it was accepted. Written before its start, and read after the socket was closed. */
  private volatile SocketOperation connect;

  private TcpConnection(OpenDescriptor socket, InetSocketAddress peer) {
    this.socket = socket;
    this.peer = peer;
    receiver = new TcpTransfer(this, false);
    sender = new TcpTransfer(this, true);
  }

  // ---------------------------------------------------------------- opening

  /** As {@link #connect(Reactor, InetSocketAddress, TcpOptions, long)}, as long as it takes. */
  public static TcpConnection connect(Reactor reactor, InetSocketAddress peer) throws IOException {
    return connect(reactor, peer, TcpOptions.defaults(), Baton.FOREVER);
  }

  /**
   * Connects, and waits for it.
   *
   * @param peer a resolved address, of IP version 4 or 6
   * @param timeoutNanos how long at most
   * @throws ConnectException if nobody listens there
   * @throws SocketTimeoutException if the time was over first
   * @throws IOException if the process may not have more descriptors, or the ring is not deep
   *     enough for another connection
   */
  public static TcpConnection connect(
      Reactor reactor, InetSocketAddress peer, TcpOptions options, long timeoutNanos)
      throws IOException {
    return open(
        reactor,
        peer,
        options,
        connection -> {
          Connect connect = new Connect(connection, null);
          connect.begin();
          int unused = connect.await(timeoutNanos);
        });
  }

  /**
   * Starts to connect.
   *
   * @param callback told when it is connected, or why not; either way, whoever called this closes
   *     the connection
   * @throws IOException as above, if it could not even be started
   */
  public static TcpConnection connect(
      Reactor reactor, InetSocketAddress peer, TcpOptions options, Callback callback)
      throws IOException {
    return open(reactor, peer, options, connection -> new Connect(connection, callback).begin());
  }

  private interface Step {
    void take(TcpConnection connection) throws IOException;
  }

  private static TcpConnection open(
      Reactor reactor, InetSocketAddress peer, TcpOptions options, Step step) throws IOException {
    if (peer.isUnresolved()) {
      throw new IllegalArgumentException("the address is not resolved: peer=" + peer);
    }
    OpenDescriptor socket =
        OpenDescriptor.socket(reactor, PLACES, () -> LinuxSockets.open(peer.getAddress()));
    TcpConnection connection = new TcpConnection(socket, peer);
    boolean complete = false;
    try {
      options.apply(socket.number);
      step.take(connection);
      complete = true;
      return connection;
    } finally {
      if (!complete) {
        connection.close();
      }
    }
  }

  /** Takes over a socket that was accepted, and its places; null if its peer has left already. */
  static TcpConnection accepted(Reactor reactor, int descriptor) {
    InetSocketAddress peer;
    try {
      peer = LinuxSockets.peer(descriptor);
    } catch (IOException e) {
      return null;
    }
    return new TcpConnection(new OpenDescriptor(reactor, descriptor, PLACES, true), peer);
  }

  /** Connects once. */
  private static final class Connect extends SocketOperation {
    private final TcpConnection connection;
    private final Callback callback;

    /** Kept for the kernel. */
    private final MemorySegment address =
        Arena.ofAuto().allocate(LinuxSockets.addressBytesMax(), Long.BYTES);

    private int addressBytes;

    Connect(TcpConnection connection, Callback callback) {
      super(connection.socket, "connect");
      this.connection = connection;
      this.callback = callback;
    }

    void begin() throws IOException {
      addressBytes = LinuxSockets.address(connection.peer, address);
      take();
      prepareAgain();
      connection.connect = this;
      start(callback == null);
    }

    @Override
    void prepareAgain() {
      prepareConnect(socket.number, address, addressBytes);
    }

    @Override
    void tell(int result, IOException failure) {
      free();
      callback.ended(connection, 0, failure);
    }

    @Override
    SocketException exception(String message) {
      return new ConnectException(message);
    }

    @Override
    String where() {
      return connection.where();
    }
  }

  // ---------------------------------------------------------------- transfers

  /** As {@link #receive(Region, long, int, long)}, as long as it takes. */
  public int receive(Region region, long offset, int lengthMax) throws IOException {
    return receive(region, offset, lengthMax, Baton.FOREVER);
  }

  /**
   * Waits until there is something and receives it.
   *
   * @param lengthMax at least 1
   * @param timeoutNanos how long at most
   * @return how many bytes, at least 1; -1 if the other side sends no more
   * @throws SocketTimeoutException if the time was over first; nothing was received
   */
  public int receive(Region region, long offset, int lengthMax, long timeoutNanos)
      throws IOException {
    receiver.begin(region, offset, lengthMax, null);
    return receiver.awaitBytes(timeoutNanos);
  }

  /** Starts to receive; on a callback's own thread, too. */
  public void receive(Region region, long offset, int lengthMax, Callback callback)
      throws IOException {
    receiver.begin(region, offset, lengthMax, callback);
  }

  /** As {@link #send(Region, long, int, long)}, as long as it takes. */
  public void send(Region region, long offset, int length) throws IOException {
    send(region, offset, length, Baton.FOREVER);
  }

  /**
   * Sends all, and waits until the kernel has it.
   *
   * @param length at least 1
   * @param timeoutNanos how long at most
   * @throws SocketTimeoutException if the time was over first; some may have been sent, as {@link
   *     SocketTimeoutException#bytesTransferred} tells. After a cancellation nobody tells
   */
  public void send(Region region, long offset, int length, long timeoutNanos) throws IOException {
    sender.begin(region, offset, length, null);
    int unused = sender.awaitBytes(timeoutNanos);
  }

  /** Starts to send all; on a callback's own thread, too. */
  public void send(Region region, long offset, int length, Callback callback) throws IOException {
    sender.begin(region, offset, length, callback);
  }

  /** Tells the other side that nothing more is sent, after what was. Receiving goes on. */
  public void shutdownSending() throws IOException {
    if (!socket.tryEnter()) {
      throw new SocketException("cannot shut down, it was closed here: " + where());
    }
    try {
      LinuxSockets.shutdownSending(socket.number);
    } catch (IOException e) {
      SocketException failure = new SocketException("cannot shut down: " + where());
      failure.initCause(e);
      throw failure;
    } finally {
      socket.exit();
    }
  }

  // ---------------------------------------------------------------- the rest

  /** Returns who is at the other end. */
  public InetSocketAddress peer() {
    return peer;
  }

  String where() {
    return "peer=" + peer;
  }

  /**
   * Ends what is under way, with a {@link SocketException} for those who wait for it, waits until
   * the kernel has let go of its memory, and closes. What was sent still arrives. On the reactor's
   * own thread it does not wait. Twice does nothing, and does not wait.
   */
  @Override
  public void close() {
    socket.close(receiver, sender, connect);
  }

  @Override
  public String toString() {
    return "TcpConnection[" + where() + "]";
  }
}
