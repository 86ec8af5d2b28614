package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordLocation;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;

/**
 * Several sources as one: of each key the newest record, or what is made of its operands, and keys
 * whose newest record is a delete, has expired or is hidden by a range delete left out, as well as
 * those that a filter rejects. What a {@link StoreCursor} moves on; compactions, which want every
 * version, have {@link RecordMerge}.
 *
 * <p>The sources are kept in the order in which they come next. A move moves those on the current
 * key, and mostly that is one which comes next again: then one comparison, with the second, is all.
 * Turning round moves all of them once: a source that is beyond the current key on one side, and
 * does not have it, has its next neighbour beyond it on the other. So no key is ever copied, and
 * both directions cost the same.
 *
 * <p>Ownership: closes its sources; bounds are the caller's and stay as they are. Threads: confined
 * to one at a time. After an exception it is not valid until it is positioned anew.
 */
final class MergeCursor {
  /** In the direction of the last move: first those on the current key, the newest record first. */
  private Slot[] slots;

  /** Where the keys begin, or null. */
  private SearchKey lower;

  /** Before which the keys end, or null. */
  private SearchKey upper;

  /** What is left out besides, or null. */
  private final FilterGuard filter;

  /** Records below have expired. */
  private long expiryFloor;

  /** What range deletes hide, or null if there are none. */
  private HiddenRange hidden;

  /**
   * Records below are hidden or have expired, if the heads of their keys lie between the fences.
   */
  private long floor;

  private long firstFence;
  private long endFence;

  private final Merging merging;

  /** Null until it is needed. */
  private MergedRecord merged;

  /** Whether that is the current record. */
  private boolean isMerged;

  private boolean forward = true;

  /** What was passed by, or null if nobody asks. */
  private ScanNotes notes;

  /** How many sources are on the current key; 0 if the cursor is not valid. */
  private int tied;

  /** A source, and the key it is on. */
  private static final class Slot {
    RecordSource source;
    boolean valid;
    long keyAddress;
    int keyBytes;
    long head;

    void look() {
      valid = source.isValid();
      if (valid) {
        keyAddress = source.keyAddress();
        keyBytes = source.keyBytes();
        head = SearchKey.head(keyAddress, keyBytes);
      }
    }

    int compareTo(SearchKey key) {
      return head != key.head()
          ? Long.compareUnsigned(head, key.head())
          : Memory.compareUnsigned(keyAddress, keyBytes, key.address(), key.lengthBytes());
    }

    int compareTo(Slot other) {
      return head != other.head
          ? Long.compareUnsigned(head, other.head)
          : Memory.compareUnsigned(keyAddress, keyBytes, other.keyAddress, other.keyBytes);
    }
  }

  /**
   * Over the keys from {@code lower}, if it is not null, to before {@code upper}, likewise, that
   * the filter accepts, if it is not null.
   */
  MergeCursor(
      RecordSource[] sources,
      SearchKey lower,
      SearchKey upper,
      FilterGuard filter,
      Merging merging) {
    this.merging = merging;
    this.lower = lower;
    this.upper = upper;
    this.filter = filter;
    this.slots = slots(sources);
  }

  /** Has what every move from now on passes by noted. */
  void takeNotes(ScanNotes notes) {
    this.notes = notes;
  }

