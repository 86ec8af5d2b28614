package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimLatency;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.util.concurrent.CountDownLatch;

/** The simulation behaves as the real engines do also where transfers take time. */
class SimLatencyConformanceTest extends SimEngineConformanceTest {
  @Override
  IoEngine openEngine() {
    SimLatency latency = new SimLatency(50_000, 150_000, 0.05, 10_000_000);
    return new SimEngine(1, SimOptions.defaults().withLatency(latency));
  }

  /** Nobody else moves the clock. */
  @Override
  void await(CountDownLatch over) {
    while (over.getCount() > 0) {
      assertTrue(((SimEngine) engine).clock().step(), "nothing is in flight");
    }
  }
}
