package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.file.Path;

/** The store is open already, in this process or another. Its files were not touched. */
public final class StoreLockedException extends IOException {
  private static final long serialVersionUID = 1L;

  /** A store that is open already, with the failure of its lock. */
  public StoreLockedException(Path directory, Throwable cause) {
    super("the store is open already, here or in another process: path=" + directory, cause);
  }
}
