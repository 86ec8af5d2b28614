package io.ewok.gds.lsm.table;

import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.values.ValueReferences;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * What the manifest knows of a table.
 *
 * @param number names the file, unique over the life of the store
 * @param sizeBytes size of the file
 * @param entries records in it
 * @param deletes those of them that are deletes
 * @param firstSequence smallest sequence number in it, range deletes included
 * @param lastSequence greatest sequence number in it, likewise
 * @param firstKey smallest key of its records and range deletes
 * @param lastKey greatest key of its records, or where a range delete ends behind that
 * @param family number of the family that all this is of
 * @param addedSequence what is to be added to the sequence numbers in the file to have those of the
 *     records; above 0 only where the table was written before it became part of the store
 * @param references to values that lie in value files
 * @param fileNumber {@code number}, which the footer names, too; or, if the family was cloned, the
 *     one that the file was written with, by and for another family
 * @param fileFamily the family that the footer names: {@code family}, or if it was cloned that
 *     other one
 * @param writtenMillis when the file was written, in milliseconds since the epoch; 0 if that is not
 *     known
 */
public record TableMeta(
    long number,
    long sizeBytes,
    long entries,
    long deletes,
    long firstSequence,
    long lastSequence,
    MemorySegment firstKey,
    MemorySegment lastKey,
    int family,
    long addedSequence,
    ValueReferences references,
    long fileNumber,
    int fileFamily,
    long writtenMillis) {

  /** Of a table whose records have the sequence numbers, and the values, that are in the file. */
  public TableMeta(
      long number,
      long sizeBytes,
      long entries,
      long deletes,
      long firstSequence,
      long lastSequence,
      MemorySegment firstKey,
      MemorySegment lastKey,
      int family) {
    this(
        number,
        sizeBytes,
        entries,
        deletes,
        firstSequence,
        lastSequence,
        firstKey,
        lastKey,
        family,
        0,
        ValueReferences.NONE);
  }

  /** Of a table in a file of its own. */
  public TableMeta(
      long number,
      long sizeBytes,
      long entries,
      long deletes,
      long firstSequence,
      long lastSequence,
      MemorySegment firstKey,
      MemorySegment lastKey,
      int family,
      long addedSequence,
      ValueReferences references) {
    this(
        number,
        sizeBytes,
        entries,
        deletes,
        firstSequence,
        lastSequence,
        firstKey,
        lastKey,
        family,
        addedSequence,
        references,
        number,
        family,
        0);
  }

  /** Of a table of the default family. */
  public TableMeta(
      long number,
      long sizeBytes,
      long entries,
      long deletes,
      long firstSequence,
      long lastSequence,
      MemorySegment firstKey,
      MemorySegment lastKey) {
    this(number, sizeBytes, entries, deletes, firstSequence, lastSequence, firstKey, lastKey, 0);
  }

  /** The same with other sequence numbers of all records. */
  public TableMeta addingSequence(long added) {
    return with(
        draft -> {
          draft.firstSequence += added;
          draft.lastSequence += added;
          draft.addedSequence += added;
        });
  }

  /** The same, whose numbers have this added already. */
  public TableMeta withAddedSequence(long added) {
    return with(draft -> draft.addedSequence = added);
  }

  /** The same with these references. */
  public TableMeta withReferences(ValueReferences found) {
    return with(draft -> draft.references = found);
  }

  /** The same table in another file, which a family that was cloned shares with this one. */
  public TableMeta inFile(long ofNumber, int ofFamily) {
    return with(
        draft -> {
          draft.fileNumber = ofNumber;
          draft.fileFamily = ofFamily;
        });
  }

  /** The same file as a table of a family that is cloned, with a number of its own. */
  public TableMeta clonedTo(long cloneNumber, int cloneFamily) {
    return with(
        draft -> {
          draft.number = cloneNumber;
          draft.family = cloneFamily;
        });
  }

  /** The same, written then; 0 if that is not known. */
  public TableMeta writtenAt(long millis) {
    return with(draft -> draft.writtenMillis = millis);
  }

  /** Whether the file was written as a table of another family. */
  public boolean isCloned() {
    return fileNumber != number;
  }

  /** Whether the key lies within the range of the table's keys. */
  public boolean mayContain(SearchKey key) {
    return key.compareTo(firstKey) >= 0 && key.compareTo(lastKey) <= 0;
  }

  private TableMeta with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.meta();
  }

  /** A copy that can be changed, so that each method above names only what it changes. */
  private final class Draft {
    long number = TableMeta.this.number;
    long firstSequence = TableMeta.this.firstSequence;
    long lastSequence = TableMeta.this.lastSequence;
    int family = TableMeta.this.family;
    long addedSequence = TableMeta.this.addedSequence;
    ValueReferences references = TableMeta.this.references;
    long fileNumber = TableMeta.this.fileNumber;
    int fileFamily = TableMeta.this.fileFamily;
    long writtenMillis = TableMeta.this.writtenMillis;

    TableMeta meta() {
      return new TableMeta(
          number,
          sizeBytes,
          entries,
          deletes,
          firstSequence,
          lastSequence,
          firstKey,
          lastKey,
          family,
          addedSequence,
          references,
          fileNumber,
          fileFamily,
          writtenMillis);
    }
  }
}
