package io.ewok.gds.reactor;

import static io.ewok.gds.reactor.TcpFixture.LONG_NANOS;
import static io.ewok.gds.reactor.TcpFixture.ended;
import static io.ewok.gds.reactor.TcpFixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes through connections, and how they say what does not; whoever waits for it. */
@ParameterizedClass
@EnumSource(TcpFixture.Caller.class)
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class TcpTest {
  private static final int BYTES = 2 << 20;
  private static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  /** For what has to happen before it is over, on a busy machine, too. */
  private static final long FILLING_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final TcpOptions SMALL = TcpOptions.defaults().withBuffers(1 << 14, 1 << 14);

  private final TcpFixture tcp;

  TcpTest(TcpFixture.Caller caller) throws IOException {
    tcp = new TcpFixture(caller);
  }

  /** The JDK keeps a descriptor of its own from the first socket on. */
  @BeforeAll
  static void useASocketOfTheJdk() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket accepted = server.accept()) {
      assertTrue(client.isConnected() && accepted.isConnected());
    }
  }

  @AfterEach
  void close() throws IOException {
    tcp.close();
  }

  /** Sends back what comes, until nothing comes. */
  private Void echo(TcpConnection connection, long offset, int lengthMax) throws IOException {
    try (connection) {
      int count;
      while ((count = connection.receive(tcp.region, offset, lengthMax)) > 0) {
        connection.send(tcp.region, offset, count);
      }
      connection.shutdownSending();
    }
    return null;
  }

  @Test
  void whatIsSentComesBackAndSoDoesTheEnd() throws Exception {
    echoes(tcp.listener, SMALL);
  }

  @Test
  void connectionsOfTheNewFamilyWorkAsWell() throws Exception {
    byte[] bytes = new byte[16];
    bytes[15] = 1;
    InetAddress host = InetAddress.getByAddress(bytes);
    assumeTrue(NetworkInterface.getByInetAddress(host) != null, "no IPv6 here");
    try (TcpListener listener =
        TcpListener.open(tcp.reactor, new InetSocketAddress(host, 0), 1, SMALL)) {
      echoes(listener, TcpOptions.defaults());
    }
  }

  private void echoes(TcpListener listener, TcpOptions options) throws Exception {
    tcp.fill(0, BYTES, 1);
    CompletableFuture<Void> server = tcp.start(() -> echo(listener.accept(), 2L * BYTES, 100_001));
    TcpConnection client =
        tcp.run(() -> TcpConnection.connect(tcp.reactor, listener.address(), options, LONG_NANOS));
    assertEquals(listener.address(), client.peer());
    CompletableFuture<Integer> received = tcp.start(() -> tcp.receiveAll(client, BYTES, BYTES));
    tcp.run(
        () -> {
          client.send(tcp.region, 0, BYTES, LONG_NANOS);
          client.shutdownSending();
          return null;
        });
    assertEquals(BYTES, ended(received));
    tcp.assertSame(0, BYTES, BYTES);
    assertEquals(-1, tcp.run(() -> client.receive(tcp.region, 0, 1)));
    assertEquals(-1, tcp.run(() -> client.receive(tcp.region, 0, 1)), "it stays the end");
    ended(server);
    client.close();
  }

  @Test
  void whoSendsNoMoreStillReceives() throws Exception {
    try (TcpFixture.Pair pair = tcp.pair()) {
      tcp.run(
          () -> {
            pair.client().shutdownSending();
            assertEquals(-1, pair.server().receive(tcp.region, 0, 1));
            tcp.fill(0, 1000, 2);
            pair.server().send(tcp.region, 0, 1000);
            assertEquals(1000, tcp.receiveAll(pair.client(), 1000, 1000));
            tcp.assertSame(0, 1000, 1000);
            return null;
          });
      SocketException refused =
          assertThrows(SocketException.class, () -> tcp.run(() -> send(pair.client(), 1)));
      assertTrue(refused.getMessage().contains("errno=EPIPE peer="), refused.getMessage());
    }
  }

  private Void send(TcpConnection connection, int length) throws IOException {
    connection.send(tcp.region, 0, length);
    return null;
  }

  @Test
  void aResetIsToldWithThePeer() throws Exception {
    try (TcpFixture.Pair pair = tcp.pair()) {
      CompletableFuture<Integer> waiting =
          tcp.start(() -> pair.client().receive(tcp.region, 4096, 1));
      tcp.run(() -> send(pair.client(), 1000));
      // What is left unread makes the kernel reset the connection.
      assertEquals(1, tcp.run(() -> pair.server().receive(tcp.region, 0, 1)));
      pair.server().close();
      Throwable reset = failure(waiting);
      assertInstanceOf(SocketException.class, reset);
      String peer = " peer=" + tcp.listener.address();
      assertTrue(reset.getMessage().endsWith("errno=ECONNRESET" + peer), reset.getMessage());
      assertThrows(SocketException.class, () -> tcp.run(() -> send(pair.client(), 1)));
    }
  }

  @Test
  void aFullBufferMakesTheSenderWaitAndTheTimeoutTellsWhatWasSent() throws Exception {
    try (TcpFixture.Pair pair = tcp.pair(SMALL)) {
      int all = 6 << 20;
      tcp.fill(0, all, 3);
      SocketTimeoutException late =
          assertThrows(
              SocketTimeoutException.class,
              () ->
                  tcp.run(
                      () -> {
                        pair.client().send(tcp.region, 0, all, FILLING_NANOS);
                        return null;
                      }));
      assertTrue(late.getMessage().endsWith("peer=" + tcp.listener.address()), late.getMessage());
      int sent = late.bytesTransferred;
      assertTrue(sent > 0 && sent < all, "sent=" + sent);

      CompletableFuture<Void> rest =
          tcp.start(
              () -> {
                pair.client().send(tcp.region, sent, 100_000, LONG_NANOS);
                pair.client().shutdownSending();
                return null;
              });
      int compared = 0;
      int count;
      while ((count = tcp.run(() -> pair.server().receive(tcp.region, 7 << 20, 1 << 20))) > 0) {
        tcp.assertSame(compared, 7 << 20, count);
        compared += count;
      }
      assertEquals(sent + 100_000, compared);
      ended(rest);
    }
  }

  @Test
  void nobodyListensThere() throws Exception {
    InetSocketAddress deaf;
    try (TcpListener listener = TcpListener.open(tcp.reactor, TcpFixture.loopback(), 1)) {
      deaf = listener.address();
    }
    ConnectException refused =
        assertThrows(
            ConnectException.class, () -> tcp.run(() -> TcpConnection.connect(tcp.reactor, deaf)));
    assertTrue(
        refused.getMessage().endsWith("errno=ECONNREFUSED peer=" + deaf), refused.getMessage());
  }

  @Test
  void anAddressIsTakenOnce() {
    BindException taken =
        assertThrows(
            BindException.class, () -> TcpListener.open(tcp.reactor, tcp.listener.address(), 1));
    assertTrue(taken.getMessage().contains("EADDRINUSE"), taken.getMessage());
  }

  @Test
  void whoWaitsInVainLosesNothing() throws Exception {
    assertThrows(
        SocketTimeoutException.class, () -> tcp.run(() -> tcp.listener.accept(SHORT_NANOS)));
    try (TcpFixture.Pair pair = tcp.pair()) {
      for (int i = 0; i < 3; i++) {
        SocketTimeoutException late =
            assertThrows(
                SocketTimeoutException.class,
                () -> tcp.run(() -> pair.server().receive(tcp.region, 0, 100, SHORT_NANOS)));
        assertEquals(0, late.bytesTransferred);
      }
      tcp.run(() -> send(pair.client(), 100));
      assertEquals(100, tcp.run(() -> tcp.receiveAll(pair.server(), 4096, 100)));
    }
  }

  @Test
  void aCancelledTaskStopsWaitingAndTheConnectionGoesOn() throws Exception {
    try (TcpFixture.Pair pair = tcp.pair()) {
      Task waiting =
          new Task(Task.Kind.FIBER, Task.Scratch.NONE) {
            @Override
            protected void run() throws IOException {
              int unused = pair.server().receive(tcp.region, 0, 100);
            }
          };
      tcp.reactor.post(waiting);
      ReactorFixture.on(tcp.reactor, () -> {});
      waiting.cancel();
      assertThrows(CancellationException.class, () -> awaitTask(waiting));
      waiting.setDeadline(System.nanoTime() + SHORT_NANOS);
      tcp.reactor.post(waiting);
      assertThrows(CancellationException.class, () -> awaitTask(waiting));
      tcp.run(() -> send(pair.client(), 100));
      assertEquals(100, tcp.run(() -> tcp.receiveAll(pair.server(), 4096, 100)));
    }
  }

  private static void awaitTask(Task task) throws ExecutionException {
    task.await();
  }

  @Test
  void manyConnectionsAreServedAtOnce() throws Exception {
    int count = 200;
    int bytes = 10_000;
    tcp.fill(0, bytes, 4);
    CompletableFuture<List<CompletableFuture<Void>>> server =
        tcp.start(
            () -> {
              List<CompletableFuture<Void>> echoes = new ArrayList<>();
              for (int i = 0; i < count; i++) {
                TcpConnection accepted = tcp.listener.accept();
                long offset = (4L << 20) + i * 4096L;
                echoes.add(tcp.start(() -> echo(accepted, offset, 4096)));
              }
              return echoes;
            });
    List<CompletableFuture<Void>> clients = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long offset = (long) (i + 1) * bytes;
      clients.add(tcp.start(() -> roundTrip(offset, bytes)));
    }
    for (CompletableFuture<Void> client : clients) {
      ended(client);
    }
    for (CompletableFuture<Void> echo : ended(server)) {
      ended(echo);
    }
    for (int i = 0; i < count; i++) {
      tcp.assertSame(0, (long) (i + 1) * bytes, bytes);
    }
  }

  private Void roundTrip(long offset, int bytes) throws IOException {
    try (TcpConnection client = TcpConnection.connect(tcp.reactor, tcp.listener.address())) {
      client.send(tcp.region, 0, bytes);
      client.shutdownSending();
      assertEquals(bytes, tcp.receiveAll(client, offset, bytes));
      assertEquals(-1, client.receive(tcp.region, offset, 1));
    }
    return null;
  }

  @Test
  void aStormOfClientsThatLeaveAtOnceIsAccepted() throws Exception {
    int count = 300;
    CompletableFuture<Integer> server =
        tcp.start(
            () -> {
              int accepted = 0;
              while (true) {
                try (TcpConnection connection = tcp.listener.accept()) {
                  accepted++;
                  if (isLast(connection)) {
                    return accepted;
                  }
                }
              }
            });
    for (int i = 0; i < count; i++) {
      Socket client =
          new Socket(tcp.listener.address().getAddress(), tcp.listener.address().getPort());
      // Every second one resets its connection, maybe before it is accepted.
      client.setSoLinger(i % 2 == 0, 0);
      client.close();
    }
    try (TcpConnection last = TcpConnection.connect(tcp.reactor, tcp.listener.address())) {
      tcp.run(() -> send(last, 1));
      int accepted = ended(server);
      assertTrue(accepted > count / 2 && accepted <= count + 1, "accepted=" + accepted);
    }
  }

  private boolean isLast(TcpConnection connection) {
    try {
      return connection.receive(tcp.region, 0, 1) == 1;
    } catch (IOException e) {
      return false; // reset
    }
  }

  @Test
  void mistakesAreToldAndLeaveNothingBehind() throws Exception {
    try (TcpFixture.Pair pair = tcp.pair()) {
      TcpConnection client = pair.client();
      long size = tcp.region.sizeBytes();
      assertThrows(IllegalArgumentException.class, () -> client.receive(tcp.region, 0, 0));
      assertThrows(IndexOutOfBoundsException.class, () -> client.send(tcp.region, size, 1));
      Region closed = Region.map(MemoryBudget.root("test", 4096), RegionOptions.ofSize(4096));
      closed.close();
      assertThrows(IllegalStateException.class, () -> client.receive(closed, 0, 1));
      assertThrows(IllegalStateException.class, () -> client.send(closed, 0, 1));
      InetSocketAddress nowhere = InetSocketAddress.createUnresolved("name.invalid", 1);
      assertThrows(
          IllegalArgumentException.class, () -> TcpConnection.connect(tcp.reactor, nowhere));
      assertThrows(IllegalArgumentException.class, () -> TcpListener.open(tcp.reactor, nowhere, 1));
      assertThrows(
          IllegalArgumentException.class,
          () -> TcpListener.open(tcp.reactor, TcpFixture.loopback(), 0));
      tcp.run(() -> send(client, 1));
      assertEquals(1, tcp.run(() -> pair.server().receive(tcp.region, 0, 10)));
    }
  }
}
