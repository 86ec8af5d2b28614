package io.ewok.gds.lsm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A position in a store as it was when the cursor was made: later writes are not seen. Keys are
 * ordered by their bytes, unsigned; moving forward and moving backward cost the same.
 *
 * <p>Ownership: whoever made the cursor closes it, best soon: it keeps one block of each table
 * group in the pool, and keeps files on disk that a merge has replaced. Closing the store makes its
 * cursors unusable; closing them afterwards is allowed and does nothing.
 *
 * <p>Threads: one at a time. Two calls at once are answered with an {@link IllegalStateException}
 * in one of them, whatever the calls are.
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
 * crash. After an {@link IOException} the cursor is not valid; position it anew to try again.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class StoreCursor implements AutoCloseable {

  StoreCursor() {}

  /** Moves to the first record. */
  public void first() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Moves to the last record. */
  public void last() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(byte[] key) throws IOException {
    seek(MemorySegment.ofArray(key));
  }

  /** Moves to the first record whose key is {@code key} or greater. */
  public void seek(MemorySegment key) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(byte[] key) throws IOException {
    seekForPrev(MemorySegment.ofArray(key));
  }

  /** Moves to the last record whose key is {@code key} or less. */
  public void seekForPrev(MemorySegment key) throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /**
   * Moves to the next greater key, or past the last one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void next() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /**
   * Moves to the next smaller key, or before the first one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void previous() throws IOException {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Returns whether the cursor is on a record: it was moved, and not past an end. */
  public boolean isValid() {
    throw new UnsupportedOperationException("the engine follows");
  }

  /**
   * Returns the key where it lies: read-only, valid until the next move. Later its bytes may be
   * those of another record; after the close of the store access throws {@link
   * IllegalStateException}.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public MemorySegment key() {
    throw new UnsupportedOperationException("the engine follows");
  }

  /**
   * Returns the value where it lies, under the rules of {@link #key}.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public MemorySegment value() {
    throw new UnsupportedOperationException("the engine follows");
  }

  /** Lets go of blocks and files. Closing twice does nothing. */
  @Override
  public void close() {
    throw new UnsupportedOperationException("the engine follows");
  }
}
