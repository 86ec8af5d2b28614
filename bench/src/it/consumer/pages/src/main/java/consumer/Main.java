package consumer;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** A page, written past the page cache and read back. */
final class Main {
  private static final int PAGE = 4096;

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    MemoryBudget budget = MemoryBudget.root("pages", 1 << 20);
    try (Region region = Region.map(budget, RegionOptions.ofSize(1 << 20));
        IoEngine engine = IoEngines.open(EngineOptions.defaults());
        IoFile file = engine.open(Path.of(arguments[0], "pages"), OpenMode.CREATE_NEW)) {
      region.segment().set(ValueLayout.JAVA_LONG, 0, 42);
      file.write(0, region, 0, PAGE);
      file.sync();
      file.read(0, region, PAGE, PAGE);
      if (region.segment().get(ValueLayout.JAVA_LONG, PAGE) != 42) {
        throw new AssertionError(region);
      }
    }
  }
}
