package io.ewok.gds.lsm;

import java.util.concurrent.atomic.LongAdder;

/** What a store counts itself. Any thread. */
final class StoreCounters {
  final LongAdder operations = new LongAdder();
  final LongAdder userBytes = new LongAdder();
  final LongAdder gets = new LongAdder();
  final LongAdder stalls = new LongAdder();
  final LongAdder stallNanos = new LongAdder();
  final LongAdder flushes = new LongAdder();
  final LongAdder flushBytes = new LongAdder();
  final LongAdder merges = new LongAdder();
  final LongAdder mergeBytes = new LongAdder();
}
