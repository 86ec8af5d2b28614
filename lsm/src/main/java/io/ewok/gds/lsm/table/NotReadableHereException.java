package io.ewok.gds.lsm.table;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/**
 * A table cannot be read with what this process has: its pool is too small, or a library is
 * missing. That says nothing about the file.
 */
public final class NotReadableHereException extends StorageException {
  private static final long serialVersionUID = 1L;

  NotReadableHereException(String message, Path path, Throwable cause) {
    super(message, path, cause);
  }
}
