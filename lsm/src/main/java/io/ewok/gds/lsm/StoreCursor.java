package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.KeyRanges;
import io.ewok.gds.lsm.record.RecordLocation;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RangesAhead;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;

/**
 * A position in a store as it was when the cursor was made: later writes are not seen. Keys are
 * ordered by their bytes, unsigned; moving forward and moving backward cost the same.
 *
 * <p>Ownership: whoever made the cursor closes it, best soon: it keeps one block of each flushed
 * table and of each deeper level in the pool, with the part of the index that led there, and files
 * on the device that a merge has replaced. Closing the store makes its cursors unusable; closing
 * them afterwards does nothing.
 *
 * <p>Threads: one at a time. It may be handed over; a call that comes while another runs waits for
 * it, or has a view of bytes that are another record's by then.
 *
 * {@snippet :
 * try (StoreCursor cursor = store.cursor()) {
 *   for (cursor.first(); cursor.isValid(); cursor.next()) {
 *     print(cursor.key(), cursor.value());
 *   }
 * }
 * }
 *
 * <p>Moves make no garbage, but for values that are read ahead, see {@link
 * TreeOptions#separatedValueBytes}; nor do {@link #copyKey}, {@link #copyValue} and {@link #fill}.
 * {@link #key} and {@link #value} make a small view each, unless the compiler sees that it is not
 * kept. Who seeks often had better {@link #refresh} one cursor than open one each time.
 *
 * <p>Errors: {@link IllegalStateException} after the close of the cursor or of the store, never a
 * crash, and for calls by the cursor's own {@link CursorFilter}. After an {@link IOException}, such
 * as for a corrupt table, the cursor is not valid; position it anew to try again. A {@link
 * MergeFailedException} names the key that it is about: to go on behind that, seek there.
 */
public final class StoreCursor implements AutoCloseable {
  private static final RecordSource[] NO_SOURCES = {};

  /*
   * Addresses are not checked, so memory is read at one with the latch alone and before `ended` is set; whoever
   * sets it releases memtables and blocks only then. Views that the user keeps longer carry the scope of their memory.
   */
  private final VersionSet versions;
  private final ReadView view;
  private final boolean scan;

  // What of it is shown; each may be null.
  private final SearchKey lower;
  private final SearchKey upper;
  private final SearchKey prefix;
  private final FilterGuard filter;

  /** The parts of that which it goes over, one at a time; null if it goes over all. */
  private final KeyRanges ranges;

  // Of the range that it is in.
  private final SearchKey rangeLower;
  private final SearchKey rangeUpper;

  private final MergeCursor merge;

  private final CallLatch latch = new CallLatch();

  /** Why the cursor cannot be used any more, or null. Written with the latch. */
  private volatile String ended;

  /** Written with the lock of the versions. */
  private volatile long sequence;

  /** Likewise. */
  private volatile long expiryFloor;

  /*
   * Of the current record, as the last call with the latch has left it, so that looking at it needs no latch. Whoever
   * else moves sources while the user looks moves memtables, and that only if what is in one is not looked at: he says
   * that he may have moved before he asks whether it is, and the user says that he looks before he asks whether
   * somebody has. Both are volatile: one of them sees the other.
   */
  private boolean valid;

  /** Has the record; null if there is none. */
  private RecordLocation current;

  private long keyAddress;
  private int keyBytes;
  private long valueAddress;
  private int valueBytes;

  /** Whether the user may hold views of the current record. Of use if that is in a memtable. */
  private volatile boolean viewed;

  /** Whether somebody else may have moved sources since. */
  private volatile boolean left;

  // Guarded by latch.
  /** Of the transaction that the cursor belongs to, or null. */
  private final CursorOverlay overlay;

  /** What the sources are of; to be compared with, not to be read. */
  private Version version;

  private final SearchKey wanted = new SearchKey();

  /** Null before there was a range delete. Written with the lock of the versions. */
  private HiddenRange hidden;

  /** Whether memory is wanted that the cursor keeps; set by anybody, seen by the next move. */
  private volatile boolean leaveWanted;

