package io.ewok.gds.pagestore;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;

/**
 * The simulation with a device that moves only while its one user waits: what is submitted is done
 * when the thread that made this is parked, the oldest last, since that is what it waits for. So no
 * run depends on time.
 */
final class SlowEngine implements AutoCloseable {
  private final IoEngine engine;
  private final Thread user = Thread.currentThread();

  /** What follows is guarded by this. */
  private final Deque<IoRequest> pending = new ArrayDeque<>();

  private boolean cancels = true;
  private int cancelled;
  private int submitted;
  private boolean closed;

  SlowEngine(SimEngine inner) {
    engine =
        (IoEngine)
            Proxy.newProxyInstance(
                IoEngine.class.getClassLoader(),
                new Class<?>[] {IoEngine.class},
                (proxy, method, arguments) -> {
                  switch (method.getName()) {
                    case "submit" -> submit((IoRequest) arguments[0]);
                    case "cancel" -> cancel((IoRequest) arguments[0]);
                    default -> {
                      return method.invoke(inner, arguments);
                    }
                  }
                  return null;
                });
    Thread.ofPlatform().daemon().name("slow-device").start(this::work);
  }

  IoEngine engine() {
    return engine;
  }

  private void work() {
    while (moves()) {
      LockSupport.parkNanos(20_000);
    }
  }

  private synchronized boolean moves() {
    if (user.getState() == Thread.State.WAITING) {
      performAll();
    }
    return !closed;
  }

  /** Lets the device do what it has. */
  synchronized void performAll() {
    while (!pending.isEmpty()) {
      IoRequest request = pending.removeLast();
      try {
        request.complete(
            request
                .file()
                .read(
                    request.offset(), request.region(), request.regionOffset(), request.length()));
      } catch (IOException e) {
        request.fail(e);
      }
    }
  }

  private synchronized void submit(IoRequest request) {
    request.begin();
    submitted++;
    pending.add(request);
  }

  private synchronized void cancel(IoRequest request) {
    if (cancels && pending.remove(request)) {
      cancelled++;
      request.fail(new CancellationException("the request was cancelled: " + request));
    }
  }

  /** Makes the device keep what it has, as one that is at work on it. */
  synchronized void refuseToCancel() {
    cancels = false;
  }

  /** What the device has and has not done. */
  synchronized List<IoRequest> pending() {
    return new ArrayList<>(pending);
  }

  synchronized int cancelled() {
    return cancelled;
  }

  synchronized int submitted() {
    return submitted;
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}
