package io.ewok.gds.bench.feeds;

import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.RingOptions;
import io.ewok.gds.reactor.Task;
import io.ewok.gds.reactor.TcpConnection;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;

/**
 * Reads feeds on one thread, each on a fiber of its own: code that waits, without a thread for each
 * wait. Nothing of it is locked, since the fibers of a reactor exclude each other.
 *
 * <pre>{@code
 * try (ReactorFeeds reader = ReactorFeeds.start(Set.of(3))) {
 *   reader.read(feeds);
 * }
 * }</pre>
 */
final class ReactorFeeds implements AutoCloseable {
  private final Reactor reactor;
  private final long threadId;

  private ReactorFeeds(Reactor reactor) throws ExecutionException {
    this.reactor = reactor;
    ThreadId ask = new ThreadId();
    reactor.post(ask);
    ask.await();
    threadId = ask.id;
  }

  /**
   * Starts the reactor.
   *
   * @param cpus where its thread may run; empty for anywhere
   */
  static ReactorFeeds start(Set<Integer> cpus) throws IOException, ExecutionException {
    ReactorOptions options =
        ReactorOptions.defaults()
            .withName("feeds")
            .withCpus(cpus)
            .withRing(RingOptions.defaults().withSetupFlags(UringProbe.probe().setupFlags()));
    return new ReactorFeeds(Reactor.start(options));
  }

  /** Reads one feed to its end. */
  private static final class Reading extends Task {
    private final Feed feed;

    Reading(Feed feed) {
      super(Kind.FIBER, Scratch.NONE);
      this.feed = feed;
    }

    @Override
    protected void run() throws IOException {
      try (TcpConnection connection = TcpConnection.connect(Reactor.current(), feed.source())) {
        int bytes;
        while ((bytes = connection.receive(feed.region(), feed.offset(), feed.room())) > 0) {
          feed.arrived(bytes);
        }
        feed.ended();
      }
    }
  }

  /**
   * Reads all to their ends.
   *
   * @throws ExecutionException with what was wrong with one
   */
  void read(List<Feed> feeds) throws ExecutionException {
    List<Reading> readings = new ArrayList<>();
    for (Feed feed : feeds) {
      Reading reading = new Reading(feed);
      reactor.post(reading);
      readings.add(reading);
    }
    for (Reading reading : readings) {
      reading.await();
    }
  }

  private static final class ThreadId extends Task {
    private long id;

    ThreadId() {
      super(Kind.DIRECT, Scratch.NONE);
    }

    @Override
    protected void run() {
      id = Thread.currentThread().threadId();
    }
  }

  /** Returns the number of the thread that does all. */
  long threadId() {
    return threadId;
  }

  /** Returns whether the reactor runs the fibers itself; else the JVM does, on other threads. */
  boolean runsFibers() {
    return reactor.runsFibers();
  }

  @Override
  public void close() {
    reactor.close();
  }
}
