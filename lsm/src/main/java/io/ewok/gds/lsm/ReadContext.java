package io.ewok.gds.lsm;

import io.ewok.gds.lsm.table.TableLookup;

/**
 * What one get needs besides its stack: reused, so that gets make no garbage.
 *
 * <p>Threads: confined to one at a time, except {@link #consumerThread}.
 */
final class ReadContext {
  final TableLookup lookup = new TableLookup();

  /** The thread that is in a user's callback now, or null. Read by the thread that closes. */
  volatile Thread consumerThread;
}
