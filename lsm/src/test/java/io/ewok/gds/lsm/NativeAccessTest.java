package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whoever forgets to give native access, which JVMs deny by an option now and by default one day,
 * is told what to do: whatever he begins with, and each time.
 */
class NativeAccessTest {
  private static final String DENY = "--illegal-native-access=deny";
  private static final String SENTENCE =
      "java.lang.UnsatisfiedLinkError: GDS needs native access; start java with"
          + " --enable-native-access=";

  @TempDir private Path directory;

  private List<String> output(List<String> options, List<String> main, String what)
      throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx64m");
    command.addAll(options);
    command.addAll(main);
    command.add(what);
    command.add(directory.resolve("store").toString());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.lines().toList();
  }

  private static List<String> onClassPath() {
    return List.of("-cp", System.getProperty("java.class.path"), NativeAccessMain.class.getName());
  }

  /** The store and what it stands on, with the tests as a part of its module. */
  private static List<String> onModulePath() {
    String modules =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.endsWith("test-classes") && !entry.endsWith("-tests.jar"))
            .filter(entry -> entry.matches(".*/(gds|jnr|jffi|asm|aircompressor)-[^/]*|.*classes"))
            .collect(Collectors.joining(File.pathSeparator));
    String module = "io.ewok.gds.lsm";
    return List.of(
        "--module-path",
        modules,
        "--patch-module",
        module + "=" + Path.of("target", "test-classes"),
        "--module",
        module + "/" + NativeAccessMain.class.getName());
  }

  private static List<String> eachTime(String line) {
    return Collections.nCopies(NativeAccessMain.ATTEMPTS, line);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sizes", "region", "reserved", "engine", "store"})
  void onTheClassPath(String what) throws Exception {
    assertEquals(
        eachTime(
            SENTENCE
                + "ALL-UNNAMED, or a jar whose manifest says Enable-Native-Access: ALL-UNNAMED"),
        output(List.of(DENY), onClassPath(), what));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sizes", "region", "reserved", "engine", "store"})
  void onTheModulePath(String what) throws Exception {
    assertEquals(
        eachTime(SENTENCE + "io.ewok.gds.ffm,org.jnrproject.jffi"),
        output(List.of(DENY), onModulePath(), what));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sizes", "region", "reserved", "engine", "store"})
  void whoDoesAsHeIsToldIsFine(String what) throws Exception {
    assertEquals(
        eachTime("fine"),
        output(List.of(DENY, "--enable-native-access=ALL-UNNAMED"), onClassPath(), what));
    assertEquals(
        eachTime("fine"),
        output(
            List.of(DENY, "--enable-native-access=io.ewok.gds.ffm,org.jnrproject.jffi"),
            onModulePath(),
            what));
  }
}
