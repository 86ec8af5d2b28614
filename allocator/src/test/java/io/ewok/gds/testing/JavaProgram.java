package io.ewok.gds.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs of the tests in a small JVM of their own, with the class path of this one. */
public final class JavaProgram {
  private JavaProgram() {}

  /** The command that starts one. */
  public static List<String> command(Class<?> program, List<String> arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
    command.addAll(arguments);
    return command;
  }

  /**
   * Lets one print so many numbers, each on a line, before it is killed; fails if it ends by
   * itself.
   *
   * @param folder for what it says of errors
   * @return the greatest number that it printed
   */
  public static long runAndKill(Path folder, int numbers, Class<?> program, List<String> arguments)
      throws IOException, InterruptedException {
    Path errors = folder.resolve("errors");
    Process process =
        new ProcessBuilder(command(program, arguments)).redirectError(errors.toFile()).start();
    long last = 0;
    try (BufferedReader reader = process.inputReader()) {
      String line = reader.readLine();
      for (int i = 1; line != null; i++) {
        last = Math.max(last, Long.parseLong(line)); // the last one may be cut off, too
        if (i == numbers) {
          process.toHandle().destroyForcibly(); // which leaves its output to be read
        }
        line = reader.readLine(); // what it had printed when it was killed is acknowledged, too
      }
    } finally {
      process.destroyForcibly();
    }
    assertEquals(128 + 9, process.waitFor(), Files.readString(errors));
    return last;
  }
}
