package io.ewok.gds.buffers.redo;

import io.ewok.gds.buffers.PageSize;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A page file that redo is to bring up to date.
 *
 * @param id as in {@link LoggedFile}
 * @param path where the file is; it exists
 * @param size of its pages
 */
public record RedoFile(int id, Path path, PageSize size) {
  /** Checks that nothing is missing. */
  public RedoFile {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(size, "size");
  }
}
