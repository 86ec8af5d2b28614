package io.ewok.gds.bench.feeds;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The message of a feed: what is now on offer at one price. Little-endian, unaligned.
 *
 * <table>
 * <caption>Fields</caption>
 * <tr><th>offset</th><th>bytes</th><th>meaning</th></tr>
 * <tr><td>0</td><td>4</td><td>length of the message, {@link #BYTES}</td></tr>
 * <tr><td>4</td><td>4</td><td>checksum of what follows; tells that we are where a message begins
 *     </td></tr>
 * <tr><td>8</td><td>8</td><td>sequence number, from 1 without a gap; tells that none was lost</td>
 *     </tr>
 * <tr><td>16</td><td>8</td><td>price, in ticks</td></tr>
 * <tr><td>24</td><td>4</td><td>quantity, at least 0; 0 if there is none any more</td></tr>
 * <tr><td>28</td><td>4</td><td>side, {@link #BUY} or {@link #SELL}</td></tr>
 * </table>
 */
final class FeedFormat {
  static final int BYTES = 32;
  static final int BUY = 1;
  static final int SELL = 2;

  private static final int LENGTH = 0;
  private static final int CHECKSUM = LENGTH + Integer.BYTES;
  private static final int SEQUENCE = CHECKSUM + Integer.BYTES;
  private static final int PRICE = SEQUENCE + Long.BYTES;
  private static final int QUANTITY = PRICE + Long.BYTES;
  private static final int SIDE = QUANTITY + Integer.BYTES;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Odd, with bits all over; a multiplication spreads each bit upwards. */
  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  private FeedFormat() {}

  static void write(MemorySegment to, long at, long sequence, int side, long price, int quantity) {
    to.set(INT, at + LENGTH, BYTES);
    to.set(LONG, at + SEQUENCE, sequence);
    to.set(LONG, at + PRICE, price);
    to.set(INT, at + QUANTITY, quantity);
    to.set(INT, at + SIDE, side);
    to.set(INT, at + CHECKSUM, checksumOf(to, at));
  }

  /** Returns whether a whole message is here. */
  static boolean isValid(MemorySegment from, long at) {
    return from.get(INT, at + LENGTH) == BYTES
        && from.get(INT, at + CHECKSUM) == checksumOf(from, at);
  }

  static long sequence(MemorySegment from, long at) {
    return from.get(LONG, at + SEQUENCE);
  }

  static long price(MemorySegment from, long at) {
    return from.get(LONG, at + PRICE);
  }

  static int quantity(MemorySegment from, long at) {
    return from.get(INT, at + QUANTITY);
  }

  static int side(MemorySegment from, long at) {
    return from.get(INT, at + SIDE);
  }

  private static int checksumOf(MemorySegment from, long at) {
    long sum = SPREAD;
    for (int word = SEQUENCE; word < BYTES; word += Long.BYTES) {
      sum = (sum ^ from.get(LONG, at + word)) * SPREAD;
      sum ^= sum >>> Integer.SIZE;
    }
    return (int) sum;
  }
}
