package io.ewok.gds.lsm;

import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Where readers of a family draw the line between records that have expired and those that have
 * not, now and later: sequence numbers of the first that have not. What lies on two sides of one of
 * these must not become one record. Else what is made of it would show an operand that has expired
 * as long as a younger one has not, and to readers for whom it was gone already.
 *
 * <p>Lines of later are known: {@link Expiration} draws them at points that it has already, or at
 * those that it will take, which lie behind all that is written by then.
 *
 * <p>Immutable.
 */
final class ExpiryBounds {
  /** Nothing expires. */
  static final ExpiryBounds NONE = new ExpiryBounds(LongStream.of(0), LongStream.empty());

  private final long lowest;

  /** Ascending. */
  private final long[] floors;

  /**
   * Those of some readers.
   *
   * @param readers where each draws the line, one at least; nobody asks for what is below all
   * @param later where they may draw it later
   */
  ExpiryBounds(LongStream readers, LongStream later) {
    long[] now = readers.toArray();
    this.lowest = Arrays.stream(now).min().orElseThrow();
    this.floors = LongStream.concat(Arrays.stream(now), later).sorted().distinct().toArray();
  }

  /** Those of nobody now, and of all who will read with what a manifest has: nothing may go. */
  static ExpiryBounds ofRecovery(WriteTimes recorded) {
    return new ExpiryBounds(
        LongStream.of(0),
        LongStream.concat(LongStream.of(recorded.expiryFloor()), recorded.laterFloors()));
  }

  /** Records below have expired for everybody. */
  long lowest() {
    return lowest;
  }

  /** Whether an older record may have expired for somebody for whom a newer one has not. */
  boolean separate(long olderSequence, long newerSequence) {
    int found = Arrays.binarySearch(floors, newerSequence);
    int at = found >= 0 ? found : -found - 2; // the last that is not above the newer one
    return at >= 0 && floors[at] > olderSequence;
  }
}
