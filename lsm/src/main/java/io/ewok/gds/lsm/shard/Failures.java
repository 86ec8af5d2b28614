package io.ewok.gds.lsm.shard;

import java.io.IOException;

/** Throws what was thrown elsewhere. */
final class Failures {
  private Failures() {}

  /** Throws it as it is; what nobody declares, in a runtime exception. */
  static void rethrow(Throwable failure) throws IOException {
    switch (failure) {
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure.getMessage(), failure);
    }
  }
}