  /**
   * A cursor over a version, which is alive during the call.
   *
   * @param view what it was opened on
   * @param options what is shown of that
   * @param rangesOrNull what it goes over of that, see {@link #enterRange}; they stay as they are
   * @param explainerOrNull takes notes of the moves, until the first refresh
   * @param overlayOrNull of the transaction that it belongs to
   */
  StoreCursor(
      VersionSet versions,
      ReadView view,
      Version version,
      long sequence,
      long expiryFloor,
      CursorOptions options,
      KeyRanges rangesOrNull,
      ScanExplainer explainerOrNull,
      CursorOverlay overlayOrNull) {
    this.ranges = rangesOrNull;
    this.rangeLower = rangesOrNull == null ? null : new SearchKey();
    this.rangeUpper = rangesOrNull == null ? null : new SearchKey();
    this.overlay = overlayOrNull;
    this.versions = versions;
    this.view = view;
    this.version = version;
    this.sequence = sequence;
    this.expiryFloor = expiryFloor;
    this.scan = options.scan();
    this.lower = options.lowerKeyOrNull();
    this.upper = options.upperKeyOrNull();
    this.prefix = options.prefixKeyOrNull();
    this.filter = options.filterOrNull() == null ? null : new FilterGuard(options.filterOrNull());
    RecordSource[] sources = sources(version, sequence);
    this.merge = new MergeCursor(sources, lower, upper, filter, family().merging());
    merge.setExpiryFloor(expiryFloor);
    hideRanges(version, sequence);
    if (explainerOrNull != null) {
      explainerOrNull.begin(version, family(), sources);
      merge.takeNotes(explainerOrNull.merged());
    }
  }

  /** The range deletes that the cursor sees are all there when it begins to look. */
  private void hideRanges(Version of, long at) {
    boolean own = overlay != null && overlay.hasRanges();
    boolean mayBe = own || of.hasRangeDeletes(family());
    if (mayBe && hidden == null) {
      hidden = new HiddenRange();
    }
    boolean some = mayBe && hidden.begin(of, family(), at);
    if (overlay != null && hidden != null) {
      overlay.hide(hidden);
    }
    merge.setHidden(some || own ? hidden : null);
  }

  private RecordSource[] sources(Version of, long at) {
    RecordSource[] sources = of.sources(family(), at, lower, upper, prefix);
    for (RecordSource source : sources) {
      if (scan && source instanceof RunSource run) {
        run.forScans();
      }
    }
    if (ranges != null) {
      readAhead(sources);
    }
    RecordSource own = overlay == null ? null : overlay.sourceOrNull(at);
    if (own == null) {
      return sources;
    }
    RecordSource[] all = new RecordSource[sources.length + 1];
    all[0] = own;
    System.arraycopy(sources, 0, all, 1, sources.length);
    return all;
  }

  private void readAhead(RecordSource[] sources) {
    RangesAhead ahead = null;
    for (int i = sources.length - 1; i >= 0; i--) { // behind the memtables
      if (sources[i] instanceof RunSource run) {
        if (ahead == null) {
          ahead = new RangesAhead(ranges, run.tables().getFirst().poolBytes(), i + 1);
        }
        run.readAhead(ahead);
      }
    }
  }

  /**
   * Shows the store as it is now, as a new cursor would, but makes less garbage, and none as long
   * as the store's files stay the same. The cursor is on no record then. One that was opened on a
   * {@link Snapshot} goes on to show that, which must not be closed yet.
   */
  public void refresh() {
    beginMove();
    RecordSource[] replaced = null;
    try {
      merge.invalidate();
      if (overlay != null && overlay.trackOrNull() != null) {
        overlay.trackOrNull().end();
      }
      replaced = versions.refreshCursor(this, view);
    } finally {
      endMove(false);
    }
    for (RecordSource source : replaced) {
      source.close();
    }
  }

  /**
   * Goes over to a version, which is alive during the call. With the lock of the versions.
   *
   * @return sources that the caller closes, without that lock
   */
  RecordSource[] renew(Version next, long at, long floor) {
    sequence = at;
    expiryFloor = floor;
    merge.setExpiryFloor(floor);
    hideRanges(next, at);
    if (next == version && overlay == null) {
      merge.renew(at);
      return NO_SOURCES;
    }
    version = next;
    return merge.replaceSources(sources(next, at));
  }

