package io.ewok.gds.reactor;

import java.util.Objects;

/**
 * How a reactor is made.
 *
 * @param name of the thread
 * @param ring its ring
 */
public record ReactorOptions(String name, RingOptions ring) {
  /** Checks. */
  public ReactorOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(ring, "ring");
  }

  /** Returns the defaults. */
  public static ReactorOptions defaults() {
    return new ReactorOptions("gds-reactor", RingOptions.defaults());
  }

  /** Returns these with another name. */
  public ReactorOptions withName(String name) {
    return new ReactorOptions(name, ring);
  }

  /** Returns these with another ring. */
  public ReactorOptions withRing(RingOptions ring) {
    return new ReactorOptions(name, ring);
  }
}
