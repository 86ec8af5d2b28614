package io.ewok.gds.lsm;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * A family of an open store: what its readers, writers, flushes and compactions share.
 *
 * <p>Threads: any.
 */
final class FamilyState {
  private final int id;
  private final String name;
  private final Merging merging;
  private final List<StoreCounters.Level> counters =
      Stream.generate(StoreCounters.Level::new).limit(Manifest.LEVELS).toList();

  /** Set before the store is open, or the family known. */
  private Expiration expiration;

  /** Whether it is dropped, or may be. */
  private volatile boolean dropped;

  /** See {@link #lostSequence}. */
  private final AtomicLong lostSequence = new AtomicLong();

  /** Whether somebody is about to drop it. Guarded by the lock of {@link FamilyChanges}. */
  boolean isBeingDropped;

  FamilyState(int id, String name, Merging merging) {
    this.id = id;
    this.name = name;
    this.merging = merging;
  }

  int id() {
    return id;
  }

  boolean isMain() {
    return id == Manifest.MAIN;
  }

  String name() {
    return name;
  }

  /** How operands are merged. */
  Merging merging() {
    return merging;
  }

  /** Says that a table goes whose newest sequence number this is. */
  void lose(long sequence) {
    long unused = lostSequence.accumulateAndGet(sequence, Math::max);
  }

  /**
   * Writes up to this sequence number may have gone with their tables since the store was opened,
   * whoever stands on them. Who reads it after he has retained a version knows of what is not in
   * that.
   */
  long lostSequence() {
    return lostSequence.get();
  }

  FamilyState withExpiration(Expiration expires) {
    expiration = expires;
    return this;
  }

  /** Which records have expired. */
  Expiration expiration() {
    return expiration;
  }

  /** What compactions into a level did. */
  StoreCounters.Level counters(int level) {
    return counters.get(level);
  }

  void setDropped(boolean isDropped) {
    dropped = isDropped;
  }

  boolean isDropped() {
    return dropped;
  }

  /**
   * Lets those who begin to use it in.
   *
   * @throws IllegalStateException if it is dropped
   */
  void requireThere() {
    if (dropped) {
      throw dropped();
    }
  }

  IllegalStateException dropped() {
    return new IllegalStateException("the family is dropped: name=" + name);
  }
}
