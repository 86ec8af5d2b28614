package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/**
 * Runs the jcstress tests, the classes named {@code …Races}, each in a JVM of its own. Two threads
 * meet some hundred thousand times in every method under test; the outcomes that a test does not
 * accept fail the build.
 *
 * <p>With {@code -Dgds.test.soak=<minutes>} every test runs for longer, and in all combinations of
 * compilers for its two threads.
 */
@WithoutLetters
class RacesTest {
  /** Generous: a machine that builds something else beside must not fail here. */
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private static final int SHORT_MILLIS = 100;

  /** In a soak, two threads are compiled each by none, C1 or C2. */
  private static final int COMPILER_COMBINATIONS = 9;

  /** In a soak, C2 shuffles whatever it may. */
  private static final String SHUFFLED =
      "-XX:+UnlockDiagnosticVMOptions -XX:+StressLCM -XX:+StressGCM -XX:+StressIGVN -XX:+StressCCP";

  /** What starting a JVM takes, about. */
  private static final int START_MILLIS = 600;

  private static final Pattern COUNTS =
      Pattern.compile("\\(Results: (\\d+) planned; (\\d+) passed, (\\d+) failed, ");
  private static final Pattern NOT_PASSED =
      Pattern.compile("\\[(?:FAILED|[A-Z ]*ERROR|TIMEOUT)\\] (\\S+)");

  @Test
  @EnabledIf(value = "hasTwoCpus", disabledReason = "jcstress runs threads side by side")
  void forbiddenOutcomesAreSeenInTheBrokenSpecimenOnly() throws Exception {
    String output = run();
    Set<String> notPassed = new TreeSet<>();
    for (MatchResult match : NOT_PASSED.matcher(output).results().toList()) {
      notPassed.add(match.group(1));
    }
    String results = output.substring(Math.max(0, output.indexOf("RUN RESULTS")));
    assertEquals(Set.of(LostUpdateSpecimen.class.getName()), notPassed, results);
    Matcher counts = COUNTS.matcher(output);
    int planned = 0;
    int done = 0;
    while (counts.find()) {
      planned = Integer.parseInt(counts.group(1));
      done = Integer.parseInt(counts.group(2)) + Integer.parseInt(counts.group(3));
    }
    assertTrue(planned > 1, output);
    assertEquals(planned, done, results);
  }

  static boolean hasTwoCpus() {
    return Runtime.getRuntime().availableProcessors() >= 2;
  }

  /** Returns what jcstress printed. */
  private static String run() throws Exception {
    Path directory = Files.createDirectories(Path.of("target", "jcstress"));
    Path output = directory.resolve("output.txt");
    Process process =
        new ProcessBuilder(command())
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(
          process.waitFor(
              LIMIT.plus(Soak.duration().multipliedBy(3)).toSeconds(), TimeUnit.SECONDS),
          () -> "jcstress hangs, see " + output);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return Files.readString(output);
  }

  private static List<String> command() throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Those of the tests get the same options.
    Collections.addAll(command, "--enable-native-access=ALL-UNNAMED", "-ea");
    // Unpacks a library to bind threads to CPUs, which other programs must not replace meanwhile.
    Collections.addAll(command, "-XX:+UseSerialGC", "-Djna.tmpdir=.");
    Collections.addAll(command, "-cp", classPath(), "org.openjdk.jcstress.Main");
    Collections.addAll(command, "-v", "-r", "report", "-pth", "false", "-hs", "128");
    Collections.addAll(
        command, "-f", "1", "-iters", "1", "-time", String.valueOf(iterationMillis()));
    boolean soak = Soak.isRequested();
    Collections.addAll(command, "-sc", String.valueOf(soak));
    Collections.addAll(command, "-jvmArgs", soak ? "-Xmx128m " + SHUFFLED : "-Xmx128m");
    return command;
  }

  private static long iterationMillis() throws IOException {
    if (!Soak.isRequested()) {
      return SHORT_MILLIS;
    }
    long runs = tests() * COMPILER_COMBINATIONS;
    return Math.max(SHORT_MILLIS, Soak.duration().toMillis() / runs - START_MILLIS);
  }

  /**
   * Returns how many jcstress tests there are: the list that its processor wrote has one a line.
   */
  private static long tests() throws IOException {
    try (InputStream list = RacesTest.class.getResourceAsStream("/META-INF/TestList")) {
      return new String(list.readAllBytes(), StandardCharsets.UTF_8).lines().count();
    }
  }

  /** Returns the class path of this JVM, valid in any directory. */
  private static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
