package io.ewok.gds.pagestore;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** What the engines on files of the operating system do besides. */
abstract class LinuxEngineTest extends EngineConformanceTest {
  @TempDir Path temporary;

  @Override
  Path emptyDirectory() {
    return temporary;
  }
}
