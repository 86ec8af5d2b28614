package io.ewok.gds.lsm;

import java.util.List;

/**
 * When records were written, as far as that is needed to know which have expired: sequence numbers
 * grow with time, so a few points of both say it of all records.
 *
 * @param expiredSequence records up to here have expired, for ever: they may be gone, and those
 *     that are not are nobody's
 * @param points in their order, all behind that
 */
record WriteTimes(long expiredSequence, List<Point> points) {
  /** Nothing is known, and nothing expires. */
  static final WriteTimes NONE = new WriteTimes(0, List.of());

  /**
   * All records up to a sequence number were written at this time or before.
   *
   * @param millis since the epoch
   */
  record Point(long sequence, long millis) {}

  WriteTimes {
    points = List.copyOf(points);
  }

  /**
   * Checks what was read or is to be written.
   *
   * @return whether it is in order
   */
  boolean isSound() {
    long sequence = expiredSequence;
    long millis = Long.MIN_VALUE;
    for (Point point : points) {
      if (point.sequence <= sequence || point.millis < millis) {
        return false;
      }
      sequence = point.sequence;
      millis = point.millis;
    }
    return expiredSequence >= 0;
  }
}
