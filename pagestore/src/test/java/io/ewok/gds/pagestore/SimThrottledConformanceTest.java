package io.ewok.gds.pagestore;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimLatency;
import io.ewok.gds.pagestore.sim.SimOptions;

/** What an engine does it does also where everything waits its turn. */
class SimThrottledConformanceTest extends SimLatencyConformanceTest {
  @Override
  IoEngine openEngine() {
    SimOptions options =
        SimOptions.defaults()
            .withLatency(new SimLatency(50_000, 150_000, 0.05, 10_000_000))
            .withQueueDepth(4);
    SimEngine sim = new SimEngine(1, options);
    sim.setThrottle(
        ThrottleOptions.UNLIMITED
            .withRead(IoRate.parse("10K/100MB"))
            .withWrite(IoRate.parse("1K"))
            .with(WorkClass.FOREGROUND, ClassLimits.NONE.withDepth(3)));
    return sim;
  }
}
