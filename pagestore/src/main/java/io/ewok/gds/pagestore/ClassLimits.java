package io.ewok.gds.pagestore;

import java.util.Objects;

/**
 * What one class of work may use of a device.
 *
 * @param read cap on its reads; default none
 * @param write cap on its writes; default none
 * @param share 1 to {@link #SHARE_MAX}, default {@link #SHARE_DEFAULT}: where classes compete, each
 *     with work waiting gets bytes in the ratio of the shares. Of no meaning for {@link
 *     WorkClass#LOG}, which goes first.
 * @param depth operations that the device has of it at once, at least 1; default {@link
 *     #DEPTH_UNLIMITED}: up to the queue depth of the engine. A small depth keeps a class from
 *     filling the device's own queue, and costs that class speed.
 */
public record ClassLimits(IoRate read, IoRate write, int share, int depth) {
  /** The largest share. */
  public static final int SHARE_MAX = 10_000;

  /** The share of a class of which nothing is said. */
  public static final int SHARE_DEFAULT = 100;

  /** No depth of its own. */
  public static final int DEPTH_UNLIMITED = Integer.MAX_VALUE;

  /** No limits. */
  public static final ClassLimits NONE =
      new ClassLimits(IoRate.UNLIMITED, IoRate.UNLIMITED, SHARE_DEFAULT, DEPTH_UNLIMITED);

  /** Checks the ranges. */
  public ClassLimits {
    Objects.requireNonNull(read, "read");
    Objects.requireNonNull(write, "write");
    if (share < 1 || share > SHARE_MAX) {
      throw new IllegalArgumentException("a share is 1 to " + SHARE_MAX + ": share=" + share);
    }
    if (depth < 1) {
      throw new IllegalArgumentException("a depth is at least 1: depth=" + depth);
    }
  }

  /** Returns these limits with another cap on reads. */
  public ClassLimits withRead(IoRate read) {
    return new ClassLimits(read, write, share, depth);
  }

  /** Returns these limits with another cap on writes. */
  public ClassLimits withWrite(IoRate write) {
    return new ClassLimits(read, write, share, depth);
  }

  /** Returns these limits with another share. */
  public ClassLimits withShare(int share) {
    return new ClassLimits(read, write, share, depth);
  }

  /** Returns these limits with another depth. */
  public ClassLimits withDepth(int depth) {
    return new ClassLimits(read, write, share, depth);
  }
}
