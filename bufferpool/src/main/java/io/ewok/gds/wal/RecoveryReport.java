package io.ewok.gds.wal;

import java.util.List;

/**
 * What the opening of a log has found.
 *
 * @param mode what it did about damage
 * @param records how many were replayed
 * @param horizonLsn what ends here or before was not replayed, because nobody needed it
 * @param endLsn where the log went on
 * @param dropped what was not replayed but may have been appended, in order; none after a close
 */
public record RecoveryReport(
    RecoveryMode mode, long records, long horizonLsn, long endLsn, List<Dropped> dropped) {
  /** Copies the list. */
  public RecoveryReport {
    dropped = List.copyOf(dropped);
  }

  /**
   * A range of the log that was not replayed.
   *
   * @param fromLsn where the last record before it ends
   * @param toLsn where it ends at least, as far as what follows tells
   * @param wasDurable whether a {@code sync} had covered some of it: it was lost afterwards. Else
   *     it is what a power cut may do to the last writes
   */
  public record Dropped(long fromLsn, long toLsn, boolean wasDurable) {}

  /** Whether something is missing that a {@code sync} had covered. */
  public boolean hasLost() {
    return dropped.stream().anyMatch(Dropped::wasDurable);
  }
}
