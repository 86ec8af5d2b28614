package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Checks a batch that is read from the log, whose bytes are those that were written. */
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
}
