package io.ewok.gds.bench;

import java.util.Arrays;

/** Starts the benchmarks: {@code gds bench micro [JMH options]}. */
public final class Main {
  private static final String USAGE =
      """
      Usage: gds bench micro [JMH options] [regular expression of names]
      Runs the JMH suites of the layers, each with its rival.

        gds bench micro                      all of them
        gds bench micro Allocation -prof gc  with the bytes allocated per operation
        gds bench micro -l                   list them
        gds bench micro -h                   the options of JMH
      """;

  private Main() {}

  /**
   * Runs what the first argument names.
   *
   * @throws Exception as JMH throws it
   */
  public static void main(String[] args) throws Exception {
    if (args.length > 0 && args[0].equals("micro")) {
      org.openjdk.jmh.Main.main(Arrays.copyOfRange(args, 1, args.length));
      return;
    }
    boolean help = args.length > 0 && (args[0].equals("--help") || args[0].equals("-h"));
    (help ? System.out : System.err).print(USAGE);
    if (!help) {
      System.exit(2);
    }
  }
}
