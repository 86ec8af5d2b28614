package io.ewok.gds.cli;

import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import picocli.CommandLine.Option;

/** Which I/O engine a command uses. */
final class EngineArguments {
  @Option(
      names = "--engine",
      paramLabel = "auto|uring|pool",
      defaultValue = "auto",
      description = "I/O engine. Default: ${DEFAULT-VALUE}, the best one that works here.")
  private EngineKind kind = EngineKind.AUTO;

  EngineKind kind() {
    return kind;
  }

  EngineOptions options() {
    return EngineOptions.defaults().withWanted(kind);
  }
}
