package io.ewok.gds.lsm;

/**
 * Chooses the records that a cursor shows, see {@link CursorOptions#withFilter}. It is asked inside
 * of the moves, forward and backward, of each record within the bounds that the cursor would be on
 * without it; a record that it rejects is passed by and costs nothing else.
 *
 * <p>A move goes on until a record is accepted, through all that is there if none is. Others are
 * not held up by that: the store is written, flushed, merged and read meanwhile. Closing the cursor
 * or the store ends such a move at the next record, with an {@link IllegalStateException}, and
 * waits until the filter has returned.
 *
 * <p>A filter says the same of the same record each time; it may be asked more than once. It may
 * read the store, through other cursors too. It uses neither its cursor nor closes the store, which
 * both throw {@link IllegalStateException}; a write may wait for memory that the cursor keeps, so
 * writes belong elsewhere.
 *
 * <p>What it throws ends the move and comes out of it; the cursor is on no record then, and can be
 * positioned anew. A {@link RecordBatch} that was being filled has what was accepted before.
 *
 * <p>Threads: that of the move.
 *
 * {@snippet :
 * CursorFilter expired = record -> record.value().get(JAVA_LONG_UNALIGNED, 0) < now;
 * }
 */
@FunctionalInterface
public interface CursorFilter {
  /**
   * Returns whether the cursor shows a record.
   *
   * @param record usable until this method returns
   */
  boolean accepts(RecordView record);
}
