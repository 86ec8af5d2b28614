package io.ewok.gds.lsm;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a store is to be restored to: a sequence number, as {@link Snapshot#sequence}, {@link
 * StoreChanges#sequence} and {@link BackupInfo#sequence} say it, or a time. One of both.
 *
 * <p>At a sequence number is all that was written up to it: transactions and batches whose last
 * number is greater are not, as a whole. At a time is what was written up to the last mark of the
 * time that is not later. These are about a second apart while anything is written: so nothing is
 * there that was written later, and what was written in the second before may not be. If the clock
 * was set back, times that came twice cannot be restored: sequence numbers can.
 *
 * @param sequence the number
 * @param time the time
 * @param backup number of the backup to begin with; if none is named, the newest that is not later
 */
public record PointInTime(OptionalLong sequence, Optional<Instant> time, OptionalLong backup) {
  /** Checks that it is one of both. */
  public PointInTime {
    if (sequence.isPresent() == time.isPresent()) {
      throw new IllegalArgumentException(
          "either a sequence number or a time: sequence=%s time=%s".formatted(sequence, time));
    }
    if (sequence.orElse(0) < 0) {
      throw new IllegalArgumentException(
          "sequence numbers are not negative: sequence=" + sequence.getAsLong());
    }
  }

  /** That of a sequence number. */
  public static PointInTime ofSequence(long sequence) {
    return new PointInTime(OptionalLong.of(sequence), Optional.empty(), OptionalLong.empty());
  }

  /** That of a time, to the millisecond. */
  public static PointInTime ofTime(Instant time) {
    return new PointInTime(OptionalLong.empty(), Optional.of(time), OptionalLong.empty());
  }

  /** The same, beginning with a backup: of two stores that were one, each has its own. */
  public PointInTime from(long backupNumber) {
    return new PointInTime(sequence, time, OptionalLong.of(backupNumber));
  }

  /** Returns it for people. */
  @Override
  public String toString() {
    return sequence.isPresent() ? "sequence " + sequence.getAsLong() : "time " + time.orElseThrow();
  }
}
