package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class QuarantineTest {
  private final Quarantine quarantine = new Quarantine();

  @Test
  void theOldestGoesFirst() {
    quarantine.add(1, 10);
    quarantine.add(2, 20);
    assertEquals(30, quarantine.bytes());
    assertEquals(1, quarantine.takeOldest());
    assertEquals(20, quarantine.bytes());
    assertEquals(2, quarantine.takeOldest());
    assertEquals(Quarantine.NONE, quarantine.takeOldest());
    assertEquals(0, quarantine.bytes());
  }

  @Test
  void countIsBounded() {
    for (int i = 1; i <= Quarantine.COUNT_MAX; i++) {
      quarantine.add(i, 1);
      assertEquals(Quarantine.NONE, quarantine.takeExcess());
    }
    quarantine.add(-1, 1);
    assertEquals(1, quarantine.takeExcess());
    assertEquals(Quarantine.NONE, quarantine.takeExcess());
    assertEquals(Quarantine.COUNT_MAX, quarantine.count());
  }

  @Test
  void bytesAreBounded() {
    quarantine.add(1, Quarantine.BYTES_MAX);
    assertEquals(Quarantine.NONE, quarantine.takeExcess());
    quarantine.add(2, 1);
    assertEquals(1, quarantine.takeExcess());
    assertEquals(Quarantine.NONE, quarantine.takeExcess());
    assertEquals(1, quarantine.bytes());
  }

  @Test
  void whatAloneIsTooLargeDoesNotStay() {
    quarantine.add(1, Quarantine.BYTES_MAX + 1);
    assertEquals(1, quarantine.takeExcess());
    assertEquals(0, quarantine.count());
  }
}
