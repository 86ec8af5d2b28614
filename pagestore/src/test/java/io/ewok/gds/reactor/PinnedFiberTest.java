package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Fibers that wait with native code on their stack, which would park the reactor's own thread. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class PinnedFiberTest {
  private static final long LIMIT_NANOS = 30_000_000_000L;

  private Reactor reactor;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(FiberThreads.reason() == null, FiberThreads::reason);
    reactor =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("pinned-test")
                .withFibers(FiberOptions.defaults().withMode(FiberMode.REACTOR)));
  }

  @AfterEach
  void close() {
    reactor.close();
  }

  /** Runs its body below a function of the C library. */
  private static final class Pinned extends Task {
    private final Runnable body;
    private Throwable thrown;

    Pinned(Runnable body) {
      super(Kind.FIBER, Scratch.NONE);
      this.body = body;
    }

    @Override
    @SuppressWarnings("restricted")
    protected void run() throws Exception {
      Linker linker = Linker.nativeLinker();
      MethodHandle compare =
          MethodHandles.lookup()
              .bind(
                  this,
                  "compare",
                  MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class));
      try (Arena arena = Arena.ofConfined()) {
        MethodHandle sort =
            linker.downcallHandle(
                linker.defaultLookup().findOrThrow("qsort"),
                FunctionDescriptor.ofVoid(
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS));
        MemorySegment upcall =
            linker.upcallStub(
                compare,
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
                arena);
        sort.invokeWithArguments(arena.allocate(8), 2L, 4L, upcall);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
      if (thrown instanceof RuntimeException exception) {
        throw exception;
      } else if (thrown instanceof Error error) {
        throw error;
      }
    }

    @SuppressWarnings("unused") // by the C library
    private int compare(MemorySegment a, MemorySegment b) {
      try {
        body.run();
      } catch (RuntimeException | Error e) {
        thrown = e; // which the C library cannot carry
      }
      return 0;
    }
  }

  private Pinned post(Runnable body) {
    Pinned task = new Pinned(body);
    reactor.post(task);
    return task;
  }

  private void awaitPinnedWaits(long count) {
    long deadline = System.nanoTime() + LIMIT_NANOS;
    while (reactor.stats().pinnedWaitCount() < count) {
      assertTrue(System.nanoTime() < deadline, () -> "stats=" + reactor.stats());
      Thread.onSpinWait();
    }
  }

  @Test
  void aPinnedWaitTurnsTheLoopAndIsCounted() throws Exception {
    AtomicInteger fired = new AtomicInteger();
    Timer timer =
        new Timer() {
          @Override
          protected void fired() {
            fired.incrementAndGet();
          }
        };
    for (int round = 1; round <= 20; round++) {
      Baton go = new Baton();
      Pinned task = post(() -> go.await());
      awaitPinnedWaits(round);
      int before = fired.get();
      ReactorFixture.on(reactor, () -> reactor.schedulePeriodic(timer, 1_000_000));
      while (fired.get() < before + 2) {
        Thread.onSpinWait();
      }
      ReactorFixture.on(reactor, () -> assertTrue(reactor.cancel(timer)));
      assertFalse(task.isDone());
      go.post();
      task.await();
      assertEquals(round, reactor.stats().pinnedWaitCount());
    }
  }

  @Test
  void othersRunAgainAfterAPinnedWait() throws Exception {
    Baton go = new Baton();
    Pinned pinned = post(() -> go.await());
    awaitPinnedWaits(1);
    Pinned[] others = new Pinned[10];
    for (int i = 0; i < others.length; i++) {
      others[i] = post(() -> Task.pause(1000));
    }
    go.post();
    pinned.await();
    for (Pinned other : others) {
      other.await();
    }
  }

  @Test
  void aPinnedWaitEndsInTime() throws Exception {
    long nanos = 5_000_000;
    AtomicInteger early = new AtomicInteger();
    post(() -> {
          long start = System.nanoTime();
          if (new Baton().await(nanos) || System.nanoTime() - start < nanos) {
            early.incrementAndGet();
          }
        })
        .await();
    assertEquals(0, early.get());
    awaitPinnedWaits(1);
  }

  @Test
  void cancelDeadlineAndCloseEndAPinnedWait() {
    Pinned cancelled = post(() -> Task.waitFor(new Baton()));
    awaitPinnedWaits(1);
    cancelled.cancel();
    assertThrows(CancellationException.class, cancelled::await);
    Pinned late = new Pinned(() -> Task.waitFor(new Baton()));
    late.setDeadline(System.nanoTime() + 100_000_000);
    reactor.post(late);
    assertThrows(CancellationException.class, late::await);
    long before = reactor.stats().pinnedWaitCount(); // 1 if the late one began after its deadline
    Pinned closed = post(() -> Task.waitFor(new Baton()));
    awaitPinnedWaits(before + 1);
    reactor.close();
    assertInstanceOf(CancellationException.class, closed.failure());
  }

  @Test
  void aPinnedWaitGoesOnThoughTheReactorsPermitWasTaken() throws Exception {
    Baton go = new Baton();
    Pinned task =
        post(
            () -> {
              LockSupport.parkNanos(1); // takes it
              go.await();
            });
    awaitPinnedWaits(1); // by the watch over stalls
    ReactorFixture.on(reactor, () -> {});
    go.post();
    task.await();
  }

  @Test
  void aWakeUpThatComesEarlyDoesNotLookLikeAPinnedWait() throws Exception {
    for (int i = 0; i < 100; i++) {
      Baton go = new Baton();
      Task waiting =
          new Task(Task.Kind.FIBER, Task.Scratch.NONE) {
            @Override
            protected void run() {
              LockSupport.unpark(Thread.currentThread());
              go.await();
            }
          };
      reactor.post(waiting);
      reactor.submit(go::isPosted).get();
      go.post();
      waiting.await();
    }
    assertEquals(0, reactor.stats().pinnedWaitCount());
  }

  @Test
  void aClassInitializerMayWaitForTheDevice() throws ExecutionException {
    AtomicInteger slow = new AtomicInteger();
    Task task =
        new Task(Task.Kind.FIBER, Task.Scratch.NONE) {
          @Override
          protected void run() {
            slow.set(SlowClass.WAITED ? 1 : 2);
          }
        };
    reactor.post(task);
    task.await();
    assertEquals(1, slow.get());
    assertEquals(1, reactor.stats().pinnedWaitCount());
  }

  private static final class SlowClass {
    static final boolean WAITED = !new Baton().await(3_000_000);

    private SlowClass() {}
  }
}
