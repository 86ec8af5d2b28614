package io.ewok.gds.allocator.leases;

import io.ewok.gds.allocator.Region;

/**
 * Takes leases of regions and gives them back: an operation has started, or ended, that only the
 * kernel sees. While there is a lease, {@link Region#close} is refused.
 *
 * <p>Threads: any. Each lease that is taken is given back once, by whoever took it.
 */
public abstract class RegionLeases {
  /** Set when {@link Region} is initialised, so before there is a region. */
  private static volatile RegionLeases installed;

  /** For {@link Region}, which knows how. */
  protected RegionLeases() {}

  /**
   * Called once, by {@link Region}.
   *
   * @throws IllegalStateException if it was called before
   */
  public static synchronized void install(RegionLeases leases) {
    if (installed != null) {
      throw new IllegalStateException("the leases of regions are installed already");
    }
    installed = leases;
  }

  /**
   * Keeps the region mapped until the matching {@link #giveBack}.
   *
   * @throws IllegalStateException if the region is closed
   */
  public static void take(Region region) {
    installed.lease(region);
  }

  /**
   * Ends one lease.
   *
   * @throws IllegalStateException if there is none
   */
  public static void giveBack(Region region) {
    installed.unlease(region);
  }

  /** Does what {@link #take} says. */
  protected abstract void lease(Region region);

  /** Does what {@link #giveBack} says. */
  protected abstract void unlease(Region region);
}
