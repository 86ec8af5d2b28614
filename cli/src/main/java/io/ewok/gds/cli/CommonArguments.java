package io.ewok.gds.cli;

import picocli.CommandLine.Option;

/** Options that every command has. */
@SuppressWarnings("UnusedVariable") // picocli acts on the first, GdsCommand sees the second itself.
final class CommonArguments {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  private boolean help;

  @Option(names = "--debug", description = "On failure, show the stack trace as well.")
  private boolean debug;
}
