package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.util.Arrays;

/**
 * What is left of records that are written again, by a flush or a compaction: of the versions of a
 * key the newest that each reader may see, without deletes that hide nothing.
 *
 * <p>A delete hides nothing when no reader is left that sees the key as it was before, and there
 * are no older records of the key elsewhere. For that {@link OlderRecords} is asked: for a delete
 * what it knows anyhow, for a single delete, which says that it is worthwhile, with a look at
 * filters.
 *
 * <p>Threads: confined to one. For one flush or compaction.
 */
final class VersionReducer {
  /** A record is newer than all that readers may see now: who will see it is not known. */
  private static final long UNSEEN = -1;

  /** Takes what is left, in order. */
  interface Output {
    /**
     * Takes a record.
     *
     * @param newKey whether it is the first of its key
     */
    void write(boolean newKey, SearchKey key, long stamp, long valueAddress, int valueBytes)
        throws IOException;
  }

  /** Knows of records that are older than those of the same key that are written again. */
  interface OlderRecords {
    /** Whether there may be some. Keys that are asked for ascend. */
    boolean mayHave(SearchKey key);

    /** The same, found out more exactly as far as that needs no reading. */
    boolean mayHaveByFilters(SearchKey key);
  }

  private final long[] liveSequences;
  private final OlderRecords older;
  private final Output output;

  /** The key of the last record, and the reader that saw it. */
  private final SearchKey key = new SearchKey();

  private boolean hasKey;
  private boolean isWritten;
  private long keyReader;

  /**
   * A reduction.
   *
   * @param liveSequences see {@link VersionSet#liveSequences}
   */
  VersionReducer(long[] liveSequences, OlderRecords older, Output output) {
    this.liveSequences = liveSequences;
    this.older = older;
    this.output = output;
  }

  /** Takes the next record: keys ascend, and the records of a key come newest first. */
  void take(long stamp, long keyAddress, int keyBytes, long valueAddress, int valueBytes)
      throws IOException {
    long sequence = RecordKind.sequence(stamp);
    long reader = readerOf(sequence);
    boolean sameKey =
        hasKey
            && Memory.compareUnsigned(keyAddress, keyBytes, key.address(), key.lengthBytes()) == 0;
    if (sameKey && reader == keyReader && reader != UNSEEN) {
      return; // Whoever could see it sees a newer one.
    }
    if (!sameKey) {
      key.set(keyAddress, keyBytes);
      hasKey = true;
      isWritten = false;
    }
    keyReader = reader;
    if (!hidesNothing(RecordKind.kind(stamp), sequence)) {
      write(stamp, valueAddress, valueBytes);
    }
  }

  private boolean hidesNothing(int kind, long sequence) {
    return switch (kind) {
      case RecordKind.DELETE -> sequence <= liveSequences[0] && !older.mayHave(key);
      case RecordKind.SINGLE_DELETE ->
          sequence <= liveSequences[0] && !(older.mayHave(key) && older.mayHaveByFilters(key));
      default -> false;
    };
  }

  private void write(long stamp, long valueAddress, int valueBytes) throws IOException {
    output.write(!isWritten, key, stamp, valueAddress, valueBytes);
    isWritten = true;
  }

  /** The oldest sequence at which a reader may look that sees this record. */
  private long readerOf(long sequence) {
    int found = Arrays.binarySearch(liveSequences, sequence);
    int at = found >= 0 ? found : -found - 1;
    return at < liveSequences.length ? liveSequences[at] : UNSEEN;
  }
}
