package io.ewok.gds.reactor;

import java.lang.invoke.VarHandle;
import java.util.concurrent.Executor;

/**
 * Makes virtual threads that are run by an executor of our own, where this JVM lets us. It has no
 * public way to say so; its builder of virtual threads has a constructor for its own tests, which
 * {@link #FLAG} opens to us. Looked for and tried out once; where anything is missing, {@link
 * #reason} says what.
 *
 * <p>Threads: any.
 */
final class FiberThreads {
  /** What the JVM has to be started with. */
  static final String FLAG =
      "--add-opens java.base/java.lang="
          + (FiberThreads.class.getModule().isNamed()
              ? FiberThreads.class.getModule().getName()
              : "ALL-UNNAMED");

  private static final FiberBuilder BUILDER;
  private static final String REASON;

  // Constants of their own for the compiler; null where there is a reason.
  private static final Class<?> VIRTUAL_THREAD;
  private static final VarHandle SCHEDULER;

  static {
    FiberBuilder builder = null;
    String reason = null;
    try {
      builder = FiberBuilder.find();
      reason = builder.tryOut();
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      reason = e.toString();
    }
    REASON = reason == null ? null : "it takes " + FLAG + " and a JVM of a known kind: " + reason;
    BUILDER = reason == null ? builder : null;
    VIRTUAL_THREAD = reason == null ? builder.virtualThread() : null;
    SCHEDULER = reason == null ? builder.scheduler() : null;
  }

  private FiberThreads() {}

  /** Returns why there are no such threads; null if there are. */
  static String reason() {
    return REASON;
  }

  /** Makes a thread that is run by whoever runs what the executor is given. */
  static Thread unstarted(Executor scheduler, String name, Runnable body) {
    try {
      return BUILDER.unstarted(scheduler, name, body);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("it worked when it was tried out", e);
    }
  }

  /** Returns the executor that runs a virtual thread; null for others, and where we cannot know. */
  static Executor schedulerOf(Thread thread) {
    return SCHEDULER != null && thread.getClass() == VIRTUAL_THREAD
        ? (Executor) SCHEDULER.get(thread)
        : null;
  }
}
