package io.ewok.gds.lsm.memtable;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/** A position in a memtable. Retains the memtable until it is closed. */
public final class MemtableSource implements RecordSource {
  private final Memtable memtable;
  private final long sequence;
  private long node;
  private Place place = Place.BEFORE_FIRST;

  /** Looks at a memtable as of a sequence number; the caller keeps it alive during the call. */
  public MemtableSource(Memtable memtable, long sequence) {
    memtable.references.retain();
    this.memtable = memtable;
    this.sequence = sequence;
  }

  public Memtable memtable() {
    return memtable;
  }

  @Override
  public void first() {
    settleForward(memtable.first());
  }

  @Override
  public void last() {
    settleBackward(memtable.last());
  }

  @Override
  public void seek(SearchKey key) {
    settleForward(memtable.findAtOrAfter(key, RecordKind.searchStamp(sequence)));
  }

  @Override
  public void seekForPrev(SearchKey key) {
    long found = memtable.findAtOrAfter(key, RecordKind.searchStamp(sequence));
    if (found != Memtable.NONE && Memtable.compareKey(found, key) == 0) {
      settleForward(found);
    } else {
      settleBackward(found == Memtable.NONE ? memtable.last() : memtable.previous(found));
    }
  }

  @Override
  public void next() {
    if (place != Place.ON_RECORD) {
      if (place == Place.BEFORE_FIRST) {
        first();
      }
      return;
    }
    long following = memtable.next(node);
    while (following != Memtable.NONE && NodeFormat.isSameKey(following, node)) {
      following = memtable.next(following);
    }
    settleForward(following);
  }

  @Override
  public void previous() {
    if (place != Place.ON_RECORD) {
      if (place == Place.AFTER_LAST) {
        last();
      }
      return;
    }
    settleBackward(memtable.previous(node));
  }

  /** Goes forward to the first visible record: the newest visible one of its key. */
  private void settleForward(long from) {
    long found = from;
    while (found != Memtable.NONE && !isVisible(found)) {
      found = memtable.next(found);
    }
    node = found;
    place = found == Memtable.NONE ? Place.AFTER_LAST : Place.ON_RECORD;
  }

  /** Goes backward to a key with a visible record, and there to the newest visible one. */
  private void settleBackward(long from) {
    long found = from;
    while (found != Memtable.NONE && !isVisible(found)) {
      found = memtable.previous(found);
    }
    node = found;
    if (found == Memtable.NONE) {
      place = Place.BEFORE_FIRST;
      return;
    }
    place = Place.ON_RECORD;
    long newer = memtable.previous(found);
    while (newer != Memtable.NONE && isVisible(newer) && NodeFormat.isSameKey(newer, found)) {
      node = newer;
      newer = memtable.previous(newer);
    }
  }

  private boolean isVisible(long candidate) {
    return RecordKind.sequence(NodeFormat.stamp(candidate)) <= sequence;
  }

  @Override
  public Place place() {
    return place;
  }

  @Override
  public long stamp() {
    return NodeFormat.stamp(node);
  }

  @Override
  public long keyAddress() {
    return NodeFormat.keyAddress(node);
  }

  @Override
  public int keyBytes() {
    return NodeFormat.keyBytes(node);
  }

  @Override
  public long valueAddress() {
    return NodeFormat.valueAddress(node);
  }

  @Override
  public int valueBytes() {
    return NodeFormat.valueBytes(node);
  }

  @Override
  public MemorySegment segment(long address, long lengthBytes) {
    return memtable.segment(address, lengthBytes);
  }

  @Override
  public void close() {
    memtable.release();
  }
}