  /** Moves to the first record. */
  public void first() throws IOException {
    beginMove();
    boolean moved = false;
    try {
      leaveIfWanted();
      track(true, null);
      merge.first();
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /** Moves to the last record. */
  public void last() throws IOException {
    beginMove();
    boolean moved = false;
    try {
      leaveIfWanted();
      track(false, null);
      merge.last();
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(byte[] key) throws IOException {
    seek(MemorySegment.ofArray(key));
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(MemorySegment key) throws IOException {
    beginMove();
    boolean moved = false;
    try {
      wanted.set(key); // may be that of the current record, which the move lets go of
      leaveIfWanted();
      track(true, wanted);
      merge.seek(wanted);
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(byte[] key) throws IOException {
    seekForPrev(MemorySegment.ofArray(key));
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(MemorySegment key) throws IOException {
    beginMove();
    boolean moved = false;
    try {
      wanted.set(key);
      leaveIfWanted();
      track(false, wanted);
      merge.seekForPrev(wanted);
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /** Moves to the first record whose key is {@code key} or greater; or only greater. */
  void seek(SearchKey key, boolean behind) throws IOException {
    beginMove();
    boolean moved = false;
    try {
      leaveIfWanted();
      merge.seek(key);
      if (behind && merge.isValid() && merge.hasKey(key)) {
        merge.next();
      }
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /**
   * Goes to the first or the last record of one of the ranges that it was opened for, and stays in
   * that until the next call; it is not valid if there is none.
   */
  void enterRange(int number, boolean atFirst) throws IOException {
    beginMove();
    boolean moved = false;
    try {
      leaveIfWanted();
      ScanTrack track = overlay == null ? null : overlay.trackOrNull();
      if (track != null) {
        track.end(); // before its bounds change
      }
      SearchKey lowerOfRange = ranges.lower(number, rangeLower);
      SearchKey upperOrNull = ranges.hasUpper(number) ? ranges.upper(number, rangeUpper) : null;
      merge.setBounds(lowerOfRange, upperOrNull);
      if (track != null) {
        track.setBounds(lowerOfRange, upperOrNull);
      }
      track(atFirst, null);
      for (int i = 0; i < merge.sourceCount(); i++) {
        if (merge.source(i) instanceof RunSource run) {
          run.enterRange(number, atFirst);
        }
      }
      if (atFirst) {
        merge.first();
      } else {
        merge.last();
      }
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /** Is not on a record any more, as after the last one. */
  void leaveRange() {
    beginMove();
    if (overlay != null && overlay.trackOrNull() != null) {
      overlay.trackOrNull().end(); // it looks at nothing more
    }
    endMove(false);
  }

  /** Copies the key of the current record. */
  void noteKey(SearchKey into) {
    enter();
    try {
      requireValid();
      into.set(merge.keyAddress(), merge.keyBytes());
    } finally {
      latch.release();
    }
  }

  /**
   * Moves to the next greater key, or past the last one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void next() throws IOException {
    beginMove();
    boolean moved = false;
    try {
      requireValid();
      leaveIfWanted();
      merge.next();
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /**
   * Moves to the next smaller key, or before the first one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void previous() throws IOException {
    beginMove();
    boolean moved = false;
    try {
      requireValid();
      leaveIfWanted();
      merge.previous();
      moved = true;
    } finally {
      endMove(moved);
    }
  }

  /** Returns whether the cursor is on a record: it was moved, and not past an end. */
  public boolean isValid() {
    if (ended != null) {
      throw new IllegalStateException(ended);
    }
    return valid;
  }

  /**
   * Returns the key where it lies: read-only, valid until the next move. Later its bytes may be
   * those of another record, or access may throw {@link IllegalStateException}, as it always does
   * after the close of the store; but for a record that was made of operands, which is a copy.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public MemorySegment key() {
    RecordLocation source = looked();
    while (true) {
      if (source != null) {
        MemorySegment memory = MergedRecord.keyMemory(source);
        long offset = keyAddress - memory.address();
        int lengthBytes = keyBytes;
        if (isInside(memory, offset, lengthBytes)) {
          return memory.asSlice(offset, lengthBytes);
        }
      }
      source = latchedLook();
    }
  }

  /** Not so if another thread, which should not be there, moves the cursor at this moment. */
  private static boolean isInside(MemorySegment memory, long offset, int lengthBytes) {
    return offset >= 0 && lengthBytes >= 0 && lengthBytes <= memory.byteSize() - offset;
  }

  /** The source of the current record; null if the latch is needed to know it. */
  private RecordLocation looked() {
    RecordLocation source = current;
    if (source instanceof MemtableSource && !viewed) {
      viewed = true;
      return left ? null : source;
    }
    return source;
  }

  private RecordLocation latchedLook() {
    enter();
    try {
      requireValid();
      viewed = true;
      note();
      return merge.current();
    } finally {
      latch.release();
    }
  }

  /**
   * Returns the value where it lies, under the rules of {@link #key}.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public MemorySegment value() {
    RecordLocation source = looked();
    while (true) {
      if (source != null) {
        MemorySegment memory = MergedRecord.valueMemory(source);
        long offset = valueAddress - memory.address();
        int lengthBytes = valueBytes;
        if (isInside(memory, offset, lengthBytes)) {
          return memory.asSlice(offset, lengthBytes);
        }
      }
      source = latchedLook();
    }
  }

  /**
   * Copies the key to the beginning of a segment, if it is large enough.
   *
   * @return the length of the key in bytes; if that is more than the segment has, nothing is copied
   * @throws IllegalStateException if the cursor is not valid
   */
  public int copyKey(MemorySegment into) {
    enter();
    try {
      requireValid();
      return copy(merge.keyAddress(), merge.keyBytes(), into);
    } finally {
      latch.release();
    }
  }

  /**
   * Copies the value to the beginning of a segment, if it is large enough.
   *
   * @return the length of the value in bytes; if that is more than the segment has, nothing is
   *     copied
   * @throws IllegalStateException if the cursor is not valid
   */
  public int copyValue(MemorySegment into) {
    enter();
    try {
      requireValid();
      return copy(merge.valueAddress(), merge.valueBytes(), into);
    } finally {
      latch.release();
    }
  }

  private static int copy(long address, int lengthBytes, MemorySegment into) {
    if (lengthBytes <= into.byteSize()) {
      Memory.copyTo(address, into, 0, lengthBytes);
    }
    return lengthBytes;
  }

  /**
   * Fills a batch with copies of the current record and those after it, and moves past the last of
   * them. It ends when the batch is full or there are no more records.
   *
   * @return how many records are in the batch now; 0 if the cursor is not valid, or if not even the
   *     current record fits into an empty batch: then the cursor stays
   * @throws IOException if a block cannot be read; the batch has what came before it
   */
  public int fill(RecordBatch batch) throws IOException {
    batch.clear();
    beginMove();
    boolean moved = false;
    try {
      leaveIfWanted();
      while (merge.isValid()) {
        if (!batch.add(
            merge.keyAddress(), merge.keyBytes(), merge.valueAddress(), merge.valueBytes())) {
          break;
        }
        merge.next();
      }
      moved = true;
    } finally {
      endMove(moved);
    }
    return batch.count();
  }

  /** Lets go of blocks and files. Closing twice does nothing. */
  @Override
  public void close() {
    requireOutsideOfFilter();
    end("the cursor is closed");
    versions.cursorClosed(this);
  }

  /** Makes the cursor unusable because what it shows of its transaction goes. */
  void transactionEnds(String reason) {
    requireOutsideOfFilter();
    end(reason);
    versions.cursorClosed(this);
  }

  /** Whether it is closed. */
  boolean isEnded() {
    return ended != null;
  }

  /** Makes the cursor unusable because its store closes. Waits for a call that is running. */
  void storeCloses() {
    end("the store is closed");
  }

  private void end(String reason) {
    if (filter != null) {
      filter.end(reason);
    }
    latch.take();
    try {
      if (ended == null) {
        ended = reason;
        merge.close();
        note();
      }
    } finally {
      latch.release();
    }
  }

  long sequence() {
    return sequence;
  }

  /** What it shows records of. */
  FamilyState family() {
    return view.family();
  }

  /** Records below have expired for it. */
  long expiryFloor() {
    return expiryFloor;
  }

  // ---- one call at a time

  /** Whether a thread is in the filter of this cursor: it must not wait for that to end. */
  boolean isInFilter(Thread thread) {
    return filter != null && filter.isInside(thread);
  }

  private void requireOutsideOfFilter() {
    if (isInFilter(Thread.currentThread())) {
      throw new IllegalStateException("a filter cannot use its cursor");
    }
  }

  /** Begins a call, if the cursor is usable. */
  private void enter() {
    if (filter != null) {
      requireOutsideOfFilter();
    }
    latch.take();
    if (ended != null) {
      String reason = ended;
      latch.release();
      throw new IllegalStateException(reason);
    }
  }

  private void beginMove() {
    enter();
    if (overlay != null) {
      beginMoveOfTransaction();
    }
    if (viewed) {
      viewed = false;
    }
    if (filter != null) {
      filter.beginMove();
    }
  }

  private void endMove(boolean moved) {
    if (filter != null) {
      filter.endMove();
    }
    if (!moved) {
      merge.invalidate();
    }
    if (overlay != null) {
      endMoveOfTransaction(moved);
    }
    note();
    latch.release();
  }

  private void beginMoveOfTransaction() {
    boolean begun = false;
    try {
      overlay.beginMove();
      begun = true;
    } finally {
      if (!begun) {
        latch.release();
      }
    }
  }

  private void endMoveOfTransaction(boolean moved) {
    if (overlay.trackOrNull() != null) {
      noteMove(moved);
    }
    overlay.endMove();
  }

  /** Says where a move begins that does not go on from the current record. */
  private void track(boolean forward, SearchKey fromOrNull) {
    if (overlay != null && overlay.trackOrNull() != null) {
      overlay.trackOrNull().begin(forward, fromOrNull, sequence);
    }
  }

  private void noteMove(boolean moved) {
    if (moved) {
      overlay.trackOrNull().moved(merge);
    } else {
      overlay.trackOrNull().failed();
    }
  }

  /** Notes where the current record lies. */
  private void note() {
    if (left) {
      left = false;
    }
    valid = merge.isValid();
    RecordLocation source = null;
    if (valid) {
      source = merge.current();
      keyAddress = merge.keyAddress();
      keyBytes = merge.keyBytes();
      valueAddress = merge.valueAddress();
      valueBytes = merge.valueBytes();
    }
    if (current != source) { // collectors make a reference that is stored costly
      current = source;
    }
  }

  private void requireValid() {
    if (!merge.isValid()) {
      throw new IllegalStateException("the cursor is not on a record");
    }
  }

  // ---- memory that is wanted

  /**
   * Moves the cursor off memtables that have been written as tables, so that their memory can be
   * used again. If a call is running, or the user may look at a record in one, the next move does
   * it.
   *
   * @throws IOException if a table cannot be read; the cursor stays as it is
   */
  void tryLeaveMemtables() throws IOException {
    leaveWanted = true;
    if (!latch.tryTake()) {
      return;
    }
    try {
      left = true;
      boolean looking = viewed && merge.isValid() && merge.current() instanceof MemtableSource;
      if (ended == null && !looking) {
        leaveIfWanted();
      }
    } finally {
      latch.release();
    }
  }

  private void leaveIfWanted() throws IOException {
    if (!leaveWanted) {
      return;
    }
    leaveWanted = false; // before looking: who sets it again has flushed another one
    boolean left = false;
    try {
      leaveMemtables();
      left = true;
    } finally {
      if (!left) {
        leaveWanted = true;
      }
    }
  }

  private void leaveMemtables() throws IOException {
    try {
      for (int i = 0; i < merge.sourceCount(); i++) {
        if (merge.source(i) instanceof MemtableSource source) {
          List<Table> tables = source.memtable().flushed(family().id());
          if (tables != null) {
            merge.replaceSource(i, sourceAtSamePlace(source, tables));
          }
        }
      }
    } finally {
      merge.orderAgain();
    }
  }

  private RecordSource sourceAtSamePlace(MemtableSource source, List<Table> tables)
      throws IOException {
    RunSource replacement = new RunSource(tables, sequence);
    if (scan) {
      replacement.forScans();
    }
    if (source.notesOrNull() != null) {
      replacement.takeNotes(Collections.nCopies(tables.size(), source.notesOrNull()));
    }
    try {
      switch (source.place()) {
        case ON_RECORD -> {
          SearchKey at = new SearchKey();
          at.set(source.keyAddress(), source.keyBytes());
          if (merge.isForward()) {
            replacement.seek(at);
          } else {
            replacement.seekForPrev(at); // a delete that hid nothing may be gone
          }
        }
        case AFTER_LAST -> replacement.setAfterLast();
        case BEFORE_FIRST -> {}
      }
      if (merge.isValid() && merge.current() == source && replacement.isValid()) {
        replacement.readValue(); // it was in memory with its record
      }
      return replacement;
    } catch (IOException | RuntimeException | Error e) {
      replacement.close();
      throw e;
    }
  }
}
