package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.VersionConsumer;
import java.lang.foreign.MemorySegment;

/**
 * A position in what a transaction has written to a family before the cursor was opened, or
 * refreshed. For the cursor that is newer than all that the store has: sequence numbers are those
 * behind the one that the store is seen at.
 *
 * <p>Ownership: none; its cursor ends before the writes go. Threads: confined to one at a time.
 */
final class OwnSource implements RecordSource {
  private final OwnWrites writes;
  private final OwnFamily family;
  private long sequence;
  private int limit;
  private OwnKey key;
  private OwnWrite write;
  private Place place = Place.BEFORE_FIRST;

  /**
   * Looks at what there is now.
   *
   * @param sequence what the cursor sees of the store
   */
  OwnSource(OwnWrites writes, OwnFamily family, long sequence) {
    this.writes = writes;
    this.family = family;
    this.sequence = sequence;
    this.limit = writes.count();
  }

  @Override
  public void first() {
    settle(family.firstOrNull(), true);
  }

  @Override
  public void last() {
    settle(family.lastOrNull(), false);
  }

  @Override
  public void seek(SearchKey to) {
    settle(family.ceilingOrNull(to), true);
  }

  @Override
  public void seekForPrev(SearchKey to) {
    settle(family.floorOrNull(to), false);
  }

  @Override
  public void next() {
    if (place == Place.ON_RECORD) {
      settle(key.next, true);
    } else if (place == Place.BEFORE_FIRST) {
      first();
    }
  }

  @Override
  public void previous() {
    if (place == Place.ON_RECORD) {
      settle(key.previous, false);
    } else if (place == Place.AFTER_LAST) {
      last();
    }
  }

  /** Goes on to a key that was written in time. */
  private void settle(OwnKey from, boolean forward) {
    OwnKey at = from;
    OwnWrite found = null;
    while (at != null && (found = at.newestBefore(limit)) == null) {
      at = forward ? at.next : at.previous;
    }
    key = at;
    write = found;
    if (at != null) {
      place = Place.ON_RECORD;
    } else {
      place = forward ? Place.AFTER_LAST : Place.BEFORE_FIRST;
    }
  }

  @Override
  public Place place() {
    return place;
  }

  @Override
  public boolean versions(SearchKey of, VersionConsumer to) {
    OwnKey found = family.findOrNull(of);
    OwnWrite version = found == null ? null : found.newestBefore(limit);
    while (version != null) {
      if (!to.accept(stamp(version), version.valueAddress(), version.valueBytes())) {
        return false;
      }
      version = version.older();
    }
    return true;
  }

  private long stamp(OwnWrite of) {
    return RecordKind.stamp(sequence + 1 + of.number(), of.kind());
  }

  @Override
  public long stamp() {
    return stamp(write);
  }

  @Override
  public long keyAddress() {
    return key.address();
  }

  @Override
  public int keyBytes() {
    return key.lengthBytes();
  }

  @Override
  public long valueAddress() {
    return write.valueAddress();
  }

  @Override
  public int valueBytes() {
    return write.valueBytes();
  }

  @Override
  public MemorySegment keyMemory() {
    return key.memory();
  }

  @Override
  public MemorySegment valueMemory() {
    return write.memory();
  }

  @Override
  public void renew(long newSequence) {
    sequence = newSequence;
    limit = writes.count();
    key = null;
    write = null;
    place = Place.BEFORE_FIRST;
  }

  @Override
  public void close() {}
}
