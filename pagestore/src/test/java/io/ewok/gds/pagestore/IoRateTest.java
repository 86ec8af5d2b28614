package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class IoRateTest {
  @Test
  void eitherSideMayBeMissing() {
    assertEquals(new IoRate(10_000, 100_000_000), IoRate.parse("10K/100MB"));
    assertEquals(IoRate.ofOperations(10_000), IoRate.parse("10K"));
    assertEquals(IoRate.ofBytes(100_000_000), IoRate.parse("/100MB"));
    assertEquals(IoRate.UNLIMITED, IoRate.parse("unlimited"));
  }

  @Test
  void unitsAreDecimalForOperationsAndSaidForBytes() {
    assertEquals(new IoRate(2_000_000, 7), IoRate.parse("2M/7"));
    assertEquals(IoRate.ofBytes(3000), IoRate.parse("/3KB"));
    assertEquals(IoRate.ofBytes(3L << 10), IoRate.parse("/3KiB"));
    assertEquals(IoRate.ofBytes(3L << 20), IoRate.parse("/3MiB"));
    assertEquals(IoRate.ofBytes(3L << 30), IoRate.parse("/3GiB"));
    assertEquals(IoRate.ofBytes(3_000_000_000L), IoRate.parse("/3GB"));
  }

  @Test
  void textIsReadAsTheSameRate() {
    for (String text : new String[] {"10K/100MB", "1", "/1", "/512KiB", "unlimited"}) {
      IoRate rate = IoRate.parse(text);
      assertEquals(rate, IoRate.parse(rate.toString()), text);
    }
  }

  @Test
  void whatIsNoRateIsRefusedWithItsText() {
    String[] texts = {
      "",
      "/",
      "0",
      "/0",
      "-1",
      "1.5K",
      "10k",
      "10K/",
      "10K/100M",
      "10K/100mb",
      "10 K",
      "1/2/3",
      "Unlimited",
      "9999999999999999M",
      "1000000000000001",
      "99999999999999999999"
    };
    for (String text : texts) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> IoRate.parse(text), text);
      assertTrue(e.getMessage().matches(".*[a-zA-Z]=.*"), e.getMessage());
    }
  }

  @Test
  void largestCapIsTaken() {
    assertEquals(
        IoRate.ofOperations(IoRate.PER_SECOND_MAX), IoRate.parse("" + IoRate.PER_SECOND_MAX));
  }
}
