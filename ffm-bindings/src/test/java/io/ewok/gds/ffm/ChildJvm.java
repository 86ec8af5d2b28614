package io.ewok.gds.ffm;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A main of the tests in a JVM of its own, on the class path of this one. */
final class ChildJvm {

  record Result(int exitCode, String output) {}

  private ChildJvm() {}

  /** Runs it with native access enabled, started by a launcher. */
  static Result run(Class<?> main, String launcher) throws Exception {
    return start(List.of(launcher), List.of("--enable-native-access=ALL-UNNAMED"), main);
  }

  /** Runs it with the given options of the JVM. */
  static Result run(Class<?> main, List<String> options) throws Exception {
    return start(List.of(), options, main);
  }

  private static Result start(List<String> launcher, List<String> options, Class<?> main)
      throws Exception {
    List<String> command = new ArrayList<>(launcher);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
