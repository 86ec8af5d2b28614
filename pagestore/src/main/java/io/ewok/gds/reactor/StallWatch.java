package io.ewok.gds.reactor;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * Finds reactors that somebody's code keeps busy or blocked: one thread for all of them looks at
 * their {@link Slices} and reports one that has not changed for the reactor's threshold, once: it
 * is counted, and a {@link StallEvent} tells the stack. A pause of the whole JVM may look like one.
 * Also gives the reactor's thread a permit to go on with, in case that it parks for a fiber.
 *
 * <p>Threads: any. The thread lives while there is a reactor to watch.
 */
final class StallWatch {
  private static final List<Watched> WATCHED = new CopyOnWriteArrayList<>();

  /** Guarded by the class. */
  private static Thread thread;

  private StallWatch() {}

  /** A reactor under watch. */
  private static final class Watched {
    final ReactorThread reactor;
    final long thresholdNanos;
    long seen;
    long sinceNanos = System.nanoTime();
    boolean reported;

    Watched(ReactorThread reactor, long thresholdNanos) {
      this.reactor = reactor;
      this.thresholdNanos = thresholdNanos;
    }
  }

  static synchronized void watch(ReactorThread reactor, long thresholdNanos) {
    WATCHED.add(new Watched(reactor, thresholdNanos));
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name("gds-stall-watch").unstarted(StallWatch::run);
      thread.start();
    } else {
      LockSupport.unpark(thread);
    }
  }

  static synchronized void unwatch(ReactorThread reactor) {
    WATCHED.removeIf(watched -> watched.reactor == reactor);
    LockSupport.unpark(thread);
  }

  private static void run() {
    while (!endedWithoutReactors()) {
      long nextNanos = Long.MAX_VALUE;
      for (Watched watched : WATCHED) {
        look(watched);
        nextNanos = Math.min(nextNanos, watched.thresholdNanos);
      }
      LockSupport.parkNanos(StallWatch.class, nextNanos);
    }
  }

  private static synchronized boolean endedWithoutReactors() {
    if (WATCHED.isEmpty()) {
      thread = null;
      return true;
    }
    return false;
  }

  private static void look(Watched watched) {
    long now = System.nanoTime();
    long number = watched.reactor.slices.number();
    if (number != watched.seen) {
      watched.seen = number;
      watched.sinceNanos = now;
      watched.reported = false;
    } else if ((number & 1) != 0 && now - watched.sinceNanos >= watched.thresholdNanos) {
      if (!watched.reported) {
        watched.reported = true;
        report(watched.reactor, now - watched.sinceNanos);
      }
      // It may be a fiber that parks it: see FiberScheduler.
      LockSupport.unpark(watched.reactor);
    }
  }

  private static void report(ReactorThread reactor, long atLeastNanos) {
    reactor.slices.stalled();
    StallEvent event = new StallEvent();
    if (event.isEnabled()) {
      Thread running = reactor.loop.work.running();
      event.reactor = reactor.getName();
      event.running = running.getName();
      event.atLeastNanos = atLeastNanos;
      event.stack = text(running.getStackTrace());
      event.commit();
    }
  }

  private static String text(StackTraceElement[] stack) {
    StringBuilder text = new StringBuilder();
    for (StackTraceElement frame : stack) {
      text.append("\tat ").append(frame).append('\n');
    }
    return text.toString();
  }
}
