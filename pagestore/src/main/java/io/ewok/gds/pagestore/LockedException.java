package io.ewok.gds.pagestore;

import java.nio.file.Path;

/** Somebody else, in this process or another, holds the lock. */
public final class LockedException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** A held lock. */
  public LockedException(Path lockFile, Throwable cause) {
    super("the lock is held by another process or by this one", lockFile, cause);
  }
}
