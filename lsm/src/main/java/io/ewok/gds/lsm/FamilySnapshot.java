package io.ewok.gds.lsm;

/**
 * A family as it was when a {@link Snapshot} was taken, which it can be read as long as.
 *
 * <p>Threads: any.
 */
final class FamilySnapshot extends ReadView {
  private final Snapshot snapshot;
  private final long expiryFloor;

  FamilySnapshot(
      Snapshot snapshot, VersionSet versions, StoreCounters counters, FamilyState family) {
    super(versions, counters, family);
    this.snapshot = snapshot;
    this.expiryFloor = snapshot.expiryFloor(family.id());
  }

  @Override
  long visibleSequence() {
    return snapshot.visibleSequence();
  }

  @Override
  long expiryFloor() {
    return expiryFloor;
  }
}
