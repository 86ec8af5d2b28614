package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
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
  private final NodeTraffic nodeTraffic;

  IoCounters(NodeTraffic nodeTraffic) {
    this.nodeTraffic = nodeTraffic;
  }

  NodeTraffic nodeTraffic() {
    return nodeTraffic;
  }

  /** Counts a read or write, on the thread that made it. */
  void countTransfer(IoRequest.Kind kind, int bytes, Region region, long regionOffset) {
    countCompleted(kind, bytes);
    nodeTraffic.count(region, regionOffset, bytes);
  }

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
        inlineOperations.sum(),
        nodeTraffic.remoteOperations(),
        nodeTraffic.remoteBytes());
  }
}
