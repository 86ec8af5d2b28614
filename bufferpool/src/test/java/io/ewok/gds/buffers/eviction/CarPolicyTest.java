package io.ewok.gds.buffers.eviction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CarPolicyTest {
  private static final int SLOTS = 10;

  @Test
  void scanDoesNotTakeTheRoomOfWhatWasAskedForAgain() {
    List<Long> keys = new ArrayList<>();
    for (int round = 0; round < 100; round++) {
      for (long key = 0; key < SLOTS / 2; key++) {
        keys.add(key);
        keys.add(1_000_000L + 10L * round + key); // once, and never again
      }
    }
    ReferenceTrace trace = SimulationTest.trace(keys);
    long possible = 99 * SLOTS / 2;
    assertEquals(possible, Simulation.optimalHits(trace, SLOTS));
    assertTrue(Simulation.hits(EvictionKind.CAR, trace, SLOTS) >= possible * 9 / 10);
  }

  /**
   * After a time in which the same keys were asked for, each new one is asked for again a little
   * later than a tenth of the cache would hold it.
   */
  @Test
  void youngOnesGetTheRoomThatTheyNeed() {
    List<Long> keys = new ArrayList<>();
    for (long i = 0; i < 50 * SLOTS; i++) {
      keys.add(-1 - i % SLOTS);
      keys.add(-1 - i % SLOTS);
    }
    for (long key = 0; key < 5_000; key++) {
      keys.add(key);
      keys.add(Math.max(0, key - SLOTS / 2));
    }
    ReferenceTrace trace = SimulationTest.trace(keys);
    assertTrue(Simulation.hits(EvictionKind.CAR, trace, SLOTS) > 5_900);
    // Where that part is fixed, they only get to know each other as ghosts.
    assertTrue(Simulation.hits(EvictionKind.S3_FIFO, trace, SLOTS) < 1_100);
  }
}
