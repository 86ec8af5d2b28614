package io.ewok.gds.pagestore;

import java.util.concurrent.atomic.LongAdder;

/** The counters behind {@link IoStats}. Any thread counts and reads; nobody waits for another. */
final class IoCounters {
  private final LongAdder reads = new LongAdder();
  private final LongAdder writes = new LongAdder();
  private final LongAdder syncs = new LongAdder();
  private final LongAdder bytesRead = new LongAdder();
  private final LongAdder bytesWritten = new LongAdder();
  private final LongAdder nativeCalls = new LongAdder();
  private final LongAdder inlineOperations = new LongAdder();

  void countCompleted(IoRequest.Kind kind, int bytes) {
    switch (kind) {
      case READ -> {
        reads.increment();
        bytesRead.add(bytes);
      }
      case WRITE -> {
        writes.increment();
        bytesWritten.add(bytes);
      }
      case SYNC -> syncs.increment();
    }
  }

  void countNativeCall() {
    nativeCalls.increment();
  }

  void countInline() {
    inlineOperations.increment();
  }

  IoStats snapshot(long moreNativeCalls) {
    return new IoStats(
        reads.sum(),
        writes.sum(),
        syncs.sum(),
        bytesRead.sum(),
        bytesWritten.sum(),
        nativeCalls.sum() + moreNativeCalls,
        inlineOperations.sum());
  }
}
