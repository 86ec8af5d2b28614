package io.ewok.gds.pagestore.sim;

import io.ewok.gds.pagestore.DirectoryLock;
import java.nio.file.Path;

/** A lock held until its first close. */
final class SimLock implements DirectoryLock {
  private final SimEngine engine;
  private final SimFileSystem fileSystem;

  /** Null once it is let go. Guarded by the engine's lock. */
  private Path name;

  SimLock(SimEngine engine, SimFileSystem fileSystem, Path name) {
    this.engine = engine;
    this.fileSystem = fileSystem;
    this.name = name;
  }

  @Override
  public void close() {
    try (SimEngine.Held _ = engine.hold()) {
      if (name != null) {
        fileSystem.unlock(name);
        name = null;
      }
    }
  }
}
