package io.ewok.gds.buffers.redo;

import io.ewok.gds.buffers.CachedPageFile;
import java.util.Objects;

/**
 * A page file and the number under which the log knows it. The same in every run: see {@link
 * RedoFile}.
 *
 * @param id any number, a file's own among those that share a log
 * @param pages the file, borrowed
 */
public record LoggedFile(int id, CachedPageFile pages) {
  /** Checks that there is a file. */
  public LoggedFile {
    Objects.requireNonNull(pages, "pages");
  }
}
