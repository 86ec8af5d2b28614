package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.WriteAheadLog;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.IntPredicate;

/** A batch that is read from the log, or an archive of it, and is done once more. */
final class LoggedBatch {
  private LoggedBatch() {}

  /**
   * Checks that it is a batch, of families that there are, or were.
   *
   * @param log named in errors
   * @param lsn where it ends
   * @param nextFamily all families have smaller numbers
   */
  static void requireSound(Path log, long lsn, MemorySegment record, int nextFamily)
      throws CorruptFileException {
    String defect = BatchFormat.defect(record);
    if (defect != null) {
      throw new CorruptFileException(log, lsn, "a batch before this position", defect);
    }
    int[] greatest = {Manifest.MAIN};
    BatchFormat.forEachFamily(record, family -> greatest[0] = Math.max(greatest[0], family));
    if (greatest[0] >= nextFamily) {
      throw new CorruptFileException(
          log,
          lsn,
          "families below %d before this position".formatted(nextFamily),
          "family " + greatest[0]);
    }
  }

  /**
   * Puts a sound one into a memtable, with the sequence numbers that it had.
   *
   * @param lsn where it ends
   * @param isThere whether there is such a family; what is of others is passed over
   * @return false if there is no room
   */
  static boolean tryInsert(
      Memtable memtable, long lsn, MemorySegment record, IntPredicate isThere) {
    if (!memtable.tryEnter(BatchFormat.memtableBytes(record), record, isThere)) {
      return false;
    }
    memtable.insert(record, WriteAheadLog.startLsn(lsn, record.byteSize()) + 1);
    memtable.exit();
    return true;
  }

  /** No memtable has room for one, however empty. */
  static StorageException tooLarge(Path from, MemorySegment record, StoreOptions options) {
    return new StorageException(
        "a batch is larger than a memtable, use larger ones: memtableBytes=%d batchBytes=%d"
            .formatted(options.memtableBytes(), BatchFormat.memtableBytes(record)),
        from);
  }
}
