import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.RingOptions;
import io.ewok.gds.reactor.Task;
import io.ewok.gds.reactor.TcpConnection;
import io.ewok.gds.reactor.TcpListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/**
 * An echo server whose connections are fibers of one thread: code that waits, without a thread for
 * each wait and without locks, as fibers of one reactor take turns. Bytes go from the kernel into a
 * region and back, past the heap.
 */
final class FiberServer {
  private static final int CLIENTS = 64;
  private static final int ROOM = 4096;

  /** Serves one connection to its end. */
  private static final class Echo extends Task {
    private final TcpConnection connection;
    private final Region region;
    private final long offset;

    Echo(TcpConnection connection, Region region, long offset) {
      super(Kind.FIBER, Scratch.NONE);
      this.connection = connection;
      this.region = region;
      this.offset = offset;
    }

    @Override
    protected void run() throws IOException {
      try (connection) {
        int bytes;
        while ((bytes = connection.receive(region, offset, ROOM))
            > 0) { // the fiber waits, its thread does not
          connection.send(region, offset, bytes);
        }
      }
    }
  }

  static void main(String[] arguments) throws IOException, ExecutionException {
    ReactorOptions options =
        ReactorOptions.defaults()
            .withName("server")
            .withRing(
                RingOptions.defaults()
                    .withQueueDepth(
                        4 * CLIENTS) // two places for each connection, and the listener's
                    .withSetupFlags(UringProbe.probe().setupFlags()));
    MemoryBudget budget = MemoryBudget.root("connections", 2L << 20);
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (Region region = Region.map(budget, RegionOptions.ofSize((long) CLIENTS * ROOM));
        Reactor reactor = Reactor.start(options);
        TcpListener listener = TcpListener.open(reactor, anyPort, CLIENTS)) {
      List<Socket> clients = new ArrayList<>();
      List<Echo> served = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        clients.add(new Socket(anyPort.getAddress(), listener.address().getPort()));
        Echo echo = new Echo(listener.accept(), region, (long) i * ROOM);
        served.add(echo);
        reactor.post(echo);
      }
      for (int i = 0; i < CLIENTS; i++) {
        ask(clients.get(i), "question " + i);
      }
      for (Socket client : clients) {
        client.close();
      }
      for (Echo echo : served) {
        echo.await();
      }
      IO.println(CLIENTS + " connections served by one thread");
    }
  }

  private static void ask(Socket client, String question) throws IOException {
    byte[] sent = question.getBytes(StandardCharsets.UTF_8);
    client.getOutputStream().write(sent);
    String answer =
        new String(client.getInputStream().readNBytes(sent.length), StandardCharsets.UTF_8);
    if (!answer.equals(question)) {
      throw new AssertionError(answer);
    }
  }
}
