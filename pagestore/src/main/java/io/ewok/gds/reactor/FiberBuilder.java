package io.ewok.gds.reactor;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Constructor;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * What the JDK has inside for virtual threads with an executor of their own; see {@link
 * FiberThreads}.
 *
 * @param constructor of the builder of virtual threads
 * @param virtualThread their class
 * @param scheduler its field that holds the executor
 */
record FiberBuilder(Constructor<?> constructor, Class<?> virtualThread, VarHandle scheduler) {
  /** Throws whatever says that this JVM has it not, or does not open it. */
  static FiberBuilder find() throws ReflectiveOperationException {
    Constructor<?> constructor =
        Class.forName("java.lang.ThreadBuilders$VirtualThreadBuilder")
            .getDeclaredConstructor(Executor.class);
    constructor.setAccessible(true);
    Class<?> virtualThread = Class.forName("java.lang.VirtualThread");
    VarHandle scheduler =
        MethodHandles.privateLookupIn(virtualThread, MethodHandles.lookup())
            .findVarHandle(virtualThread, "scheduler", Executor.class);
    return new FiberBuilder(constructor, virtualThread, scheduler);
  }

  Thread unstarted(Executor executor, String name, Runnable body)
      throws ReflectiveOperationException {
    return ((Thread.Builder.OfVirtual) constructor.newInstance(executor))
        .name(name)
        .unstarted(body);
  }

  /**
   * Takes a thread through all that we rely on.
   *
   * @return what is wrong; null if nothing is
   */
  String tryOut() throws ReflectiveOperationException {
    Queue<Runnable> ready = new ConcurrentLinkedQueue<>();
    Executor executor = ready::add;
    AtomicInteger step = new AtomicInteger();
    Thread thread =
        unstarted(
            executor,
            "gds-fiber-try-out",
            () -> {
              step.set(Thread.currentThread().isVirtual() ? 1 : -1);
              LockSupport.park();
              step.set(2);
            });
    thread.start();
    Runnable continuation = ready.poll();
    if (continuation == null
        || thread.getClass() != virtualThread
        || scheduler.get(thread) != executor) {
      return "a virtual thread does not go to its executor";
    }
    runOnPlatformThread(continuation);
    if (step.get() != 1 || thread.getState() != Thread.State.WAITING || !ready.isEmpty()) {
      return "a virtual thread does not park: step=" + step;
    }
    LockSupport.unpark(thread);
    if (ready.poll() != continuation) {
      return "a virtual thread that was unparked does not come back";
    }
    runOnPlatformThread(continuation);
    return step.get() == 2 && !thread.isAlive() ? null : "a virtual thread does not end";
  }

  /** What is virtual itself cannot run another. */
  private static void runOnPlatformThread(Runnable continuation) {
    if (!Thread.currentThread().isVirtual()) {
      continuation.run();
      return;
    }
    Thread carrier = Thread.ofPlatform().daemon().start(continuation);
    boolean interrupted = false;
    while (carrier.isAlive()) {
      try {
        carrier.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
