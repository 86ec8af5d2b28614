package io.ewok.gds.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.runner.RunnerException;

/** What was measured, to be printed and written: rows, and a table of them. */
interface Report {
  /** Measures, once the arguments have been found right. */
  @FunctionalInterface
  interface Measurement {
    /**
     * Measures everything and says on the error stream how far it is.
     *
     * @throws IOException if it cannot be measured here, with what to tell the user
     */
    Report measure() throws IOException, InterruptedException, RunnerException, ExecutionException;
  }

  /** Returns a row for each pair of ours and a rival. */
  List<Comparison> comparisons();

  /** Returns what a page draws besides the ratios; unless a report says more, nothing. */
  default List<Chart> charts() {
    return List.of();
  }

  /** Prints it for people; unless a report says more, a line for each row. */
  default void print(PrintStream out) {
    out.println(Comparison.header());
    comparisons().forEach(row -> out.println(row.toRow()));
  }
}
