package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.KeyRanges;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A position in several ranges of keys, which are known beforehand: it goes from the records of one
 * to those of the next, forward or backward, and shows the store as it was when the cursor was
 * made, as a {@link StoreCursor} does. Reads of what is to come overlap with each other and with
 * what is done with the records: so it is faster than seeks one after the other where tables are
 * read from the device. Where they are in memory, it costs somewhat more than a cursor that is
 * opened once and seeks.
 *
 * <p>Read ahead are the blocks of tables, on all levels, of the range that the cursor is in and of
 * those behind it. They go into the pool, and take at most a sixteenth of it, nor more than 16 MiB,
 * until the cursor comes to them; a cursor with {@link CursorOptions#scan} has them leave it first.
 * Ranges should end where the records of interest do: what lies in them is read.
 *
 * <p>Ownership: whoever made the cursor closes it; it keeps what a {@link StoreCursor} keeps.
 *
 * <p>Threads: one at a time.
 *
 * {@snippet :
 * ScanRanges ranges = new ScanRanges().addPrefix(first).addPrefix(second);
 * try (RangesCursor cursor = store.cursor(ranges)) {
 *   for (cursor.first(); cursor.isValid(); cursor.next()) {
 *     print(cursor.range(), cursor.key(), cursor.value());
 *   }
 * }
 * }
 *
 * <p>Moves make no garbage, but for some hundred bytes for each block that is read ahead.
 *
 * <p>Errors: as of a {@link StoreCursor}; after an {@link IOException} it is not valid until it is
 * positioned anew.
 */
public final class RangesCursor implements AutoCloseable {
  private final StoreCursor cursor;
  private final int count;
  private int range;

  /**
   * Over ranges.
   *
   * @param cursor was opened for these
   */
  RangesCursor(StoreCursor cursor, KeyRanges ranges) {
    this.cursor = cursor;
    this.count = ranges.count();
  }

  /**
   * What a cursor shows that is opened for ranges: all from the first to the last.
   *
   * @throws IllegalArgumentException if the options have bounds
   */
  static CursorOptions bounds(KeyRanges ranges, CursorOptions options) {
    if (options.lowerOrNull() != null || options.upperOrNull() != null) {
      throw new IllegalArgumentException("ranges are all the bounds there are: options=" + options);
    }
    boolean isEmpty = ranges.count() == 0;
    MemorySegment lower = isEmpty ? MemorySegment.NULL : ranges.first();
    MemorySegment upperOrNull = isEmpty ? MemorySegment.NULL : ranges.endOrNull();
    return new CursorOptions(lower, upperOrNull, options.scan(), options.filterOrNull());
  }

  /** Moves to the first record of all. */
  public void first() throws IOException {
    enter(0, true);
  }

  /** Moves to the last record of all. */
  public void last() throws IOException {
    enter(count - 1, false);
  }

  /**
   * Moves to the next greater key in this range or, if there is none, to the first one of those
   * behind it; or past the last one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void next() throws IOException {
    cursor.next();
    if (!cursor.isValid()) {
      enter(range + 1, true);
    }
  }

  /**
   * Moves to the next smaller key in this range or, if there is none, to the last one of those
   * before it; or before the first one.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void previous() throws IOException {
    cursor.previous();
    if (!cursor.isValid()) {
      enter(range - 1, false);
    }
  }

  /**
   * Leaves this range for the first record of those behind it.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void nextRange() throws IOException {
    requireValid();
    enter(range + 1, true);
  }

  /**
   * Leaves this range for the last record of those before it.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public void previousRange() throws IOException {
    requireValid();
    enter(range - 1, false);
  }

  /** Moves to the first range, from one on, that has a record. */
  private void enter(int from, boolean forward) throws IOException {
    int number = from;
    boolean isThere = number >= 0 && number < count;
    if (!isThere) {
      cursor.leaveRange();
    }
    while (isThere) {
      range = number;
      cursor.enterRange(number, forward);
      number += forward ? 1 : -1;
      isThere = !cursor.isValid() && number >= 0 && number < count;
    }
  }

  private void requireValid() {
    if (!cursor.isValid()) {
      throw new IllegalStateException("the cursor is not on a record");
    }
  }

  /** Returns whether the cursor is on a record: it was moved, and not past an end. */
  public boolean isValid() {
    return cursor.isValid();
  }

  /**
   * Returns which range the current record is of, counted from 0 in the order of their keys.
   *
   * @throws IllegalStateException if the cursor is not valid
   */
  public int range() {
    requireValid();
    return range;
  }

  /** Returns the key, as {@link StoreCursor#key} does. */
  public MemorySegment key() {
    return cursor.key();
  }

  /** Returns the value, as {@link StoreCursor#value} does. */
  public MemorySegment value() {
    return cursor.value();
  }

  /** Copies the key, as {@link StoreCursor#copyKey} does. */
  public int copyKey(MemorySegment into) {
    return cursor.copyKey(into);
  }

  /** Copies the value, as {@link StoreCursor#copyValue} does. */
  public int copyValue(MemorySegment into) {
    return cursor.copyValue(into);
  }

  /** Lets go of blocks and files. Closing twice does nothing. */
  @Override
  public void close() {
    cursor.close();
  }
}
