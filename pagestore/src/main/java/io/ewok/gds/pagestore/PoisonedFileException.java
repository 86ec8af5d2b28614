package io.ewok.gds.pagestore;

import java.nio.file.Path;

/**
 * A sync of this file failed earlier. The kernel may have dropped what was written and marked it
 * clean, so a later sync could succeed and prove nothing: every later write and sync through this
 * file fails with this exception, without being tried. Reopen the file and recover from what is
 * really there.
 */
public final class PoisonedFileException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** A poisoned file, with the failure of the sync. */
  public PoisonedFileException(Path path, Throwable failedSync) {
    super("an earlier sync failed, reopen the file and recover", path, failedSync);
  }
}
