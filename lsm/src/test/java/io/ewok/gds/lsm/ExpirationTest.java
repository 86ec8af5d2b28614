package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records expire when their time is over, not before, and soon. */
class ExpirationTest {
  private long now = 1_000_000;

  private Expiration of(Duration ttl, WriteTimes recorded) {
    return new Expiration(() -> ttl, () -> now, recorded);
  }

  @ParameterizedTest
  @ValueSource(longs = {1_000, 60_000, 3_600_000})
  void recordsLiveAsLongAsTheyShouldAndHardlyLonger(long ttlMillis) {
    long seed = Fixtures.seed(ttlMillis);
    SplittableRandom random = new SplittableRandom(seed);
    Expiration expiration = of(Duration.ofMillis(ttlMillis), WriteTimes.NONE);
    long moveMillisMax = ttlMillis / 200 + 1;
    long late = ttlMillis / 32 + 200 + 2 * moveMillisMax; // looks come late by as much
    List<Long> written = new ArrayList<>(List.of(now)); // by sequence number, from 1 on
    int expired = 0;
    for (int i = 0; i < 20_000; i++) {
      now += random.nextLong(moveMillisMax + 1);
      if (random.nextInt(3) > 0) {
        written.add(now);
      }
      if (expiration.isDue()) {
        expiration.advance(written.size() - 1);
        assertTrue(expiration.times().isSound());
        assertTrue(expiration.times().points().size() <= 66, "a few points are enough");
      }
      if (random.nextInt(1_000) == 0) { // opened again
        expiration = of(Duration.ofMillis(ttlMillis), expiration.times());
        assertTrue(expiration.isDue());
      }
      long floor = expiration.floor();
      if (floor > 1) {
        assertTrue(now - written.get((int) floor - 1) >= ttlMillis, "not before its time");
        expired++;
      }
      long slack = expiration.isDue() ? expiration.stepMillis() : 0;
      if (floor < written.size() && written.size() > 1) {
        long age = now - written.get((int) Math.max(1, floor));
        assertTrue(
            age <= ttlMillis + late + slack, "age=" + age + Fixtures.replay(getClass(), seed));
      }
    }
    assertTrue(expired > 1_000);
  }

  @Test
  void aClockThatGoesBackExpiresNothingEarlyAndBringsNothingBack() {
    Expiration expiration = of(Duration.ofSeconds(1), WriteTimes.NONE);
    expiration.advance(10);
    now += 1_000;
    expiration.advance(20);
    assertEquals(11, expiration.floor());
    now -= 500_000;
    assertTrue(expiration.isDue());
    expiration.advance(30);
    assertEquals(11, expiration.floor());
    now += 500_999;
    expiration.advance(40);
    assertEquals(11, expiration.floor(), "what came last has no time before now");
    now += 1_000;
    expiration.advance(40);
    assertEquals(41, expiration.floor());
    assertTrue(expiration.times().isSound());
  }

  @Test
  void withoutATimeToLiveNothingExpires() {
    WriteTimes times = new WriteTimes(7, List.of(new WriteTimes.Point(9, 5)));
    Expiration expiration = of(Duration.ZERO, times);
    assertFalse(expiration.isOn() || expiration.isDue());
    expiration.advance(100);
    assertEquals(times, expiration.times());
    assertEquals(7, expiration.floor(), "what has expired stays so");
  }

  /** What is known of when it was written is of use when something is to expire again. */
  @Test
  void whatIsKnownStaysWhileNothingExpires() {
    WriteTimes times = new WriteTimes(7, List.of(new WriteTimes.Point(9, now)));
    AtomicReference<Duration> ttl = new AtomicReference<>(Duration.ZERO);
    Expiration expiration = new Expiration(ttl::get, () -> now, times);
    expiration.advance(100);
    assertArrayEquals(new long[] {10}, expiration.laterFloors().toArray());
    now += 60_000;
    ttl.set(Duration.ofMinutes(1));
    assertTrue(expiration.isDue(), "as soon as it is changed");
    expiration.advance(100);
    assertFalse(expiration.isDue());
    ttl.set(Duration.ofMinutes(2));
    assertTrue(expiration.isDue(), "likewise");
    ttl.set(Duration.ofMinutes(1));
    assertEquals(10, expiration.floor());
    now += 60_000;
    expiration.advance(100);
    assertEquals(101, expiration.floor(), "a minute after something was to expire");
  }

  /** A record that has expired was older, at some time, than what was in force then. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void theTimeToLiveMayChangeAtAnyTime(long seedOfCase) {
    long seed = Fixtures.seed(seedOfCase);
    SplittableRandom random = new SplittableRandom(seed);
    AtomicReference<Duration> ttl = new AtomicReference<>(Duration.ZERO);
    Expiration expiration = new Expiration(ttl::get, () -> now, WriteTimes.NONE);
    List<Long> written = new ArrayList<>(List.of(now)); // by sequence number, from 1 on
    int mayExpire = 0; // up to here
    int changes = 0;
    for (int i = 0; i < 30_000; i++) {
      now += random.nextLong(100);
      if (random.nextInt(3) > 0) {
        written.add(now);
      }
      if (random.nextInt(500) == 0) {
        ttl.set(Duration.ofSeconds(random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(100)));
        changes++;
      }
      long ttlMillis = ttl.get().toMillis();
      if (expiration.isDue()) {
        expiration.advance(written.size() - 1);
        assertTrue(expiration.times().isSound());
        assertTrue(expiration.times().points().size() <= 400, "a few points are enough");
      }
      while (ttlMillis > 0
          && mayExpire + 1 < written.size()
          && now - written.get(mayExpire + 1) >= ttlMillis) {
        mayExpire++;
      }
      assertTrue(
          expiration.floor() <= mayExpire + 1, "too early " + Fixtures.replay(getClass(), seed));
    }
    assertTrue(changes > 30 && expiration.floor() > 10_000);
  }

  @Test
  void whatWasLostHasNoTime() {
    WriteTimes times =
        new WriteTimes(
            5,
            List.of(
                new WriteTimes.Point(9, 50),
                new WriteTimes.Point(12, 60),
                new WriteTimes.Point(14, 70)));
    assertEquals(times, times.upTo(14));
    assertEquals(
        new WriteTimes(5, List.of(new WriteTimes.Point(9, 50), new WriteTimes.Point(11, 60))),
        times.upTo(11));
    assertEquals(new WriteTimes(4, List.of()), times.upTo(3));
    for (long end = 0; end < 16; end++) {
      assertTrue(times.upTo(end).isSound());
    }
  }
}
