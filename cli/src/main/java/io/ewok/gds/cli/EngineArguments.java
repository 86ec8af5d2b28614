package io.ewok.gds.cli;

import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Which configuration file, which I/O engine and which keys a command uses. */
final class EngineArguments {
  /** The variable of the environment that names a configuration file. */
  static final String CONFIG_VARIABLE = "GDS_CONF";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "Configuration file with settings; 'gds config reference' prints one with all of them. "
              + "Other options win over it. Default: the file that "
              + CONFIG_VARIABLE
              + " names, or none.")
  private Path config;

  @Option(
      names = "--engine",
      paramLabel = "auto|uring|pool",
      description = "I/O engine. Default: auto, the best one that works here.")
  private EngineKind kind;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description =
          "Keys of what is encrypted: a line for each, a number and 64 hexadecimal digits. What is "
              + "written is encrypted with the last one. With a line \"encrypted only\" nothing is "
              + "read that is not. Default: nothing is encrypted.")
  private Path keyFile;

  /**
   * What the file and these options say, the latter last.
   *
   * @throws CommandFailure if the file cannot be read
   */
  List<Configured> configured() {
    return configured(configOrNull());
  }

  List<Configured> configured(Path fileOrNull) {
    List<Configured> values = new ArrayList<>();
    if (fileOrNull != null) {
      values.addAll(ConfigFile.read(fileOrNull));
    }
    if (kind != null) {
      values.add(new Configured("io.engine", kind.name().toLowerCase(Locale.ROOT), "--engine"));
    }
    return values;
  }

  /** The configuration file that was named, or null. */
  Path configOrNull() {
    if (config != null) {
      return config;
    }
    String named = System.getenv(CONFIG_VARIABLE);
    return named == null || named.isEmpty() ? null : Path.of(named);
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

  /**
   * How the engine is opened.
   *
   * @throws CommandFailure if the file is not to be understood
   */
  EngineOptions options() {
    return Configuration.of(configured()).options().engine().withKeys(keys());
  }
}
