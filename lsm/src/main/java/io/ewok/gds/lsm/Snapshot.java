package io.ewok.gds.lsm;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A store as it was when the snapshot was taken: later writes are not seen, and what expires later
 * is.
 *
 * <p>Ownership: whoever took the snapshot closes it. It keeps no memory and no block, but records
 * that were overwritten or deleted since stay on the device for it, in all families; it does not
 * keep a family that is dropped. Closing the store makes its snapshots unusable; closing them
 * afterwards does nothing. Cursors that were opened on a snapshot may outlive it.
 *
 * <p>Threads: any.
 *
 * {@snippet :
 * try (Snapshot before = store.snapshot()) {
 *   store.put(key, value, Durability.NONE);
 *   byte[] old = before.get(key);
 * }
 * }
 */
public final class Snapshot extends ReadView implements AutoCloseable {
  private final VersionSet versions;
  private final StoreCounters counters;
  private final long sequence;

  /** By family, in which records below have expired; those that are not there have no such. */
  private final Map<Integer, Long> expiryFloors = new ConcurrentHashMap<>();

  private final long expiryFloor;

  /** Set before records that only it needs may go. Partner of the write in close: visible. */
  private volatile boolean closed;

  Snapshot(VersionSet versions, StoreCounters counters, Families families, long sequence) {
    super(versions, counters, families.main());
    this.versions = versions;
    this.counters = counters;
    this.sequence = sequence;
    this.expiryFloor = families.main().expiration().floor();
    for (FamilyState family : families.all()) {
      if (family.expiration().floor() > 0) {
        expiryFloors.put(family.id(), family.expiration().floor());
      }
    }
  }

  /**
   * Returns another family as it was when the snapshot was taken; the snapshot itself shows the
   * default one. It can be read as long as this snapshot is open and the family is not dropped. One
   * that was created later is empty; one that was cloned later is as the family was that it is a
   * clone of.
   *
   * @throws IllegalArgumentException if the family is of another store
   * @throws IllegalStateException if the family is dropped, or the snapshot or the store closed
   */
  public ReadView family(Family family) {
    FamilyState wanted = family.family();
    if (!versions.families().isOwn(wanted)) {
      throw new IllegalArgumentException("the family is of another store: name=" + wanted.name());
    }
    wanted.requireThere();
    long unused = visibleSequence();
    return new FamilySnapshot(this, versions, counters, wanted);
  }

  /** What has expired of a family has of its clone. Before anybody can read that. */
  void familyCloned(int from, int clone) {
    expiryFloors.put(clone, expiryFloor(from));
  }

  /** Records of a family below have expired. */
  long expiryFloor(int family) {
    return expiryFloors.getOrDefault(family, 0L);
  }

  /** Returns the sequence number of the newest operation that it sees. */
  public long sequence() {
    return sequence;
  }

  @Override
  long expiryFloor() {
    return expiryFloor;
  }

  @Override
  long visibleSequence() {
    if (closed) {
      throw new IllegalStateException("the snapshot is closed: sequence=" + sequence);
    }
    return sequence;
  }

  /** Lets go of what was overwritten. Closing twice does nothing. */
  @Override
  public void close() {
    closed = true;
    versions.snapshotClosed(this);
  }
}
