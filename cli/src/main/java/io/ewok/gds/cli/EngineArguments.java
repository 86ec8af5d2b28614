package io.ewok.gds.cli;

import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which I/O engine a command uses, and which keys. */
final class EngineArguments {
  @Option(
      names = "--engine",
      paramLabel = "auto|uring|pool",
      defaultValue = "auto",
      description = "I/O engine. Default: ${DEFAULT-VALUE}, the best one that works here.")
  private EngineKind kind = EngineKind.AUTO;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description =
          "Keys of what is encrypted: a line for each, a number and 64 hexadecimal digits. What is "
              + "written is encrypted with the last one. With a line \"encrypted only\" nothing is "
              + "read that is not. Default: nothing is encrypted.")
  private Path keyFile;

  EngineKind kind() {
    return kind;
  }

  /**
   * The keys of the file that was named, or none.
   *
   * @throws CommandFailure if it is not to be understood
   */
  KeySource keys() {
    try {
      return keyFile == null ? KeySource.NONE : KeyFile.read(keyFile);
    } catch (IOException e) {
      throw CommandFailure.failed("the keys cannot be read: " + Failures.message(e), e);
    }
  }

  EngineOptions options() {
    return EngineOptions.defaults().withWanted(kind).withKeys(keys());
  }
}
