package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Operations, registrations, trims and a close that meet. Whoever has a lease or a registration
 * writes a number and reads it again: had the memory gone meanwhile, it would be zero, or the
 * segment closed.
 */
class RegionRaceTest {
  private static final long SEED = Long.getLong("gds.test.seed", System.nanoTime());
  private static final long UNIT = Region.UNIT_BYTES;
  private static final int ROUNDS = 60;
  private static final int THREADS = 4;
  private static final int STEPS = 200;

  private final MemoryBudget budget = MemoryBudget.root("test", 2 * UNIT);
  private final AtomicInteger holds = new AtomicInteger();
  private final AtomicInteger trims = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();

  @Test
  void whatIsHeldStaysInPlaceUntilItIsLetGo() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      race(SEED + round, round % 2 == 0);
    }
    assertTrue(holds.get() > 0 && trims.get() > 0 && refusals.get() > 0, this::counts);
  }

  private String counts() {
    return "seed=%d holds=%s trims=%s refusals=%s".formatted(SEED, holds, trims, refusals);
  }

  private void race(long seed, boolean reserved) throws Exception {
    RegionOptions options = RegionOptions.ofSize(2 * UNIT);
    Region region = reserved ? Region.reserve(budget, options) : Region.map(budget, options);
    if (reserved) {
      region.commit(0, 2 * UNIT);
    }
    AtomicBoolean closed = new AtomicBoolean();
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      SplittableRandom random = new SplittableRandom(seed * THREADS + i);
      int slot = i;
      FutureTask<Void> task =
          new FutureTask<>(
              () -> {
                for (int step = 0; step < STEPS; step++) {
                  act(region, random, slot, closed, reserved);
                }
                return null;
              });
      tasks.add(task);
      Thread.ofPlatform().start(task);
    }
    for (FutureTask<Void> task : tasks) {
      try {
        task.get(60, TimeUnit.SECONDS);
      } catch (Exception e) {
        throw new AssertionError("replay with -Dgds.test.seed=" + seed, e);
      }
    }
    region.close();
    assertEquals(0, budget.usedBytes(), this::counts);
  }

  private void act(
      Region region, SplittableRandom random, int slot, AtomicBoolean closed, boolean reserved) {
    boolean wasClosed = closed.get();
    try {
      switch (random.nextInt(8)) {
        case 0 -> {
          region.addRegistration();
          hold(region, slot, wasClosed);
          region.removeRegistration();
        }
        case 1 -> trim(region, reserved);
        case 2 -> {
          if (random.nextInt(STEPS / 4) == 0) {
            region.close();
            closed.set(true);
          }
        }
        default -> {
          long offset = random.nextInt(2) * UNIT;
          region.lease(offset, UNIT);
          hold(region, slot, wasClosed);
          region.unlease(offset, UNIT);
        }
      }
    } catch (IllegalStateException refused) {
      // Whatever the region's state forbade; what it allowed is checked while it is held.
      refusals.incrementAndGet();
    }
  }

  /** A refusal after the lease or registration was granted is an error, not an outcome. */
  private void hold(Region region, int slot, boolean wasClosed) {
    assertFalse(wasClosed, "granted after close");
    try {
      for (long unit = 0; unit < 2 * UNIT; unit += UNIT) {
        long offset = unit + slot * 8L;
        region.segment().set(JAVA_LONG, offset, slot + 1);
        for (int i = 0; i < 50; i++) {
          Thread.onSpinWait();
          assertEquals(slot + 1, region.segment().get(JAVA_LONG, offset), "memory went away");
        }
      }
    } catch (IllegalStateException e) {
      throw new AssertionError("closed although held", e);
    }
    holds.incrementAndGet();
  }

  private void trim(Region region, boolean reserved) {
    region.trim(UNIT, UNIT);
    trims.incrementAndGet();
    if (reserved) {
      // Others wait for its return: they lease and register the whole of it.
      assertTrue(region.commit(UNIT, UNIT));
    }
  }
}
