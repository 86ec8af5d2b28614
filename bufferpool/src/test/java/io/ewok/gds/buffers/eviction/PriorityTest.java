package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a high priority is good for, and that it does not last for ever. */
class PriorityTest {
  private static final int SLOTS = 2_000;

  /** Whatever is asked for at random leads over an index block to one of so many others. */
  private static final int FAN_OUT = 50;

  private static final int INDEX_BLOCKS = 800;

  @ParameterizedTest
  @EnumSource
  void whatLeadsToMuchElseStaysInThePool(EvictionKind kind) {
    int normal = indexMisses(kind, Priority.NORMAL);
    int high = indexMisses(kind, Priority.HIGH);
    assertTrue(4 * high < normal, "kind=" + kind + " normal=" + normal + " high=" + high);
  }

  private static int indexMisses(EvictionKind kind, Priority priority) {
    ReferenceMarks marks = new ReferenceMarks(SLOTS);
    EvictionPolicy policy = kind.create(marks);
    SplittableRandom random = new SplittableRandom(7);
    int[] slotOf = new int[INDEX_BLOCKS * (FAN_OUT + 1)];
    int[] keyAt = new int[SLOTS];
    Arrays.fill(slotOf, -1);
    int used = 0;
    int misses = 0;
    int rounds = 50_000;
    for (int i = -rounds; i < rounds; i++) {
      // A tenth of the index is asked for rarely, and a small part of the rest often.
      int index = random.nextInt(random.nextInt(5) == 0 ? INDEX_BLOCKS : INDEX_BLOCKS * 9 / 10);
      int data =
          INDEX_BLOCKS + index * FAN_OUT + random.nextInt(random.nextBoolean() ? FAN_OUT : 3);
      for (int key : new int[] {index, data}) {
        if (slotOf[key] >= 0) {
          marks.count(slotOf[key]);
          continue;
        }
        misses += key == index && i >= 0 ? 1 : 0;
        int slot = used < SLOTS ? used++ : replaceVictim(policy, slotOf, keyAt);
        policy.admitted(slot, key, key == index ? priority : Priority.NORMAL);
        slotOf[key] = slot;
        keyAt[slot] = key;
      }
    }
    return misses;
  }

  private static int replaceVictim(EvictionPolicy policy, int[] slotOf, int[] keyAt) {
    int slot = policy.victim(_ -> true);
    policy.removed(slot, true);
    slotOf[keyAt[slot]] = -1;
    return slot;
  }

  @ParameterizedTest
  @EnumSource
  void whatNobodyAsksForGoesToo(EvictionKind kind) {
    int slots = 64;
    ReferenceMarks marks = new ReferenceMarks(slots);
    EvictionPolicy policy = kind.create(marks);
    BitSet high = new BitSet();
    high.set(0, 8);
    for (int slot = 0; slot < slots; slot++) {
      policy.admitted(slot, slot, high.get(slot) ? Priority.HIGH : Priority.NORMAL);
      marks.count(slot); // once
    }
    int evictions = 0;
    int first = 0;
    while (!high.isEmpty()) {
      int victim = policy.victim(_ -> true);
      evictions++;
      first = first == 0 && high.get(victim) ? evictions : first;
      high.clear(victim);
      policy.removed(victim, true);
      policy.admitted(victim, slots + evictions, Priority.NORMAL);
      assertTrue(evictions < 60 * slots, "left: " + high);
    }
    assertTrue(first > slots, "gone after " + first);
  }

  @ParameterizedTest
  @EnumSource
  void noMoreThanHalfIsKept(EvictionKind kind) {
    int slots = 64;
    EvictionPolicy policy = kind.create(new ReferenceMarks(slots));
    BitSet high = new BitSet();
    high.set(slots / 4, slots);
    for (int slot = 0; slot < slots; slot++) {
      policy.admitted(slot, slot, high.get(slot) ? Priority.HIGH : Priority.NORMAL);
    }
    for (int i = 0; i < slots; i++) {
      int victim = policy.victim(_ -> true);
      high.clear(victim);
      policy.removed(victim, true);
      policy.admitted(victim, slots + i, Priority.NORMAL);
    }
    assertTrue(high.nextSetBit(0) >= slots / 2, "kept: " + high);
    assertTrue(high.cardinality() > slots / 4, "kept: " + high);
  }
}
