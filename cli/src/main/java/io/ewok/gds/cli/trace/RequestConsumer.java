package io.ewok.gds.cli.trace;

import java.io.IOException;

/** Takes the requests of a trace in their order. */
@FunctionalInterface
public interface RequestConsumer {
  /**
   * One request.
   *
   * @param first the first block, or the key
   * @param count how many blocks, from 0; for a key 1
   * @throws IOException if it cannot be taken, which ends the reading
   */
  void request(long first, long count) throws IOException;
}
