package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordSource;

/**
 * What a transaction or an {@link IndexedBatch} lays over a cursor of its own: what it has written
 * itself, and notes of what the cursor is shown.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class CursorOverlay {
  private final UseGuard guard;
  private final OwnWrites writes;
  private final FamilyState family;
  private final ScanTrack track;
  private int writesSeen;

  /**
   * Over a cursor on a family.
   *
   * @param guard of the transaction
   * @param trackOrNull null if the commit does not stand on what was scanned
   */
  CursorOverlay(UseGuard guard, OwnWrites writes, FamilyState family, ScanTrack trackOrNull) {
    this.guard = guard;
    this.writes = writes;
    this.family = family;
    this.track = trackOrNull;
  }

  /** Lets a move begin, with which no other call on the transaction goes. */
  void beginMove() {
    guard.enter();
  }

  void endMove() {
    guard.exit();
  }

  ScanTrack trackOrNull() {
    return track;
  }

  /** How many writes there were when the cursor was opened, or refreshed. */
  int writesSeen() {
    return writesSeen;
  }

  /** The writes to the family that there are now, or null if there are none. */
  RecordSource sourceOrNull(long sequence) {
    writesSeen = writes.count();
    OwnFamily own = writes.familyOrNull(family);
    return own == null ? null : new OwnSource(writes, own, sequence);
  }

  boolean hasRanges() {
    OwnFamily own = writes.familyOrNull(family);
    return own != null && own.hasRanges();
  }

  /** Has its range deletes hide what is older. */
  void hide(HiddenRange hidden) {
    OwnFamily own = writes.familyOrNull(family);
    hidden.setOwn(own == null ? null : own.rangesOrNull());
  }
}
