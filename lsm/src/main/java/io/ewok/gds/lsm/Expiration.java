package io.ewok.gds.lsm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/**
 * Which records have expired: all below a sequence number that grows with time. A record is older
 * than another of its key if its number is smaller; so what hides a record that has expired has
 * expired too or hides it still, and none comes back, wherever they lie and in whichever order they
 * go.
 *
 * <p>A record expires by the first {@link WriteTimes.Point} behind it. Points are taken while the
 * store is written, at most one for each {@link #stepMillis}; so it lives as long as it should and
 * not longer than by about two such steps. Where points are missing, as for what was in the log at
 * a crash, it lives longer. A clock that goes back makes records live longer, too. If the time to
 * live is changed, the points that there are stay.
 *
 * <p>Threads: one that calls {@link #advance}, the background thread once the store is open; any
 * for {@link #floor}.
 */
final class Expiration {
  /** The time to live in so many steps. */
  private static final int STEPS = 64;

  private static final long STEP_MILLIS_MIN = 100;

  private final Supplier<Duration> ttl;
  private final LongSupplier clock;

  // Written by who advances it.
  private volatile WriteTimes times;
  private volatile long floor;

  // Confined to who advances it.

  /** When there was an advance last. Before the first it is time for one. */
  private long advancedMillis = Long.MAX_VALUE;

  /** What was in force then. */
  private long advancedTtlMillis;

  /**
   * Goes on with what a manifest has.
   *
   * @param ttl that which is in force, each time; zero if nothing more is to expire
   * @param clock milliseconds since the epoch
   */
  Expiration(Supplier<Duration> ttl, LongSupplier clock, WriteTimes recorded) {
    this.ttl = ttl;
    this.clock = clock;
    this.times = recorded;
    this.floor = recorded.expiryFloor();
  }

  private long ttlMillis() {
    return ttl.get().toMillis();
  }

  /** Whether anything is to expire. */
  boolean isOn() {
    return ttlMillis() > 0;
  }

  /** How often {@link #advance} is to be called, in milliseconds. */
  long stepMillis() {
    return stepMillis(ttlMillis());
  }

  private static long stepMillis(long ttlMillis) {
    return Math.max(STEP_MILLIS_MIN, ttlMillis / STEPS);
  }

  /** Whether it is time for the next call of {@link #advance}. */
  boolean isDue() {
    long ttlMillis = ttlMillis();
    if (ttlMillis != advancedTtlMillis) {
      return true;
    }
    if (ttlMillis == 0) {
      return false;
    }
    long now = clock.getAsLong();
    return now < advancedMillis || now - advancedMillis >= stepMillis(ttlMillis);
  }

  /** Goes on with what a manifest has that somebody else writes. What has expired stays so. */
  void goOn(WriteTimes recorded) {
    long next = Math.max(floor, recorded.expiryFloor());
    times =
        new WriteTimes(
            next, recorded.points().stream().filter(point -> point.sequence() >= next).toList());
    floor = next;
  }

  /** Records below have expired. */
  long floor() {
    return floor;
  }

  /**
   * What {@link #floor} may be of the records that there are; also if nothing is to expire now,
   * since that may change.
   */
  LongStream laterFloors() {
    return times.laterFloors();
  }

  /** What is to be recorded, best soon. */
  WriteTimes times() {
    return times;
  }

  /**
   * Looks at the clock.
   *
   * @param writtenSequence records up to here were written already
   */
  void advance(long writtenSequence) {
    long ttlMillis = ttlMillis();
    advancedTtlMillis = ttlMillis;
    if (ttlMillis == 0) {
      return; // and what is known stays, for when something is to expire again
    }
    long now = clock.getAsLong(); // after the sequence number was read
    advancedMillis = now;
    List<WriteTimes.Point> points = new ArrayList<>(times.points());
    WriteTimes.Point last = points.isEmpty() ? null : points.getLast();
    if (last == null
        ? writtenSequence >= floor
        : writtenSequence > last.sequence() && now - last.millis() >= stepMillis(ttlMillis)) {
      points.add(new WriteTimes.Point(writtenSequence, now));
    }
    long next = floor;
    while (!points.isEmpty() && points.getFirst().millis() <= now - ttlMillis) {
      next = points.removeFirst().sequence() + 1;
    }
    if (next != floor || points.size() != times.points().size()) {
      times = new WriteTimes(next, points);
      floor = next;
    }
  }
}
