package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.memtable.MemtableSource;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.reactor.LongLock;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * A position in a store as it was when the cursor was made: later writes are not seen. Keys are
 * ordered by their bytes, unsigned; moving forward and moving backward cost the same.
 *
 * <p>Ownership: whoever made the cursor closes it, best soon: it keeps one block of each flushed
 * table and one of the merged run in the pool, and files on the device that a merge has replaced.
 * Closing the store makes its cursors unusable; closing them afterwards does nothing.
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
 * <p>Errors: {@link IllegalStateException} after the close of the cursor or of the store, never a
 * crash. After an {@link IOException}, such as for a corrupt table, the cursor is not valid;
 * position it anew to try again.
 */
public final class StoreCursor implements AutoCloseable {
  /*
   * Addresses are not checked, so every use of one happens under the lock and before `ended` is set; whoever sets it
   * releases memtables and blocks only then. Views that the user keeps longer carry the scope of their memory.
   */
  private final VersionSet versions;
  private final long sequence;
  private final MergeCursor merge;
  private final LongLock lock = new LongLock();

  // Guarded by lock.
  /** Why the cursor cannot be used any more, or null. */
  private String ended;

  /** Whether the user may hold views of the current record. */
  private boolean viewed;

  /** A cursor over sources, which it takes over. */
  StoreCursor(VersionSet versions, long sequence, RecordSource[] sources) {
    this.versions = versions;
    this.sequence = sequence;
    this.merge = new MergeCursor(sources);
  }

  /** A part of a call that moves the cursor. */
  @FunctionalInterface
  private interface Move {
    void run() throws IOException;
  }

  /** Moves to the first record. */
  public void first() throws IOException {
    move(merge::first, false);
  }

  /** Moves to the last record. */
  public void last() throws IOException {
    move(merge::last, false);
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(byte[] key) throws IOException {
    seek(MemorySegment.ofArray(key));
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(MemorySegment key) throws IOException {
    MemorySegment wanted = independent(key);
    move(() -> merge.seek(wanted), false);
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(byte[] key) throws IOException {
    seekForPrev(MemorySegment.ofArray(key));
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(MemorySegment key) throws IOException {
    MemorySegment wanted = independent(key);
    move(() -> merge.seekForPrev(wanted), false);
  }

  /**
   * A key may be that of the record the cursor is on, whose block or memtable the move lets go of
   * before it has compared with it for the last time.
   */
  private static MemorySegment independent(MemorySegment key) {
    Keys.requireLength(key.byteSize());
    return key.isNative() ? MemorySegment.ofArray(key.toArray(ValueLayout.JAVA_BYTE)) : key;
  }

  /**
   * Moves to the next greater key, or past the last one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void next() throws IOException {
    move(merge::next, true);
  }

  /**
   * Moves to the next smaller key, or before the first one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void previous() throws IOException {
    move(merge::previous, true);
  }

  /** Returns whether the cursor is on a record: it was moved, and not past an end. */
  public boolean isValid() {
    enter();
    try {
      return merge.isValid();
    } finally {
      lock.unlock();
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
      lock.unlock();
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
      lock.unlock();
    }
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
    lock.lock();
    try {
      if (ended == null) {
        ended = reason;
        merge.close();
      }
    } finally {
      lock.unlock();
    }
  }

  long sequence() {
    return sequence;
  }

  /** Takes the lock, if the cursor is usable. */
  private void enter() {
    lock.lock();
    if (ended != null) {
      lock.unlock();
      throw new IllegalStateException(ended);
    }
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

  private void move(Move move, boolean fromRecord) throws IOException {
    enter();
    boolean moved = false;
    try {
      if (fromRecord) {
        requireValid();
      }
      viewed = false;
      leaveMemtables();
      move.run();
      moved = true;
    } finally {
      if (!moved) {
        merge.invalidate();
      }
      lock.unlock();
    }
  }

  /**
   * Moves the cursor off memtables that have been written as tables, so that their memory can be
   * used again. Does nothing while a call is running, or if the user may look at a record in one;
   * the next move does it then.
   *
   * @throws IOException if a table cannot be read; the cursor stays as it is
   */
  void tryLeaveMemtables() throws IOException {
    if (!lock.tryLock()) {
      return;
    }
    try {
      boolean looking = viewed && merge.isValid() && merge.current() instanceof MemtableSource;
      if (ended == null && !looking) {
        leaveMemtables();
      }
    } finally {
      lock.unlock();
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
    try {
      switch (source.place()) {
        case ON_RECORD -> replacement.seek(Memory.view(source.keyAddress(), source.keyBytes()));
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
