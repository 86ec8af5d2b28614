package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file or device did not do what was asked. The base of the family: what is caught when the kind
 * of failure does not matter. The message ends with the file, and with offset and errno where there
 * are such.
 *
 * <p>The caller's mistakes are not in this family: bad arguments throw {@link
 * IllegalArgumentException}, use after close {@link IllegalStateException}.
 */
public class StorageException extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Path path;

  /** A failure without a deeper cause. */
  public StorageException(String message, Path path) {
    this(message, path, null);
  }

  /** A failure with its cause, which may be null. */
  public StorageException(String message, Path path, Throwable cause) {
    super(message + (message.indexOf('=') < 0 ? ": path=" : " path=") + path, cause);
    this.path = Objects.requireNonNull(path, "path");
  }

  /** Returns the file or directory that the failure is about. */
  public final Path path() {
    return path;
  }

  /**
   * Returns the member of the family for an error number of the kernel: {@link OutOfSpaceException}
   * for ENOSPC and EDQUOT, {@link MissingFileException} for ENOENT, the base for all others.
   *
   * @param operation what was tried, as in "cannot {@code operation}"
   * @param offset byte offset in the file, or -1 if the operation has none
   * @param errno positive error number
   */
  public static StorageException ofErrno(String operation, Path path, long offset, int errno) {
    return ofErrno(operation, path, offset, errno, null);
  }

  static StorageException ofErrno(String operation, Path path, ErrnoException cause) {
    return ofErrno(operation, path, -1, cause.errno(), cause);
  }

  static StorageException ofErrno(
      String operation, Path path, long offset, int errno, Throwable cause) {
    String message =
        "cannot %s, %s: errno=%s".formatted(operation, Errno.describe(errno), Errno.name(errno));
    if (offset >= 0) {
      message += " offset=" + offset;
    }
    if (errno == Errno.ENOSPC || errno == Errno.EDQUOT) {
      return new OutOfSpaceException(message, path, cause);
    }
    return errno == Errno.ENOENT
        ? new MissingFileException(path, cause)
        : new StorageException(message, path, cause);
  }
}
