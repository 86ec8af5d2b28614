package io.ewok.gds.ffm;

/**
 * Error numbers of the kernel and their names, as jnr-constants knows them for this platform.
 *
 * <p>Threads: any. Nothing here fails.
 */
public final class Errno {

  public static final int EPERM = number("EPERM");
  public static final int ENOENT = number("ENOENT");
  public static final int EINTR = number("EINTR");
  public static final int EIO = number("EIO");
  public static final int EBADF = number("EBADF");
  public static final int EAGAIN = number("EAGAIN");
  public static final int ENOMEM = number("ENOMEM");
  public static final int EACCES = number("EACCES");
  public static final int EFAULT = number("EFAULT");
  public static final int EBUSY = number("EBUSY");
  public static final int EEXIST = number("EEXIST");
  public static final int EXDEV = number("EXDEV");
  public static final int ENOTDIR = number("ENOTDIR");
  public static final int EISDIR = number("EISDIR");
  public static final int EINVAL = number("EINVAL");
  public static final int EMFILE = number("EMFILE");
  public static final int EFBIG = number("EFBIG");
  public static final int ENOSPC = number("ENOSPC");
  public static final int EROFS = number("EROFS");
  public static final int EMLINK = number("EMLINK");
  public static final int ENOTEMPTY = number("ENOTEMPTY");
  public static final int ENOSYS = number("ENOSYS");
  public static final int EOPNOTSUPP = number("EOPNOTSUPP");
  public static final int ETIME = number("ETIME");
  public static final int EDQUOT = number("EDQUOT");
  public static final int ECANCELED = number("ECANCELED");

  private Errno() {}

  /** The name, such as {@code ENOSPC}, or {@code errno 4711} where the number has none. */
  public static String name(int errno) {
    jnr.constants.platform.Errno known = known(errno);
    return known == null ? "errno " + errno : known.name();
  }

  /** What the number means, in the words of the C library. */
  public static String describe(int errno) {
    jnr.constants.platform.Errno known = known(errno);
    return known == null ? "unknown error" : known.description();
  }

  /**
   * The number of a name.
   *
   * @throws IllegalArgumentException if the name is not one of this platform
   */
  public static int number(String name) {
    jnr.constants.platform.Errno errno = jnr.constants.platform.Errno.valueOf(name);
    if (!errno.defined()) {
      throw new IllegalArgumentException("no such error on this platform: name=" + name);
    }
    return errno.intValue();
  }

  private static jnr.constants.platform.Errno known(int errno) {
    jnr.constants.platform.Errno found = jnr.constants.platform.Errno.valueOf(errno);
    return found == null || found == jnr.constants.platform.Errno.__UNKNOWN_CONSTANT__
        ? null
        : found;
  }
}
