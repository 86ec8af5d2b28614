package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Writers and an epoch are never in the same stripe. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class KeyGuardsTest {
  private final KeyGuards guards = new KeyGuards();

  @Test
  void anEpochWaitsForWritersAndWritersForTheEpoch() throws Exception {
    int[] both = {3, 7};
    guards.enter(3);
    guards.enter(3);
    AtomicBoolean held = new AtomicBoolean();
    Thread epoch =
        Thread.ofVirtual()
            .start(
                () -> {
                  guards.hold(both);
                  held.set(true);
                });
    guards.exit(3);
    assertFalse(epoch.join(Duration.ofMillis(50)), "somebody is still inside");
    assertFalse(held.get());
    guards.enter(8);
    guards.exit(8);
    guards.exit(3);
    epoch.join();
    assertTrue(held.get());
    CountDownLatch inside = new CountDownLatch(1);
    Thread writer =
        Thread.ofVirtual()
            .start(
                () -> {
                  guards.enter(both);
                  inside.countDown();
                  guards.exit(both);
                });
    assertFalse(inside.await(50, TimeUnit.MILLISECONDS), "the epoch has the keys");
    guards.free(both);
    writer.join();
    assertEquals(0, inside.getCount());
  }

  @Test
  void nobodyIsInAStripeThatIsHeld() throws Exception {
    int stripes = 4;
    AtomicInteger[] writers = new AtomicInteger[stripes];
    for (int i = 0; i < stripes; i++) {
      writers[i] = new AtomicInteger();
    }
    AtomicBoolean enough = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      SplittableRandom random = new SplittableRandom(i);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!enough.get()) {
                      int stripe = random.nextInt(stripes);
                      guards.enter(stripe);
                      writers[stripe].incrementAndGet();
                      writers[stripe].decrementAndGet();
                      guards.exit(stripe);
                    }
                  }));
    }
    SplittableRandom random = new SplittableRandom(99);
    int wrong = 0;
    for (int round = 0; round < 300; round++) {
      int first = random.nextInt(stripes);
      int[] some =
          IntStream.range(first, stripes)
              .filter(stripe -> stripe == first || random.nextBoolean())
              .toArray();
      guards.hold(some);
      for (int stripe : some) {
        for (int look = 0; look < 20; look++) {
          wrong += writers[stripe].get();
        }
      }
      guards.free(some);
    }
    enough.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, wrong, "writers seen in stripes that were held");
  }
}
