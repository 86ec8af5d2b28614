package io.ewok.gds.lsm.table;

import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.values.ValueReferences;
import java.lang.foreign.MemorySegment;

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
    ValueReferences references) {

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
    return new TableMeta(
        number,
        sizeBytes,
        entries,
        deletes,
        firstSequence + added,
        lastSequence + added,
        firstKey,
        lastKey,
        family,
        addedSequence + added,
        references);
  }

  /** The same with these references. */
  public TableMeta withReferences(ValueReferences found) {
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
        found);
  }

  /** Whether the key lies within the range of the table's keys. */
  public boolean mayContain(SearchKey key) {
    return key.compareTo(firstKey) >= 0 && key.compareTo(lastKey) <= 0;
  }
}
