package io.ewok.gds.lsm;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * When records were written, as far as that is needed to know which have expired: sequence numbers
 * grow with time, so a few points of both say it of all records.
 *
 * @param expiryFloor records with smaller sequence numbers have expired, for ever: they may be
 *     gone, and those that are not are nobody's
 * @param points in their order, none below that
 */
record WriteTimes(long expiryFloor, List<Point> points) {
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

  /** What is left of it if nothing is written behind a sequence number. */
  WriteTimes upTo(long sequence) {
    List<Point> left = new ArrayList<>();
    for (Point point : points) {
      long end = Math.min(point.sequence, sequence);
      if (end >= expiryFloor && (left.isEmpty() || end > left.getLast().sequence)) {
        left.add(new Point(end, point.millis));
      }
    }
    return new WriteTimes(Math.min(expiryFloor, sequence + 1), left);
  }

  /** The floors that come after {@link #expiryFloor}, as the points go by. */
  LongStream laterFloors() {
    return points.stream().mapToLong(point -> point.sequence + 1);
  }

  /**
   * Checks what was read or is to be written.
   *
   * @return whether it is in order
   */
  boolean isSound() {
    long sequence = expiryFloor - 1;
    long millis = Long.MIN_VALUE;
    for (Point point : points) {
      if (point.sequence <= sequence || point.millis < millis) {
        return false;
      }
      sequence = point.sequence;
      millis = point.millis;
    }
    return expiryFloor >= 0;
  }
}
