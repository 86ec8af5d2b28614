package io.ewok.gds.allocator;

import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Calls code of strangers: under no lock of this package, on the thread that gave the cause, and
 * never one call inside of another, however many a call sets off. What a call throws is logged.
 *
 * <p>Threads: any.
 */
final class Callbacks {
  private static final System.Logger LOG = System.getLogger(Callbacks.class.getPackageName());

  /**
   * What each thread that is in a call has still to do. A callback that gives memory back sets off
   * the next one: called from inside, ten thousand waiters would be ten thousand frames deep.
   */
  private static final Map<Thread, ArrayDeque<Runnable>> RUNNING = new ConcurrentHashMap<>();

  private Callbacks() {}

  /** Calls them now, or, if this thread is in such a call, when that returns. */
  static void run(List<Runnable> calls) {
    Thread thread = Thread.currentThread();
    ArrayDeque<Runnable> outer = RUNNING.get(thread);
    if (outer != null) {
      outer.addAll(calls);
      return;
    }
    ArrayDeque<Runnable> queue = new ArrayDeque<>(calls);
    RUNNING.put(thread, queue);
    try {
      for (Runnable call = queue.poll(); call != null; call = queue.poll()) {
        runLogged(call);
      }
    } finally {
      RUNNING.remove(thread);
    }
  }

  /** Does something of ours, and calls what it sets off only when it has returned. */
  static void runBefore(Runnable own) {
    getBefore(
        () -> {
          own.run();
          return 0;
        });
  }

  /** As {@link #runBefore}, for what has a result. */
  static long getBefore(LongSupplier own) {
    Thread thread = Thread.currentThread();
    if (RUNNING.containsKey(thread)) {
      return own.getAsLong();
    }
    ArrayDeque<Runnable> queue = new ArrayDeque<>();
    RUNNING.put(thread, queue);
    try {
      return own.getAsLong();
    } finally {
      RUNNING.remove(thread);
      run(List.copyOf(queue));
    }
  }

  private static void runLogged(Runnable call) {
    try {
      call.run();
    } catch (Throwable e) {
      // Whoever reserved or released memory on this thread has nothing to do with it.
      LOG.log(Level.ERROR, "a callback failed", e);
    }
  }
}
