package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/**
 * What the manifest knows of a table.
 *
 * @param number names the file, unique over the life of the store
 * @param sizeBytes size of the file
 * @param entries records in it
 * @param deletes those of them that are deletes
 * @param firstSequence smallest sequence number in it
 * @param lastSequence greatest sequence number in it
 * @param firstKey smallest key
 * @param lastKey greatest key
 */
record TableMeta(
    long number,
    long sizeBytes,
    long entries,
    long deletes,
    long firstSequence,
    long lastSequence,
    MemorySegment firstKey,
    MemorySegment lastKey) {

  /** Whether the key lies within the range of the table's keys. */
  boolean mayContain(MemorySegment key) {
    return compare(firstKey, key) <= 0 && compare(key, lastKey) <= 0;
  }

  /** Orders keys: unsigned, bytewise, a prefix before what it begins. */
  static int compare(MemorySegment a, MemorySegment b) {
    long at = a.mismatch(b);
    if (at < 0) {
      return 0;
    }
    if (at == a.byteSize() || at == b.byteSize()) {
      return Long.compare(a.byteSize(), b.byteSize());
    }
    return Byte.compareUnsigned(a.get(JAVA_BYTE, at), b.get(JAVA_BYTE, at));
  }
}
