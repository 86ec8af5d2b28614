package io.ewok.gds.wal;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/** A reader wants what the log's owner has truncated; the segment holds something newer now. */
public final class LogTruncatedException extends StorageException {
  private static final long serialVersionUID = 1L;

  LogTruncatedException(Path segment, long lsn, long oldestLsn) {
    super(
        "the log was truncated before it was read: oldestLsn=%d lsn=%d".formatted(oldestLsn, lsn),
        segment);
  }
}
