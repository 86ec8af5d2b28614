package io.ewok.gds.pagestore;

import java.nio.file.Path;

/** There is no file or directory of that name. */
public final class MissingFileException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** A missing file, with the failure that told so, which may be null. */
  public MissingFileException(Path path, Throwable cause) {
    super("there is no such file or directory", path, cause);
  }
}
