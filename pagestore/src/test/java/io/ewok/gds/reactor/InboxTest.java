package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class InboxTest {
  private final Inbox inbox = new Inbox();

  /** An operation that is only handed around. */
  private static final class Numbered extends RingOperation {
    final int giver;
    final int number;

    Numbered(int giver, int number) {
      this.giver = giver;
      this.number = number;
    }

    @Override
    protected boolean completed(int result) {
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {}
  }

  @Test
  void oldestComesFirst() {
    assertNull(inbox.takeAll());
    Numbered first = new Numbered(0, 1);
    Numbered second = new Numbered(0, 2);
    assertTrue(inbox.push(first));
    assertTrue(inbox.push(second));
    Message taken = inbox.takeAll();
    assertSame(first, taken);
    assertSame(second, taken.next);
    assertNull(second.next);
    assertNull(inbox.takeAll());
  }

  @Test
  void closedTakesNothing() {
    Numbered before = new Numbered(0, 1);
    inbox.push(before);
    assertSame(before, inbox.close());
    assertFalse(inbox.push(new Numbered(0, 2)));
    assertNull(inbox.takeAll(), "what runs until the end still looks");
    assertFalse(inbox.push(new Numbered(0, 3)), "and does not open it");
    assertTrue(inbox.prepareToSleep());
    assertNull(inbox.close());
  }

  @Test
  void onlyAGiverToASleeperWakes() {
    assertFalse(inbox.claimWakeUp());
    assertTrue(inbox.prepareToSleep());
    inbox.push(new Numbered(0, 1));
    assertTrue(inbox.claimWakeUp());
    assertFalse(inbox.claimWakeUp(), "one giver wakes");
    assertFalse(inbox.prepareToSleep(), "there is work");
    assertFalse(inbox.claimWakeUp());
    inbox.takeAll();
    assertTrue(inbox.prepareToSleep());
    inbox.awake();
    assertFalse(inbox.claimWakeUp());
  }

  /**
   * The two halves of the protocol at the same moment, many times over: it must never be that the
   * reactor goes to sleep and the giver does not wake it.
   */
  @Test
  void eitherTheGiverWakesOrTheReactorStaysAwake() throws Exception {
    int batches = 150;
    int size = 4096;
    Inbox[] inboxes = new Inbox[size];
    Numbered[] operations = new Numbered[size];
    Arrays.setAll(operations, i -> new Numbered(0, i));
    boolean[] wakes = new boolean[size];
    boolean[] sleeps = new boolean[size];
    CyclicBarrier barrier = new CyclicBarrier(2);
    AtomicInteger arrived = new AtomicInteger();
    Thread giver =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int batch = 0; batch < batches; batch++) {
                    meet(barrier, arrived);
                    for (int i = 0; i < size; i++) {
                      inboxes[i].push(operations[i]);
                      wakes[i] = inboxes[i].claimWakeUp();
                    }
                    meet(barrier, arrived);
                  }
                });
    int bothSeen = 0;
    List<String> lost = new ArrayList<>();
    for (int batch = 0; batch < batches; batch++) {
      Arrays.setAll(inboxes, i -> new Inbox());
      meet(barrier, arrived);
      for (int i = 0; i < size; i++) {
        sleeps[i] = inboxes[i].prepareToSleep();
      }
      meet(barrier, arrived);
      for (int i = 0; i < size; i++) {
        if (sleeps[i] && !wakes[i]) {
          lost.add("batch=" + batch + " i=" + i);
        }
        bothSeen += !sleeps[i] ? 1 : 0;
      }
    }
    giver.join();
    assertEquals(List.of(), lost);
    assertTrue(bothSeen > 0, "the reactor was always first, the test shows nothing");
  }

  /** Two threads meet and leave at the same moment, as nearly as spinning does it. */
  private static void meet(CyclicBarrier barrier, AtomicInteger arrived) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new AssertionError(e);
    }
    int round = (arrived.getAndIncrement() & ~1) + 2;
    while (arrived.get() - round < 0) {
      Thread.onSpinWait();
    }
  }

  /**
   * Givers race with a taker that sleeps whenever it may. A lost wake-up leaves everybody waiting,
   * which the timeout reports; each operation has to arrive once, those of one giver in order.
   */
  @Test
  void noWakeUpAndNoOperationIsLost() throws InterruptedException {
    int givers = 3;
    int each = 30_000;
    Semaphore wakeUps = new Semaphore(0); // stands for the event counter
    Semaphore[] taken = new Semaphore[givers];
    Arrays.setAll(taken, i -> new Semaphore(0));
    AtomicReference<String> wrong = new AtomicReference<>();
    Thread taker =
        Thread.ofPlatform()
            .start(
                () -> {
                  int[] last = new int[givers];
                  int count = 0;
                  while (count < givers * each) {
                    Message operation = inbox.takeAll();
                    for (; operation != null; operation = operation.next) {
                      Numbered numbered = (Numbered) operation;
                      if (numbered.number != last[numbered.giver] + 1) {
                        wrong.set(
                            "number=%d after=%d".formatted(numbered.number, last[numbered.giver]));
                      }
                      last[numbered.giver] = numbered.number;
                      count++;
                      taken[numbered.giver].release();
                    }
                    if (count < givers * each && inbox.prepareToSleep()) {
                      wakeUps.acquireUninterruptibly();
                      inbox.awake();
                    }
                  }
                });
    List<Thread> threads = new ArrayList<>(List.of(taker));
    for (int giver = 0; giver < givers; giver++) {
      int index = giver;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    SplittableRandom random = new SplittableRandom(index);
                    int outstanding = 0;
                    for (int number = 1; number <= each; number++) {
                      inbox.push(new Numbered(index, number));
                      if (inbox.claimWakeUp()) {
                        wakeUps.release();
                      }
                      outstanding++;
                      // Often waits for all it gave, so that the taker has to sleep.
                      if (random.nextInt(3) == 0) {
                        taken[index].acquireUninterruptibly(outstanding);
                        outstanding = 0;
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(null, wrong.get());
  }
}
