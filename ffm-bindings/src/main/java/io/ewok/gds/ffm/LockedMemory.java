package io.ewok.gds.ffm;

import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/**
 * Asks again for memory that counts as locked. The kernel takes a ring apart some time after it was
 * closed; until then the ring's own memory counts, and a small limit has no room for the next one.
 *
 * <p>Threads: any. Only those that {@link LinuxThreads#mayBlock} ask more than once.
 */
public final class LockedMemory {
  /** Together half a second: long for a kernel, and nobody notices it once at a start. */
  private static final int ATTEMPTS = 25;

  private static final long PAUSE_NANOS = 20_000_000;

  private LockedMemory() {}

  /**
   * Makes a call until it is not refused for want of memory, or it is clear that there is none.
   *
   * @param neededBytes what it locks; a call that needs more than the limit is made once
   * @param call returns -errno if it fails
   * @return what the last call returned
   */
  public static int ask(long neededBytes, IntSupplier call) {
    int result = call.getAsInt();
    if (result == -Errno.ENOMEM && LinuxThreads.mayBlock() && isWithinLimit(neededBytes)) {
      for (int i = 1; i < ATTEMPTS && result == -Errno.ENOMEM; i++) {
        LockSupport.parkNanos(PAUSE_NANOS);
        result = call.getAsInt();
      }
    }
    return result;
  }

  private static boolean isWithinLimit(long bytes) {
    try {
      long limit = ResourceLimits.memlock().softBytes();
      // Without a limit it is memory itself that is short.
      return limit != ResourceLimits.UNLIMITED && bytes <= limit;
    } catch (ErrnoException e) {
      return false;
    }
  }
}
