package io.ewok.gds.allocator.leases;

import io.ewok.gds.allocator.Region;

/**
 * Keeps a region in place while the kernel uses it without a Java thread being in it. Two kinds:
 *
 * <table>
 * <caption>What is refused meanwhile</caption>
 * <tr><th>kind</th><th>while</th><th>refused</th></tr>
 * <tr><td>{@link #take}, {@link #giveBack}</td><td>one operation is in flight</td>
 *     <td>{@link Region#close}; {@link Region#trim}, {@link Region#decommit} unless an allocator
 *     keeps account of the bytes</td></tr>
 * <tr><td>{@link #register}, {@link #unregister}</td><td>the region is registered with a ring</td>
 *     <td>{@link Region#close}, {@link Region#trim}, {@link Region#decommit}</td></tr>
 * </table>
 *
 * <p>Threads: any. Each lease that is taken is given back once, with the same range.
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
   * Keeps some bytes in place until the matching {@link #giveBack}. Waits while the region is being
   * trimmed.
   *
   * @throws IllegalStateException if the region is closed, or some of the bytes are not committed
   */
  public static void take(Region region, long offset, long bytes) {
    installed.lease(region, offset, bytes);
  }

  /**
   * Ends one lease.
   *
   * @throws IllegalStateException if there is none
   */
  public static void giveBack(Region region, long offset, long bytes) {
    installed.unlease(region, offset, bytes);
  }

  /**
   * Keeps the whole region in place until the matching {@link #unregister}: the kernel is about to
   * remember its pages.
   *
   * @throws IllegalStateException if the region is closed or not committed as a whole
   */
  public static void register(Region region) {
    installed.addRegistration(region);
  }

  /**
   * Ends one registration: the kernel has forgotten the pages.
   *
   * @throws IllegalStateException if there is none
   */
  public static void unregister(Region region) {
    installed.removeRegistration(region);
  }

  /** Does what {@link #take} says. */
  protected abstract void lease(Region region, long offset, long bytes);

  /** Does what {@link #giveBack} says. */
  protected abstract void unlease(Region region, long offset, long bytes);

  /** Does what {@link #register} says. */
  protected abstract void addRegistration(Region region);

  /** Does what {@link #unregister} says. */
  protected abstract void removeRegistration(Region region);
}
