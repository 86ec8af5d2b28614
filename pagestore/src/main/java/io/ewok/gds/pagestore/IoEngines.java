package io.ewok.gds.pagestore;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.NativeLibrary;
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
   * @throws UnsatisfiedLinkError if the native library cannot be used; the message says what to
   *     change
   */
  public static IoEngine open(EngineOptions options) throws IOException {
    NativeLibrary.load();
    RingOptions ring = RingOptions.defaults().withQueueDepth(options.queueDepth());
    return open(options, UringProbe.probe(ring.ringEntries()));
  }

  static IoEngine open(EngineOptions options, UringProbe probe) throws IOException {
    IoEngine engine = choose(options, probe);
    engine.setThrottle(options.throttle());
    return engine;
  }

  private static IoEngine choose(EngineOptions options, UringProbe probe) throws IOException {
    List<EngineChoice.Rejection> rejections = new ArrayList<>();
    if (options.wanted() != EngineKind.POOL) {
      EngineChoice.Code code = code(probe.reason());
      String reason = probe.message();
      if (probe.supported()) {
        try {
          return new UringEngine(
              options, probe.setupFlags(), new EngineChoice(EngineKind.URING.name(), List.of()));
        } catch (IOException e) {
          // Somebody else took the memory, or the last descriptor, since the probe.
          code =
              e instanceof ErrnoException refused && refused.errno() == Errno.ENOMEM
                  ? EngineChoice.Code.NO_MEMLOCK
                  : EngineChoice.Code.FAILED;
          reason = e.getMessage();
        }
      }
      if (options.wanted() == EngineKind.URING) {
        throw new IOException("the engine URING is not available: " + reason);
      }
      rejections.add(new EngineChoice.Rejection(EngineKind.URING, code, reason));
    }
    return new PoolEngine(options, new EngineChoice(EngineKind.POOL.name(), rejections));
  }

  private static EngineChoice.Code code(UringProbe.Reason reason) {
    return switch (reason) {
      case DISABLED_BY_SYSCTL -> EngineChoice.Code.DISABLED_BY_SYSCTL;
      case FORBIDDEN -> EngineChoice.Code.SECCOMP;
      case NO_MEMLOCK -> EngineChoice.Code.NO_MEMLOCK;
      case NOT_IN_KERNEL -> EngineChoice.Code.NOT_IN_KERNEL;
      case MISSING_OPERATION -> EngineChoice.Code.MISSING_OPERATION;
      // AVAILABLE is left behind where the ring itself fails.
      case AVAILABLE, FAILED -> EngineChoice.Code.FAILED;
    };
  }
}
