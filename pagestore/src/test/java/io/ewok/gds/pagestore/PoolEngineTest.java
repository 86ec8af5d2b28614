package io.ewok.gds.pagestore;

import java.io.IOException;
import java.util.List;

/** The thread pool, smaller than its load. */
class PoolEngineTest extends LinuxEngineTest {
  @Override
  IoEngine openEngine() throws IOException {
    return new PoolEngine(
        new EngineOptions(EngineKind.POOL, 8, 4), new EngineChoice("POOL", List.of()));
  }
}
