package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongToIntFunction;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** The schedule on a virtual clock, with requests that always wait. */
class ThrottleTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int MIB = 1 << 20;

  /** A request that started. */
  private record Start(long nanos, int bytes) {}

  /** Starts reads of one class, each as soon as it may, and returns them. */
  private static List<Start> reads(
      Throttle throttle, WorkClass work, long fromNanos, long toNanos, LongToIntFunction size) {
    List<Start> starts = new ArrayList<>();
    long now = fromNanos;
    while (true) {
      now = Math.max(now, throttle.readyNanos(work, false));
      if (now >= toNanos) {
        return starts;
      }
      int bytes = size.applyAsInt(now);
      throttle.charge(work, false, bytes, now);
      starts.add(new Start(now, bytes));
    }
  }

  private static Throttle reading(String rate) {
    return new Throttle(ThrottleOptions.UNLIMITED.withRead(IoRate.parse(rate)));
  }

  private static long operations(Start start) {
    return 1;
  }

  private static long bytes(Start start) {
    return start.bytes();
  }

  private interface Cost {
    long of(Start start);
  }

  /**
   * Checks every window of one second that begins or ends at a start: what started in it is what
   * the integral of the rate over it allows, to one request.
   *
   * @param integral cost allowed from time 0 to a time, in units per second and nanosecond
   */
  private static void assertExact(
      List<Start> starts, long toNanos, Cost cost, LongUnaryOperator integral, String what) {
    long[] before = new long[starts.size() + 1];
    long largest = 0;
    for (int i = 0; i < starts.size(); i++) {
      before[i + 1] = before[i] + cost.of(starts.get(i));
      largest = Math.max(largest, cost.of(starts.get(i)));
    }
    int end = 0;
    for (int i = 0; i < starts.size(); i++) {
      long from = starts.get(i).nanos();
      if (from + SECOND > toNanos) {
        return;
      }
      while (end < starts.size() && starts.get(end).nanos() < from + SECOND) {
        end++;
      }
      double allowed =
          (double) (integral.applyAsLong(from + SECOND) - integral.applyAsLong(from)) / SECOND;
      double excess = before[end] - before[i] - allowed;
      // A request of slack to both sides, and a thousandth of a unit for rounding the sum.
      assertTrue(
          Math.abs(excess) <= largest + 0.001,
          () -> what + ": fromNanos=" + from + " allowed=" + allowed + " excess=" + excess);
    }
  }

  @Test
  void operationsAreExactInEverySecond() {
    for (long rate : new long[] {1, 3, 7, 1000, 9999, 10_000}) {
      List<Start> starts =
          reads(reading("" + rate), WorkClass.FOREGROUND, 0, 60 * SECOND, now -> 4096);
      assertEquals(60 * rate, starts.size(), "rate=" + rate);
      assertExact(
          starts, 60 * SECOND, ThrottleTest::operations, t -> t * rate, "operations at " + rate);
    }
  }

  @Test
  void bytesOfMixedSizesAreExactInEverySecond() {
    long seed = 41;
    SplittableRandom random = new SplittableRandom(seed);
    LongToIntFunction mixed = now -> 512 << random.nextInt(12);
    for (long rate : new long[] {1_000_000, 3_333_333, 100_000_000}) {
      List<Start> starts = reads(reading("/" + rate), WorkClass.BACKUP, 0, 60 * SECOND, mixed);
      assertExact(
          starts,
          60 * SECOND,
          ThrottleTest::bytes,
          t -> t * rate,
          "seed=" + seed + " bytes at " + rate);
    }
  }

  @Test
  void whicheverCapBindsIsExactAndTheOtherIsKept() {
    Throttle throttle = reading("1K/10MB");
    // 4 KiB: 1000 operations are 4 MB. 64 KiB: 10 MB are 153 operations. Ten seconds of each.
    LongToIntFunction phases = now -> now / (10 * SECOND) % 2 == 0 ? 4096 : 65536;
    List<Start> starts = reads(throttle, WorkClass.FOREGROUND, 0, 60 * SECOND, phases);
    for (int phase = 0; phase < 6; phase++) {
      long from = phase * 10L * SECOND;
      List<Start> within =
          starts.stream().filter(s -> s.nanos() >= from && s.nanos() < from + 10 * SECOND).toList();
      if (phase % 2 == 0) {
        assertExact(
            within, from + 10 * SECOND, ThrottleTest::operations, t -> t * 1000, "phase " + phase);
      } else {
        assertExact(
            within, from + 10 * SECOND, ThrottleTest::bytes, t -> t * 10_000_000, "phase " + phase);
      }
    }
    assertKept(starts, ThrottleTest::operations, 1000);
    assertKept(starts, ThrottleTest::bytes, 10_000_000);
  }

  /** No window of a second has more than the rate and one request. */
  private static void assertKept(List<Start> starts, Cost cost, long rate) {
    long sum = 0;
    int first = 0;
    for (Start start : starts) {
      while (starts.get(first).nanos() <= start.nanos() - SECOND) {
        sum -= cost.of(starts.get(first++));
      }
      assertTrue(sum <= rate, "nanos=" + start.nanos() + " sum=" + sum);
      sum += cost.of(start);
    }
  }

  @Test
  void readsAndWritesHaveCapsOfTheirOwn() {
    Throttle throttle =
        new Throttle(
            ThrottleOptions.UNLIMITED.withRead(IoRate.parse("10")).withWrite(IoRate.parse("/1KB")));
    throttle.charge(WorkClass.LOG, true, 5000, 0);
    assertEquals(5 * SECOND, throttle.readyNanos(WorkClass.LOG, true));
    assertEquals(0, throttle.readyNanos(WorkClass.LOG, false));
    throttle.charge(WorkClass.LOG, false, 5000, 0);
    assertEquals(SECOND / 10, throttle.readyNanos(WorkClass.LOG, false));
    assertEquals(SECOND / 10, throttle.readyNanos(WorkClass.BACKUP, false));
  }

  @Test
  void capOfOneClassLeavesTheOthersAlone() {
    Throttle throttle =
        new Throttle(
            ThrottleOptions.UNLIMITED.with(
                WorkClass.COMPACTION, ClassLimits.NONE.withRead(IoRate.parse("10"))));
    throttle.charge(WorkClass.COMPACTION, false, 4096, 0);
    assertEquals(SECOND / 10, throttle.readyNanos(WorkClass.COMPACTION, false));
    assertEquals(0, throttle.readyNanos(WorkClass.COMPACTION, true));
    assertEquals(0, throttle.readyNanos(WorkClass.FOREGROUND, false));
  }

  @Test
  void classIsChargedToTheWholeToo() {
    Throttle throttle =
        new Throttle(
            ThrottleOptions.UNLIMITED
                .withRead(IoRate.parse("100"))
                .with(WorkClass.BACKUP, ClassLimits.NONE.withRead(IoRate.parse("10"))));
    assertEquals(
        10, reads(throttle, WorkClass.BACKUP, 0, SECOND, now -> 4096).size(), "its own cap");
    assertEquals(
        100 - 1,
        reads(throttle, WorkClass.FOREGROUND, SECOND, 2 * SECOND - SECOND / 100, now -> 4096)
            .size());
  }

  @Test
  void largeRequestPassesAndIsPaidForAfterwards() {
    Throttle throttle = reading("/64KiB");
    List<Start> starts = reads(throttle, WorkClass.FOREGROUND, 0, 60 * SECOND, now -> MIB);
    assertEquals(List.of(new Start(0, MIB), new Start(16 * SECOND, MIB)), starts.subList(0, 2));
    assertEquals(4, starts.size());
  }

  @Test
  void timeInWhichNothingWasAskedForGivesNoCredit() {
    Throttle throttle = reading("100");
    throttle.charge(WorkClass.FOREGROUND, false, 4096, 0);
    List<Start> starts =
        reads(throttle, WorkClass.FOREGROUND, 50 * SECOND, 51 * SECOND, now -> 4096);
    assertEquals(100, starts.size());
    assertEquals(new Start(50 * SECOND + SECOND / 100, 4096), starts.get(1));
  }

  @Test
  void changesWhileRunningAreExactInEverySecond() {
    long seed = 42;
    SplittableRandom random = new SplittableRandom(seed);
    long[] rates = new long[60];
    long[] begins = new long[60]; // of each rate, a second more or less after the one before
    long[] integrals = new long[60]; // up to there
    Throttle throttle = reading("1000");
    rates[0] = 1000;
    List<Start> starts = new ArrayList<>();
    for (int i = 1; i < rates.length; i++) {
      begins[i] = begins[i - 1] + random.nextLong(SECOND / 10, 2 * SECOND);
      integrals[i] = integrals[i - 1] + (begins[i] - begins[i - 1]) * rates[i - 1];
      starts.addAll(reads(throttle, WorkClass.FOREGROUND, begins[i - 1], begins[i], now -> 4096));
      rates[i] = random.nextLong(1, 5000);
      throttle.change(ThrottleOptions.UNLIMITED.withRead(IoRate.ofOperations(rates[i])), begins[i]);
    }
    LongUnaryOperator integral =
        t -> {
          int i = rates.length - 1;
          while (begins[i] > t) {
            i--;
          }
          return integrals[i] + (t - begins[i]) * rates[i];
        };
    assertExact(starts, begins[59], ThrottleTest::operations, integral, "seed=" + seed);
  }

  @Test
  void liftedCapForgivesAndANewOneBeginsWhenItIsSet() {
    Throttle throttle = reading("/1KB");
    throttle.charge(WorkClass.FOREGROUND, false, MIB, 0);
    throttle.change(ThrottleOptions.UNLIMITED, SECOND);
    assertEquals(0, throttle.readyNanos(WorkClass.FOREGROUND, false));
    throttle.change(ThrottleOptions.UNLIMITED.withRead(IoRate.parse("10")), 2 * SECOND);
    assertEquals(2 * SECOND, throttle.readyNanos(WorkClass.FOREGROUND, false));
  }

  @Test
  void largestCostsAndRatesDoNotOverflow() {
    Throttle throttle = reading("/1");
    throttle.charge(WorkClass.FOREGROUND, false, Integer.MAX_VALUE, 0);
    assertEquals(Integer.MAX_VALUE * SECOND, throttle.readyNanos(WorkClass.FOREGROUND, false));
    throttle.change(ThrottleOptions.UNLIMITED.withRead(IoRate.ofBytes(IoRate.PER_SECOND_MAX)), 0);
    assertEquals(2147, throttle.readyNanos(WorkClass.FOREGROUND, false));
    throttle.charge(WorkClass.FOREGROUND, false, Integer.MAX_VALUE, 2147);
    assertEquals(4294, throttle.readyNanos(WorkClass.FOREGROUND, false));
  }
}
