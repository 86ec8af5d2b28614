package io.ewok.gds.reactor;

import static io.ewok.gds.reactor.TcpFixture.LONG_NANOS;
import static io.ewok.gds.reactor.TcpFixture.ended;
import static io.ewok.gds.reactor.TcpFixture.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketException;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Ends of connections, listeners and reactors that somebody uses. */
@ParameterizedClass
@EnumSource(TcpFixture.Caller.class)
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class TcpCloseTest {
  private static final int RACES = 300;

  private final TcpFixture tcp;

  TcpCloseTest(TcpFixture.Caller caller) throws IOException {
    tcp = new TcpFixture(caller);
  }

  @AfterEach
  void close() throws IOException {
    tcp.close();
  }

  /** Waits until the kernel has what somebody has started before. */
  private void settle(int operations) {
    long start = System.nanoTime();
    int[] inFlight = new int[1];
    do {
      assertTrue(System.nanoTime() - start < LONG_NANOS, "inFlight=" + inFlight[0]);
      ReactorFixture.on(
          tcp.reactor, () -> inFlight[0] = tcp.reactor.thread().loop.driver.inFlight());
    } while (inFlight[0] < operations);
  }

  private static void assertClosedHere(Throwable failure, String name) {
    assertInstanceOf(SocketException.class, failure);
    String message = failure.getMessage();
    assertTrue(message.startsWith("cannot " + name + ", it was closed here: "), message);
  }

  @Test
  void closeEndsWhatIsUnderWay() throws Exception {
    TcpFixture.Pair pair = tcp.pair(TcpOptions.defaults().withBuffers(1 << 14, 1 << 14));
    CompletableFuture<Integer> receiving =
        tcp.start(() -> pair.client().receive(tcp.region, 0, 100));
    CompletableFuture<Void> sending =
        tcp.start(
            () -> {
              pair.client().send(tcp.region, 4096, 7 << 20);
              return null;
            });
    settle(2);
    assertThrows(IllegalStateException.class, tcp.region::close, "the kernel has the memory");
    assertThrows(IllegalStateException.class, () -> pair.client().receive(tcp.region, 0, 1));
    assertThrows(IllegalStateException.class, () -> pair.client().send(tcp.region, 0, 1));
    pair.client().close();
    assertClosedHere(failure(receiving), "receive");
    assertClosedHere(failure(sending), "send");
    pair.client().close();
    assertClosedHere(
        assertThrows(IOException.class, () -> pair.client().receive(tcp.region, 0, 1)), "receive");
    assertThrows(SocketException.class, pair.client()::shutdownSending);
    pair.server().close();
  }

  @Test
  void aListenerThatIsClosedAcceptsNoMore() throws Exception {
    CompletableFuture<TcpConnection> accepting = tcp.start(tcp.listener::accept);
    settle(1);
    tcp.listener.close();
    Throwable failure = failure(accepting);
    assertClosedHere(failure, "accept");
    assertTrue(failure.getMessage().endsWith("address=" + tcp.listener.address()));
    assertThrows(SocketException.class, tcp.listener::accept);
  }

  @Test
  void anInterruptClosesNothing() throws Exception {
    TcpFixture.Pair pair = tcp.pair();
    CompletableFuture<Boolean> interrupted =
        tcp.start(
            () -> {
              Thread.currentThread().interrupt();
              assertEquals(1, pair.client().receive(tcp.region, 0, 1));
              return Thread.interrupted();
            });
    settle(1);
    assertFalse(interrupted.isDone());
    pair.server().send(tcp.region, 4096, 1);
    assertTrue(ended(interrupted), "the status is kept");
    pair.close();
  }

  @Test
  void closeMayComeAtAnyMoment() throws Exception {
    long seed = 17;
    SplittableRandom random = new SplittableRandom(seed);
    int received = 0;
    for (int i = 0; i < RACES; i++) {
      TcpFixture.Pair pair = tcp.pair();
      CompletableFuture<Integer> receiving =
          tcp.start(() -> pair.client().receive(tcp.region, 0, 64));
      spin(random.nextInt(20_000));
      if (random.nextBoolean()) {
        pair.server().send(tcp.region, 4096, 64);
      }
      spin(random.nextInt(2_000));
      pair.client().close();
      Throwable failure = failure(receiving);
      if (failure == null) {
        received++;
        assertEquals(64, receiving.join(), "seed=" + seed);
      } else {
        assertClosedHere(failure, "receive");
      }
      pair.server().close();
    }
    assertTrue(received < RACES, "seed=" + seed);
    // Those who wait for the memory and the descriptors are told by the fixture's close.
  }

  private static void spin(int times) {
    for (int i = 0; i < times; i++) {
      Thread.onSpinWait();
    }
  }

  @Test
  void twoWhoCloseAndOneWhoAcceptMeet() throws Exception {
    long seed = 23;
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < RACES / 3; i++) {
      TcpListener listener = TcpListener.open(tcp.reactor, TcpFixture.loopback(), 4);
      CompletableFuture<TcpConnection> accepting = tcp.start(listener::accept);
      CompletableFuture<TcpConnection> connecting =
          tcp.start(() -> TcpConnection.connect(tcp.reactor, listener.address()));
      CompletableFuture<Void> closing =
          tcp.start(
              () -> {
                listener.close();
                return null;
              });
      spin(random.nextInt(20_000));
      listener.close();
      ended(closing);
      Throwable refused = failure(accepting);
      if (refused == null) {
        accepting.join().close();
      } else {
        assertClosedHere(refused, "accept");
      }
      if (failure(connecting) == null) {
        connecting.join().close();
      }
    }
  }

  @Test
  void theEndOfTheReactorEndsEverything() throws Exception {
    TcpFixture.Pair pair = tcp.pair(TcpOptions.defaults().withBuffers(1 << 14, 1 << 14));
    // Not on fibers, whose end the reactor brings about by itself.
    CompletableFuture<Integer> receiving =
        onPlatformThread(() -> pair.client().receive(tcp.region, 0, 100));
    CompletableFuture<Integer> sending =
        onPlatformThread(
            () -> {
              pair.client().send(tcp.region, 4096, 7 << 20);
              return 0;
            });
    CompletableFuture<TcpConnection> accepting = onPlatformThread(tcp.listener::accept);
    settle(3);
    tcp.reactor.close();
    for (CompletableFuture<?> each : new CompletableFuture<?>[] {receiving, sending, accepting}) {
      Throwable failure = failure(each);
      assertInstanceOf(SocketException.class, failure);
      assertTrue(failure.getMessage().contains("the reactor has ended"), failure.getMessage());
    }
    assertThrows(SocketException.class, () -> pair.client().receive(tcp.region, 0, 100));
    pair.close();
  }

  @Test
  void fibersThatWaitEndWithTheReactor() throws Exception {
    TcpFixture.Pair pair = tcp.pair();
    CompletableFuture<Integer> receiving =
        tcp.reactor.submit(() -> pair.client().receive(tcp.region, 0, 100));
    settle(1);
    tcp.reactor.close();
    assertTrue(failure(receiving) != null);
    pair.close();
  }

  private static <T> CompletableFuture<T> onPlatformThread(TcpFixture.Body<T> body) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread unused =
        Thread.ofPlatform()
            .daemon()
            .start(
                () -> {
                  try {
                    result.complete(body.call());
                  } catch (Exception e) {
                    result.completeExceptionally(e);
                  }
                });
    return result;
  }
}
