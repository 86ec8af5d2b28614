package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.RingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Opens engines. Any thread. */
public final class IoEngines {
  private IoEngines() {}

  /**
   * Opens the engine that the options want; with AUTO the best that works here. {@link
   * IoEngine#choice} tells what was rejected and why.
   *
   * @throws IOException if a forced kind is not available here; the message says why
   */
  public static IoEngine open(EngineOptions options) throws IOException {
    RingOptions ring = RingOptions.defaults().withQueueDepth(options.queueDepth());
    return open(options, UringProbe.probe(ring.ringEntries()));
  }

  static IoEngine open(EngineOptions options, UringProbe probe) throws IOException {
    List<EngineChoice.Rejection> rejections = new ArrayList<>();
    if (options.wanted() != EngineKind.POOL) {
      String reason = probe.message();
      if (probe.supported()) {
        try {
          return new UringEngine(
              options, probe.setupFlags(), new EngineChoice(EngineKind.URING.name(), List.of()));
        } catch (IOException e) {
          // Somebody else took the memory, or the last descriptor, since the probe.
          reason = e.getMessage();
        }
      }
      if (options.wanted() == EngineKind.URING) {
        throw new IOException("the engine URING is not available: " + reason);
      }
      rejections.add(new EngineChoice.Rejection(EngineKind.URING, reason));
    }
    return new PoolEngine(options, new EngineChoice(EngineKind.POOL.name(), rejections));
  }
}
