package io.ewok.gds.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs a program of the tests on a machine that this one is not, where {@code
 * -Dgds.test.vm=COMMAND} names a program that starts a virtual machine, takes options for it, sees
 * this machine's files, and runs what follows {@code --}.
 */
public final class VirtualMachine {
  /** The property, for tests that are left out without it. */
  public static final String RUNNER = "gds.test.vm";

  private static final int MINUTES_MAX = 15;

  private VirtualMachine() {}

  /**
   * Runs a program in a new machine; fails unless it ends well, and soon.
   *
   * @param folder for its output
   * @param machine options of the machine
   * @return what it printed
   */
  public static String run(
      Path folder, List<String> machine, Class<?> program, List<String> arguments)
      throws Exception {
    List<String> command =
        new ArrayList<>(List.of(System.getProperty(RUNNER).strip().split(" +", -1)));
    command.addAll(machine);
    command.add("--");
    command.addAll(JavaProgram.command(program, arguments));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(MINUTES_MAX, TimeUnit.MINUTES);
    process.destroy();
    String text = Files.readString(output);
    assertTrue(ended, "still running: " + command + "\n" + text);
    assertEquals(0, process.exitValue(), command + "\n" + text);
    return text;
  }
}
