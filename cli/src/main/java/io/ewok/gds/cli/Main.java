package io.ewok.gds.cli;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * The entry point of the {@code gds} command.
 *
 * <p>It runs the command line on the process's own streams and ends the process with the exit
 * status described in the package documentation.
 */
public final class Main {
  private static final char REPLACEMENT = '\uFFFD';

  private Main() {}

  /**
   * Runs one command and ends the process.
   *
   * @param args what was typed after {@code gds}
   */
  public static void main(String[] args) {
    Streams streams = Streams.ofProcess();
    int status = lostCharacters(args) ? refuse(streams) : GdsCommand.run(streams, args);
    System.exit(status);
  }

  /**
   * A Java process under the C locale sees a replacement character for every byte it cannot decode.
   * Two different keys would become one, silently, so nothing is done with such arguments.
   */
  private static boolean lostCharacters(String[] args) {
    if (argumentCharset().equals(StandardCharsets.UTF_8)) {
      return false;
    }
    for (String arg : args) {
      if (arg.indexOf(REPLACEMENT) >= 0) {
        return true;
      }
    }
    return false;
  }

  private static Charset argumentCharset() {
    return Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
  }

  private static int refuse(Streams streams) {
    streams.error(
        "the locale cannot carry the characters of the arguments; set LC_ALL=C.UTF-8, or use --hex"
            + ": charset="
            + argumentCharset());
    return ExitStatus.USAGE;
  }
}
