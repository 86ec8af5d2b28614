package io.ewok.gds.cli;

import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code gds completion}: a script with which a shell completes the command's words. */
@Command(
    name = "completion",
    description = {
      "Print a script with which bash, or zsh, completes commands, options, and names of settings.",
      "Paths are completed as always. The benchmarks of gds bench are not known to it."
    },
    footer = {
      "%nExamples:",
      "  source <(gds completion)                     for this shell",
      "  gds completion > ~/.local/share/bash-completion/completions/gds"
    })
final class CompletionCommand implements Callable<Integer> {
  /** Values of enums, which are typed as the help shows them. */
  private static final Pattern CONSTANTS =
      Pattern.compile("(?m)^ +local \\w+_args=\\((?:\"[A-Z0-9_]+\" ?)+\\)");

  /** Behind a setting and its equals sign goes the value, not a blank. */
  private static final String SETTINGS =
      "COMPREPLY=( $( compReplyArray \"${NAMEVALUE_option_args[@]}\" ) )";

  @Spec private CommandSpec spec;

  private final Streams streams;

  CompletionCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() {
    String name = spec.root().name();
    String script = AutoComplete.bash(name, spec.root().commandLine());
    streams.out(
        CONSTANTS
            .matcher(script)
            .replaceAll(values -> Matcher.quoteReplacement(lowerCase(values.group())))
            .replace(SETTINGS, "type compopt &>/dev/null && compopt -o nospace; " + SETTINGS));
    return ExitStatus.OK;
  }

  private static String lowerCase(String declaration) {
    int values = declaration.indexOf('(');
    return declaration.substring(0, values)
        + declaration.substring(values).toLowerCase(Locale.ROOT);
  }
}
