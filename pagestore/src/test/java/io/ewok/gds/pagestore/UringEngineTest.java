package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.util.List;

/** The ring, shallower than its load. */
class UringEngineTest extends LinuxEngineTest {
  @Override
  IoEngine openEngine() throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    return new UringEngine(
        new EngineOptions(EngineKind.URING, 8, 1, SyncMethod.DSYNC),
        probe.setupFlags(),
        new EngineChoice("URING", List.of()));
  }
}
