package io.ewok.gds.ffm;

import java.io.IOException;

/**
 * A system call failed. Carries the call, the kernel's error number and, where it is known, the
 * file.
 *
 * {@snippet :
 * catch (ErrnoException e) {
 *   if (e.errno() == Errno.ENOSPC) { ... }
 * }
 * }
 */
public final class ErrnoException extends IOException {

  private static final long serialVersionUID = 1L;

  private final String call;
  private final int errno;
  private final String path;

  /** A failed call on no particular file; {@code errno} is positive. */
  public ErrnoException(String call, int errno) {
    this(call, errno, null);
  }

  /**
   * A failed call on a file; {@code errno} is positive, {@code path} may be null where it is
   * unknown.
   */
  public ErrnoException(String call, int errno, String path) {
    super(
        call
            + " failed, "
            + Errno.describe(errno)
            + ": errno="
            + Errno.name(errno)
            + (path == null ? "" : " path=" + path));
    this.call = call;
    this.errno = errno;
    this.path = path;
  }

  /** The system call, such as {@code pwrite}. */
  public String call() {
    return call;
  }

  /** The kernel's number, positive. */
  public int errno() {
    return errno;
  }

  /** The name of the number, such as {@code ENOSPC}. */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** The file as the caller named it, or null where the call was given a descriptor. */
  public String path() {
    return path;
  }

  /** The result itself, unless it is {@code -errno}. */
  static long check(String call, long result) throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, (int) -result);
    }
    return result;
  }
}
