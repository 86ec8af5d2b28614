package io.ewok.gds.wal.cache;

import java.util.concurrent.atomic.LongAdder;

/** What all readers of a cache did; see {@link LogReadCacheStats}. */
final class StrideCounters {
  final LongAdder ready = new LongAdder();
  final LongAdder late = new LongAdder();
  final LongAdder demanded = new LongAdder();
  final LongAdder tail = new LongAdder();
  final LongAdder wasted = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder memoryWaits = new LongAdder();
  final LongAdder reclaimed = new LongAdder();
}
