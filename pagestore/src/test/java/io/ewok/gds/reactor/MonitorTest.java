package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class MonitorTest {
  private static final long SHORT_NANOS = 1000;

  private final Monitor monitor = new Monitor();
  private final Monitor.Line line = monitor.newLine();

  // Guarded by the monitor.
  private int arrived;
  private boolean open;
  private final List<String> log = new ArrayList<>();

  private interface Body {
    void run(Tester task) throws Exception;
  }

  private static final class Tester extends Task {
    private final Body body;

    Tester(Kind kind, Body body) {
      super(kind, Scratch.NONE);
      this.body = body;
    }

    @Override
    protected void run() throws Exception {
      body.run(this);
    }
  }

  private static Tester post(Reactor reactor, Task.Kind kind, Body body) {
    Tester task = new Tester(kind, body);
    reactor.post(task);
    return task;
  }

  private static Reactor reactor(FiberMode mode) throws IOException {
    assumeTrue(mode != FiberMode.REACTOR || FiberThreads.reason() == null, FiberThreads::reason);
    return Reactor.start(
        ReactorOptions.defaults()
            .withName("monitor-test")
            .withFibers(FiberOptions.defaults().withMode(mode)));
  }

  /** Waits in the line until it is open. */
  private void pass() {
    monitor.lock();
    try {
      arrived++;
      while (!open) {
        line.await();
      }
      log.add("passed");
    } finally {
      monitor.unlock();
    }
  }

  private void open() {
    monitor.lock();
    try {
      open = true;
      line.wakeAll();
      log.add("opened");
    } finally {
      monitor.unlock();
    }
  }

  private boolean awaitOnce(long nanos) {
    monitor.lock();
    try {
      return line.await(nanos);
    } finally {
      monitor.unlock();
    }
  }

  private void awaitArrived(int count) {
    while (true) {
      monitor.lock();
      try {
        if (arrived == count) {
          return;
        }
      } finally {
        monitor.unlock();
      }
      Thread.onSpinWait();
    }
  }

  private static Thread.Builder builder(boolean virtual) {
    return virtual ? Thread.ofVirtual() : Thread.ofPlatform();
  }

  @Test
  void oneIsWokenAtATimeInTheOrderOfTheirComing() throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int number = i;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    monitor.lock();
                    try {
                      arrived++;
                      line.await();
                      log.add("woken " + number);
                      arrived--;
                    } finally {
                      monitor.unlock();
                    }
                  }));
      awaitArrived(i + 1);
    }
    for (int i = 0; i < 3; i++) {
      monitor.lock();
      try {
        assertEquals(i, log.size());
        line.wakeFirst();
        if (i == 2) {
          line.wakeFirst(); // for nobody
        }
      } finally {
        monitor.unlock();
      }
      awaitArrived(2 - i);
      assertFalse(i == 0 && awaitOnce(SHORT_NANOS), "woken for another");
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of("woken 0", "woken 1", "woken 2"), log);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void allWhoWaitAreWoken(boolean virtual) throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      threads.add(builder(virtual).start(this::pass));
    }
    awaitArrived(5);
    open();
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of("opened", "passed", "passed", "passed", "passed", "passed"), log);
  }

  @Test
  void whoseTimeIsOverLeavesTheLineToTheOthers() throws InterruptedException {
    Thread first = Thread.ofPlatform().start(this::pass);
    awaitArrived(1);
    assertFalse(awaitOnce(SHORT_NANOS), "last of the line");
    Thread third = Thread.ofPlatform().start(this::pass);
    awaitArrived(2);
    assertFalse(awaitOnce(0));
    open();
    first.join();
    third.join();
    assertFalse(awaitOnce(SHORT_NANOS), "nobody wakes an empty line's next waiter");
    assertEquals(List.of("opened", "passed", "passed"), log);
  }

  @Test
  void interruptDoesNotEndAWaitAndIsNotLost() throws InterruptedException {
    boolean[] interrupted = new boolean[1];
    Thread waiter =
        Thread.ofPlatform()
            .start(
                () -> {
                  pass();
                  interrupted[0] = Thread.currentThread().isInterrupted();
                });
    awaitArrived(1);
    waiter.interrupt();
    open();
    waiter.join();
    assertTrue(interrupted[0]);
    assertEquals(List.of("opened", "passed"), log);
  }

  @Test
  void withoutTheLockOrWithTwoNobodyWaits() throws InterruptedException {
    assertThrows(IllegalMonitorStateException.class, line::await);
    monitor.lock();
    assertThrows(IllegalMonitorStateException.class, () -> awaitOnce(0), "would keep the lock");
    monitor.unlock();
    Thread waiter = Thread.ofPlatform().start(this::pass);
    awaitArrived(1);
    assertThrows(IllegalMonitorStateException.class, line::wakeAll);
    assertThrows(IllegalMonitorStateException.class, monitor::unlock);
    open();
    waiter.join();
  }

  @Test
  void whoWakesAndThenWaitsLetsTheOthersGoOn() throws InterruptedException {
    Monitor.Line answered = monitor.newLine();
    Thread waiter =
        Thread.ofPlatform()
            .start(
                () -> {
                  pass();
                  monitor.lock();
                  answered.wakeAll();
                  monitor.unlock();
                });
    awaitArrived(1);
    monitor.lock();
    try {
      open = true;
      line.wakeAll();
      answered.await();
    } finally {
      monitor.unlock();
    }
    waiter.join();
  }

  /** The lock is handed on in the order of the line, and the fiber needs the loop to take it. */
  @Test
  void aLoopDoesNotWaitForTheLockBehindItsOwnFiber() throws Exception {
    try (Reactor reactor = reactor(FiberMode.REACTOR)) {
      Baton atLock = new Baton();
      monitor.lock();
      Tester fiber = post(reactor, Task.Kind.FIBER, self -> assertFalse(awaitOnce(0)));
      Tester direct =
          post(
              reactor,
              Task.Kind.DIRECT,
              self -> {
                atLock.post();
                assertFalse(awaitOnce(0));
              });
      atLock.await();
      for (int spins = 0; spins < 1_000_000 && !isWaiting(reactor.thread()); spins++) {
        Thread.onSpinWait();
      }
      monitor.unlock();
      direct.await();
      fiber.await();
    }
  }

  private static boolean isWaiting(Thread thread) {
    return thread.getState() == Thread.State.WAITING;
  }

  @ParameterizedTest
  @EnumSource(names = {"REACTOR", "VIRTUAL"})
  void waitsOnAReactorLetItsOtherTasksRun(FiberMode mode) throws Exception {
    try (Reactor reactor = reactor(mode)) {
      List<Tester> waiters = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        waiters.add(post(reactor, Task.Kind.FIBER, self -> pass()));
      }
      // Two tasks on one stack, and what opens the line is a third on top of them.
      waiters.add(post(reactor, Task.Kind.DIRECT, self -> pass()));
      waiters.add(post(reactor, Task.Kind.DIRECT, self -> pass()));
      awaitArrived(22);
      post(reactor, Task.Kind.DIRECT, self -> open()).await();
      for (Tester waiter : waiters) {
        waiter.await();
      }
      Tester late = post(reactor, Task.Kind.DIRECT, self -> assertFalse(awaitOnce(SHORT_NANOS)));
      late.await();
    }
  }

  /** Takes a turn as soon as nobody has it, and hands it over to the first of those who wait. */
  private void takeTurn() {
    monitor.lock();
    try {
      arrived++;
      while (!open) {
        line.await();
      }
      open = false;
      log.add("taken");
    } finally {
      monitor.unlock();
    }
    handOver();
  }

  private void handOver() {
    monitor.lock();
    try {
      open = true;
      line.wakeFirst();
    } finally {
      monitor.unlock();
    }
  }

  /** The first in line lies beneath the second, who waits as well. */
  @ParameterizedTest
  @EnumSource(names = {"REACTOR", "VIRTUAL"})
  void whoIsWokenAloneIsNotBeneathOthersInTheLine(FiberMode mode) throws Exception {
    try (Reactor reactor = reactor(mode)) {
      List<Tester> waiters = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        waiters.add(post(reactor, Task.Kind.DIRECT, self -> takeTurn()));
        awaitArrived(i + 1);
      }
      for (int i = 0; i < 20; i++) {
        waiters.add(post(reactor, Task.Kind.FIBER, self -> takeTurn()));
      }
      awaitArrived(22);
      handOver();
      for (Tester waiter : waiters) {
        waiter.await();
      }
      assertEquals(22, log.size());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"REACTOR", "VIRTUAL"})
  void longLockIsWaitedForWithTheLoopTurning(FiberMode mode) throws Exception {
    LongLock lock = new LongLock();
    Baton held = new Baton();
    Baton go = new Baton();
    try (Reactor reactor = reactor(mode)) {
      Tester holder =
          post(
              reactor,
              Task.Kind.FIBER,
              self -> {
                lock.lock();
                held.post();
                go.await();
                log.add("released");
                lock.unlock();
              });
      held.await();
      Body taking =
          self -> {
            lock.lock();
            log.add("taken");
            lock.unlock();
          };
      Tester fiber = post(reactor, Task.Kind.FIBER, taking);
      Tester direct = post(reactor, Task.Kind.DIRECT, taking);
      assertFalse(lock.tryLock());
      post(reactor, Task.Kind.DIRECT, self -> go.post()).await();
      holder.await();
      fiber.await();
      direct.await();
      assertEquals(List.of("released", "taken", "taken"), log);
    }
  }

  @Test
  void longLockIsRefusedToTheStackThatHasIt() throws Exception {
    LongLock lock = new LongLock();
    try (Reactor reactor = reactor(FiberMode.AUTO)) {
      Tester inner = new Tester(Task.Kind.DIRECT, self -> lock.lock());
      Tester outer =
          post(
              reactor,
              Task.Kind.DIRECT,
              self -> {
                lock.lock();
                try {
                  assertFalse(lock.tryLock());
                  reactor.post(inner);
                  inner.await();
                } finally {
                  lock.unlock();
                }
              });
      Throwable failure = assertThrows(ExecutionException.class, outer::await);
      while (failure.getCause() != null) {
        failure = failure.getCause();
      }
      assertEquals(IllegalStateException.class, failure.getClass());
    }
    assertTrue(lock.tryLock());
  }

  @Test
  void waitsOfFibersAllocateNothing() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int rounds = 20_000;
    try (Reactor reactor = reactor(FiberMode.REACTOR)) {
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 10 && least > rounds; attempt++) {
        int[] turn = new int[1];
        Tester even = new Tester(Task.Kind.FIBER, self -> takeTurns(turn, 0, rounds));
        Tester odd = new Tester(Task.Kind.FIBER, self -> takeTurns(turn, 1, rounds));
        long before = threads.getThreadAllocatedBytes(reactor.thread().threadId());
        reactor.post(even);
        reactor.post(odd);
        even.await();
        odd.await();
        assertEquals(2 * rounds, turn[0]);
        long after = threads.getThreadAllocatedBytes(reactor.thread().threadId());
        least = Math.min(least, after - before);
      }
      assertTrue(least <= rounds, "rounds=" + rounds + " bytes=" + least);
    }
  }

  private void takeTurns(int[] turn, int parity, int rounds) {
    for (int round = 0; round < rounds; round++) {
      monitor.lock();
      try {
        while (turn[0] % 2 != parity) {
          line.await();
        }
        turn[0]++;
        line.wakeAll();
      } finally {
        monitor.unlock();
      }
    }
  }

  /**
   * Producers and consumers of all kinds at a queue with two places. Many of the waits that are
   * timed are over just when they are woken. Whatever is lost stops it, and the timeout tells.
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void nothingIsLostBetweenThreadsOfAllKinds(boolean timed) throws Exception {
    long seed = Long.getLong("gds.seed", 20261121);
    int items = 5000;
    int pairs = 3;
    Queue queue = new Queue(timed);
    try (Reactor reactor = reactor(FiberMode.AUTO)) {
      List<Thread> threads = new ArrayList<>();
      List<Tester> tasks = new ArrayList<>();
      for (int i = 0; i < pairs; i++) {
        SplittableRandom random = new SplittableRandom(seed + i);
        SplittableRandom forPuts = random.split();
        SplittableRandom forTakes = random.split();
        if (i == 0) {
          tasks.add(post(reactor, Task.Kind.FIBER, self -> queue.put(items, forPuts)));
          tasks.add(post(reactor, Task.Kind.FIBER, self -> queue.take(items, forTakes)));
        } else {
          threads.add(builder(i == 1).start(() -> queue.put(items, forPuts)));
          threads.add(builder(i == 1).start(() -> queue.take(items, forTakes)));
        }
      }
      for (Tester task : tasks) {
        task.await();
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertEquals((long) pairs * items * (items - 1) / 2, queue.sum, "gds.seed=" + seed);
    assertEquals(0, queue.count);
  }

  private static final class Queue {
    private final Monitor monitor = new Monitor();
    private final Monitor.Line room = monitor.newLine();
    private final Monitor.Line filled = monitor.newLine();
    private final long[] values = new long[2];
    private final boolean timed;
    int count;
    long sum;

    Queue(boolean timed) {
      this.timed = timed;
    }

    void put(int items, SplittableRandom random) {
      for (int item = 0; item < items; item++) {
        monitor.lock();
        try {
          while (count == values.length) {
            await(room, random);
          }
          values[count++] = item;
          filled.wakeAll();
        } finally {
          monitor.unlock();
        }
      }
    }

    void take(int items, SplittableRandom random) {
      for (int item = 0; item < items; item++) {
        monitor.lock();
        try {
          while (count == 0) {
            await(filled, random);
          }
          sum += values[--count];
          room.wakeAll();
        } finally {
          monitor.unlock();
        }
      }
    }

    private void await(Monitor.Line line, SplittableRandom random) {
      if (timed) {
        boolean unused = line.await(random.nextInt(100_000));
      } else {
        line.await();
      }
    }
  }
}
