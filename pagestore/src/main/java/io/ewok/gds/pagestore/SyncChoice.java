package io.ewok.gds.pagestore;

import java.util.Arrays;

/**
 * Finds the faster {@link SyncMethod} of a device by its first synced writes, a few each way by
 * turns. The median decides, since now and then a file system writes its journal in between.
 *
 * <p>Threads: any.
 */
final class SyncChoice {
  /** Of each method; odd. */
  static final int TRIALS = 9;

  /** Writing through is one call and lets others' syncs alone, so it may be a little slower. */
  private static final double DSYNC_SLOWER_MAX = 1.2;

  /** AUTO while it is not known. */
  private volatile SyncMethod method;

  /** Guarded by this. */
  private final long[] dsyncNanos = new long[TRIALS];

  private final long[] fdatasyncNanos = new long[TRIALS];
  private int dsyncCount;
  private int fdatasyncCount;

  SyncChoice(SyncMethod wanted) {
    method = wanted;
  }

  /** Returns how to write: not AUTO. */
  SyncMethod next() {
    SyncMethod known = method;
    if (known != SyncMethod.AUTO) {
      return known;
    }
    synchronized (this) {
      return dsyncCount <= fdatasyncCount ? SyncMethod.DSYNC : SyncMethod.FDATASYNC;
    }
  }

  /** Tells how long a write took. */
  void took(SyncMethod used, long nanos) {
    if (method != SyncMethod.AUTO) {
      return;
    }
    synchronized (this) {
      if (used == SyncMethod.DSYNC) {
        if (dsyncCount < TRIALS) {
          dsyncNanos[dsyncCount++] = nanos;
        }
      } else if (fdatasyncCount < TRIALS) {
        fdatasyncNanos[fdatasyncCount++] = nanos;
      }
      if (method == SyncMethod.AUTO && dsyncCount == TRIALS && fdatasyncCount == TRIALS) {
        boolean dsync = median(dsyncNanos) <= DSYNC_SLOWER_MAX * median(fdatasyncNanos);
        method = dsync ? SyncMethod.DSYNC : SyncMethod.FDATASYNC;
      }
    }
  }

  private static long median(long[] nanos) {
    Arrays.sort(nanos);
    return nanos[TRIALS / 2];
  }

  /** The kernel or the file system cannot write through. */
  void dsyncRefused() {
    method = SyncMethod.FDATASYNC;
  }
}
