package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a command opens a store: shared by all that open one. */
final class StoreArguments {
  @Mixin private EngineArguments engine;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Memory the store may use outside of the Java heap, such as 64M.")
  private Long memoryBytes;

  StoreOptions options() {
    StoreOptions options =
        memoryBytes == null ? StoreOptions.defaults() : StoreSizes.within(memoryBytes);
    return options.withEngine(engine.options());
  }

  /** Opens a store that must be there; the caller closes it. */
  Store openExisting(Path directory) throws IOException {
    return Store.open(directory, options().withCreateIfMissing(false));
  }

  /** Opens a store, creating it in a directory that is empty or absent; the caller closes it. */
  Store openOrCreate(Path directory) throws IOException {
    return Store.open(directory, options().withCreateIfMissing(true));
  }
}
