package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
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
 * it.
 *
 * {@snippet :
 * try (StoreCursor cursor = store.cursor()) {
 *   for (cursor.first(); cursor.isValid(); cursor.next()) {
 *     print(cursor.key(), cursor.value());
 *   }
 * }
 * }
 *
 * <p>Moves make no garbage, nor do {@link #copyKey}, {@link #copyValue} and {@link #fill}. {@link
 * #key} and {@link #value} make a small view each, unless the compiler sees that it is not kept.
 *
 * <p>Errors: {@link IllegalStateException} after the close of the cursor or of the store, never a
 * crash. After an {@link IOException}, such as for a corrupt table, the cursor is not valid;
 * position it anew to try again.
 */
public final class StoreCursor implements AutoCloseable {
  /*
   * Addresses are not checked, so every use of one happens with the latch and before `ended` is set; whoever
   * sets it releases memtables and blocks only then. Views that the user keeps longer carry the scope of their memory.
   */
  private final VersionSet versions;
  private final long sequence;
  private final boolean scan;
  private final MergeCursor merge;

  private final CallLatch latch = new CallLatch();

  // Guarded by latch.
  /** Why the cursor cannot be used any more, or null. */
  private String ended;

  /** Whether the user may hold views of the current record. */
  private boolean viewed;

  private final SearchKey wanted = new SearchKey();

  /** Whether memory is wanted that the cursor keeps; set by anybody, seen by the next move. */
  private volatile boolean leaveWanted;

  /**
   * A cursor over sources, which it takes over.
   *
   * @param options what is shown of them
   */
  StoreCursor(VersionSet versions, long sequence, RecordSource[] sources, CursorOptions options) {
    this.versions = versions;
    this.sequence = sequence;
    this.scan = options.scan();
    this.merge = new MergeCursor(sources, options.lowerKeyOrNull(), options.upperKeyOrNull());
    if (scan) {
      for (RecordSource source : sources) {
        if (source instanceof RunSource run) {
          run.forScans();
        }
      }
    }
  }

  /** Moves to the first record. */
  public void first() throws IOException {
    beginMove();
    boolean moved = false;
    try {
      leaveIfWanted();
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
      merge.seekForPrev(wanted);
      moved = true;
    } finally {
      endMove(moved);
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
    enter();
    try {
      return merge.isValid();
    } finally {
      latch.release();
    }
  }

  /**
   * Returns the key where it lies: read-only, valid until the next move. Later its bytes may be
   * those of another record, or access may throw {@link IllegalStateException}, as it always does
   * after the close of the store.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public MemorySegment key() {
    enter();
    try {
      RecordSource source = currentForUser();
      return source.segment(source.keyAddress(), source.keyBytes());
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
    enter();
    try {
      RecordSource source = currentForUser();
      return source.segment(source.valueAddress(), source.valueBytes());
    } finally {
      latch.release();
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
      RecordSource source = merge.current();
      return copy(source.valueAddress(), source.valueBytes(), into);
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
        RecordSource source = merge.current();
        if (!batch.add(
            merge.keyAddress(), merge.keyBytes(), source.valueAddress(), source.valueBytes())) {
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
    end("the cursor is closed");
    versions.cursorClosed(this);
  }

  /** Makes the cursor unusable because its store closes. Waits for a call that is running. */
  void storeCloses() {
    end("the store is closed");
  }

  private void end(String reason) {
    latch.take();
    try {
      if (ended == null) {
        ended = reason;
        merge.close();
      }
    } finally {
      latch.release();
    }
  }

  long sequence() {
    return sequence;
  }

  // ---- one call at a time

  /** Begins a call, if the cursor is usable. */
  private void enter() {
    latch.take();
    if (ended != null) {
      String reason = ended;
      latch.release();
      throw new IllegalStateException(reason);
    }
  }

  private void beginMove() {
    enter();
    viewed = false;
  }

  private void endMove(boolean moved) {
    if (!moved) {
      merge.invalidate();
    }
    latch.release();
  }

  private void requireValid() {
    if (!merge.isValid()) {
      throw new IllegalStateException("the cursor is not on a record");
    }
  }

  private RecordSource currentForUser() {
    requireValid();
    viewed = true;
    return merge.current();
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
    for (int i = 0; i < merge.sourceCount(); i++) {
      if (merge.source(i) instanceof MemtableSource source) {
        List<Table> tables = source.memtable().flushed();
        if (tables != null) {
          merge.replaceSource(i, sourceAtSamePlace(source, tables));
        }
      }
    }
  }

  private RecordSource sourceAtSamePlace(MemtableSource source, List<Table> tables)
      throws IOException {
    RunSource replacement = new RunSource(tables, sequence);
    if (scan) {
      replacement.forScans();
    }
    try {
      switch (source.place()) {
        case ON_RECORD -> {
          SearchKey at = new SearchKey();
          at.set(source.keyAddress(), source.keyBytes());
          replacement.seek(at);
        }
        case AFTER_LAST -> replacement.setAfterLast();
        case BEFORE_FIRST -> {}
      }
      return replacement;
    } catch (IOException | RuntimeException | Error e) {
      replacement.close();
      throw e;
    }
  }
}
