package io.ewok.gds.ffm;

import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;

/**
 * The C library through jnr-posix, for calls that are made rarely: open, close, fstat, resource
 * limits.
 *
 * <p>Threads: any. Its errno is kept per thread.
 */
final class ColdPosix {

  private static POSIX posix;

  private ColdPosix() {}

  /**
   * The library's calls.
   *
   * @throws UnsatisfiedLinkError if jnr-posix fell back to its Java imitation, which it does
   *     without a word
   */
  static synchronized POSIX get() {
    if (posix == null) {
      POSIX found = POSIXFactory.getPOSIX();
      if (!found.isNative()) {
        throw new UnsatisfiedLinkError(
            "jnr-posix could not load its native part (libjffi); start java with "
                + "--enable-native-access="
                + NativeLibrary.modulesWithAccess()
                + " and let java.io.tmpdir allow execution, or name the directory of an installed "
                + "libjffi with -Djffi.boot.library.path: java.io.tmpdir="
                + System.getProperty("java.io.tmpdir"));
      }
      posix = found;
    }
    return posix;
  }
}
