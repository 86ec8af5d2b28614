package io.ewok.gds.bench.feeds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Four feeds, a million messages, two readers, one result. */
@Timeout(
    value = 120,
    threadMode = ThreadMode.SEPARATE_THREAD) // waits of reactors ignore interrupts
class OrderBookFeedsTest {
  private static final int FEEDS = 4;
  private static final int MESSAGES = 250_000;

  /** For four connections, and what the JVM makes anew now and then of the fibers' stacks. */
  private static final long HEAP_BYTES_MAX = 32 << 10;

  private static final int ATTEMPTS = 5;

  private final Region region =
      Region.map(
          MemoryBudget.root("test", 1 << 20),
          RegionOptions.ofSize(2 * Feed.MEMORY_BYTES + FeedFormat.BYTES * 100L));

  private final InetSocketAddress nowhere =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 1);

  @AfterEach
  void close() {
    region.close();
  }

  @Test
  void fibersOnOnePinnedThreadMakeTheBooksThatASelectorMakesAndNothingOnTheHeap() throws Exception {
    assumeTrue(UringProbe.probe().supported(), "io_uring is not to be had here");
    int cpu = LinuxThreads.affinity().length() - 1;
    try (FeedContest contest = FeedContest.open(FEEDS, MESSAGES, 64 << 10, 7, Set.of(cpu))) {
      // Each is compared with the one before.
      assertEquals(FEEDS * MESSAGES, contest.bySelector().messages());
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < ATTEMPTS && least > HEAP_BYTES_MAX; attempt++) {
        FeedContest.Sample sample = contest.byFibers();
        assertEquals(FEEDS * MESSAGES, sample.messages());
        // On ordinary virtual threads a switch takes heap.
        least = contest.reactorRunsFibers() ? Math.min(least, sample.heapBytes()) : 0;
      }
      assertTrue(least <= HEAP_BYTES_MAX, "messages=" + FEEDS * MESSAGES + " bytes=" + least);
    }
  }

  private Feed feed(long offset) {
    return new Feed(nowhere, region, offset);
  }

  private static final long STREAM = 2 * Feed.MEMORY_BYTES;

  /** Writes messages with these numbers, for a price each. */
  private void write(int... sequences) {
    for (int i = 0; i < sequences.length; i++) {
      FeedFormat.write(
          region.segment(),
          STREAM + (long) i * FeedFormat.BYTES,
          sequences[i],
          i % 2 == 0 ? FeedFormat.BUY : FeedFormat.SELL,
          OrderBook.PRICE_MIN + 10 + i,
          5);
    }
  }

  private void arrive(Feed feed, long from, int bytes) throws IOException {
    MemorySegment.copy(region.segment(), STREAM + from, region.segment(), feed.offset(), bytes);
    feed.arrived(bytes);
  }

  @Test
  void whereMessagesAreCutMakesNoDifference() throws IOException {
    int[] sequences = new int[100];
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = i + 1;
    }
    write(sequences);
    int bytes = sequences.length * FeedFormat.BYTES;
    Feed whole = feed(0);
    arrive(whole, 0, bytes);
    long seed = 3;
    SplittableRandom random = new SplittableRandom(seed);
    Feed cut = feed(Feed.MEMORY_BYTES);
    int done = 0;
    while (done < bytes) {
      int part = Math.min(bytes - done, random.nextInt(1, 3 * FeedFormat.BYTES));
      arrive(cut, done, part);
      done += part;
    }
    assertEquals(100, cut.messages());
    assertTrue(cut.book().isSameAs(whole.book()), "seed=" + seed);
    cut.ended();
    arrive(cut, 0, 1);
    IOException early = assertThrows(IOException.class, cut::ended);
    assertTrue(early.getMessage().endsWith("bytes=1"), early.getMessage());
  }

  @Test
  void aGapInTheNumbersIsCounted() throws IOException {
    write(1, 2, 5, 6);
    Feed feed = feed(0);
    arrive(feed, 0, 4 * FeedFormat.BYTES);
    assertEquals(2, feed.missing());
  }

  @Test
  void aDamagedMessageChangesNoBook() throws IOException {
    for (int damaged = 0; damaged < FeedFormat.BYTES; damaged++) {
      write(1, 2);
      Feed feed = feed(0);
      arrive(feed, 0, FeedFormat.BYTES);
      long at = STREAM + FeedFormat.BYTES + damaged;
      byte before = region.segment().get(ValueLayout.JAVA_BYTE, at);
      region.segment().set(ValueLayout.JAVA_BYTE, at, (byte) (before ^ 0x10));
      IOException told =
          assertThrows(IOException.class, () -> arrive(feed, FeedFormat.BYTES, FeedFormat.BYTES));
      assertTrue(told.getMessage().endsWith("lastSequence=1"), told.getMessage());
      assertEquals(1, feed.messages());
    }
  }

  @Test
  void theBookKnowsItsBestPrices() {
    OrderBook book = feed(0).book();
    long price = OrderBook.PRICE_MIN + 100;
    assertEquals(OrderBook.PRICE_MIN - 1, book.highestBuyer());
    assertEquals(OrderBook.PRICE_MIN + OrderBook.STEPS, book.lowestSeller());
    book.setBuyers(price, 1);
    book.setBuyers(price - 5, 2);
    book.setSellers(price + 3, 1);
    book.setSellers(price + 7, 2);
    assertEquals(price, book.highestBuyer());
    assertEquals(price + 3, book.lowestSeller());
    book.setBuyers(price, 0);
    book.setSellers(price + 3, 0);
    assertEquals(price - 5, book.highestBuyer());
    assertEquals(price + 7, book.lowestSeller());
    OrderBook other = feed(Feed.MEMORY_BYTES).book();
    assertFalse(other.isSameAs(book));
  }
}
