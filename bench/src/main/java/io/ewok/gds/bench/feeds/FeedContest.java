package io.ewok.gds.bench.feeds;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Has the same feeds read by fibers of a reactor and by a selector loop, each on one thread, and
 * watches them. What they make of the messages has to be the same.
 *
 * <p>Ownership: closed by who opened it.
 *
 * <p>Threads: one at a time.
 *
 * <pre>{@code
 * try (FeedContest contest = FeedContest.open(4, 250_000, 64 << 10, seed, Set.of(3))) {
 *   contest.byFibers();
 *   contest.bySelector();
 * }
 * }</pre>
 *
 * <p>Errors: {@link IOException} and {@link ExecutionException} with what was wrong with a feed;
 * {@link IllegalStateException} if messages are missing or books differ.
 */
public final class FeedContest implements AutoCloseable {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final FeedSource source;
  private final ReactorFeeds reactor;
  private final Set<Integer> cpus;
  private final int messages;

  /** What the last reader made of it; null before the first. */
  private Region lastRegion;

  private List<Feed> last;

  /**
   * What was seen of a reader.
   *
   * @param messages of all feeds
   * @param nanos from connecting to the end of all feeds
   * @param cpuNanos processor time of the reader's thread
   * @param heapBytes what the thread took of the heap, connecting included
   */
  public record Sample(long messages, long nanos, long cpuNanos, long heapBytes) {
    /** Nothing seen yet. */
    public static final Sample NONE = new Sample(0, 0, 0, 0);

    /** Returns what was seen in this and in another reading. */
    public Sample plus(Sample other) {
      return new Sample(
          messages + other.messages,
          nanos + other.nanos,
          cpuNanos + other.cpuNanos,
          heapBytes + other.heapBytes);
    }
  }

  private FeedContest(FeedSource source, ReactorFeeds reactor, int messages, Set<Integer> cpus) {
    this.source = source;
    this.reactor = reactor;
    this.messages = messages;
    this.cpus = cpus;
  }

  /**
   * Makes the messages and starts the reactor.
   *
   * @param feeds how many
   * @param messages of each
   * @param burstBytesMax what a source sends at once, at most
   * @param seed of the messages
   * @param cpus where the readers' threads may run; empty for anywhere
   */
  public static FeedContest open(
      int feeds, int messages, int burstBytesMax, long seed, Set<Integer> cpus)
      throws IOException, ExecutionException {
    FeedSource source = FeedSource.open(feeds, messages, burstBytesMax, seed);
    boolean complete = false;
    try {
      ReactorFeeds reactor = ReactorFeeds.start(cpus);
      complete = true;
      return new FeedContest(source, reactor, messages, cpus);
    } finally {
      if (!complete) {
        source.close();
      }
    }
  }

  private interface Reader {
    Sample read(List<Feed> feeds) throws IOException, ExecutionException;
  }

  /** Reads all feeds by fibers. */
  public Sample byFibers() throws IOException, ExecutionException {
    return read(
        feeds -> {
          long id = reactor.threadId();
          long start = System.nanoTime();
          long cpu = THREADS.getThreadCpuTime(id);
          long heap = THREADS.getThreadAllocatedBytes(id);
          reactor.read(feeds);
          return sample(feeds, id, start, cpu, heap);
        });
  }

  /** Reads all feeds by a selector loop. */
  public Sample bySelector() throws IOException, ExecutionException {
    return read(
        feeds -> {
          FutureTask<Sample> reading = new FutureTask<>(() -> readHere(feeds));
          Thread unused = Thread.ofPlatform().daemon().name("selector").start(reading);
          while (true) {
            try {
              return reading.get();
            } catch (InterruptedException e) {
              throw new IOException("interrupted: source=" + feeds.getFirst().source(), e);
            }
          }
        });
  }

  private Sample readHere(List<Feed> feeds) throws IOException {
    SelectorFeeds.pin(cpus);
    long id = Thread.currentThread().threadId();
    long start = System.nanoTime();
    long cpu = THREADS.getThreadCpuTime(id);
    long heap = THREADS.getThreadAllocatedBytes(id);
    SelectorFeeds.read(feeds);
    return sample(feeds, id, start, cpu, heap);
  }

  private static Sample sample(List<Feed> feeds, long id, long start, long cpu, long heap) {
    return new Sample(
        feeds.stream().mapToLong(Feed::messages).sum(),
        System.nanoTime() - start,
        THREADS.getThreadCpuTime(id) - cpu,
        THREADS.getThreadAllocatedBytes(id) - heap);
  }

  private Sample read(Reader reader) throws IOException, ExecutionException {
    List<InetSocketAddress> addresses = source.addresses();
    long bytes = addresses.size() * Feed.MEMORY_BYTES;
    Region region = Region.map(MemoryBudget.root("feeds", 2 * bytes), RegionOptions.ofSize(bytes));
    boolean kept = false;
    try {
      List<Feed> feeds = new ArrayList<>();
      for (InetSocketAddress address : addresses) {
        feeds.add(new Feed(address, region, feeds.size() * Feed.MEMORY_BYTES));
      }
      Sample sample = reader.read(feeds);
      check(feeds);
      closeLast();
      lastRegion = region;
      last = feeds;
      kept = true;
      return sample;
    } finally {
      if (!kept) {
        region.close();
      }
    }
  }

  private void check(List<Feed> feeds) {
    for (int i = 0; i < feeds.size(); i++) {
      Feed feed = feeds.get(i);
      if (feed.messages() != messages || feed.missing() != 0) {
        throw new IllegalStateException(
            "messages are missing: feed=" + i + " messages=" + feed.messages());
      }
      if (last != null && !feed.book().isSameAs(last.get(i).book())) {
        throw new IllegalStateException("two made different books of one feed: feed=" + i);
      }
    }
  }

  private void closeLast() {
    if (lastRegion != null) {
      lastRegion.close();
    }
  }

  /** Returns whether the reactor runs its fibers itself; else the JVM does, on other threads. */
  public boolean reactorRunsFibers() {
    return reactor.runsFibers();
  }

  @Override
  public void close() throws IOException {
    reactor.close();
    source.close();
    closeLast();
  }
}
