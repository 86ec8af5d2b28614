package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertLinesMatch;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles and runs each example as a user does, and compares what it prints. */
class ExamplesTest {
  private static final Path EXAMPLES = Path.of("examples");
  private static final String NUMBER = "[0-9,]+";

  @TempDir private Path directory;

  private void run(String example, String... lines) throws Exception {
    Path output = Files.createTempFile(directory, example, ".out");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--class-path",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            "--enable-native-access=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=deny",
            EXAMPLES.resolve(example + ".java").toString(),
            Files.createDirectories(directory.resolve("data")).toString()));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it has not ended");
    } finally {
      process.destroyForcibly();
    }
    List<String> printed = Files.readAllLines(output);
    assertEquals(0, process.exitValue(), () -> String.join("\n", printed));
    assertLinesMatch(List.of(lines), printed);
  }

  @Test
  void eachExampleIsRunHere() throws IOException {
    Set<String> files;
    try (Stream<Path> found = Files.list(EXAMPLES)) {
      files =
          found
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".java"))
              .map(name -> name.substring(0, name.length() - ".java".length()))
              .collect(Collectors.toCollection(TreeSet::new));
    }
    Set<String> run =
        Set.of(
            "AllocatorAlone",
            "DurableQueue",
            "FiberServer",
            "NumaPlacement",
            "PagesAtDeviceSpeed",
            "StoreInTwentyLines");
    assertEquals(new TreeSet<>(run), files);
    String listed = Files.readString(EXAMPLES.resolve("README.md"));
    for (String example : files) {
      assertTrue(listed.contains("`" + example + ".java`"), example);
    }
  }

  @Test
  void allocatorAlone() throws Exception {
    run(
        "AllocatorAlone",
        "100000 sessions in [0-9]+ MiB of 64",
        "freed twice: StaleHandleException",
        "after close: 0 bytes");
  }

  @Test
  void pagesAtDeviceSpeed() throws Exception {
    run(
        "PagesAtDeviceSpeed",
        "engine: .+",
        "one at a time: " + NUMBER + " pages a second",
        "64 at a time: " + NUMBER + " pages a second");
  }

  @Test
  void numaPlacement() throws Exception {
    run("NumaPlacement", "machine: .+", "asked for local, .+", ">> others >>");
  }

  @Test
  void fiberServer() throws Exception {
    run("FiberServer", "64 connections served by one thread");
  }

  @Test
  void durableQueueGoesOnWhereItWas() throws Exception {
    run(
        "DurableQueue",
        "not read by the last run: 0",
        "kept for the slow reader: " + NUMBER + " bytes");
    run(
        "DurableQueue",
        "not read by the last run: 500",
        "kept for the slow reader: " + NUMBER + " bytes");
  }

  @Test
  void storeInTwentyLines() throws Exception {
    run(
        "StoreInTwentyLines",
        "order 2: two pears",
        "1 = one apple",
        "2 = two pears",
        "3 = three lemons");
  }
}
