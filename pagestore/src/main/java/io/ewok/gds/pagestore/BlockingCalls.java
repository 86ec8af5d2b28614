package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.reactor.Baton;
import java.io.IOException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Runs calls that may wait for the device, and are not reads or writes, on a thread that may wait:
 * the caller's own, or a helper's where the caller is a virtual thread or turns an event loop.
 *
 * <p>Ownership: an engine's; helpers come on demand and end when idle or on {@link #close}.
 *
 * <p>Threads: any.
 */
final class BlockingCalls implements AutoCloseable {
  private static final int HELPERS_MAX = 4;

  private final ThreadPoolExecutor helpers;

  BlockingCalls(String threadName) {
    helpers =
        new ThreadPoolExecutor(
            HELPERS_MAX,
            HELPERS_MAX,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(), // holds at most one entry per waiting caller
            Thread.ofPlatform().daemon().name(threadName + "-helper-", 0).factory());
    helpers.allowCoreThreadTimeOut(true);
  }

  /** A call that waits. */
  @FunctionalInterface
  interface Call<T> {
    T run() throws IOException;
  }

  /** A call without a result. */
  @FunctionalInterface
  interface Action {
    void run() throws IOException;
  }

  void run(Action action) throws IOException {
    call(
        () -> {
          action.run();
          return null;
        });
  }

  <T> T call(Call<T> call) throws IOException {
    if (LinuxThreads.mayBlock()) {
      return call.run();
    }
    Handed<T> handed = new Handed<>(call);
    try {
      helpers.execute(handed);
    } catch (RejectedExecutionException e) {
      // The engine closes meanwhile. What still runs then closes things, and must not be skipped.
      Thread.ofPlatform().daemon().start(handed);
    }
    handed.done.await();
    if (handed.failure instanceof RuntimeException e) {
      throw e;
    }
    if (handed.failure instanceof Error e) {
      throw e;
    }
    if (handed.failure instanceof IOException e) {
      throw e;
    }
    return handed.result;
  }

  /** A call on its way through a helper; the fields are published by the post. */
  private static final class Handed<T> implements Runnable {
    private final Call<T> call;
    private final Baton done = new Baton();
    private T result;
    private Throwable failure;

    Handed(Call<T> call) {
      this.call = call;
    }

    @Override
    public void run() {
      try {
        result = call.run();
      } catch (IOException | RuntimeException | Error e) {
        failure = e;
      }
      done.post();
    }
  }

  @Override
  public void close() {
    helpers.shutdown();
  }
}
