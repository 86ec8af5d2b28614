package io.ewok.gds.bench;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.openjdk.jmh.runner.RunnerException;

/**
 * A subcommand of {@code gds bench} that measures: reads the arguments, has everything measured,
 * and prints and writes what came of it.
 *
 * @param name of the command, and the title of its page
 * @param usage its help
 * @param options names of its own options, each of which has a value
 * @param preparation looks at the arguments, without measuring anything yet; throws {@link
 *     IllegalArgumentException} with what to tell the user
 */
record ReportCommand(
    String name,
    String usage,
    Set<String> options,
    Function<ReportArguments, Report.Measurement> preparation) {

  /**
   * Measures and prints.
   *
   * @return the exit code: 0, 1 if it cannot be measured here or written, or 2 if the arguments are
   *     wrong
   */
  int run(String... args) throws InterruptedException, RunnerException, ExecutionException {
    ReportArguments arguments;
    Report.Measurement measurement;
    try {
      arguments = ReportArguments.parse(args, options);
      measurement = preparation.apply(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(usage);
      return 2;
    }
    if (arguments.help()) {
      System.out.print(usage);
      return 0;
    }
    Report report;
    try {
      report = measurement.measure();
    } catch (IOException e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        System.err.println(cause.getMessage());
      }
      return 1;
    }
    List<Comparison> rows = report.comparisons();
    if (arguments.json()) {
      rows.forEach(row -> System.out.println(row.toJson()));
    } else {
      report.print(System.out);
    }
    return arguments.write(name, rows, report.charts());
  }
}
