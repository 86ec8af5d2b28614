package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoEngines;
import java.nio.file.Path;

/** Begins to use a layer, again and again, and says on a line what became of each attempt. */
final class NativeAccessMain {
  static final int ATTEMPTS = 3;

  private NativeAccessMain() {}

  /**
   * Tries it.
   *
   * @param args what, and a directory
   */
  public static void main(String[] args) {
    for (int i = 0; i < ATTEMPTS; i++) {
      try {
        use(args[0], Path.of(args[1]));
        System.out.println("fine");
      } catch (Exception | LinkageError e) {
        System.out.println(e);
      }
    }
  }

  private static void use(String what, Path directory) throws Exception {
    StoreOptions options = StoreOptions.defaults();
    switch (what) {
      case "sizes" -> System.out.print(options.memoryBytes() < 0 ? "negative " : "");
      case "region" ->
          Region.map(MemoryBudget.root("test", 4096), RegionOptions.ofSize(4096)).close();
      case "reserved" ->
          Region.reserve(MemoryBudget.root("test", 4096), RegionOptions.ofSize(4096)).close();
      case "engine" -> IoEngines.open(options.engine()).close();
      default -> Store.open(directory, options).close();
    }
  }
}
