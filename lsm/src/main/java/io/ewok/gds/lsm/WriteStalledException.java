package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A write did not wait longer than its {@link WriteOptions} allow, or would have waited for its own
 * thread. Nothing was written.
 */
public final class WriteStalledException extends StorageException {
  private static final long serialVersionUID = 1;

  WriteStalledException(Duration limit, Path directory) {
    super("a write would have to wait longer than it may: stallMax=" + limit, directory);
  }

  WriteStalledException(String reason, Path directory) {
    super(reason, directory);
  }
}
