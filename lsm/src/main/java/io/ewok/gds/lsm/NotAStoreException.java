package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.file.Path;

/** The directory does not hold a store, and none was created in it. Nothing in it was changed. */
public final class NotAStoreException extends IOException {
  private static final long serialVersionUID = 1L;

  /** A directory that is no store, with the reason. */
  public NotAStoreException(String reason, Path directory) {
    super(reason + ": path=" + directory);
  }
}
