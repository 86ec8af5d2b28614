package io.ewok.gds.lsm.lock;

import io.ewok.gds.reactor.Monitor;
import java.util.HashMap;
import java.util.Map;

/** Some of the locks, and what guards them. */
final class LockStripe {
  final Monitor monitor = new Monitor();

  /** Those that somebody has or wants, by hash. Guarded by the monitor. */
  final Map<Long, KeyLock> locks = new HashMap<>();
}
