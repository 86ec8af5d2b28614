package io.ewok.gds.pagestore;

import java.nio.file.Path;

/**
 * Bytes read from a file are not what was written: a checksum, a magic number, a length or a
 * position does not fit.
 */
public final class CorruptFileException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final long offset;

  /**
   * A corrupt place.
   *
   * @param offset byte offset in the file where the unfitting value or its structure starts
   * @param expected what should be there, for people
   * @param actual what is there, for people
   */
  public CorruptFileException(Path path, long offset, Object expected, Object actual) {
    super(
        "the file is corrupt: offset=%d expected=%s actual=%s".formatted(offset, expected, actual),
        path);
    this.offset = offset;
  }

  /** Returns the byte offset in the file of what does not fit. */
  public long offset() {
    return offset;
  }
}
