package io.ewok.gds.cli;

import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code gds}: the root of all commands, and how their failures are shown. */
@Command(
    name = "gds",
    description = "Ordered, durable key-value stores outside of the Java heap.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = Version.class,
    commandListHeading = "%nCommands:%n",
    footer = {
      "%nExamples:",
      "  gds demo                            the main job, on this machine's own data",
      "  gds doctor                          what this machine allows",
      "  gds config reference                all settings",
      "  gds put /tmp/store greeting hello",
      "  gds scan /tmp/store --json",
      "%nIn the source tree the launcher also knows gds bench, the benchmarks: gds bench --help.",
      "A key that starts with a dash goes behind two dashes: gds put DIR -- -5 minus",
      "Exit status: 0 done, 1 failed or not found, 2 wrong usage, 130 interrupted by Ctrl-C, "
          + "141 nobody reads the output any more."
    })
final class GdsCommand implements Runnable {
  private static final int HELP_WIDTH = 80;

  /** What picocli needs. */
  private static final int HELP_WIDTH_MIN = 55;

  private static final int HELP_WIDTH_MAX = 100;

  @SuppressWarnings("UnusedVariable") // picocli acts on it.
  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version and exit.")
  private boolean version;

  @Spec private CommandSpec spec;

  /** Runs a command line and returns the exit status; nothing is thrown. */
  static int run(Streams streams, String... args) {
    boolean debug = List.of(args).contains("--debug");
    ConsoleLogFinder.showTraces(debug);
    int status;
    try {
      StringWriter text = new StringWriter(); // Help and version.
      status = commandLine(streams, new PrintWriter(text), debug).execute(args);
      streams.out(text.toString());
    } catch (RuntimeException | Error e) {
      status = Failures.report(streams, e, debug);
    }
    try {
      streams.flush();
    } catch (RuntimeException e) {
      return status == ExitStatus.OK ? Failures.report(streams, e, debug) : status;
    }
    return status;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command? 'gds --help' lists them");
  }

  /** All commands, none of which has run. */
  static CommandLine commandLine(Streams streams, PrintWriter out, boolean debug) {
    CommandLine root =
        new CommandLine(new GdsCommand())
            .addSubcommand(new PutCommand())
            .addSubcommand(new GetCommand(streams))
            .addSubcommand(new DeleteCommand())
            .addSubcommand(new ScanCommand(streams))
            .addSubcommand(
                new CommandLine(new FamilyCommand())
                    .addSubcommand(new FamilyListCommand(streams))
                    .addSubcommand(new FamilyCreateCommand())
                    .addSubcommand(new FamilyCloneCommand())
                    .addSubcommand(new FamilyDropCommand()))
            .addSubcommand(new LoadCommand(streams))
            .addSubcommand(new ImportCommand(streams))
            .addSubcommand(new StatsCommand(streams))
            .addSubcommand(new TopCommand(streams))
            .addSubcommand(new ExplainCommand(streams))
            .addSubcommand(new VerifyCommand(streams))
            .addSubcommand(new DumpCommand(streams))
            .addSubcommand(new CompactCommand(streams))
            .addSubcommand(new RepairCommand(streams))
            .addSubcommand(new CheckpointCommand(streams))
            .addSubcommand(new BackupCommand(streams))
            .addSubcommand(new RestoreCommand(streams))
            .addSubcommand(new VerifyBackupCommand(streams))
            .addSubcommand(
                new CommandLine(new PageCommand())
                    .addSubcommand(new PageDumpCommand(streams))
                    .addSubcommand(new PageVerifyCommand(streams)))
            .addSubcommand(new DoctorCommand(streams))
            .addSubcommand(
                new CommandLine(new ConfigCommand())
                    .addSubcommand(new ConfigShowCommand(streams))
                    .addSubcommand(new ConfigCheckCommand(streams))
                    .addSubcommand(new ConfigExplainCommand(streams))
                    .addSubcommand(new ConfigReferenceCommand(streams))
                    .addSubcommand(new ConfigJfcCommand(streams)))
            .addSubcommand(new CompletionCommand(streams))
            .addSubcommand(
                new CommandLine(new TraceCommand()).addSubcommand(new TraceReplayCommand(streams)))
            .addSubcommand(new DemoCommand(streams))
            .addSubcommand(new DemoLoaderCommand(streams));
    addCommonArguments(root);
    root.setOut(out);
    root.setErr(new PrintWriter(new OutputStreamWriter(streams.err(), StandardCharsets.UTF_8)));
    Ansi colours = Streams.colouredOutput() ? Ansi.ON : Ansi.OFF;
    root.setColorScheme(CommandLine.Help.defaultColorScheme(colours));
    root.setExpandAtFiles(false); // A key may start with an at sign.
    root.setCaseInsensitiveEnumValuesAllowed(true);
    root.setUsageHelpLongOptionsMaxWidth(28);
    root.setUsageHelpWidth(helpWidth(System.getenv("COLUMNS")));
    root.setExecutionExceptionHandler((e, _, _) -> Failures.report(streams, e, debug));
    root.setParameterExceptionHandler((e, _) -> wrongUsage(streams, e));
    return root;
  }

  /** The width of the terminal, where the environment tells it and lines of it are readable. */
  static int helpWidth(String columnsOrNull) {
    boolean isNumber = columnsOrNull != null && columnsOrNull.matches("\\d{1,4}");
    return isNumber
        ? Math.clamp(Integer.parseInt(columnsOrNull), HELP_WIDTH_MIN, HELP_WIDTH_MAX)
        : HELP_WIDTH;
  }

  private static void addCommonArguments(CommandLine command) {
    command
        .getCommandSpec()
        .addMixin("common", CommandSpec.forAnnotatedObject(new CommonArguments()));
    command.getSubcommands().values().forEach(GdsCommand::addCommonArguments);
  }

  private static int wrongUsage(Streams streams, ParameterException e) {
    StringWriter suggestions = new StringWriter();
    UnmatchedArgumentException.printSuggestions(e, new PrintWriter(suggestions, true));
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    streams.error(e.getMessage().replace("option option", "option") + "\n" + suggestions);
    streams.note("Try '" + command + " --help'.");
    return ExitStatus.USAGE;
  }
}
