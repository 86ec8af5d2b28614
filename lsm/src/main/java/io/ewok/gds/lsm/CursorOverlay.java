package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordSource;

/**
 * What a transaction lays over a cursor of its own: what it has written itself, and notes of what
 * the cursor is shown.
 *
 * @param trackOrNull null if the commit does not stand on what was scanned
 */
record CursorOverlay(OwnWrites writes, FamilyState family, ScanTrack trackOrNull) {
  /** Its writes to the family, or null if there are none. */
  RecordSource sourceOrNull(long sequence) {
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
