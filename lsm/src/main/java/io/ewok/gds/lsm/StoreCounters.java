package io.ewok.gds.lsm;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What a store counts itself. Any thread. */
final class StoreCounters {
  final LongAdder operations = new LongAdder();
  final LongAdder userBytes = new LongAdder();
  final LongAdder gets = new LongAdder();
  final LongAdder flushes = new LongAdder();
  final LongAdder flushBytes = new LongAdder();
  final LongAdder merges = new LongAdder();
  final LongAdder mergeBytes = new LongAdder();
  final LongAdder archivedFiles = new LongAdder();
  final LongAdder archivedBytes = new LongAdder();

  /** What compactions into one level of a family did. */
  static final class Level {
    final LongAdder compactions = new LongAdder();
    final LongAdder moves = new LongAdder();
    final LongAdder bytesRead = new LongAdder();
    final LongAdder bytesWritten = new LongAdder();
  }

  /** Waits of writers for one reason. */
  static final class Stall {
    final LongAdder count = new LongAdder();
    final LongAdder nanos = new LongAdder();
  }

  private final Map<StallReason, Stall> stalls = new EnumMap<>(StallReason.class);

  StoreCounters() {
    for (StallReason reason : StallReason.values()) {
      stalls.put(reason, new Stall());
    }
  }

  Stall stall(StallReason reason) {
    return stalls.get(reason);
  }
}
