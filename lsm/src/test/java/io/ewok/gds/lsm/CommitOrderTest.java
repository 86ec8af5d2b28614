package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommitOrderTest {
  private static final int STEP = 8;
  private static final long FIRST = 64;

  /** All orders in which six writes can be done, with slots enough and with two. */
  @ParameterizedTest
  @ValueSource(ints = {2, 1 << 10})
  void endIsThatOfTheLongestRunOfWritesThatAreDone(int slots) {
    permute(new ArrayList<>(), slots);
  }

  private static void permute(List<Integer> chosen, int slots) {
    int writes = 6;
    if (chosen.size() == writes) {
      replay(chosen, slots);
      return;
    }
    for (int i = 0; i < writes; i++) {
      if (!chosen.contains(i)) {
        List<Integer> longer = new ArrayList<>(chosen);
        longer.add(i);
        permute(longer, slots);
      }
    }
  }

  private static void replay(List<Integer> permutation, int slots) {
    CommitOrder order = new CommitOrder(FIRST, slots);
    List<Integer> waiting = new ArrayList<>();
    List<Integer> done = new ArrayList<>();
    for (int write : permutation) {
      waiting.add(write);
      // Who was refused tries again after each.
      for (int i = 0; i < waiting.size(); i++) {
        long start = FIRST + (long) waiting.get(i) * STEP;
        if (order.tryPublish(start, start + STEP)) {
          done.add(waiting.remove(i));
          i = -1;
        }
      }
      int run = 0;
      while (done.contains(run)) {
        run++;
      }
      assertEquals(FIRST + (long) run * STEP, order.visible(), permutation::toString);
      assertTrue(!waiting.contains(run), "the next one is never refused");
    }
    assertEquals(FIRST + (long) permutation.size() * STEP, order.visible());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8, 1 << 10})
  @Timeout(60)
  @SuppressWarnings("ThreadPriorityCheck") // for who has to move the end
  void nothingIsVisibleBeforeItIsDoneAndEverythingInTheEnd(int slots) throws Exception {
    int writes = 4_000;
    CommitOrder order = new CommitOrder(FIRST, slots);
    AtomicLong taken = new AtomicLong();
    AtomicIntegerArray done = new AtomicIntegerArray(writes);
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      SplittableRandom random = new SplittableRandom(i);
      tasks.add(
          new FutureTask<>(
              () -> {
                for (int write = (int) taken.getAndIncrement();
                    write < writes;
                    write = (int) taken.getAndIncrement()) {
                  for (int spins = random.nextInt(200); spins > 0; spins--) {
                    Thread.onSpinWait();
                  }
                  done.set(write, 1);
                  long start = FIRST + (long) write * STEP;
                  while (!order.tryPublish(start, start + STEP)) {
                    Thread.yield();
                  }
                  int seen = (int) ((order.visible() - FIRST) / STEP);
                  for (int j = Math.max(0, seen - 10); j < seen; j++) {
                    assertEquals(1, done.get(j), "visible is done");
                  }
                }
                return null;
              }));
    }
    List<Thread> threads = tasks.stream().map(Thread.ofPlatform()::start).toList();
    for (FutureTask<Void> task : tasks) {
      task.get();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(FIRST + (long) writes * STEP, order.visible());
  }

  @Test
  void endMovesOverMarksThatWereLeftBefore() {
    CommitOrder order = new CommitOrder(FIRST);
    for (int write = 100; write > 0; write--) {
      long start = FIRST + (long) write * STEP;
      while (!order.tryPublish(start, start + STEP)) {
        throw new AssertionError("a slot is taken: write=" + write);
      }
    }
    assertEquals(FIRST, order.visible());
    assertTrue(order.tryPublish(FIRST, FIRST + STEP));
    assertEquals(FIRST + 101 * STEP, order.visible());
  }
}
