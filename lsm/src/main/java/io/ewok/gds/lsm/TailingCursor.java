package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * A cursor that goes on behind its last record when there is more: for keys that grow, such as
 * those of a queue or of measurements by time. It moves forward only.
 *
 * <p>What it sees: between two ends the store as it was at one time, as a {@link StoreCursor} does.
 * When that has no further record, {@link #next} goes over to the store as it is now and looks
 * behind the last key it was on, which need not be there any more. So no key is shown twice, each
 * that is there for as long as the cursor needs to come to it is shown, and what is written before
 * its place is not; whoever wants every write reads {@link StoreChanges}. Bounds, prefix and filter
 * hold for what comes later, too.
 *
 * <p>Ownership: whoever made the cursor closes it. While it waits at the end it keeps files on the
 * device that a merge has replaced, and versions as of that time, until it moves.
 *
 * <p>Threads: one at a time.
 *
 * {@snippet :
 * try (TailingCursor tail = store.tail(CursorOptions.defaults().withPrefix(queue))) {
 *   while (running) {
 *     while (tail.next()) {
 *       use(tail.key(), tail.value());
 *     }
 *     tail.await(Duration.ofSeconds(1));
 *   }
 * }
 * }
 *
 * <p>Moves make no garbage as long as the store's files stay the same. Errors: as of a {@link
 * StoreCursor}; after an {@link IOException} the next move tries again from the same place.
 */
public final class TailingCursor implements AutoCloseable {
  /** Where the next record is looked for. */
  private enum Where {
    FIRST,
    FROM_PLACE,
    BEHIND_PLACE
  }

  private final StoreCursor cursor;
  private final VersionSet versions;
  private final SearchKey place = new SearchKey();
  private Where where = Where.FIRST;
  private boolean isOnRecord;

  /** Whether there was nothing in what the cursor shows. */
  private boolean isAtEnd;

  TailingCursor(StoreCursor cursor, VersionSet versions) {
    this.cursor = cursor;
    this.versions = versions;
  }

  /** Goes to a place: the next record will be the first whose key is {@code key} or greater. */
  public void seek(byte[] key) {
    seek(MemorySegment.ofArray(key));
  }

  /** As {@link #seek(byte[])}; the segment is copied. */
  public void seek(MemorySegment key) {
    Keys.requireLength(key.byteSize());
    place.set(key);
    where = Where.FROM_PLACE;
    isOnRecord = false;
    isAtEnd = false;
  }

  /**
   * Moves to the next record.
   *
   * @return false if there is none so far; the cursor is on none then
   */
  public boolean next() throws IOException {
    requireOpen();
    if (isOnRecord) {
      isOnRecord = false;
      cursor.noteKey(place);
      where = Where.BEHIND_PLACE;
      cursor.next();
      isOnRecord = cursor.isValid();
      isAtEnd = !isOnRecord;
    }
    if (!isOnRecord && !(isAtEnd && versions.sequence() == cursor.sequence())) {
      goOn();
    }
    return isOnRecord;
  }

  private void goOn() throws IOException {
    isAtEnd = false;
    cursor.refresh();
    switch (where) {
      case FIRST -> cursor.first();
      case FROM_PLACE -> cursor.seek(place, false);
      case BEHIND_PLACE -> cursor.seek(place, true);
    }
    isOnRecord = cursor.isValid();
    isAtEnd = !isOnRecord;
  }

  /**
   * Waits until there may be a next record: until something was written that the cursor has not
   * looked at, wherever. A write is seen when others read it, before it is durable.
   *
   * @return false if the time was over first
   * @throws IllegalStateException if the store is closed, or meanwhile; the cursor's own close does
   *     not end the wait
   */
  public boolean await(Duration timeout) {
    requireOpen();
    return !isAtEnd || versions.watch().awaitBeyond(cursor.sequence(), timeout.toNanos());
  }

  /** Returns whether the cursor is on a record. */
  public boolean isValid() {
    return isOnRecord && cursor.isValid();
  }

  /** Returns the key, as {@link StoreCursor#key} does. */
  public MemorySegment key() {
    requireOnRecord();
    return cursor.key();
  }

  /** Returns the value, as {@link StoreCursor#value} does. */
  public MemorySegment value() {
    requireOnRecord();
    return cursor.value();
  }

  /** Copies the key, as {@link StoreCursor#copyKey} does. */
  public int copyKey(MemorySegment into) {
    requireOnRecord();
    return cursor.copyKey(into);
  }

  /** Copies the value, as {@link StoreCursor#copyValue} does. */
  public int copyValue(MemorySegment into) {
    requireOnRecord();
    return cursor.copyValue(into);
  }

  private void requireOpen() {
    boolean unused = cursor.isValid(); // throws if not
  }

  /** After a seek the cursor below may still be on one. */
  private void requireOnRecord() {
    if (!isOnRecord) {
      throw new IllegalStateException("the cursor is not on a record");
    }
  }

  /** Lets go of blocks and files. Closing twice does nothing. */
  @Override
  public void close() {
    cursor.close();
  }
}
