package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every policy owes to the cache. */
class EvictionLawsTest {
  private static final int SLOTS = 37;
  private static final List<Priority> PRIORITIES = List.of(Priority.values());

  @ParameterizedTest
  @EnumSource
  void victimIsResidentAndMayGoWhateverHappened(EvictionKind kind) {
    for (long seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      int slots = 1 + random.nextInt(SLOTS);
      ReferenceMarks marks = new ReferenceMarks(slots);
      EvictionPolicy policy = kind.create(marks);
      BitSet resident = new BitSet();
      for (int step = 0; step < 5_000; step++) {
        int slot = random.nextInt(slots);
        switch (random.nextInt(4)) {
          case 0 -> {
            if (!resident.get(slot)) {
              resident.set(slot);
              policy.admitted(slot, random.nextInt(3 * slots), priority(random));
            }
          }
          case 1 -> marks.count(slot); // resident or not
          case 2 -> {
            if (resident.get(slot) && random.nextInt(4) == 0) {
              resident.clear(slot);
              policy.removed(slot, random.nextBoolean());
            }
          }
          default -> {
            BitSet pinned = randomBits(random, slots);
            int victim = policy.victim(candidate -> mayGo(resident, pinned, candidate));
            BitSet free = (BitSet) resident.clone();
            free.andNot(pinned);
            String where = "kind=%s seed=%d step=%d".formatted(kind, seed, step);
            if (free.isEmpty()) {
              assertEquals(-1, victim, where);
            } else {
              assertTrue(victim >= 0 && free.get(victim), where + " victim=" + victim);
              if (random.nextBoolean()) {
                resident.clear(victim);
                policy.removed(victim, true);
              }
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everySlotIsNamedWhenAllMustGo(EvictionKind kind) {
    ReferenceMarks marks = new ReferenceMarks(SLOTS);
    EvictionPolicy policy = kind.create(marks);
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, PRIORITIES.get(slot % 3));
      for (int i = 0; i < slot; i++) {
        marks.count(slot);
      }
    }
    BitSet left = new BitSet();
    left.set(0, SLOTS);
    for (int i = 0; i < SLOTS; i++) {
      int victim = policy.victim(left::get);
      assertTrue(victim >= 0 && left.get(victim), "victim=" + victim);
      left.clear(victim);
      policy.removed(victim, i % 2 == 0);
    }
    assertEquals(-1, policy.victim(slot -> true));
  }

  /** Else the thread that looks for room would hold the lock for ever. */
  @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
  @ParameterizedTest
  @EnumSource
  void victimIsFoundWhileOthersKeepAskingForEverything(EvictionKind kind)
      throws InterruptedException {
    ReferenceMarks marks = new ReferenceMarks(SLOTS);
    EvictionPolicy policy = kind.create(marks);
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, PRIORITIES.get(slot % 3));
    }
    AtomicBoolean over = new AtomicBoolean();
    Thread asks =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!over.get()) {
                    for (int slot = 0; slot < SLOTS; slot++) {
                      marks.count(slot);
                    }
                  }
                });
    try {
      for (int i = 0; i < 20_000; i++) {
        // Each look is answered by a hit, so that nothing is ever without a mark.
        int victim =
            policy.victim(
                slot -> {
                  marks.count(slot);
                  return true;
                });
        assertTrue(victim >= 0);
        policy.removed(victim, true);
        policy.admitted(victim, SLOTS + i, PRIORITIES.get(i % 3));
      }
    } finally {
      over.set(true);
      asks.join();
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsAskedForAgainAndAgainOutlivesWhatIsNot(EvictionKind kind) {
    ReferenceMarks marks = new ReferenceMarks(SLOTS);
    EvictionPolicy policy = kind.create(marks);
    BitSet resident = new BitSet();
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, Priority.NORMAL);
      resident.set(slot);
    }
    int wanted = 5;
    for (int i = 0; i < 20 * SLOTS; i++) {
      marks.count(wanted);
      marks.count(wanted);
      int victim = policy.victim(resident::get);
      assertTrue(victim != wanted, "after " + i + " evictions");
      policy.removed(victim, true);
      policy.admitted(victim, SLOTS + i, Priority.NORMAL);
    }
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsAllocatedAfterConstruction(EvictionKind kind) {
    ReferenceMarks marks = new ReferenceMarks(SLOTS);
    EvictionPolicy policy = kind.create(marks);
    IntPredicate anyMayGo = _ -> true;
    int rounds = 50_000;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, Priority.NORMAL);
    }
    // Compilers and collectors may come between.
    for (int attempt = 0; attempt < 10 && least > rounds / 10; attempt++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < rounds; i++) {
        marks.count(i % SLOTS);
        int victim = policy.victim(anyMayGo);
        policy.removed(victim, true);
        policy.admitted(victim, i % 97, PRIORITIES.get(i % 3));
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least <= rounds / 10, "kind=" + kind + " bytes=" + least);
  }

  @Test
  void cacheWithoutSlotsIsRefused() {
    for (EvictionKind kind : EvictionKind.values()) {
      assertThrows(IllegalArgumentException.class, () -> kind.create(new ReferenceMarks(0)));
    }
  }

  private static Priority priority(Random random) {
    int drawn = random.nextInt(8);
    return drawn == 0 ? Priority.LOW : drawn < 3 ? Priority.HIGH : Priority.NORMAL;
  }

  private static boolean mayGo(BitSet resident, BitSet pinned, int slot) {
    assertTrue(resident.get(slot), "asked about an absent slot: slot=" + slot);
    return !pinned.get(slot);
  }

  private static BitSet randomBits(Random random, int size) {
    BitSet bits = new BitSet();
    int odds = random.nextInt(5);
    for (int i = 0; i < size; i++) {
      bits.set(i, random.nextInt(4) < odds);
    }
    return bits;
  }
}
