package io.ewok.gds.lsm.lock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LockTableTest {
  private static final long LONG = TimeUnit.SECONDS.toNanos(30);
  private static final long SHORT = TimeUnit.MILLISECONDS.toNanos(20);

  private final LockTable table = new LockTable(10_000);
  private final LockOwner a = new LockOwner(1);
  private final LockOwner b = new LockOwner(2);
  private final LockOwner c = new LockOwner(3);

  private LockResult lock(LockOwner owner, long hash, boolean exclusive, long nanos) {
    return table.lock(owner, hash, exclusive, nanos, () -> "lock " + hash);
  }

  private void assertGranted(LockOwner owner, long hash, boolean exclusive) {
    assertEquals(LockResult.GRANTED, lock(owner, hash, exclusive, 0));
  }

  private void assertRefused(LockOwner owner, long hash, boolean exclusive) {
    assertEquals(LockResult.TIME_OVER, lock(owner, hash, exclusive, 0));
  }

  private CompletableFuture<LockResult> later(LockOwner owner, long hash, boolean exclusive) {
    CompletableFuture<LockResult> result = new CompletableFuture<>();
    Thread thread =
        Thread.ofVirtual().start(() -> result.complete(lock(owner, hash, exclusive, LONG)));
    // Until then he might look for circles after the next one has come.
    while ((owner.waitsFor == null || thread.getState() == Thread.State.RUNNABLE)
        && !result.isDone()) {
      Thread.onSpinWait();
    }
    return result;
  }

  private static void assertWaits(CompletableFuture<LockResult> result) {
    assertThrows(TimeoutException.class, () -> result.get(SHORT, TimeUnit.NANOSECONDS));
  }

  private static void assertGranted(CompletableFuture<LockResult> result) throws Exception {
    assertEquals(LockResult.GRANTED, result.get(30, TimeUnit.SECONDS));
  }

  @Test
  void sharedLocksGoTogetherAndExclusiveOnesAlone() {
    assertGranted(a, 1, false);
    assertGranted(b, 1, false);
    assertRefused(c, 1, true);
    assertTrue(table.isHeldAgainst(c, 1, true));
    assertFalse(table.isHeldAgainst(c, 1, false));
    table.releaseAll(a);
    assertRefused(c, 1, true);
    table.releaseAll(b);
    assertGranted(c, 1, true);
    assertRefused(a, 1, false);
    assertTrue(table.isHeldAgainst(a, 1, false));
    assertFalse(table.isHeldAgainst(c, 1, true));
  }

  @Test
  void lockIsHisAsOftenAsHeTakesItAndGoesAtOnce() {
    assertGranted(a, 1, true);
    assertGranted(a, 1, true);
    assertGranted(a, 1, false);
    assertEquals(1, a.lockCount());
    table.releaseAll(a);
    assertEquals(0, table.count());
    assertGranted(b, 1, true);
  }

  @Test
  void sharedLockBecomesExclusiveIfHeIsAlone() throws Exception {
    assertGranted(a, 1, false);
    assertGranted(a, 1, true);
    assertRefused(b, 1, false);
    table.releaseAll(a);
    assertGranted(a, 1, false);
    assertGranted(b, 1, false);
    CompletableFuture<LockResult> alone = later(a, 1, true);
    assertWaits(alone);
    table.releaseAll(b);
    assertGranted(alone);
    assertRefused(b, 1, false);
  }

  @Test
  void whoComesFirstIsServedFirst() throws Exception {
    assertGranted(a, 1, false);
    CompletableFuture<LockResult> first = later(b, 1, true);
    assertRefused(c, 1, false); // it would keep the first one waiting
    CompletableFuture<LockResult> second = later(c, 1, false);
    table.releaseAll(a);
    assertGranted(first);
    assertWaits(second);
    table.releaseAll(b);
    assertGranted(second);
  }

  @Test
  void whoGivesUpLetsThoseBehindHimGoOn() throws Exception {
    assertGranted(a, 1, false);
    CompletableFuture<LockResult> timed =
        CompletableFuture.supplyAsync(() -> lock(b, 1, true, 5 * SHORT));
    while (b.waitsFor == null) {
      Thread.onSpinWait();
    }
    CompletableFuture<LockResult> behind = later(c, 1, false);
    assertEquals(LockResult.TIME_OVER, timed.get(30, TimeUnit.SECONDS));
    assertGranted(behind);
    assertEquals(0, b.lockCount());
  }

  @Test
  void thereAreNoMoreThanSoManyLocks() {
    LockTable small = new LockTable(2);
    assertEquals(LockResult.GRANTED, small.lock(a, 1, true, LONG, () -> ""));
    assertEquals(LockResult.GRANTED, small.lock(a, 2, true, LONG, () -> ""));
    assertEquals(LockResult.FULL, small.lock(a, 3, true, LONG, () -> ""));
    assertEquals(LockResult.GRANTED, small.lock(a, 2, false, LONG, () -> ""));
    small.releaseAll(a);
    assertEquals(0, small.count());
    assertEquals(LockResult.GRANTED, small.lock(b, 3, true, LONG, () -> ""));
  }

  @Test
  void circleOfThreeIsNamed() throws Exception {
    assertGranted(a, 1, true);
    assertGranted(b, 2, true);
    assertGranted(c, 3, true);
    CompletableFuture<LockResult> first = later(a, 2, true);
    CompletableFuture<LockResult> second = later(b, 3, false);
    LockResult.Deadlock deadlock =
        assertInstanceOf(LockResult.Deadlock.class, lock(c, 1, true, LONG));
    assertEquals(
        List.of(
            new LockResult.Wait(3, "lock 1"),
            new LockResult.Wait(1, "lock 2"),
            new LockResult.Wait(2, "lock 3")),
        deadlock.cycle());
    assertWaits(first);
    assertWaits(second);
    table.releaseAll(c);
    assertGranted(second);
    table.releaseAll(b);
    assertGranted(first);
    table.releaseAll(a);
    assertEquals(0, table.count());
  }

  @Test
  void twoWhoShareAndBothWantItAloneAreACircle() throws Exception {
    assertGranted(a, 1, false);
    assertGranted(b, 1, false);
    CompletableFuture<LockResult> first = later(a, 1, true);
    assertInstanceOf(LockResult.Deadlock.class, lock(b, 1, true, LONG));
    table.releaseAll(b);
    assertGranted(first);
  }

  @Test
  void whoWaitsBehindOneWhoWaitsForHimIsInACircle() throws Exception {
    assertGranted(a, 1, false);
    assertGranted(b, 2, true);
    CompletableFuture<LockResult> writer = later(b, 1, true); // waits for a
    CompletableFuture<LockResult> reader = later(c, 1, false); // behind b
    assertWaits(reader);
    assertInstanceOf(LockResult.Deadlock.class, lock(a, 2, false, LONG));
    table.releaseAll(a);
    assertGranted(writer);
    table.releaseAll(b);
    assertGranted(reader);
  }

  /** Who has it shared excludes one in front of him in line, and him only through that one. */
  @Test
  void circleThroughOneInFrontInTheSameLineIsNamed() throws Exception {
    assertGranted(a, 1, false);
    assertGranted(c, 2, true);
    CompletableFuture<LockResult> writer = later(b, 1, true); // waits for a
    CompletableFuture<LockResult> reader = later(c, 1, false); // behind b
    LockResult.Deadlock deadlock =
        assertInstanceOf(LockResult.Deadlock.class, lock(a, 2, false, LONG));
    assertEquals(
        List.of(
            new LockResult.Wait(1, "lock 2"),
            new LockResult.Wait(3, "lock 1"),
            new LockResult.Wait(2, "lock 1")),
        deadlock.cycle());
    table.releaseAll(a);
    assertGranted(writer);
    table.releaseAll(b);
    assertGranted(reader);
    table.releaseAll(c);
    assertEquals(0, table.count());
  }

  /** Each that comes looks for circles: along the line once, not once more for each in it. */
  @Test
  @Timeout(60)
  void longLineIsServedAndACircleThroughItFound() throws Exception {
    int length = 1_000;
    assertGranted(a, 1, true);
    List<LockOwner> owners = new ArrayList<>();
    List<CompletableFuture<LockResult>> line = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      LockOwner owner = new LockOwner(10 + i);
      assertGranted(owner, 10 + i, true);
      owners.add(owner);
      line.add(later(owner, 1, i % 3 > 0));
    }
    for (int i : new int[] {0, length / 2, length - 1}) {
      LockResult.Deadlock deadlock =
          assertInstanceOf(LockResult.Deadlock.class, lock(a, 10 + i, true, LONG));
      assertEquals(
          List.of(
              new LockResult.Wait(1, "lock " + (10 + i)), new LockResult.Wait(10 + i, "lock 1")),
          deadlock.cycle());
    }
    table.releaseAll(a);
    for (int i = 0; i < length; i++) {
      assertGranted(line.get(i));
      assertFalse(i % 3 > 0 && i + 1 < length && line.get(i + 1).isDone(), "out of turn: " + i);
      table.releaseAll(owners.get(i));
    }
    assertEquals(0, table.count());
  }

  /** Nobody waits for ever, and nobody has what another one has alone. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void manyAtOnceExcludeEachOtherAndEnd(boolean virtual) throws Exception {
    ConcurrentHashMap<Long, AtomicInteger> uses = new ConcurrentHashMap<>();
    AtomicInteger deadlocks = new AtomicInteger();
    AtomicInteger wrong = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      SplittableRandom random = new SplittableRandom(i);
      LockOwner owner = new LockOwner(i);
      Runnable work =
          () -> {
            for (int round = 0; round < 1_000; round++) {
              work(owner, random, uses, deadlocks, wrong);
            }
          };
      threads.add(virtual ? Thread.ofVirtual().start(work) : Thread.ofPlatform().start(work));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, wrong.get());
    assertEquals(0, table.count());
    assertTrue(deadlocks.get() > 0, "nobody met");
  }

  @SuppressWarnings("ThreadPriorityCheck") // more of them meet so
  private void work(
      LockOwner owner,
      SplittableRandom random,
      ConcurrentHashMap<Long, AtomicInteger> uses,
      AtomicInteger deadlocks,
      AtomicInteger wrong) {
    List<AtomicInteger> alone = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      long hash = random.nextInt(4);
      LockResult result = lock(owner, hash, true, LONG);
      if (result instanceof LockResult.Deadlock) {
        deadlocks.incrementAndGet();
        break;
      }
      AtomicInteger use = uses.computeIfAbsent(hash, _ -> new AtomicInteger());
      if (!alone.contains(use)) {
        alone.add(use);
        if (use.incrementAndGet() != 1 || result != LockResult.GRANTED) {
          wrong.incrementAndGet();
        }
      }
      Thread.yield();
    }
    alone.forEach(AtomicInteger::decrementAndGet);
    table.releaseAll(owner);
  }
}