  private static Slot[] slots(RecordSource[] sources) {
    Slot[] slots = new Slot[sources.length];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new Slot();
      slots[i].source = sources[i];
    }
    return slots;
  }

  void first() throws IOException {
    if (lower != null) {
      seek(lower);
      return;
    }
    begin(true);
    for (Slot slot : slots) {
      slot.source.first();
    }
    end();
  }

  void last() throws IOException {
    begin(false);
    for (Slot slot : slots) {
      if (upper == null) {
        slot.source.last();
      } else {
        seekBefore(slot.source, upper);
      }
    }
    end();
  }

  private static void seekBefore(RecordSource source, SearchKey key) throws IOException {
    source.seekForPrev(key);
    if (source.isValid()
        && Memory.compareUnsigned(
                source.keyAddress(), source.keyBytes(), key.address(), key.lengthBytes())
            == 0) {
      source.previous();
    }
  }

  void seek(SearchKey key) throws IOException {
    SearchKey from = lower != null && compare(key, lower) < 0 ? lower : key;
    begin(true);
    for (Slot slot : slots) {
      slot.source.seek(from);
    }
    end();
  }

  void seekForPrev(SearchKey key) throws IOException {
    if (upper != null && compare(key, upper) >= 0) {
      last();
      return;
    }
    begin(false);
    for (Slot slot : slots) {
      slot.source.seekForPrev(key);
    }
    end();
  }

  private static int compare(SearchKey a, SearchKey b) {
    return Memory.compareUnsigned(a.address(), a.lengthBytes(), b.address(), b.lengthBytes());
  }

  /** Moves on; the cursor must be valid. */
  void next() throws IOException {
    step(true);
    settle();
  }

  /** Moves back; the cursor must be valid. */
  void previous() throws IOException {
    step(false);
    settle();
  }

  /** Begins to position all sources. */
  private void begin(boolean goForward) {
    tied = 0;
    forward = goForward;
    floor = expiryFloor;
    if (hidden == null) { // what is at the first or the last head asks in vain
      firstFence = 0;
      endFence = -1;
    } else {
      hidden.jump();
      firstFence = hidden.firstHead();
      endFence = hidden.endHead();
    }
  }

  private void end() throws IOException {
    for (Slot slot : slots) {
      slot.look();
    }
    order(slots.length);
    settle();
  }

  private void step(boolean goForward) throws IOException {
    int moving = goForward == forward ? tied : slots.length;
    int hidden = tied - 1;
    tied = 0;
    forward = goForward;
    for (int i = 0; i < moving; i++) {
      Slot slot = slots[i];
      if (goForward) {
        slot.source.next();
      } else {
        slot.source.previous();
      }
      slot.look();
    }
    if (moving == 1 && slots[0].valid && (slots.length == 1 || compare(slots[0], slots[1]) < 0)) {
      tied = 1;
    } else {
      order(moving);
      if (notes != null) {
        notes.hidden += hidden;
      }
    }
  }

  /** Finds the current key inside of the bounds, and passes by those that are not shown. */
  private void settle() throws IOException {
    isMerged = false;
    while (tied > 0) {
      Slot newest = slots[0];
      if (isBeyondBound(newest)) {
        tied = 0;
        return;
      }
      if (isAtFence(newest.head)) {
        moveFences(newest);
      }
      boolean hasValue = hasValue(floor);
      if (hasValue && (filter == null || isAccepted())) {
        return;
      }
      isMerged = false;
      boolean isHidden = hidden != null && isHidden(newest);
      if (notes != null) {
        notePassed(hasValue, isHidden);
      }
      if (isHidden) {
        skip(hidden.floor());
      } else {
        step(forward); // one call, which is compiled into the loop once
      }
    }
  }

  /** Whether a key may lie where another floor holds. */
  private boolean isAtFence(long head) {
    return forward
        ? Long.compareUnsigned(head, endFence) >= 0
        : Long.compareUnsigned(head, firstFence) <= 0;
  }

  /** Finds the floor of a key, and how far it holds. */
  private void moveFences(Slot at) {
    if (hidden != null) {
      floor = Math.max(expiryFloor, hidden.find(forward, at.head, at.keyAddress, at.keyBytes));
      firstFence = hidden.firstHead();
      endFence = hidden.endHead();
    }
  }

  /** Whether range deletes hide a record. */
  private boolean isHidden(Slot slot) {
    return RecordKind.sequence(slot.source.stamp()) < hidden.floor();
  }

  /** Moves the sources on the current key, if they can, past all that is hidden around it. */
  private void skip(long floor) throws IOException {
    int moving = tied;
    tied = 0;
    SearchKey to = hidden.target(forward);
    for (int i = 0; i < moving; i++) {
      slots[i].source.skip(forward, to, floor);
      slots[i].look();
    }
    order(moving);
  }

  /**
   * Whether the current key has a value; one of operands is made.
   *
   * @param floor records below are hidden, or have expired
   */
  private boolean hasValue(long floor) throws IOException {
    long stamp = slots[0].source.stamp();
    if (RecordKind.sequence(stamp) < floor) {
      return false;
    }
    int kind = RecordKind.kind(stamp);
    if (kind == RecordKind.OPERAND) {
      merge(floor);
      return true;
    }
    if (kind == RecordKind.VALUE_REFERENCE) {
      slots[0].source.readValue();
      return true;
    }
    return kind == RecordKind.PUT;
  }

  private boolean isAccepted() {
    return filter.accepts(current(), keyAddress(), keyBytes(), valueAddress(), valueBytes());
  }

  private void notePassed(boolean hasValue, boolean isHidden) {
    if (hasValue) {
      notes.filtered++;
    } else if (isHidden) {
      notes.rangeDeleted++;
    } else {
      notes.deleted++;
    }
  }

  /** Makes a record of the operands on the current key. */
  private void merge(long floor) throws IOException {
    if (merged == null) {
      merged = new MergedRecord(merging);
    }
    Slot newest = slots[0];
    OperandMerger merger =
        merged.begin(newest.source.stamp(), floor, newest.keyAddress, newest.keyBytes);
    // Newest first, and what one source has of a key is newer than all that the next one has.
    for (int i = 0; i < tied && slots[i].source.versions(merged.key(), merger); i++) {}
    merged.end();
    isMerged = true;
  }

  private boolean isBeyondBound(Slot slot) {
    return forward
        ? upper != null && slot.compareTo(upper) >= 0
        : lower != null && slot.compareTo(lower) < 0;
  }

  /** Puts the first few slots, which were moved, to their places among the others. */
  private void order(int moved) {
    for (int i = moved - 1; i >= 0; i--) {
      Slot slot = slots[i];
      int low = i + 1;
      int high = slots.length;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (isBefore(slots[middle], slot)) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      System.arraycopy(slots, i + 1, slots, i, low - i - 1);
      slots[low - 1] = slot;
    }
    while (tied < slots.length && slots[tied].valid && compare(slots[0], slots[tied]) == 0) {
      tied++;
    }
  }

  private boolean isBefore(Slot a, Slot b) {
    int order = compare(a, b);
    return order < 0
        || (order == 0
            && a.valid
            && RecordKind.compareStamps(a.source.stamp(), b.source.stamp()) < 0);
  }

  /** Orders by key, in the direction of the move; those without one come last. */
  private int compare(Slot a, Slot b) {
    if (!a.valid || !b.valid) {
      return Boolean.compare(b.valid, a.valid);
    }
    int order = a.compareTo(b);
    return forward ? order : -order;
  }

  boolean isValid() {
    return tied > 0;
  }

  /** Makes the cursor not valid until it is positioned anew. */
  void invalidate() {
    tied = 0;
  }

  /**
   * Where the current record lies: in a source, or in memory of its own if it was made of operands;
   * the cursor must be valid.
   */
  RecordLocation current() {
    return isMerged ? merged : slots[0].source;
  }

  /** Where the current key lies. */
  long keyAddress() {
    return isMerged ? merged.keyAddress() : slots[0].keyAddress;
  }

  /** Length of the current key in bytes. */
  int keyBytes() {
    return slots[0].keyBytes;
  }

  /** Whether the current key is this one. */
  boolean hasKey(SearchKey key) {
    return slots[0].compareTo(key) == 0;
  }

  /** Compares the current key with another one. */
  int compareKey(SearchKey key) {
    return slots[0].compareTo(key);
  }

  /** Where the current value lies. */
  long valueAddress() {
    return isMerged ? merged.valueAddress() : slots[0].source.valueAddress();
  }

  /** Length of the current value in bytes. */
  int valueBytes() {
    return isMerged ? merged.valueBytes() : slots[0].source.valueBytes();
  }

  int sourceCount() {
    return slots.length;
  }

  RecordSource source(int i) {
    return slots[i].source;
  }

  /** Whether the last move went forward. */
  boolean isForward() {
    return forward;
  }

  /**
   * Puts a source with the same records, but for deletes that hid nothing, in the place of another:
   * at the same position or, where such a delete was, at the next one in the direction of the last
   * move. When all are replaced, {@link #orderAgain} is called.
   */
  void replaceSource(int i, RecordSource replacement) {
    slots[i].source.close();
    slots[i].source = replacement;
    slots[i].look();
  }

  /** Puts the sources into their order, after some were replaced. */
  void orderAgain() {
    if (tied > 0) {
      tied = 0;
      order(slots.length);
    }
  }

  /** Has other bounds, or the same with other keys in them; each may be null. It is not valid. */
  void setBounds(SearchKey lowerOrNull, SearchKey upperOrNull) {
    tied = 0;
    lower = lowerOrNull;
    upper = upperOrNull;
  }

  /** Passes by records below this sequence number, from the next move on. */
  void setExpiryFloor(long sequence) {
    expiryFloor = sequence;
  }

  /** Leaves out what range deletes hide, if it is not null, from the next move on. */
  void setHidden(HiddenRange hiddenOrNull) {
    hidden = hiddenOrNull;
  }

  /** Goes back to before all records, as they were or are at another sequence number. */
  void renew(long sequence) {
    tied = 0;
    for (Slot slot : slots) {
      slot.source.renew(sequence);
    }
  }

  /** Goes over to other sources, which it takes over; those that it had are the caller's again. */
  RecordSource[] replaceSources(RecordSource[] sources) {
    RecordSource[] before = new RecordSource[slots.length];
    for (int i = 0; i < slots.length; i++) {
      before[i] = slots[i].source;
    }
    tied = 0;
    slots = slots(sources);
    return before;
  }

  void close() {
    tied = 0;
    for (Slot slot : slots) {
      slot.source.close();
    }
  }
}
