package io.ewok.gds.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code gds completion}: a script with which a shell completes the command's words. */
@Command(
    name = "completion",
    description = {
      "Print a script with which bash, or zsh, completes commands and options.",
      "Paths are completed as always. The benchmarks of gds bench are not known to it."
    },
    footer = {
      "%nExamples:",
      "  source <(gds completion)                     for this shell",
      "  gds completion > ~/.local/share/bash-completion/completions/gds"
    })
final class CompletionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  private final Streams streams;

  CompletionCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    String name = spec.root().name();
    streams.out(AutoComplete.bash(name, spec.root().commandLine()));
    return ExitStatus.OK;
  }
}
