package io.ewok.gds.allocator;

/**
 * A handle that does not name a live allocation of the pool it was given to: freed already, freed
 * and allocated anew, from another pool, or never issued. The pool is unchanged.
 */
public final class StaleHandleException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  StaleHandleException(String message) {
    super(message);
  }
}
