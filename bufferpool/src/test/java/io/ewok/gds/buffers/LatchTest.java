package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class LatchTest {
  private static final int HOLDERS_MAX = (1 << 20) - 1;

  private final Latch latch = new Latch(new long[] {Latch.EXCLUSIVE}, 0);

  @Test
  void beginsExclusiveAndLetsNobodyIn() {
    assertTrue(latch.isExclusive());
    assertFalse(latch.tryLatch(false));
    assertFalse(latch.tryLatch(true));
    assertFalse(latch.tryClaim());
    assertFalse(Latch.isStamp(latch.stamp()));
    assertEquals(1, latch.holders());
  }

  @Test
  void manyShareItAndOneExcludesThem() {
    latch.share();
    for (int holders = 2; holders <= HOLDERS_MAX; holders++) {
      assertTrue(latch.tryLatch(false));
    }
    assertEquals(HOLDERS_MAX, latch.holders());
    assertFalse(latch.tryLatch(false), "the count is full");
    assertFalse(latch.tryLatch(true));
    assertEquals(1, latch.version());
    for (int holders = HOLDERS_MAX; holders > 1; holders--) {
      assertFalse(Latch.isFree(latch.release(false)));
    }
    assertTrue(Latch.isFree(latch.release(false)));
    assertTrue(latch.tryLatch(true));
    assertFalse(latch.tryLatch(false));
  }

  @Test
  void aStampOutlivesThoseWhoShareAndWaitAndNotThoseWhoExclude() {
    latch.release(true);
    long stamp = latch.stamp();
    assertTrue(latch.tryLatch(false));
    assertTrue(latch.announce(true));
    assertTrue(latch.validate(stamp));
    assertEquals(stamp, latch.stamp());
    latch.clearWaiters();
    latch.release(false);
    assertTrue(latch.tryLatch(true));
    assertFalse(latch.validate(stamp), "somebody may be changing it");
    latch.release(true);
    assertFalse(latch.validate(stamp), "somebody has changed it");
    assertNotEquals(stamp, latch.stamp());
  }

  @Test
  void whoLetsGoLearnsThatSomebodyWaits() {
    latch.release(true);
    assertFalse(latch.announce(false), "nothing to wait for");
    assertFalse(latch.announce(true), "nothing to wait for");
    assertTrue(latch.tryLatch(false));
    assertFalse(latch.announce(false), "may share it");
    assertTrue(latch.announce(true));
    long word = latch.release(false);
    assertTrue(Latch.isFree(word) && Latch.isWaitedFor(word));
    assertFalse(latch.tryClaim(), "the one who waits wants to find its page");
    latch.clearWaiters();
    assertTrue(latch.tryClaim());
    assertTrue(latch.announce(false));
    assertTrue(Latch.isWaitedFor(latch.release(true)));
  }
}
