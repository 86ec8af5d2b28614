package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxFiles;
import io.ewok.gds.ffm.LinuxSockets;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class RingSocketTest {
  private static final int BYTES = 1 << 16;
  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private Reactor reactor;
  private Region region;
  private int listener = -1;
  private int port;

  @BeforeEach
  void open() throws IOException {
    reactor = ReactorFixture.start(8);
    region = Region.map(budget, RegionOptions.ofSize(4 * BYTES));
    InetAddress loopback = InetAddress.getLoopbackAddress();
    listener = LinuxSockets.open(loopback);
    LinuxSockets.listen(listener, new InetSocketAddress(loopback, 0), 4);
    port = LinuxSockets.localPort(listener);
  }

  @AfterEach
  void close() throws IOException {
    if (reactor != null) {
      reactor.close();
      LinuxFiles.close(listener);
      region.close();
    }
  }

  /** An operation that is waited for. */
  private final class Step extends RingOperation {
    private final Baton done = new Baton();
    private int last;

    Step start(Consumer<Step> prepare) {
      done.reset();
      prepare.accept(this);
      reactor.submit(this);
      return this;
    }

    int await() {
      done.await();
      return last;
    }

    void receive(int fd, long at, int length) {
      prepareReceive(fd, RingSocketTest.this.region, at, length);
    }

    void send(int fd, long at, int length) {
      prepareSend(fd, RingSocketTest.this.region, at, length);
    }

    void accept() {
      prepareAccept(listener);
    }

    void connect(int fd, int addressBytes) {
      prepareConnect(fd, RingSocketTest.this.region, 0, addressBytes);
    }

    void shutdown(int fd) {
      prepareShutdownSending(fd);
    }

    void poll(int fd) {
      preparePoll(fd, POLL_IN);
    }

    @Override
    protected boolean completed(int result) {
      last = result;
      done.post();
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {
      last = Integer.MIN_VALUE;
      done.post();
    }
  }

  @Test
  void bytesGoThroughAConnectionAndItsEndIsSeen() throws IOException {
    Step accept = new Step().start(Step::accept);
    InetSocketAddress to = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    int client = LinuxSockets.open(to.getAddress());
    int addressBytes = LinuxSockets.address(to, region.segment());
    assertEquals(0, new Step().start(step -> step.connect(client, addressBytes)).await());
    int server = accept.await();
    assertTrue(server > 0, "server=" + server);
    for (int i = 0; i < BYTES; i++) {
      region.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7));
    }
    int received = 0;
    int sent = 0;
    while (received < BYTES) {
      int from = sent;
      if (sent < BYTES) {
        sent += new Step().start(step -> step.send(client, from, BYTES - from)).await();
      }
      int at = received;
      int count = new Step().start(step -> step.receive(server, BYTES + at, BYTES - at)).await();
      assertTrue(count > 0, "count=" + count);
      received += count;
    }
    assertEquals(
        -1, region.segment().asSlice(0, BYTES).mismatch(region.segment().asSlice(BYTES, BYTES)));
    Step last = new Step().start(step -> step.receive(server, 0, 1));
    assertEquals(0, new Step().start(step -> step.shutdown(client)).await());
    assertEquals(0, last.await());
    LinuxFiles.close(server);
    LinuxFiles.close(client);
  }

  @Test
  void aConnectionThatNobodyTakesIsRefused() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    int unheard = LinuxSockets.open(loopback);
    LinuxSockets.listen(unheard, new InetSocketAddress(loopback, 0), 1);
    int closedPort = LinuxSockets.localPort(unheard);
    LinuxFiles.close(unheard);
    int client = LinuxSockets.open(loopback);
    int bytes = LinuxSockets.address(new InetSocketAddress(loopback, closedPort), region.segment());
    assertTrue(new Step().start(step -> step.connect(client, bytes)).await() < 0);
    LinuxFiles.close(client);
  }

  @Test
  void pollWaitsForAForeignDescriptorAndAcceptCanBeCancelled() throws IOException {
    int counter = LinuxFiles.eventfd(0, 0);
    Step poll = new Step().start(step -> step.poll(counter));
    Step accept = new Step().start(Step::accept);
    ReactorFixture.on(reactor, () -> {});
    assertFalse(poll.done.isPosted());
    LinuxFiles.eventfdWrite(counter, 1);
    assertTrue((poll.await() & 1) != 0);
    reactor.cancel(accept);
    assertEquals(-Errno.ECANCELED, accept.await());
    LinuxFiles.close(counter);
  }

  @Test
  void closeEndsWhatWaitsForOthers() throws IOException {
    int counter = LinuxFiles.eventfd(0, 0);
    Step poll = new Step().start(step -> step.poll(counter));
    Step accept = new Step().start(Step::accept);
    ReactorFixture.on(reactor, () -> {});
    reactor.close();
    assertEquals(-Errno.ECANCELED, poll.await());
    assertEquals(-Errno.ECANCELED, accept.await());
    LinuxFiles.close(counter);
  }
}
