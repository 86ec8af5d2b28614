package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A scan of ten times the pool beside a hot set of half of it, in turn one by one. The hot set is
 * asked for by a Zipf distribution with exponent 0.99.
 */
class ScanTest {
  private static final int SLOTS = 2_000;
  private static final int HOT = SLOTS / 2;
  private static final int SCAN = 10 * SLOTS;
  private static final double POINTS_MAX = 0.05;

  private final Random random = new Random(42);
  private final double[] cumulated = new double[HOT];
  private final ReferenceMarks marks = new ReferenceMarks(SLOTS);
  private final int[] slotOf = new int[HOT + SCAN];
  private final int[] keyAt = new int[SLOTS];
  private int used;

  ScanTest() {
    double sum = 0;
    for (int key = 0; key < HOT; key++) {
      sum += Math.pow(key + 1, -0.99);
      cumulated[key] = sum;
    }
    Arrays.fill(slotOf, -1);
  }

  @ParameterizedTest
  @EnumSource
  void scanThatSaysSoCostsTheHotSetNearlyNothing(EvictionKind kind) {
    double cost = costOfScan(kind.create(marks), true);
    assertTrue(cost <= 0.001, "kind=" + kind + " cost=" + cost);
  }

  @ParameterizedTest
  @EnumSource(names = {"S3_FIFO", "CAR"})
  void scanThatDoesNotSaySoCostsTheHotSetLittle(EvictionKind kind) {
    double cost = costOfScan(kind.create(marks), false);
    assertTrue(cost <= POINTS_MAX, "kind=" + kind + " cost=" + cost);
  }

  /** Shows that the test can see what a scan does. */
  @Test
  void scanThatDoesNotSaySoFlushesAClock() {
    double cost = costOfScan(EvictionKind.CLOCK.create(marks), false);
    assertTrue(cost > POINTS_MAX, "cost=" + cost);
  }

  @ParameterizedTest
  @EnumSource
  void whatAScanBroughtAndOthersAskForStays(EvictionKind kind) {
    EvictionPolicy policy = kind.create(marks);
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, Priority.LOW);
    }
    for (int i = 0; i < 2; i++) {
      marks.count(3);
    }
    for (int i = 0; i < SLOTS / 2; i++) {
      int victim = policy.victim(_ -> true);
      assertTrue(victim != 3, "gone after " + i);
      policy.removed(victim, true);
      policy.admitted(victim, SLOTS + i, Priority.LOW);
    }
  }

  @ParameterizedTest
  @EnumSource
  void scanFillsWhatIsFree(EvictionKind kind) {
    EvictionPolicy policy = kind.create(marks);
    for (int slot = 0; slot < SLOTS; slot++) {
      policy.admitted(slot, slot, Priority.LOW);
    }
    // The oldest first, although all of them are cold.
    assertEquals(0, policy.victim(_ -> true));
  }

  private double costOfScan(EvictionPolicy policy, boolean hint) {
    for (int i = 0; i < 20 * HOT; i++) {
      ask(policy, hotKey(), false);
    }
    int rounds = SCAN;
    int before = 0;
    for (int i = 0; i < rounds; i++) {
      before += ask(policy, hotKey(), false) ? 1 : 0;
    }
    int during = 0;
    for (int i = 0; i < rounds; i++) {
      ask(policy, HOT + i, hint);
      during += ask(policy, hotKey(), false) ? 1 : 0;
    }
    return (double) (before - during) / rounds;
  }

  private boolean ask(EvictionPolicy policy, int key, boolean cold) {
    int slot = slotOf[key];
    if (slot >= 0) {
      marks.count(slot);
      return true;
    }
    if (used < SLOTS) {
      slot = used++;
    } else {
      slot = policy.victim(_ -> true);
      policy.removed(slot, true);
      slotOf[keyAt[slot]] = -1;
    }
    policy.admitted(slot, key, cold ? Priority.LOW : Priority.NORMAL);
    slotOf[key] = slot;
    keyAt[slot] = key;
    return false;
  }

  private int hotKey() {
    double drawn = random.nextDouble() * cumulated[HOT - 1];
    int at = Arrays.binarySearch(cumulated, drawn);
    return at < 0 ? -at - 1 : at;
  }
}
