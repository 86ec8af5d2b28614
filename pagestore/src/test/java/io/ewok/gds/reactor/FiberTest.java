package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Tasks of one reactor, with fibers that it runs itself and with ordinary virtual threads. */
@ParameterizedClass
@EnumSource(names = {"REACTOR", "VIRTUAL"})
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class FiberTest {
  private static final int FIBERS = 4;
  private static final int FIBERS_MAX = 300;

  private final boolean reactorRuns;
  private final Reactor shard;

  FiberTest(FiberMode mode) throws IOException {
    assumeTrue(mode != FiberMode.REACTOR || FiberThreads.reason() == null, FiberThreads::reason);
    reactorRuns = mode == FiberMode.REACTOR;
    shard =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("shard-test")
                .withFibers(
                    FiberOptions.defaults()
                        .withMode(mode)
                        .withFibers(FIBERS, FIBERS_MAX)
                        .withScratches(8, 4, 2)));
  }

  @AfterEach
  void close() {
    shard.close();
  }

  private interface Body {
    void run(Tester task) throws Exception;
  }

  /** A task given as a lambda. */
  private static final class Tester extends Task {
    private final Body body;

    Tester(Body body) {
      this(Kind.FIBER, Scratch.NONE, body);
    }

    Tester(Kind kind, Scratch scratch, Body body) {
      super(kind, scratch);
      this.body = body;
    }

    @Override
    protected void run() throws Exception {
      body.run(this);
    }

    void forks(Task child) {
      fork(child);
    }

    void joins() throws ExecutionException {
      joinAll();
    }

    void setFirst(int value) {
      scratch().set(ValueLayout.JAVA_INT_UNALIGNED, 0, value);
    }

    int first() {
      return scratch().get(ValueLayout.JAVA_INT_UNALIGNED, 0);
    }

    long scratchBytes() {
      return scratch().byteSize();
    }
  }

  private Tester post(Body body) {
    Tester task = new Tester(body);
    shard.post(task);
    return task;
  }

  private Tester direct(Body body) {
    return new Tester(Task.Kind.DIRECT, Task.Scratch.NONE, body);
  }

  @Test
  void tasksRunWhereTheyAreSentTo() throws Exception {
    AtomicReference<Thread> on = new AtomicReference<>();
    List<Object> seen = new ArrayList<>();
    Tester task =
        post(
            self -> {
              on.set(Thread.currentThread());
              seen.add(Task.current() == self);
              seen.add(shard.isOwnThread());
              seen.add(Reactor.current() == shard);
            });
    task.await();
    assertTrue(task.isDone());
    assertNull(task.failure());
    assertTrue(on.get().isVirtual());
    assertEquals(List.of(true, reactorRuns, true), seen);
    seen.clear();
    Tester direct =
        direct(
            self -> {
              seen.add(Task.current() == self);
              seen.add(Thread.currentThread() == shard.thread());
              seen.add(Reactor.current() == shard);
            });
    shard.post(direct);
    direct.await();
    assertEquals(List.of(true, true, true), seen);
    assertNull(Task.current());
    assertNull(Reactor.current());
  }

  @Test
  void whatATaskThrowsReachesItsOwnerAndNobodyElse() throws Exception {
    for (Task.Kind kind : Task.Kind.values()) {
      Error bug = new AssertionError("a bug");
      Tester faulty =
          new Tester(
              kind,
              Task.Scratch.NONE,
              self -> {
                throw bug;
              });
      shard.post(faulty);
      assertSame(bug, assertThrows(ExecutionException.class, faulty::await).getCause());
      assertSame(bug, faulty.failure());
      // It can be sent again, and so can others.
      shard.post(faulty);
      assertThrows(ExecutionException.class, faulty::await);
      post(self -> {}).await();
    }
  }

  @Test
  void sendingATaskThatIsNotDoneIsRefused() throws Exception {
    Baton go = new Baton();
    Tester task = post(self -> go.await());
    assertThrows(IllegalStateException.class, () -> shard.post(task));
    go.post();
    task.await();
  }

  /** Sums a range by halves. */
  private static final class Halves extends Task {
    private final int from;
    private final int to;
    int sum;

    Halves(int from, int to) {
      super(Kind.FIBER, Scratch.NONE);
      this.from = from;
      this.to = to;
    }

    @Override
    protected void run() throws Exception {
      if (to - from == 1) {
        sum = from;
        return;
      }
      Halves left = new Halves(from, (from + to) / 2);
      Halves right = new Halves((from + to) / 2, to);
      fork(left);
      fork(right);
      joinAll();
      sum = left.sum + right.sum;
    }
  }

  @Test
  void treesOfTasksJoinWithMoreFibersThanWorkFromOutsideGets() throws Exception {
    for (int round = 0; round < 20; round++) {
      Halves root = new Halves(0, 128);
      shard.post(root);
      root.await();
      assertEquals(127 * 128 / 2, root.sum);
    }
  }

  @Test
  void moreForksThanFibersAreRefusedAndNothingHangs() throws Exception {
    Baton go = new Baton();
    AtomicInteger refused = new AtomicInteger();
    Tester parent =
        post(
            self -> {
              List<Tester> children = new ArrayList<>();
              for (int i = 0; i < FIBERS_MAX + 10; i++) {
                Tester child = new Tester(own -> go.await());
                children.add(child);
                self.forks(child);
              }
              while (refused.get() < 11) {
                Task.yieldNow();
                refused.set((int) children.stream().filter(Task::isDone).count());
              }
              go.post();
              // One baton has one waiter: the others were told.
              self.joins();
            });
    ExecutionException e = assertThrows(ExecutionException.class, parent::await);
    assertFalse(e.getCause() instanceof CancellationException);
  }

  @Test
  void yieldIsFair() throws Exception {
    int[] turns = new int[3];
    AtomicInteger started = new AtomicInteger();
    Tester parent =
        post(
            self -> {
              for (int i = 0; i < turns.length; i++) {
                int own = i;
                self.forks(
                    new Tester(
                        child -> {
                          started.incrementAndGet();
                          for (int yields = 0; started.get() < turns.length; yields++) {
                            assertTrue(yields < 100_000, "others do not get to run");
                            Task.yieldNow();
                          }
                          while (turns[own] < 50) {
                            turns[own]++;
                            Task.yieldNow();
                            // Each of the others has had a turn, and may be about to have one more.
                            int least = Arrays.stream(turns).min().getAsInt();
                            assertTrue(
                                turns[own] - least <= 1 || !reactorRuns,
                                () -> "turns=" + Arrays.toString(turns));
                          }
                        }));
              }
              self.joins();
            });
    parent.await();
  }

  /** Adds without any care, so that two at a time would lose some. */
  private static void addTo(int[] plain) {
    int before = plain[0];
    for (int i = 0; i < 50; i++) {
      Thread.onSpinWait();
    }
    plain[0] = before + 1;
  }

  @Test
  void tasksExcludeEachOtherFromWaitToWait() throws Exception {
    int[] plain = new int[1];
    int tasks = 1000;
    List<Task> all = new ArrayList<>();
    for (int i = 0; i < tasks; i++) {
      int number = i;
      all.add(
          new Tester(
              i % 2 == 0 ? Task.Kind.FIBER : Task.Kind.DIRECT,
              Task.Scratch.NONE,
              self -> {
                addTo(plain);
                if (number % 2 == 0) {
                  Task.yieldNow();
                  addTo(plain);
                }
                if (number % 20 == 0) {
                  Task.pause(100_000);
                  addTo(plain);
                }
              }));
    }
    Thread other = Thread.ofPlatform().start(() -> all.subList(0, tasks / 2).forEach(shard::post));
    all.subList(tasks / 2, tasks).forEach(shard::post);
    other.join();
    for (Task task : all) {
      task.await();
    }
    assertEquals(tasks + tasks / 2 + tasks / 20, plain[0]);
    assertEquals(0, shard.stats().lostTurnCount());
  }

  @Test
  void tasksThatSendMoreTasksDoNotKeepTimersFromFiring() throws Exception {
    boolean[] fired = new boolean[1];
    Baton done = new Baton();
    Timer timer =
        new Timer() {
          @Override
          protected void fired() {
            fired[0] = true;
          }
        };
    Tester[] pair = new Tester[2];
    for (int i = 0; i < pair.length; i++) {
      int other = 1 - i;
      pair[i] =
          new Tester(
              self -> {
                if (fired[0]) {
                  done.post();
                  return;
                }
                while (!pair[other].isDone()) {
                  Task.yieldNow();
                }
                shard.post(pair[other]);
              });
    }
    ReactorFixture.on(shard, () -> shard.schedule(timer, 5_000_000));
    shard.post(pair[0]);
    assertTrue(done.await(30_000_000_000L), "the loop does not get to its timers");
  }

  @Test
  void timersExcludeFibers() throws Exception {
    int[] plain = new int[1];
    int[] fired = new int[1];
    Timer timer =
        new Timer() {
          @Override
          protected void fired() {
            fired[0]++;
            addTo(plain);
          }
        };
    ReactorFixture.on(shard, () -> shard.schedulePeriodic(timer, 1));
    int rounds = 20_000;
    Tester task =
        post(
            self -> {
              for (int round = 0; round < rounds; round++) {
                addTo(plain);
                if (round % 100 == 0) {
                  Task.yieldNow();
                }
              }
            });
    task.await();
    ReactorFixture.on(shard, () -> assertTrue(shard.cancel(timer)));
    assertTrue(fired[0] > 0);
    assertEquals(rounds + fired[0], plain[0]);
  }

  @Test
  void aFiberThatWaitsForALockDoesNotKeepOthersFromRunning() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    Baton locked = new Baton();
    Baton go = new Baton();
    Tester holder =
        post(
            self -> {
              lock.lock();
              try {
                locked.post();
                go.await();
              } finally {
                lock.unlock();
              }
            });
    locked.await();
    // The turn of who wants the lock has to go to who has it.
    Tester wanting =
        post(
            self -> {
              go.post();
              lock.lock();
              try {
                assertTrue(go.isPosted());
              } finally {
                lock.unlock();
              }
            });
    holder.await();
    wanting.await();
    assertTrue(reactorRuns || shard.stats().lostTurnCount() > 0, () -> "" + shard.stats());
  }

  @Test
  void directTasksWaitAsOthersDo() throws Exception {
    List<Body> waits =
        List.of(
            self -> Task.waitFor(new Baton()),
            self -> Task.pause(Long.MAX_VALUE / 2),
            self -> {
              while (true) {
                Task.yieldNow();
              }
            },
            self -> {
              self.forks(new Tester(child -> Task.waitFor(new Baton())));
              self.joins();
            });
    for (Body wait : waits) {
      Baton started = new Baton();
      Tester task =
          direct(
              self -> {
                started.post();
                wait.run(self);
              });
      shard.post(task);
      started.await();
      // Others run meanwhile.
      post(self -> Task.yieldNow()).await();
      assertFalse(task.await(1_000_000));
      task.cancel();
      assertThrows(CancellationException.class, task::await, () -> "wait=" + waits.indexOf(wait));
      Tester late = direct(wait);
      late.setDeadline(System.nanoTime() + 5_000_000);
      shard.post(late);
      assertThrows(CancellationException.class, late::await, () -> "wait=" + waits.indexOf(wait));
    }
  }

  @Test
  void closeEndsDirectTasksThatWaitInsideOfEachOther() throws Exception {
    List<Tester> all = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Baton started = new Baton();
      Tester task =
          direct(
              self -> {
                started.post();
                Task.waitFor(new Baton());
              });
      all.add(task);
      shard.post(task);
      started.await();
    }
    shard.close();
    assertFalse(shard.thread().isAlive());
    for (Tester task : all) {
      assertEquals(
          "the reactor ends", assertThrows(CancellationException.class, task::await).getMessage());
    }
  }

  @Test
  void cancelEndsEveryWaitOfATaskAndChildrenToo() throws Exception {
    List<Body> waits =
        List.of(
            self -> Task.waitFor(new Baton()),
            self -> Task.pause(Long.MAX_VALUE / 2),
            self -> {
              while (true) {
                Task.yieldNow();
              }
            },
            self -> {
              self.forks(new Tester(child -> Task.waitFor(new Baton())));
              self.joins();
            },
            self -> {
              Tester child = new Tester(own -> Task.waitFor(new Baton()));
              self.forks(child);
              child.await();
            },
            self -> {
              Tester child = new Tester(own -> Task.waitFor(new Baton()));
              self.forks(child);
              while (!child.await(1_000_000)) {
                assertFalse(self.isDone());
              }
            });
    for (Body wait : waits) {
      Baton started = new Baton();
      Tester task =
          post(
              self -> {
                started.post();
                wait.run(self);
              });
      started.await();
      assertFalse(task.await(1_000_000));
      task.cancel();
      assertThrows(CancellationException.class, task::await, () -> "wait=" + waits.indexOf(wait));
    }
  }

  @Test
  void cancelBeforeTheStartMeansNoStart() throws Exception {
    Baton go = new Baton();
    AtomicInteger started = new AtomicInteger();
    Tester parent =
        post(
            self -> {
              Tester child = new Tester(own -> started.incrementAndGet());
              go.await();
              self.forks(child);
              child.cancel();
              assertThrows(CancellationException.class, self::joins);
            });
    go.post();
    parent.await();
    // An ordinary virtual thread may have been faster.
    assertTrue(started.get() == 0 || !reactorRuns, "started=" + started);
  }

  @Test
  void aFailedChildEndsItsSiblingsAndTheParentSeesWhy() throws Exception {
    Exception bug = new IllegalArgumentException("a bug");
    AtomicInteger started = new AtomicInteger();
    AtomicInteger ended = new AtomicInteger();
    Tester parent =
        post(
            self -> {
              for (int i = 0; i < 3; i++) {
                self.forks(
                    new Tester(
                        child -> {
                          started.incrementAndGet();
                          try {
                            Task.waitFor(new Baton());
                          } finally {
                            ended.incrementAndGet();
                          }
                        }));
              }
              self.forks(
                  new Tester(
                      child -> {
                        while (started.get() < 3) {
                          Task.yieldNow();
                        }
                        throw bug;
                      }));
              ExecutionException e = assertThrows(ExecutionException.class, self::joins);
              assertSame(bug, e.getCause());
              assertEquals(3, ended.get(), "joined while children ran");
            });
    parent.await();
  }

  @Test
  void aTaskDoesNotEndBeforeItsChildren() throws Exception {
    AtomicInteger ended = new AtomicInteger();
    Tester parent =
        post(
            self -> {
              for (int i = 0; i < 3; i++) {
                self.forks(
                    new Tester(
                        child -> {
                          Task.pause(1_000_000);
                          ended.incrementAndGet();
                        }));
              }
            });
    parent.await();
    assertEquals(3, ended.get());
  }

  @Test
  void deadlinesAreInheritedAndEndTheWholeTree() throws Exception {
    AtomicInteger cancelled = new AtomicInteger();
    Tester root =
        new Tester(
            self -> {
              self.forks(
                  new Tester(
                      child -> {
                        child.forks(
                            new Tester(
                                leaf -> {
                                  try {
                                    Task.waitFor(new Baton());
                                  } finally {
                                    cancelled.incrementAndGet();
                                  }
                                }));
                        child.joins();
                      }));
              self.joins();
            });
    root.setDeadline(System.nanoTime() + 200_000_000);
    shard.post(root);
    CancellationException e = assertThrows(CancellationException.class, root::await);
    assertEquals("the deadline of the task has passed", e.getMessage());
    assertEquals(1, cancelled.get());
    // It was for that one time.
    Tester again = post(self -> {});
    again.await();
  }

  @Test
  void pausesAreNotShorterThanTheirTime() throws Exception {
    Tester task =
        post(
            self -> {
              for (long nanos : new long[] {0, 1, 300_000, 3_000_000}) {
                long start = System.nanoTime();
                Task.pause(nanos);
                long took = System.nanoTime() - start;
                assertTrue(took >= nanos, "nanos=" + nanos + " took=" + took);
              }
            });
    task.await();
  }

  @Test
  void scratchMemoryIsTheTasksOwnWhileItRuns() throws Exception {
    for (Task.Scratch size : Task.Scratch.values()) {
      Baton bothIn = new Baton();
      Body body =
          self -> {
            if (size == Task.Scratch.NONE) {
              assertThrows(IllegalStateException.class, self::scratchBytes);
              return;
            }
            assertEquals(size.bytes, self.scratchBytes());
            self.setFirst(System.identityHashCode(self));
            Task.yieldNow();
            Task.pause(100_000);
            assertEquals(System.identityHashCode(self), self.first());
          };
      Tester parent =
          post(
              self -> {
                self.forks(new Tester(Task.Kind.FIBER, size, body));
                self.forks(new Tester(Task.Kind.FIBER, size, body));
                self.joins();
                bothIn.post();
              });
      parent.await();
      assertTrue(bothIn.isPosted());
    }
  }

  @Test
  void tasksFromOutsideWaitForMemoryAndForksAreRefused() throws Exception {
    Baton go = new Baton();
    List<Tester> all = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      Tester task =
          new Tester(
              Task.Kind.FIBER,
              Task.Scratch.LARGE,
              self -> {
                Task.yieldNow();
                self.setFirst(1);
              });
      all.add(task);
      shard.post(task);
    }
    for (Tester task : all) {
      task.await();
    }
    Tester parent =
        post(
            self -> {
              Baton[] gos = {new Baton(), new Baton()};
              for (Baton own : gos) {
                self.forks(new Tester(Task.Kind.FIBER, Task.Scratch.LARGE, child -> own.await()));
              }
              Tester one = new Tester(Task.Kind.FIBER, Task.Scratch.LARGE, child -> go.await());
              self.forks(one);
              while (!one.isDone()) {
                Task.yieldNow();
              }
              assertInstanceOf(RejectedExecutionException.class, one.failure());
              gos[0].post();
              gos[1].post();
            });
    ExecutionException e = assertThrows(ExecutionException.class, parent::await);
    assertInstanceOf(RejectedExecutionException.class, e.getCause());
  }

  @Test
  void fibersCanLockAndStartVirtualThreads() throws Exception {
    ReentrantLock lock = new ReentrantLock();
    int[] count = new int[2];
    List<Tester> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      all.add(
          post(
              self -> {
                for (int j = 0; j < 10; j++) {
                  lock.lock();
                  try {
                    int before = count[0];
                    Task.yieldNow();
                    count[0] = before + 1;
                  } finally {
                    lock.unlock();
                  }
                }
                Thread inherited =
                    Thread.ofVirtual()
                        .start(
                            () -> {
                              Task.yieldNow();
                              synchronized (count) {
                                count[1]++;
                              }
                            });
                inherited.join();
              }));
      if (i % 5 == 4) {
        for (Tester task : all) {
          task.await();
        }
      }
    }
    for (Tester task : all) {
      task.await();
    }
    assertEquals(20 * 10, count[0]);
    assertEquals(20, count[1]);
  }

  @Test
  void interruptsOfOneTaskDoNotReachTheNext() throws Exception {
    for (int i = 0; i < 2 * FIBERS; i++) {
      post(self -> Thread.currentThread().interrupt()).await();
    }
    for (int i = 0; i < 2 * FIBERS; i++) {
      post(self -> assertFalse(Thread.currentThread().isInterrupted())).await();
    }
  }

  @Test
  void closeCancelsWhatRunsAndRefusesTheRest() throws Exception {
    List<Tester> all = new ArrayList<>();
    for (int i = 0; i < 3 * FIBERS; i++) {
      all.add(post(self -> Task.waitFor(new Baton())));
    }
    shard.close();
    int cancelled = 0;
    for (Tester task : all) {
      assertTrue(task.isDone());
      cancelled += task.failure() instanceof CancellationException ? 1 : 0;
      assertTrue(
          task.failure() instanceof CancellationException
              || task.failure() instanceof IllegalStateException,
          () -> "failure=" + task.failure());
    }
    assertTrue(cancelled <= FIBERS, "cancelled=" + cancelled);
    assertThrows(IllegalStateException.class, () -> post(self -> {}));
  }

  @Test
  void threadsThatATaskLeftBehindGoOnAfterClose() throws Exception {
    Baton go = new Baton();
    AtomicInteger ended = new AtomicInteger();
    AtomicReference<Thread> left = new AtomicReference<>();
    post(self ->
            left.set(
                Thread.ofVirtual()
                    .start(
                        () -> {
                          go.await();
                          Task.yieldNow();
                          ended.incrementAndGet();
                        })))
        .await();
    shard.close();
    go.post();
    left.get().join();
    assertEquals(1, ended.get());
  }
}
