package io.ewok.gds.allocator;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.ResourceLimits;
import java.io.IOException;

/** Explains why memory cannot be locked. */
final class LockedMemory {
  private LockedMemory() {}

  /** Returns what to throw when mlock failed: with need and limit if it was the limit. */
  static IOException refused(long bytes, ErrnoException e) {
    if (e.errno() != Errno.ENOMEM && e.errno() != Errno.EPERM) {
      return e;
    }
    try {
      long limitBytes = ResourceLimits.memlock().softBytes();
      long lockedBytes = ProcessStatus.read().bytes("VmLck").orElse(0);
      if (limitBytes == ResourceLimits.UNLIMITED || lockedBytes + bytes <= limitBytes) {
        return e;
      }
      return new IOException(
          "cannot lock memory beyond the limit of this process (RLIMIT_MEMLOCK, ulimit -l):"
              + " needBytes=%d lockedBytes=%d limitBytes=%d"
                  .formatted(bytes, lockedBytes, limitBytes),
          e);
    } catch (IOException | UnsatisfiedLinkError unknown) {
      e.addSuppressed(unknown);
      return e;
    }
  }
}
