package io.ewok.gds.allocator;

/**
 * A handle names no live allocation of the allocator it was given to: it was freed, perhaps with
 * its place allocated anew; or it is of another allocator or one that was closed; or nobody ever
 * issued it, as the handle that says there was no room, or a number that was made up. The allocator
 * is unchanged.
 *
 * <p>Ownership: it holds on to no memory. Threads: any; it is thrown on the one that gave the
 * handle.
 */
public final class StaleHandleException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  StaleHandleException(String message) {
    super(message);
  }
}
