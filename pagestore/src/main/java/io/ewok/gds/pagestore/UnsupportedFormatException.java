package io.ewok.gds.pagestore;

import java.nio.file.Path;

/** A sound file in a version of its format that this program does not read. */
public final class UnsupportedFormatException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final int found;
  private final int supported;

  /**
   * An unsupported version.
   *
   * @param found the version of the file
   * @param supported the newest version that is read
   */
  public UnsupportedFormatException(Path path, int found, int supported) {
    super(
        (found > supported
                ? "the file was written by a newer version of this program"
                : "the file's format is too old to be read")
            + ": found="
            + found
            + " supported="
            + supported,
        path);
    this.found = found;
    this.supported = supported;
  }

  /** Returns the version of the file. */
  public int found() {
    return found;
  }

  /** Returns the newest version that is read. */
  public int supported() {
    return supported;
  }
}
