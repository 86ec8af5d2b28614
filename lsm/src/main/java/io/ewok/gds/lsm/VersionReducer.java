package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.util.Arrays;

/**
 * What is left of records that are written again, by a flush or a compaction: of the versions of a
 * key the newest that each reader may see, without deletes that hide nothing, and of operands what
 * can be made of them.
 *
 * <p>Operands that the same readers see are one value, with the put or delete that they stand on or
 * where nothing older can be; else one operand, if the operator can combine them. Where it fails
 * they stay as they were, with all that they stand on. What expires at another time stays by
 * itself, see {@link ExpiryBounds}.
 *
 * <p>Records that have expired go, whatever they are; and so do those for which all readers see a
 * range delete that hides them, or is the same delete. That is written by itself, see {@link
 * RangeReducer}.
 *
 * <p>A filter may turn the newest value of a key into another, or into a delete.
 *
 * <p>A delete hides nothing when no reader is left that sees the key as it was before, and there
 * are no older records of the key elsewhere. For that {@link OlderRecords} is asked: for a delete
 * what it knows anyhow, for a single delete, which says that it is worthwhile, with a look at
 * filters.
 *
 * <p>Threads: confined to one. For one flush or compaction.
 */
final class VersionReducer {
  private static final System.Logger LOGGER = System.getLogger(VersionReducer.class.getName());

  /** More bytes of operands are not collected at once. */
  private static final long OPERANDS_BYTES_MAX = 4 << 20;

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

  private final long[] liveSequences;
  private final ExpiryBounds expiry;
  private final OlderRecords older;

  /** Those that the readers see, wherever they are; null if there are none. */
  private final RangeDeletes rangesOrNull;

  private final Output output;

  /** The key of the last record, and the reader that saw it. */
  private final SearchKey key = new SearchKey();

  private boolean hasKey;
  private boolean isWritten;
  private long keyReader;

  /** Whether that reader sees operands so far, and needs older records too. */
  private boolean isOpen;

  private boolean hasFailed;

  /** Decides about the newest value of each key, or null. */
  private final FilterRun filterOrNull;

  /** Whether nothing of the key was written or left out yet. */
  private boolean isNewest;

  /** Null without an operator: operands are passed on. */
  private final OperandMerger merger;

  /** Null where there are no references to values. */
  private final StoredValues valuesOrNull;

  /**
   * A reduction.
   *
   * @param liveSequences see {@link VersionSet#liveSequences}
   * @param expiry see {@link VersionSet#expiryBounds}
   * @param filterOrNull decides about values, or null
   * @param rangesOrNull those that the readers see, wherever they are
   */
  VersionReducer(
      long[] liveSequences,
      ExpiryBounds expiry,
      Merging merging,
      FilterRun filterOrNull,
      OlderRecords older,
      RangeDeletes rangesOrNull,
      Output output) {
    this(liveSequences, expiry, merging, filterOrNull, older, rangesOrNull, null, output);
  }

  /** The same of tables, which may have references to values. */
  VersionReducer(
      long[] liveSequences,
      ExpiryBounds expiry,
      Merging merging,
      FilterRun filterOrNull,
      OlderRecords older,
      RangeDeletes rangesOrNull,
      StoredValues valuesOrNull,
      Output output) {
    this.valuesOrNull = valuesOrNull;
    this.liveSequences = liveSequences;
    this.expiry = expiry;
    this.filterOrNull = filterOrNull;
    this.merger = merging.hasOperator() ? new OperandMerger(merging) : null;
    this.older = older;
    this.rangesOrNull = rangesOrNull;
    this.output = output;
  }

  /** Takes the next record: keys ascend, and the records of a key come newest first. */
  void take(long stamp, long keyAddress, int keyBytes, long valueAddress, int valueBytes)
      throws IOException {
    long sequence = RecordKind.sequence(stamp);
    if (sequence < expiry.lowest()) {
      return; // So are all that it hides.
    }
    long reader = readerOf(sequence);
    if (reader != UNSEEN && isCovered(stamp, newestRange(keyAddress, keyBytes, reader))) {
      return; // Whoever could see it sees that.
    }
    boolean sameKey =
        hasKey
            && Memory.compareUnsigned(keyAddress, keyBytes, key.address(), key.lengthBytes()) == 0;
    if (!sameKey) {
      end();
      key.set(keyAddress, keyBytes);
      hasKey = true;
      isWritten = false;
      isNewest = newestRange(keyAddress, keyBytes, RecordKind.SEQUENCE_MAX) <= sequence;
    } else if (reader == keyReader && reader != UNSEEN) {
      if (!isOpen) {
        return; // Whoever could see it sees a newer one.
      }
      if (hasOperands() && expiry.separate(sequence, merger.sequenceOfOldest())) {
        writeOperands();
      }
    } else {
      writeOperands();
    }
    keyReader = reader;
    isOpen = RecordKind.kind(stamp) == RecordKind.OPERAND;
    if (isOpen && merger != null && reader != UNSEEN) {
      collect(stamp, valueAddress, valueBytes);
    } else if (!hasOperands() || !mergeOnto(stamp, valueAddress, valueBytes)) {
      writeOperands();
      writeUnlessHidesNothing(stamp, valueAddress, valueBytes);
    }
  }

  /**
   * Whether a range delete of the key hides a record, or says what it says: a table of range
   * deletes alone has such a delete. It would be as new as they are, where they hide all that is
   * with them.
   */
  private static boolean isCovered(long stamp, long newestRange) {
    long sequence = RecordKind.sequence(stamp);
    return newestRange > sequence
        || (newestRange == sequence
            && newestRange > 0
            && RecordKind.kind(stamp) == RecordKind.DELETE);
  }

