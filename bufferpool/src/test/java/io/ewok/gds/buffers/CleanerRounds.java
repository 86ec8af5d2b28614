package io.ewok.gds.buffers;

import java.io.IOException;

/** Rounds of a cleaner without its thread, for tests in other packages that a seed must repeat. */
public final class CleanerRounds {
  private CleanerRounds() {}

  /** Does one. */
  public static void run(BufferManager manager, CleanerOptions options) throws IOException {
    Cleaner.round(manager, options);
  }
}
