package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.Baton;
import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A device that has become slow slows writers down, and stops none. */
class SlowDeviceTest {
  private static final Path LOG = new StoreFiles(Fixtures.DIRECTORY).log();
  private static final long SLOW_NANOS = 2_000_000;
  private static final int SLOWER = 10;
  private static final int FLUSHES = 3;
  private static final int ROUNDS_MAX = 9;

  private final SimEngine engine = new SimEngine(1);
  private final AtomicLong writeNanos = new AtomicLong();
  private final Set<StallReason> stalls = ConcurrentHashMap.newKeySet();
  private final AtomicLong longestPause = new AtomicLong();

  private final StoreListener listener =
      new StoreListener() {
        @Override
        public void stalled(Stall stall) {
          stalls.add(stall.reason());
          if (stall.reason() == StallReason.DELAY) {
            longestPause.accumulateAndGet(stall.nanos(), Math::max);
          }
        }
      };

  /** Most delays are too short to be told of. */
  private static long delayNanos(Store store) {
    return store.stats().stalls().byReason().get(StallReason.DELAY).nanos();
  }

  private static void write(Store store, SplittableRandom random, long flushes) throws Exception {
    byte[] value = new byte[200];
    while (store.stats().flushes() < flushes) {
      store.put(Fixtures.randomBytes(random, 16), value, Durability.NONE);
    }
  }

  @Test
  @Timeout(120)
  void writersNeverMeetAFullMemtable() throws Exception {
    // The log is on another device, so nothing but the flushes holds writers back.
    engine.beforeWrite(
        path -> {
          if (!path.startsWith(LOG)) {
            boolean unused = new Baton().await(writeNanos.get()); // nobody posts it
          }
        });
    StoreOptions options =
        Fixtures.TINY
            .withMemtableBytes(2 << 20)
            .withLogSegmentBytes(2 << 20)
            .withTablesBeforeMerge(64)
            .withListener(listener);
    SplittableRandom random = new SplittableRandom(3);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      writeNanos.set(SLOW_NANOS);
      // How slow it has to be for writers to be ahead depends on who has the processors when.
      for (int i = 0; i < ROUNDS_MAX && delayNanos(store) == 0; i++) {
        long nanos = writeNanos.get();
        write(store, random, store.stats().flushes() + FLUSHES);
        writeNanos.set(delayNanos(store) == 0 ? nanos * 3 / 2 : nanos);
      }
      assertTrue(delayNanos(store) > 0, "writers were never ahead of the flushes");
      writeNanos.set(SLOWER * writeNanos.get()); // no flush has told
      write(store, random, store.stats().flushes() + FLUSHES);
      writeNanos.set(0);
    }
    stalls.remove(StallReason.DELAY);
    assertEquals(Set.of(), stalls);
    assertTrue(longestPause.get() <= WriteDelay.PAUSE_NANOS_MAX, "nanos: " + longestPause);
  }
}