  /** The newest range delete that covers a key and that a reader sees; 0 if there is none. */
  private long newestRange(long keyAddress, int keyBytes, long reader) {
    return rangesOrNull == null
        ? 0
        : rangesOrNull.newest(SearchKey.head(keyAddress, keyBytes), keyAddress, keyBytes, reader);
  }

  /** Writes what is still to be written of the last key. */
  void end() throws IOException {
    if (hasOperands() && (older.mayHave(key) || !merge())) {
      writeOperands();
    }
  }

  // ---- operands

  private boolean hasOperands() {
    return merger != null && merger.operands().count() > 0;
  }

  private void collect(long stamp, long valueAddress, int valueBytes) throws IOException {
    if (merger.operands().sizeBytes() + valueBytes > OPERANDS_BYTES_MAX) {
      writeOperands();
    }
    boolean unused = merger.accept(stamp, valueAddress, valueBytes);
  }

  /** Makes a value of the operands and of the put or delete before them. */
  private boolean mergeOnto(long stamp, long valueAddress, int valueBytes) throws IOException {
    if (RecordKind.kind(stamp) == RecordKind.VALUE_REFERENCE) {
      valuesOrNull.read(key, valueAddress);
      try {
        boolean unused =
            merger.accept(asPut(stamp), valuesOrNull.address(), valuesOrNull.lengthBytes());
      } finally {
        valuesOrNull.letGo();
      }
    } else {
      boolean unused = merger.accept(stamp, valueAddress, valueBytes);
    }
    return merge();
  }

  /** The stamp of a put that has its value with it. */
  private static long asPut(long reference) {
    return RecordKind.stamp(RecordKind.sequence(reference), RecordKind.PUT);
  }

  private boolean merge() throws IOException {
    long newest = RecordKind.sequence(merger.operands().stampOfNewest(0));
    try {
      merger.merge(key);
    } catch (MergeFailedException e) {
      if (!hasFailed) { // else a compaction might say so for each key
        hasFailed = true;
        LOGGER.log(System.Logger.Level.WARNING, "operands stay as they are", e);
      }
      return false;
    }
    ResultBytes result = merger.result();
    merger.begin();
    write(RecordKind.stamp(newest, RecordKind.PUT), result.address(), result.lengthBytes());
    return true;
  }

  /** Writes the operands that were collected, as one or as they are. */
  private void writeOperands() throws IOException {
    if (!hasOperands()) {
      return;
    }
    Operands operands = merger.operands();
    operands.clearBase();
    if (operands.count() > 1 && merger.combine(key)) {
      ResultBytes result = merger.result();
      write(operands.stampOfNewest(0), result.address(), result.lengthBytes());
    } else {
      for (int i = 0; i < operands.count(); i++) {
        write(operands.stampOfNewest(i), operands.addressOfNewest(i), operands.bytesOfNewest(i));
      }
    }
    merger.begin();
  }

  // ---- deletes, and the way out

  private boolean hidesNothing(int kind, long sequence) {
    return switch (kind) {
      case RecordKind.DELETE -> sequence <= liveSequences[0] && !older.mayHave(key);
      case RecordKind.SINGLE_DELETE ->
          sequence <= liveSequences[0] && !(older.mayHave(key) && older.mayHaveByFilters(key));
      default -> false;
    };
  }

  private void writeUnlessHidesNothing(long stamp, long valueAddress, int valueBytes)
      throws IOException {
    if (hidesNothing(RecordKind.kind(stamp), RecordKind.sequence(stamp))) {
      isNewest = false;
    } else {
      write(stamp, valueAddress, valueBytes);
    }
  }

  private void write(long stamp, long valueAddress, int valueBytes) throws IOException {
    if (filterOrNull != null && isNewest && RecordKind.isPut(RecordKind.kind(stamp))) {
      writeFiltered(stamp, valueAddress, valueBytes);
    } else {
      put(stamp, valueAddress, valueBytes);
    }
  }

  private void writeFiltered(long stamp, long valueAddress, int valueBytes) throws IOException {
    isNewest = false;
    long sequence = RecordKind.sequence(stamp);
    switch (decide(stamp, valueAddress, valueBytes)) {
      case KEEP -> put(stamp, valueAddress, valueBytes);
      case REMOVE ->
          writeUnlessHidesNothing(RecordKind.stamp(sequence, RecordKind.DELETE), valueAddress, 0);
      case CHANGE ->
          put(asPut(stamp), filterOrNull.result().address(), filterOrNull.result().lengthBytes());
    }
  }

  private CompactionFilter.Decision decide(long stamp, long valueAddress, int valueBytes)
      throws IOException {
    long sequence = RecordKind.sequence(stamp);
    if (RecordKind.kind(stamp) == RecordKind.PUT) {
      return filterOrNull.decide(key, sequence, valueAddress, valueBytes);
    }
    if (!filterOrNull.isAsked(sequence)) {
      return CompactionFilter.Decision.KEEP; // unread
    }
    valuesOrNull.read(key, valueAddress);
    try {
      return filterOrNull.decide(key, sequence, valuesOrNull.address(), valuesOrNull.lengthBytes());
    } finally {
      valuesOrNull.letGo();
    }
  }

  private void put(long stamp, long valueAddress, int valueBytes) throws IOException {
    output.write(!isWritten, key, stamp, valueAddress, valueBytes);
    isWritten = true;
    isNewest = false;
  }

  /** The oldest sequence at which a reader may look that sees this record. */
  private long readerOf(long sequence) {
    int found = Arrays.binarySearch(liveSequences, sequence);
    int at = found >= 0 ? found : -found - 1;
    return at < liveSequences.length ? liveSequences[at] : UNSEEN;
  }
}
