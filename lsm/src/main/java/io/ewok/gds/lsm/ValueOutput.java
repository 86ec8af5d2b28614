package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueFileWriter;
import io.ewok.gds.lsm.values.ValueFormat;
import java.io.IOException;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * Says where the values go of records that are written to tables: those that are long enough to a
 * value file, and a reference to the table instead; the others, and what is not a put, with the
 * record. A reference that is met stays as it is, unless its file has too much garbage or its value
 * is not one for such a file any more: then the value is written anew, as that of the same record.
 * So a value moves with its record, within one edit of the manifest, and whatever hides the record
 * hides it before and afterwards.
 *
 * <p>Ownership: the writer is the caller's. Files that are not installed are to be discarded.
 * Threads: confined to one. For one flush or compaction.
 */
final class ValueOutput {
  private final TableSet tables;
  private final ValueFileWriter writer;
  private final int family;
  private final CompactionOptions options;
  private final ValueGarbage garbage;
  private final StoredValues stored;
  private final KeyBuffer reference = new KeyBuffer();
  private final List<ValueFileMeta> files;
  private long movedBytes;

  /**
   * An output.
   *
   * @param options say which values are long enough
   * @param garbage knows the files that are to go
   * @param storedOrNull reads values that are written anew; null where there are no references
   * @param files where those are added that are complete: synced, but not their names
   */
  ValueOutput(
      TableSet tables,
      ValueFileWriter writer,
      FamilyState family,
      CompactionOptions options,
      ValueGarbage garbage,
      StoredValues storedOrNull,
      List<ValueFileMeta> files) {
    this.tables = tables;
    this.writer = writer;
    this.family = family.id();
    this.options = options;
    this.garbage = garbage;
    this.stored = storedOrNull;
    this.files = files;
  }

  /** Writes a record to a table. */
  void add(TableWriter to, SearchKey key, long stamp, long valueAddress, int valueBytes)
      throws IOException {
    int kind = RecordKind.kind(stamp);
    if (kind == RecordKind.PUT && isLong(valueBytes)) {
      addLong(to, key, stamp, valueAddress, valueBytes);
    } else if (kind == RecordKind.VALUE_REFERENCE && isToMove(valueAddress)) {
      stored.read(key, valueAddress);
      try {
        movedBytes += ValueFormat.entryBytes(valueAddress);
        long put = RecordKind.stamp(RecordKind.sequence(stamp), RecordKind.PUT);
        add(to, key, put, stored.address(), stored.lengthBytes());
      } finally {
        stored.letGo();
      }
    } else {
      to.add(stamp, key.address(), key.lengthBytes(), valueAddress, valueBytes);
    }
  }

  private boolean isLong(int valueBytes) {
    return options.separatedValueBytes() > 0 && valueBytes >= options.separatedValueBytes();
  }

  private boolean isToMove(long address) {
    return !isLong(ValueFormat.valueBytes(address)) || garbage.isFull(ValueFormat.file(address));
  }

  private void addLong(TableWriter to, SearchKey key, long stamp, long valueAddress, int valueBytes)
      throws IOException {
    if (!writer.isStarted()) {
      tables.start(writer, family);
    }
    long address = reference.reserve(ValueFormat.REFERENCE_BYTES);
    writer.add(key.address(), key.lengthBytes(), valueAddress, valueBytes, address);
    long stampOfReference =
        RecordKind.stamp(RecordKind.sequence(stamp), RecordKind.VALUE_REFERENCE);
    to.add(
        stampOfReference, key.address(), key.lengthBytes(), address, ValueFormat.REFERENCE_BYTES);
    if (writer.sizeBytes() >= options.valueFileBytes()) {
      files.add(tables.finish(writer));
    }
  }

  /** The files of which all values are going to be read that are met; null if there are none. */
  LongPredicate movedFilesOrNull() {
    if (options.separatedValueBytes() == 0 || options.filter() != CompactionFilter.NONE) {
      return _ -> true;
    }
    return garbage == ValueGarbage.NONE ? null : garbage::isFull;
  }

  /** Bytes of values that were written anew. */
  long movedBytes() {
    return movedBytes;
  }

  /** Completes the file that is being written, if there is one. */
  void finish() throws IOException {
    if (writer.isStarted()) {
      files.add(tables.finish(writer));
    }
  }
}
