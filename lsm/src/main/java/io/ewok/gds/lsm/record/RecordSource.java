package io.ewok.gds.lsm.record;

import java.io.IOException;

/**
 * A position in one ordered set of records, a memtable or a run of tables, as seen at a sequence
 * number: of each key only the newest record that is not newer than that, whatever it is.
 *
 * <p>Moves are by key. A source that has been moved is on a record, or past the last one, or before
 * the first one; from past the last one {@code previous} goes to the last, and {@code next} from
 * before the first goes to the first. An {@link IOException} leaves it before the first, with
 * nothing fixed.
 *
 * <p>Addresses are right until the next move or close. Threads: confined to one at a time.
 */
public interface RecordSource extends RecordLocation {
  /** Where a source stands. */
  enum Place {
    BEFORE_FIRST,
    ON_RECORD,
    AFTER_LAST
  }

  void first() throws IOException;

  void last() throws IOException;

  /** Moves to the first key at or after {@code key}. */
  void seek(SearchKey key) throws IOException;

  /** Moves to the last key at or before {@code key}. */
  void seekForPrev(SearchKey key) throws IOException;

  void next() throws IOException;

  void previous() throws IOException;

  /**
   * Moves on in a direction from a record that is of no interest, as are all before the key {@code
   * to}, or on the way back all not before it, whose sequence numbers are below {@code floor}: past
   * the one, and past as many of the others as that does not cost more than moves by key do.
   */
  default void skip(boolean forward, SearchKey to, long floor) throws IOException {
    if (forward) {
      next();
    } else {
      previous();
    }
  }

  /**
   * Reads the value of the current record if that is a reference to one; from then on it is its
   * value. Does nothing else.
   */
  default void readValue() throws IOException {}

  Place place();

  default boolean isValid() {
    return place() == Place.ON_RECORD;
  }

  /**
   * Shows all visible versions of a key, newest first, until the consumer has what it wants. The
   * source stays where it is.
   *
   * @return whether older ones are still wanted
   */
  boolean versions(SearchKey key, VersionConsumer to) throws IOException;

  /**
   * Is before the first record from now on, and sees what is visible at another sequence number.
   */
  void renew(long sequence);

  /** Lets go of everything. Not to be used afterwards. */
  void close();
}
