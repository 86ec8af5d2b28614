package io.ewok.gds.pagestore;

import java.nio.file.Path;

/**
 * A file, or something in it, is not encrypted, and nothing such is to be read ({@link
 * KeySource#readsPlain}): somebody may have put it there who has no key.
 */
public final class PlainFileException extends StorageException {
  private static final long serialVersionUID = 1L;

  /** A file that is not encrypted, at least in part. */
  public PlainFileException(Path path) {
    super("the file is not encrypted, and only what is encrypted is to be read", path);
  }
}
