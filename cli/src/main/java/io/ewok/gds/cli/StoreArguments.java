package io.ewok.gds.cli;

import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreInspection;
import io.ewok.gds.lsm.StoreLockedException;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a command opens a store: shared by all that open one. */
final class StoreArguments {
  private static final long INSPECTION_POOL_BYTES = 64L << 20;

  @Mixin private EngineArguments engine;

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      converter = MemoryConverter.class,
      description =
          "Memory the store may use outside of the Java heap, such as 64M, or 25%% of what this "
              + "process may use: the same as --set store.memory=SIZE.")
  private Long memoryBytes;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      completionCandidates = SettingNames.Assigned.class,
      description =
          "A setting of the store, its log or its engine, as often as needed, such as "
              + "store.compression=none,none,lz4,zstd. They win over the configuration file, and "
              + "sizes over --memory. 'gds config explain NAME' tells what each means.")
  private final Map<String, String> settings = new LinkedHashMap<>();

  /**
   * What the user wants.
   *
   * @throws CommandFailure if that is more than there is, or not to be understood
   */
  StoreOptions options() {
    StoreOptions options = configuration().options();
    return options.withEngine(options.engine().withKeys(engine.keys()));
  }

  /** What is said of the store and its engine, on the command line and in a file. */
  Configuration configuration() {
    return configuration(engine.configOrNull());
  }

  /** The same with another file, or none. */
  Configuration configuration(Path fileOrNull) {
    List<Configured> values = new ArrayList<>(engine.configured(fileOrNull));
    if (memoryBytes != null) {
      values.add(new Configured(KnownSettings.MEMORY, Long.toString(memoryBytes), "--memory"));
    }
    settings.forEach((name, value) -> values.add(new Configured(name, value, "--set")));
    return Configuration.of(values);
  }

  /** The configuration file that was named, or null. */
  Path configOrNull() {
    return engine.configOrNull();
  }

  /** Opens a store that must be there; the caller closes it. */
  Store openExisting(Path directory) throws IOException {
    return Store.open(directory, options().withCreateIfMissing(false));
  }

  /** Opens a store that must be there to be read only, also while others use it. */
  ReadableStore openToRead(Path directory, Streams streams) throws IOException {
    return ReadableStore.open(directory, options(), streams);
  }

  /**
   * Opens a store, creating it in a directory that is empty or absent unless the settings say that
   * it has to be there; the caller closes it.
   */
  Store openOrCreate(Path directory) throws IOException {
    return Store.open(directory, options());
  }

  /** The engine follows no link; whoever types the name of one means what it leads to. */
  static Path target(Path path) throws IOException {
    return Files.exists(path) ? path.toRealPath() : path;
  }

  /** Looks at a store, or at a table file, without opening a store; the caller closes it. */
  StoreInspection inspect(IoEngine opened, Path path) throws IOException {
    Path target = target(path);
    return Files.isRegularFile(target)
        ? StoreInspection.ofTable(opened, target, poolBytes())
        : StoreInspection.ofStore(opened, target, poolBytes());
  }

  /** The same to read only: also of a store that others use, or in which nothing can be written. */
  StoreInspection inspectToRead(IoEngine opened, Path path, Streams streams) throws IOException {
    Path target = target(path);
    if (Files.isDirectory(target) && !Files.isWritable(target)) {
      return StoreInspection.ofOpenStore(opened, target, poolBytes());
    }
    try {
      return inspect(opened, path);
    } catch (StoreLockedException e) {
      streams.note("the store is open elsewhere; these are its tables now: path=" + path);
      return StoreInspection.ofOpenStore(opened, target, poolBytes());
    }
  }

  private long poolBytes() {
    return configuration().memoryBytes().orElse(INSPECTION_POOL_BYTES);
  }
}
