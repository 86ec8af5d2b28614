package io.ewok.gds.bench.feeds;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;

/**
 * One feed: a buffer for bytes that arrive, which makes messages of them, and the book that those
 * change. Knows nothing of how bytes arrive.
 *
 * <p>Threads: one at a time.
 *
 * <pre>{@code
 * while ((bytes = connection.receive(feed.region(), feed.offset(), feed.room())) > 0) {
 *   feed.arrived(bytes);
 * }
 * }</pre>
 */
final class Feed {
  /** A whole number of messages would hide what happens to those that arrive in two parts. */
  static final int BUFFER_BYTES = (64 << 10) + 8;

  /** Memory for a feed, in a region: the book, then the buffer. */
  static final long MEMORY_BYTES = OrderBook.MEMORY_BYTES + BUFFER_BYTES;

  private final InetSocketAddress source;
  private final Region region;
  private final long bufferOffset;
  private final MemorySegment buffer;
  private final OrderBook book;

  /** Bytes of a message that has not arrived as a whole; at the start of the buffer. */
  private int started;

  private long messages;
  private long missing;
  private long lastSequence;

  /**
   * Prepares a feed.
   *
   * @param offset where {@link #MEMORY_BYTES} of the region are ours, zero and aligned to 8
   */
  Feed(InetSocketAddress source, Region region, long offset) {
    this.source = source;
    this.region = region;
    bufferOffset = offset + OrderBook.MEMORY_BYTES;
    buffer = region.segment().asSlice(bufferOffset, BUFFER_BYTES);
    book = new OrderBook(region.segment().asSlice(offset, OrderBook.MEMORY_BYTES));
  }

  /** Returns where it comes from. */
  InetSocketAddress source() {
    return source;
  }

  /** Returns where {@link #offset} is. */
  Region region() {
    return region;
  }

  /** Returns where the next bytes go, in the region. */
  long offset() {
    return bufferOffset + started;
  }

  /** Returns how many bytes may go there, at least 1. */
  int room() {
    return BUFFER_BYTES - started;
  }

  /**
   * Takes what has arrived at {@link #offset}.
   *
   * @throws IOException if that is no message
   */
  void arrived(int bytes) throws IOException {
    int end = started + bytes;
    int at = 0;
    while (end - at >= FeedFormat.BYTES) {
      apply(at);
      at += FeedFormat.BYTES;
    }
    started = end - at;
    if (at > 0) {
      MemorySegment.copy(buffer, at, buffer, 0, started);
    }
  }

  private void apply(int at) throws IOException {
    int side = FeedFormat.side(buffer, at);
    long price = FeedFormat.price(buffer, at);
    int quantity = FeedFormat.quantity(buffer, at);
    if (!FeedFormat.isValid(buffer, at)
        || !OrderBook.hasPrice(price)
        || quantity < 0
        || (side != FeedFormat.BUY && side != FeedFormat.SELL)) {
      throw new IOException(
          "the feed is damaged: source=" + source + " lastSequence=" + lastSequence);
    }
    long sequence = FeedFormat.sequence(buffer, at);
    // A real one would now ask for the whole book.
    missing += sequence - lastSequence - 1;
    lastSequence = sequence;
    messages++;
    if (side == FeedFormat.BUY) {
      book.setBuyers(price, quantity);
    } else {
      book.setSellers(price, quantity);
    }
  }

  /**
   * The feed has ended.
   *
   * @throws IOException if it ended inside of a message
   */
  void ended() throws IOException {
    if (started > 0) {
      throw new IOException("the feed was cut off: source=" + source + " bytes=" + started);
    }
  }

  long messages() {
    return messages;
  }

  /** Returns how many sequence numbers never came. */
  long missing() {
    return missing;
  }

  OrderBook book() {
    return book;
  }
}
