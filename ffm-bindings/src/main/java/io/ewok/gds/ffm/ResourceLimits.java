package io.ewok.gds.ffm;

import jnr.constants.platform.RLIMIT;
import jnr.posix.RLimit;

/**
 * A resource limit of this process.
 *
 * @param softBytes what is enforced, in bytes, or {@link #UNLIMITED}
 * @param hardBytes what the soft limit may be raised to, in bytes, or {@link #UNLIMITED}
 */
public record ResourceLimits(long softBytes, long hardBytes) {

  /** Stands for no limit. */
  public static final long UNLIMITED = -1;

  /**
   * What may be locked in memory, which bounds the buffers registered with io_uring unless the
   * process may lock without limit.
   *
   * @throws ErrnoException if the kernel refuses to tell
   */
  public static ResourceLimits memlock() throws ErrnoException {
    RLimit limit = ColdPosix.get().getrlimit(RLIMIT.RLIMIT_MEMLOCK.intValue());
    if (limit == null) {
      throw new ErrnoException("getrlimit", ColdPosix.get().errno());
    }
    // The kernel's infinity is all ones, thus our -1.
    return new ResourceLimits(limit.rlimCur(), limit.rlimMax());
  }
}
