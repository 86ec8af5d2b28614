package io.ewok.gds.ffm;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** A main of the tests in a JVM of its own, with the class path of this one. */
final class ChildJvm {

  record Result(int exitCode, String output) {}

  private ChildJvm() {}

  /** Runs it with native access enabled, started by a launcher. */
  static Result run(Class<?> main, String launcher) throws Exception {
    return start(List.of(launcher), List.of("--enable-native-access=ALL-UNNAMED"), classPath(main));
  }

  /** Runs it with the given options of the JVM. */
  static Result run(Class<?> main, List<String> options) throws Exception {
    return start(List.of(), options, classPath(main));
  }

  /** Runs it as part of the module under test, on the module path. */
  static Result runAsModule(Class<?> main, List<String> options) throws Exception {
    String module = "io.ewok.gds.ffm";
    String modules =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.endsWith("test-classes"))
            .filter(entry -> !entry.matches(".*/(junit|opentest4j|apiguardian|jspecify)[^/]*"))
            .collect(Collectors.joining(File.pathSeparator));
    return start(
        List.of(),
        options,
        List.of(
            "--module-path",
            modules,
            "--patch-module",
            module + "=" + Path.of("target", "test-classes"),
            "--module",
            module + "/" + main.getName()));
  }

  private static List<String> classPath(Class<?> main) {
    return List.of("-cp", System.getProperty("java.class.path"), main.getName());
  }

  private static Result start(List<String> launcher, List<String> options, List<String> main)
      throws Exception {
    List<String> command = new ArrayList<>(launcher);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(main);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
