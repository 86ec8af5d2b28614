package io.ewok.gds.cli;

import java.util.Optional;

/**
 * The entry point of the {@code gds} command.
 *
 * <p>It runs the command line on the process's own streams and ends the process with the exit
 * status described in the package documentation.
 */
public final class Main {
  private Main() {}

  /**
   * Runs one command and ends the process.
   *
   * @param args what was typed after {@code gds}
   */
  public static void main(String[] args) {
    Streams streams = Streams.ofProcess();
    Optional<String> lost = ArgumentBytes.ofProcess().lost(args);
    lost.ifPresent(streams::error);
    System.exit(lost.isPresent() ? ExitStatus.USAGE : GdsCommand.run(streams, args));
  }
}
