package io.ewok.gds.pagestore;

import java.io.IOException;
import java.util.List;

/** Opens engines. Any thread. */
public final class IoEngines {
  private IoEngines() {}

  /**
   * Opens the engine that the options want.
   *
   * @throws IOException if a forced kind is not available here; the message says why
   */
  public static IoEngine open(EngineOptions options) throws IOException {
    return new PoolEngine(options, new EngineChoice("POOL", List.of()));
  }
}
