package io.ewok.gds.pagestore;

import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;

/** The simulation behaves as the real engines do. */
class SimEngineConformanceTest extends EngineConformanceTest {
  @Override
  IoEngine openEngine() {
    return new SimEngine(1);
  }

  @Override
  Path emptyDirectory() throws IOException {
    Path path = Path.of("/sim");
    engine.createDirectories(path);
    return path;
  }

  @Override
  int readsInARow() {
    return 100_000;
  }
}
