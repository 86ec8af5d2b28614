package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.StorageException;
import java.nio.file.Path;

/** The file does not begin as page files do: another kind of file, or its first page is rotten. */
public final class NotAPageFileException extends StorageException {
  private static final long serialVersionUID = 1L;

  NotAPageFileException(Path path) {
    super("this is not a page file, or its first page is rotten", path);
  }
}
