package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class BatonTest {
  private static final int ROUNDS = 20_000;

  private final Baton baton = new Baton();

  @Test
  void postBeforeAwaitIsKept() {
    baton.post();
    assertTrue(baton.isPosted());
    baton.await();
    baton.await();
    assertTrue(baton.await(0));
  }

  @Test
  void timeOverLeavesTheBatonUsable() {
    assertFalse(baton.await(1000));
    assertFalse(baton.isPosted());
    baton.post();
    assertTrue(baton.await(1000));
  }

  @Test
  void misuseIsRefused() throws InterruptedException {
    baton.post();
    assertThrows(IllegalStateException.class, baton::post);
    baton.reset();
    Thread waiter = startWaiter(Thread.ofPlatform());
    assertThrows(IllegalStateException.class, baton::await);
    assertThrows(IllegalStateException.class, baton::reset);
    baton.post();
    waiter.join();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void interruptDoesNotEndTheWaitAndIsNotLost(boolean virtual) throws InterruptedException {
    AtomicBoolean posted = new AtomicBoolean();
    AtomicReference<String> seen = new AtomicReference<>();
    Thread.Builder builder = virtual ? Thread.ofVirtual() : Thread.ofPlatform();
    Thread waiter =
        builder.start(
            () -> {
              baton.await();
              seen.set(posted.get() + " " + Thread.currentThread().isInterrupted());
            });
    awaitParked(waiter);
    waiter.interrupt();
    // The waiter takes the interrupt and parks again.
    while (waiter.isInterrupted()) {
      Thread.onSpinWait();
    }
    awaitParked(waiter);
    posted.set(true);
    baton.post();
    waiter.join();
    assertEquals("true true", seen.get());
  }

  /**
   * Two threads hand a turn to and fro. Each round is a race of post against await, at times that
   * chance shifts; a lost wake-up stops the game and the timeout reports it. What was written
   * before a post has to be seen after its await.
   */
  @ParameterizedTest
  @ValueSource(strings = {"platform platform", "platform virtual", "virtual virtual"})
  void noWakeUpIsLost(String kinds) throws InterruptedException {
    Baton there = new Baton();
    Baton back = new Baton();
    long[] value = new long[1]; // plain, published by the batons alone
    AtomicReference<String> wrong = new AtomicReference<>();
    Thread ping =
        builder(kinds.startsWith("v"))
            .start(
                () -> {
                  SplittableRandom random = new SplittableRandom(1);
                  for (long round = 0; round < ROUNDS; round++) {
                    value[0] = 2 * round + 1;
                    spin(random);
                    there.post();
                    spin(random);
                    waitFor(back, random);
                    if (value[0] != 2 * round + 2) {
                      wrong.set("round=" + round + " value=" + value[0]);
                    }
                    back.reset();
                  }
                });
    Thread pong =
        builder(kinds.endsWith("virtual"))
            .start(
                () -> {
                  SplittableRandom random = new SplittableRandom(2);
                  for (long round = 0; round < ROUNDS; round++) {
                    waitFor(there, random);
                    there.reset();
                    if (value[0] != 2 * round + 1) {
                      wrong.set("round=" + round + " value=" + value[0]);
                    }
                    value[0] = 2 * round + 2;
                    spin(random);
                    back.post();
                  }
                });
    ping.join();
    pong.join();
    assertEquals(null, wrong.get());
  }

  /** Waits in one of the ways there are; all have to end by the post. */
  private static void waitFor(Baton baton, SplittableRandom random) {
    switch (random.nextInt(4)) {
      case 0 -> {
        while (!baton.await(random.nextInt(20_000))) {
          assertFalse(Thread.currentThread().isInterrupted());
        }
      }
      case 1 -> {
        while (!baton.isPosted()) {
          LockSupport.parkNanos(1); // a virtual thread lets others run
        }
      }
      default -> baton.await();
    }
  }

  private static void spin(SplittableRandom random) {
    for (int i = random.nextInt(8) == 0 ? random.nextInt(2000) : 0; i > 0; i--) {
      Thread.onSpinWait();
    }
  }

  private static Thread.Builder builder(boolean virtual) {
    return virtual ? Thread.ofVirtual() : Thread.ofPlatform();
  }

  private Thread startWaiter(Thread.Builder builder) {
    Thread waiter = builder.start(baton::await);
    awaitParked(waiter);
    return waiter;
  }

  private static void awaitParked(Thread thread) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (thread.getState() != Thread.State.WAITING) {
      assertTrue(System.nanoTime() < deadline, "the thread does not wait: " + thread.getState());
      Thread.onSpinWait();
    }
  }
}
