package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What tests of sockets share: a reactor, memory, a listener, and somebody who waits. */
final class TcpFixture implements AutoCloseable {
  /** Longer than any wait of a test lasts that goes well. */
  static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(30);

  static final long REGION_BYTES = 8 << 20;
  static final int QUEUE_DEPTH = 1024;

  /** Who calls, and waits where a call waits. */
  enum Caller {
    PLATFORM_THREAD,
    VIRTUAL_THREAD,
    FIBER_OF_REACTOR,
    FIBER_ON_VIRTUAL_THREAD
  }

  interface Body<T> {
    T call() throws Exception;
  }

  private final Caller caller;
  private final long descriptorsBefore;
  final Reactor reactor;
  final Region region;
  final TcpListener listener;

  TcpFixture(Caller caller) throws IOException {
    this(caller, QUEUE_DEPTH);
  }

  TcpFixture(Caller caller, int queueDepth) throws IOException {
    assumeTrue(
        caller != Caller.FIBER_OF_REACTOR || FiberThreads.reason() == null, FiberThreads::reason);
    this.caller = caller;
    ReactorOptions options = ReactorFixture.options(queueDepth);
    descriptorsBefore = descriptorCount();
    FiberMode mode = caller == Caller.FIBER_OF_REACTOR ? FiberMode.REACTOR : FiberMode.VIRTUAL;
    reactor = Reactor.start(options.withFibers(options.fibers().withMode(mode)));
    region =
        Region.map(MemoryBudget.root("test", REGION_BYTES), RegionOptions.ofSize(REGION_BYTES));
    listener = TcpListener.open(reactor, loopback(), 1024);
  }

  static InetSocketAddress loopback() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  /** Both ends of a connection. */
  record Pair(TcpConnection client, TcpConnection server) implements AutoCloseable {
    @Override
    public void close() {
      client.close();
      server.close();
    }
  }

  Pair pair() throws IOException {
    return pair(TcpOptions.defaults());
  }

  Pair pair(TcpOptions options) throws IOException {
    TcpConnection client = TcpConnection.connect(reactor, listener.address(), options, LONG_NANOS);
    return new Pair(client, listener.accept(LONG_NANOS));
  }

  /** Starts somebody. */
  <T> CompletableFuture<T> start(Body<T> body) {
    if (caller == Caller.FIBER_OF_REACTOR || caller == Caller.FIBER_ON_VIRTUAL_THREAD) {
      return reactor.submit(body::call);
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.Builder threads =
        caller == Caller.VIRTUAL_THREAD ? Thread.ofVirtual() : Thread.ofPlatform().daemon();
    Thread unused =
        threads.start(
            () -> {
              try {
                result.complete(body.call());
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }

  /** Has somebody do it, and waits. */
  <T> T run(Body<T> body) throws Exception {
    return ended(start(body));
  }

  /** Waits for somebody, and throws what that one threw. */
  static <T> T ended(CompletableFuture<T> running) throws Exception {
    try {
      return running.orTimeout(LONG_NANOS, TimeUnit.NANOSECONDS).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Returns what somebody threw. */
  static Throwable failure(CompletableFuture<?> running) {
    return running
        .orTimeout(LONG_NANOS, TimeUnit.NANOSECONDS)
        .handle((result, failure) -> failure)
        .join();
  }

  void fill(long offset, int length, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < length; i++) {
      region.segment().set(ValueLayout.JAVA_BYTE, offset + i, (byte) random.nextInt());
    }
  }

  void assertSame(long one, long other, int length) {
    assertEquals(
        -1,
        region.segment().asSlice(one, length).mismatch(region.segment().asSlice(other, length)));
  }

  /** Receives so much. Returns how much there was, if the end came first. */
  int receiveAll(TcpConnection from, long offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int count = from.receive(region, offset + done, length - done, LONG_NANOS);
      if (count < 0) {
        return done;
      }
      done += count;
    }
    return done;
  }

  static long descriptorCount() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.count();
    }
  }

  /** Also checks that nothing is leased and no descriptor left. */
  @Override
  public void close() throws IOException {
    listener.close();
    reactor.close();
    region.close();
    assertEquals(descriptorsBefore, descriptorCount(), "descriptors");
  }
}
