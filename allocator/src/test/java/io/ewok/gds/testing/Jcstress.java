package io.ewok.gds.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
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

/**
 * Runs the jcstress tests of a module, each in a JVM of its own: two threads meet many thousand
 * times in every method under test.
 *
 * @param limit of the whole run; generous, a machine that builds something else beside must not
 *     fail here
 * @param iterationMillis how long each test runs
 * @param allCompilers whether its two threads are compiled in all combinations of compilers
 * @param jvmArguments for the JVMs of the tests
 */
public record Jcstress(
    Duration limit, long iterationMillis, boolean allCompilers, String jvmArguments) {
  private static final Pattern COUNTS =
      Pattern.compile("\\(Results: (\\d+) planned; (\\d+) passed, (\\d+) failed, ");
  private static final Pattern NOT_PASSED =
      Pattern.compile("\\[(?:FAILED|[A-Z ]*ERROR|TIMEOUT)\\] (\\S+)");

  /** As in a normal build. */
  public Jcstress(Duration limit, long iterationMillis) {
    this(limit, iterationMillis, false, "-Xmx128m");
  }

  /** Returns whether jcstress can run threads side by side. */
  public static boolean hasTwoCpus() {
    return Runtime.getRuntime().availableProcessors() >= 2;
  }

  /**
   * Runs all tests on the class path whose list comes first there.
   *
   * @param specimens are broken on purpose: the only ones with outcomes that they do not accept
   */
  public void assertForbiddenOnlyIn(Class<?>... specimens) throws Exception {
    String output = run();
    Set<String> notPassed = new TreeSet<>();
    for (MatchResult match : NOT_PASSED.matcher(output).results().toList()) {
      notPassed.add(match.group(1));
    }
    String results = output.substring(Math.max(0, output.indexOf("RUN RESULTS")));
    Set<String> broken = Arrays.stream(specimens).map(Class::getName).collect(Collectors.toSet());
    assertEquals(broken, notPassed, results);
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

  /** Returns what jcstress printed. */
  private String run() throws Exception {
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
          process.waitFor(limit.toSeconds(), TimeUnit.SECONDS),
          () -> "jcstress hangs, see " + output);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return Files.readString(output);
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Those of the tests get the same options.
    Collections.addAll(command, "--enable-native-access=ALL-UNNAMED", "-ea");
    // Unpacks a library to bind threads to CPUs, which other programs must not replace meanwhile.
    Collections.addAll(command, "-XX:+UseSerialGC", "-Djna.tmpdir=.");
    Collections.addAll(command, "-cp", classPath(), "org.openjdk.jcstress.Main");
    Collections.addAll(command, "-v", "-r", "report", "-pth", "false", "-hs", "128");
    Collections.addAll(command, "-f", "1", "-iters", "1", "-time", String.valueOf(iterationMillis));
    Collections.addAll(command, "-sc", String.valueOf(allCompilers));
    Collections.addAll(command, "-jvmArgs", jvmArguments);
    return command;
  }

  /** Returns the class path of this JVM, valid in any directory. */
  private static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
