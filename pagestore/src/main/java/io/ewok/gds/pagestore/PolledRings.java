package io.ewok.gds.pagestore;

import io.ewok.gds.reactor.ReactorGroup;
import io.ewok.gds.reactor.RingOptions;
import java.io.IOException;

/**
 * Reactors with as much of the polling that was wanted as the kernel allows.
 *
 * @param ring what their rings came to be
 * @param refusals a clause for each kind of polling that was refused, with the reason
 */
record PolledRings(ReactorGroup group, RingOptions ring, String refusals) {
  /** Starts reactors with such rings. */
  interface Starter {
    ReactorGroup start(RingOptions ring) throws IOException;
  }

  /**
   * Starts them as wanted; if that fails with less and less polling.
   *
   * @throws IOException if it fails without, too
   */
  static PolledRings start(RingOptions wanted, Starter starter) throws IOException {
    StringBuilder refusals = new StringBuilder();
    RingOptions ring = wanted;
    while (true) {
      try {
        return new PolledRings(starter.start(ring), ring, refusals.toString());
      } catch (IOException e) {
        if (ring.sqPollIdleMillis() > 0) {
          refusals.append(", submissions not polled (").append(e.getMessage()).append(')');
          ring = ring.withSqPollIdleMillis(0);
        } else if (ring.ioPoll()) {
          refusals.append(", devices not polled (").append(e.getMessage()).append(')');
          ring = ring.withIoPoll(false);
        } else {
          throw e;
        }
      }
    }
  }
}
