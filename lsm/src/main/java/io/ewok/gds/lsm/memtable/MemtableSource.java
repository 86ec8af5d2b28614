package io.ewok.gds.lsm.memtable;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.SourceNotes;
import io.ewok.gds.lsm.record.VersionConsumer;
import java.lang.foreign.MemorySegment;

/** A position in a family's records of a memtable. Retains the memtable until it is closed. */
public final class MemtableSource implements RecordSource {
  private final Memtable memtable;
  private final int family;
  private long sequence;

  /** Null as long as nothing was written to the family that this may see. */
  private EntryCursor cursor;

  private long entry = Memtable.NONE;

  /** Whether the cursor is on the entry before the current one, or before the first. */
  private boolean passed;

  private Place place = Place.BEFORE_FIRST;

  /** Null if nobody asks. */
  private SourceNotes notes;

  /** Looks at a memtable as of a sequence number; the caller keeps it alive during the call. */
  public MemtableSource(Memtable memtable, int family, long sequence) {
    memtable.references.retain();
    this.memtable = memtable;
    this.family = family;
    this.sequence = sequence;
    this.cursor = memtable.entries(family);
  }

  public Memtable memtable() {
    return memtable;
  }

  /** Has what every move from now on takes noted. */
  public void takeNotes(SourceNotes notes) {
    this.notes = notes;
  }

  /** Those notes, or null. */
  public SourceNotes notesOrNull() {
    return notes;
  }

  private void noteHidden() {
    if (notes != null) {
      notes.hidden++;
    }
  }

  @Override
  public void first() {
    settleForward(cursor == null ? Memtable.NONE : cursor.first());
  }

  @Override
  public void last() {
    settleBackward(cursor == null ? Memtable.NONE : cursor.last());
  }

  @Override
  public void seek(SearchKey key) {
    settleForward(
        cursor == null ? Memtable.NONE : cursor.seek(key, RecordKind.searchStamp(sequence)));
  }

  @Override
  public void seekForPrev(SearchKey key) {
    if (cursor == null) {
      settleBackward(Memtable.NONE);
      return;
    }
    long found = cursor.seek(key, RecordKind.searchStamp(sequence));
    if (found != Memtable.NONE && EntryFormat.hasKey(found, key)) {
      settleForward(found);
    } else {
      settleBackward(found == Memtable.NONE ? cursor.last() : cursor.previous());
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
    long following = passed ? cursor.seekBehind(entry) : cursor.next();
    if (following != Memtable.NONE && EntryFormat.isSameKey(following, entry)) {
      noteHidden();
      following = cursor.seekBehind(entry); // there may be many
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
    settleBackward(passed ? cursor.entry() : cursor.previous());
  }

  /** Goes forward to the first visible record: the newest visible one of its key. */
  private void settleForward(long from) {
    long found = from;
    while (found != Memtable.NONE && !isVisible(found)) {
      noteHidden();
      found = cursor.next();
    }
    passed = false;
    entry = found;
    place = found == Memtable.NONE ? Place.AFTER_LAST : Place.ON_RECORD;
  }

  /** Goes backward to a key with a visible record, and there to the newest visible one. */
  private void settleBackward(long from) {
    long found = from;
    while (found != Memtable.NONE && !isVisible(found)) {
      noteHidden();
      found = cursor.previous();
    }
    entry = found;
    passed = false;
    if (found == Memtable.NONE) {
      place = Place.BEFORE_FIRST;
      return;
    }
    place = Place.ON_RECORD;
    long newer = cursor.previous();
    if (newer != Memtable.NONE && isVisible(newer) && EntryFormat.isSameKey(newer, found)) {
      entry = cursor.seekSame(found, RecordKind.searchStamp(sequence));
    } else {
      passed = true;
    }
  }

  private boolean isVisible(long candidate) {
    return RecordKind.sequence(EntryFormat.stamp(candidate)) <= sequence;
  }

  @Override
  public boolean versions(SearchKey key, VersionConsumer to) {
    return memtable.versions(family, key, sequence, to);
  }

  @Override
  public Place place() {
    return place;
  }

  @Override
  public long stamp() {
    return EntryFormat.stamp(entry);
  }

  @Override
  public long keyAddress() {
    return EntryFormat.keyAddress(entry);
  }

  @Override
  public int keyBytes() {
    return EntryFormat.keyBytes(entry);
  }

  @Override
  public long valueAddress() {
    return EntryFormat.valueAddress(entry);
  }

  @Override
  public int valueBytes() {
    return EntryFormat.valueBytes(entry);
  }

  @Override
  public MemorySegment keyMemory() {
    return memtable.readOnly();
  }

  @Override
  public MemorySegment valueMemory() {
    return memtable.readOnly();
  }

  @Override
  public void renew(long sequence) {
    this.sequence = sequence;
    if (cursor == null) {
      cursor = memtable.entries(family);
    }
    entry = Memtable.NONE;
    passed = false;
    place = Place.BEFORE_FIRST;
  }

  @Override
  public void close() {
    memtable.release();
  }
}
