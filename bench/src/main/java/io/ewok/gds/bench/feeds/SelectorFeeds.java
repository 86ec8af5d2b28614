package io.ewok.gds.bench.feeds;

import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * Reads the same feeds as {@link ReactorFeeds} the way the JDK offers: one thread, a selector, and
 * channels that do not block. The rival.
 */
final class SelectorFeeds {
  private SelectorFeeds() {}

  /**
   * Reads all to their ends, on the calling thread.
   *
   * @throws IOException with what was wrong with one
   */
  static void read(List<Feed> feeds) throws IOException {
    try (Selector selector = Selector.open()) {
      try {
        for (Feed feed : feeds) {
          SocketChannel channel = SocketChannel.open(feed.source());
          channel.configureBlocking(false);
          channel.register(selector, SelectionKey.OP_READ, new Source(feed));
        }
        int open = feeds.size();
        while (open > 0) {
          selector.select();
          Iterator<SelectionKey> ready = selector.selectedKeys().iterator();
          while (ready.hasNext()) {
            SelectionKey key = ready.next();
            ready.remove();
            if (!((Source) key.attachment()).read((SocketChannel) key.channel())) {
              key.channel().close();
              open--;
            }
          }
        }
      } finally {
        for (SelectionKey key : selector.keys()) {
          key.channel().close();
        }
      }
    }
  }

  /** What is attached to a channel. */
  private static final class Source {
    private final Feed feed;

    /** The memory behind the feed's offset. */
    private final ByteBuffer buffer;

    private final long start;

    Source(Feed feed) {
      this.feed = feed;
      start = feed.offset();
      buffer = feed.region().segment().asSlice(start, feed.room()).asByteBuffer();
    }

    /** Returns false at the end. */
    boolean read(SocketChannel channel) throws IOException {
      buffer.clear().position((int) (feed.offset() - start));
      int bytes = channel.read(buffer);
      if (bytes < 0) {
        feed.ended();
        return false;
      }
      feed.arrived(bytes);
      return true;
    }
  }

  /** Has the calling thread run on these CPUs only; does nothing if there are none. */
  static void pin(Set<Integer> cpus) throws IOException {
    if (!cpus.isEmpty()) {
      BitSet set = new BitSet();
      cpus.forEach(set::set);
      LinuxThreads.setAffinity(set);
    }
  }
}
