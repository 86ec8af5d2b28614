package io.ewok.gds.bench.feeds;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Stands for the exchanges: listens on a port for each feed, and sends all of the feed's messages
 * to whoever connects, again and again the same. With the JDK's sockets, so that neither reader
 * reads from its like.
 *
 * <p>Ownership: closed by who opened it, when nobody reads.
 */
final class FeedSource implements AutoCloseable {
  /** Of 100 messages, those that say that there is nothing any more at a price. */
  private static final int GONE_OF_100 = 25;

  private final Arena arena = Arena.ofShared();
  private final List<ServerSocketChannel> listeners = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final int burstBytesMax;

  private FeedSource(int burstBytesMax) {
    this.burstBytesMax = burstBytesMax;
  }

  /**
   * Makes all messages, and listens.
   *
   * @param messages of each feed
   * @param burstBytesMax sent at once; bursts are shorter than that, end anywhere in a message, and
   *     are as they are by chance
   * @param seed of messages and bursts
   */
  static FeedSource open(int feeds, int messages, int burstBytesMax, long seed) throws IOException {
    FeedSource source = new FeedSource(burstBytesMax);
    boolean complete = false;
    try {
      SplittableRandom random = new SplittableRandom(seed);
      for (int feed = 0; feed < feeds; feed++) {
        source.listen(source.make(messages, random.split()), random.split());
      }
      complete = true;
      return source;
    } finally {
      if (!complete) {
        source.close();
      }
    }
  }

  private ByteBuffer make(int messages, SplittableRandom random) {
    MemorySegment stream = arena.allocate((long) messages * FeedFormat.BYTES, Long.BYTES);
    long middle = OrderBook.PRICE_MIN + OrderBook.STEPS / 2;
    for (int i = 0; i < messages; i++) {
      middle += random.nextInt(-1, 2);
      long price = middle + random.nextInt(-20, 21);
      if (!OrderBook.hasPrice(price)) {
        middle = OrderBook.PRICE_MIN + OrderBook.STEPS / 2;
        price = middle;
      }
      FeedFormat.write(
          stream,
          (long) i * FeedFormat.BYTES,
          i + 1,
          random.nextBoolean() ? FeedFormat.BUY : FeedFormat.SELL,
          price,
          random.nextInt(100) < GONE_OF_100 ? 0 : random.nextInt(1, 1000));
    }
    return stream.asByteBuffer();
  }

  private void listen(ByteBuffer stream, SplittableRandom random) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open();
    listeners.add(listener);
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    threads.add(
        Thread.ofPlatform()
            .daemon()
            .name("feed-source-" + listeners.size())
            .start(() -> serve(listener, stream, random)));
  }

  private void serve(ServerSocketChannel listener, ByteBuffer stream, SplittableRandom random) {
    while (listener.isOpen()) {
      try (SocketChannel reader = listener.accept()) {
        reader.setOption(StandardSocketOptions.TCP_NODELAY, true);
        send(reader, stream.duplicate().clear(), random);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        // The reader has left: it will tell why, and the next one may come.
      }
    }
  }

  private void send(SocketChannel reader, ByteBuffer stream, SplittableRandom random)
      throws IOException {
    int end = stream.capacity();
    while (stream.position() < end) {
      int burst = random.nextInt(1, burstBytesMax);
      stream.limit(Math.min(end, stream.position() + burst));
      while (stream.hasRemaining()) {
        int unused = reader.write(stream);
      }
    }
  }

  /** Returns where the feeds are. */
  List<InetSocketAddress> addresses() {
    return listeners.stream().map(each -> address(each)).toList();
  }

  private static InetSocketAddress address(ServerSocketChannel listener) {
    return new InetSocketAddress(
        InetAddress.getLoopbackAddress(), listener.socket().getLocalPort());
  }

  @Override
  public void close() throws IOException {
    for (ServerSocketChannel listener : listeners) {
      listener.close();
    }
    for (Thread thread : threads) {
      boolean interrupted = false;
      while (true) {
        try {
          thread.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    arena.close();
  }
}
