package io.ewok.gds.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the power of virtual machines while a program writes on their disk, where {@code
 * -Dgds.test.powercut=COMMAND} names a program that does that. It is called as
 *
 * <pre>COMMAND --cuts N --disk virtio|scsi --fs ext4|xfs --writer 'PROGRAM' --checker 'PROGRAM'
 * </pre>
 *
 * and for each cut runs the writer in a machine that sees this one's files, cuts its power, and
 * runs the checker on the same disk with the last number that the writer printed as one more
 * argument; it ends with an error if a checker does. Each of the machines is cut {@code
 * -Dgds.test.powercut.cuts=N} times, 10 if not said otherwise.
 */
public final class PowerCuts {
  /** The property, for tests that are left out without it. */
  public static final String RUNNER = "gds.test.powercut";

  private static final String FOLDER = System.getProperty("gds.test.vm.folder", "/scratch");
  private static final int CUTS = Integer.getInteger(RUNNER + ".cuts", 10);

  private PowerCuts() {}

  /** A file on the machines' disk, which is at {@code -Dgds.test.vm.folder=FOLDER}, or /scratch. */
  public static String onDisk(String name) {
    return FOLDER + "/" + name;
  }

  /**
   * Cuts the power of one kind of machine; fails unless all checkers end well.
   *
   * @param folder for the output
   * @param arguments of both programs
   */
  public static void run(
      Path folder,
      String disk,
      String fileSystem,
      Class<?> writer,
      Class<?> checker,
      List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(System.getProperty(RUNNER).strip().split(" +", -1)));
    command.addAll(List.of("--cuts", Integer.toString(CUTS), "--disk", disk, "--fs", fileSystem));
    command.addAll(List.of("--writer", line(writer, arguments)));
    command.addAll(List.of("--checker", line(checker, arguments)));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    int status;
    try {
      status = process.waitFor();
    } finally {
      process.destroy();
    }
    assertEquals(0, status, () -> command + "\n" + read(output));
  }

  private static String line(Class<?> program, List<String> arguments) {
    return String.join(" ", JavaProgram.command(program, arguments));
  }

  private static String read(Path output) {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
