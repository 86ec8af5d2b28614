package io.ewok.gds.reactor;

import static io.ewok.gds.reactor.TcpFixture.LONG_NANOS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.ffm.LinuxFiles;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Sockets from the reactor's own thread, by callbacks; what they take of the ring and the heap. */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class TcpLoopTest {
  private static final int BLOCK = 4096;

  /** Serves all who come, without a thread and without waiting. */
  private static final class EchoServer implements TcpListener.Callback, TcpConnection.Callback {
    final TcpFixture tcp;
    final BlockingQueue<IOException> failures = new LinkedBlockingQueue<>();
    final List<TcpConnection> open = new ArrayList<>();

    EchoServer(TcpFixture tcp) {
      this.tcp = tcp;
    }

    @Override
    public void accepted(TcpConnection connection, IOException failure) {
      if (failure != null) {
        failures.add(failure);
        return;
      }
      open.add(connection);
      try {
        connection.receive(tcp.region, at(connection), BLOCK, this);
        tcp.listener.accept(this);
      } catch (IOException e) {
        failures.add(e);
      }
    }

    private long at(TcpConnection connection) {
      return 2L * open.indexOf(connection) * BLOCK;
    }

    @Override
    public void ended(TcpConnection connection, int bytes, IOException failure) {
      try {
        if (failure != null) {
          throw failure;
        }
        if (bytes < 0) {
          connection.close();
        } else {
          connection.send(tcp.region, at(connection), bytes, this::sent);
        }
      } catch (IOException e) {
        failures.add(e);
      }
    }

    private void sent(TcpConnection connection, int bytes, IOException failure) {
      try {
        if (failure != null) {
          throw failure;
        }
        connection.receive(tcp.region, at(connection), BLOCK, this);
      } catch (IOException e) {
        failures.add(e);
      }
    }
  }

  @Test
  void aServerNeedsNoThreadOfItsOwn() throws Exception {
    int count = 20;
    int bytes = 100_000;
    TcpFixture tcp = new TcpFixture(TcpFixture.Caller.PLATFORM_THREAD);
    EchoServer server = new EchoServer(tcp);
    tcp.listener.accept(server);
    tcp.fill(1 << 20, bytes, 5);
    List<CompletableFuture<Integer>> clients = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long back = (2L << 20) + (long) i * bytes;
      clients.add(tcp.start(() -> roundTrip(tcp, back, bytes)));
    }
    for (int i = 0; i < count; i++) {
      assertEquals(bytes, TcpFixture.ended(clients.get(i)));
      tcp.assertSame(1 << 20, (2L << 20) + (long) i * bytes, bytes);
    }
    assertTrue(server.failures.isEmpty(), () -> "failures=" + server.failures);
    tcp.listener.close();
    IOException ended = server.failures.poll(LONG_NANOS, TimeUnit.NANOSECONDS);
    assertTrue(ended.getMessage().contains("closed here"), ended.getMessage());
    tcp.close();
  }

  private static int roundTrip(TcpFixture tcp, long back, int bytes) throws IOException {
    try (TcpConnection client = TcpConnection.connect(tcp.reactor, tcp.listener.address())) {
      int done = 0;
      while (done < bytes) {
        int part = Math.min(bytes - done, 3 * BLOCK);
        client.send(tcp.region, (1 << 20) + done, part);
        done += tcp.receiveAll(client, back + done, part);
      }
      return done;
    }
  }

  @Test
  void connectingCallsBackToo() throws Exception {
    TcpFixture tcp = new TcpFixture(TcpFixture.Caller.PLATFORM_THREAD);
    BlockingQueue<Object> told = new LinkedBlockingQueue<>();
    TcpConnection.Callback tell =
        (connection, bytes, failure) -> {
          connection.close(); // from a callback, which does not wait
          told.add(failure == null ? "connected" : failure);
        };
    TcpConnection first =
        TcpConnection.connect(tcp.reactor, tcp.listener.address(), TcpOptions.defaults(), tell);
    assertEquals("connected", told.poll(LONG_NANOS, TimeUnit.NANOSECONDS));
    assertThrows(SocketException.class, () -> first.receive(tcp.region, 0, 1));
    tcp.listener.accept(LONG_NANOS).close();
    tcp.listener.close();
    TcpConnection second =
        TcpConnection.connect(tcp.reactor, tcp.listener.address(), TcpOptions.defaults(), tell);
    assertInstanceOf(ConnectException.class, told.poll(LONG_NANOS, TimeUnit.NANOSECONDS));
    second.close();
    tcp.close();
  }

  @Test
  void theRingIsNeverFullOfThoseWhoWait() throws Exception {
    // One for the listener, two for each connection, one that is never reserved.
    TcpFixture tcp = new TcpFixture(TcpFixture.Caller.PLATFORM_THREAD, 6);
    TcpConnection client = TcpConnection.connect(tcp.reactor, tcp.listener.address());
    TcpConnection server = tcp.listener.accept();
    IOException full =
        assertThrows(
            IOException.class, () -> TcpConnection.connect(tcp.reactor, tcp.listener.address()));
    assertTrue(full.getMessage().endsWith("queueDepth=6"), full.getMessage());
    assertThrows(IOException.class, tcp.listener::accept);
    client.close();
    assertEquals(-1, server.receive(tcp.region, 0, 1, LONG_NANOS));
    client = TcpConnection.connect(tcp.reactor, tcp.listener.address());
    server.close();
    server = tcp.listener.accept(LONG_NANOS);
    server.send(tcp.region, 0, 10, LONG_NANOS);
    assertEquals(10, tcp.receiveAll(client, BLOCK, 10));
    client.close();
    server.close();
    tcp.close();
  }

  @Test
  void foreignDescriptorsAreWaitedFor() throws Exception {
    TcpFixture tcp = new TcpFixture(TcpFixture.Caller.PLATFORM_THREAD);
    int counter = LinuxFiles.eventfd(0, 0);
    DescriptorPoll poll = DescriptorPoll.open(tcp.reactor, counter);
    assertEquals(
        DescriptorPoll.WRITABLE,
        poll.await(DescriptorPoll.READABLE | DescriptorPoll.WRITABLE, LONG_NANOS));
    assertThrows(
        SocketTimeoutException.class, () -> poll.await(DescriptorPoll.READABLE, 1_000_000));
    BlockingQueue<Integer> told = new LinkedBlockingQueue<>();
    poll.start(DescriptorPoll.READABLE, (events, failure) -> told.add(events));
    assertThrows(IllegalStateException.class, () -> poll.await(DescriptorPoll.READABLE));
    LinuxFiles.eventfdWrite(counter, 1);
    assertEquals(DescriptorPoll.READABLE, told.poll(LONG_NANOS, TimeUnit.NANOSECONDS));
    assertEquals(1, LinuxFiles.eventfdRead(counter));
    assertThrows(IllegalArgumentException.class, () -> poll.await(2));
    CompletableFuture<Integer> waiting = tcp.start(() -> poll.await(DescriptorPoll.READABLE));
    poll.close();
    assertInstanceOf(SocketException.class, TcpFixture.failure(waiting));
    LinuxFiles.eventfdWrite(counter, 1); // still its owner's
    LinuxFiles.close(counter);
    tcp.close();
  }

  /** Two fibers that throw a ball, with and without a limit of time. */
  private static Integer play(
      TcpFixture tcp, TcpConnection connection, long offset, int rounds, boolean first)
      throws IOException {
    for (int i = 0; i < rounds; i++) {
      if (first) {
        connection.send(tcp.region, offset, 100);
      }
      int count = connection.receive(tcp.region, offset, 100, i % 2 == 0 ? LONG_NANOS : FOREVER);
      if (!first) {
        connection.send(tcp.region, offset, count, LONG_NANOS);
      }
    }
    return rounds;
  }

  private static final long FOREVER = Long.MAX_VALUE;

  @Test
  void nothingIsAllocatedByTransfersOnFibersOfTheReactor() throws Exception {
    assumeTrue(FiberThreads.reason() == null, FiberThreads::reason);
    TcpFixture tcp = new TcpFixture(TcpFixture.Caller.FIBER_OF_REACTOR);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = tcp.reactor.thread().threadId();
    int rounds = 5_000;
    // The JVM makes stacks of fibers anew, now and then. Less is allowed than the smallest object
    // for each time of what is done most seldom, which is to wait with a limit.
    long stacksBytes = rounds / 2 * 16L - 1;
    long least = Long.MAX_VALUE;
    try (TcpFixture.Pair pair = tcp.pair()) {
      for (int attempt = 0; attempt < 10 && least > stacksBytes; attempt++) {
        Baton go = new Baton();
        long[] before = new long[1];
        CompletableFuture<Integer> one =
            tcp.start(
                () -> {
                  go.await();
                  before[0] = threads.getThreadAllocatedBytes(id);
                  play(tcp, pair.client(), 0, rounds, true);
                  return (int) (threads.getThreadAllocatedBytes(id) - before[0]);
                });
        CompletableFuture<Integer> other =
            tcp.start(() -> play(tcp, pair.server(), BLOCK, rounds, false));
        ReactorFixture.on(tcp.reactor, () -> {});
        go.post();
        least = Math.min(least, TcpFixture.ended(one));
        TcpFixture.ended(other);
      }
    }
    assertTrue(least <= stacksBytes, "rounds=" + rounds + " bytes=" + least);
    tcp.close();
  }
}
