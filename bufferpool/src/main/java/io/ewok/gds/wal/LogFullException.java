package io.ewok.gds.wal;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/**
 * The record does not fit into the log before its owner truncates it. Nothing was appended; the log
 * goes on.
 */
public final class LogFullException extends StorageException {
  private static final long serialVersionUID = 1L;

  LogFullException(Path directory, long recordBytes, long spaceLeftBytes, long horizonLsn) {
    super(
        "the log is full until it is truncated: recordBytes=%d spaceLeftBytes=%d horizonLsn=%d"
            .formatted(recordBytes, spaceLeftBytes, horizonLsn),
        directory);
  }
}
