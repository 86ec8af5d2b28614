package io.ewok.gds.lsm.shard;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** How what was opened is closed, in the reverse order. */
final class Closings {
  /** One step of closing. */
  @FunctionalInterface
  interface Closing {
    void close() throws IOException;
  }

  private final Deque<Closing> all = new ArrayDeque<>();

  void add(Closing closing) {
    all.push(closing);
  }

  /** Closes all, whatever fails. Throws the first failure. */
  void close() throws IOException {
    Throwable failure = null;
    while (!all.isEmpty()) {
      try {
        all.pop().close();
      } catch (IOException | RuntimeException | Error e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      Failures.rethrow(failure);
    }
  }
}
