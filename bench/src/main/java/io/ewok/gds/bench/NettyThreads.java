package io.ewok.gds.bench;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a benchmark, of the kind that Netty's event loops have: only on these do its
 * allocators use their thread-local caches at full speed. To everybody else they are threads as
 * others. JMH makes it by name ({@code jmh.executor.class}).
 */
public final class NettyThreads extends ThreadPoolExecutor {
  /** Called by JMH with the number of threads and the start of their names. */
  public NettyThreads(int threads, String prefix) {
    super(
        threads,
        threads,
        0,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(),
        new DefaultThreadFactory(prefix));
  }
}
