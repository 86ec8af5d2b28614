package io.ewok.gds.bench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/**
 * What documents and help show of {@code gds bench} is what it takes. Those lines are done that
 * take seconds; what the others measure has tests of its own.
 */
class ShownBenchmarksTest {
  private static final Pattern IN_TEXT = Pattern.compile("`(?:\\./)?gds bench ([^`]*)`");
  private static final Pattern IN_CODE = Pattern.compile("\\{@code (?:\\./)?gds bench ([^}]*)}");
  private static final Pattern IN_HELP =
      Pattern.compile("(?m)^ {2,}(?:Usage: )?gds bench (.*?)(?: {2,}.*)?$");

  /** As they may be done without a disk, within seconds. */
  private static final Pattern DONE =
      Pattern.compile("--help|micro -[lh]|.*--help|trace --.*|compare .*");

  @TempDir private Path temp;
  private final PrintStream out = System.out;

  /** What is printed is looked at where it is made. */
  @BeforeEach
  void printNothing() {
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, UTF_8));
  }

  @AfterEach
  void printAgain() {
    System.setOut(out);
  }

  @BeforeEach
  void makeWhatIsSpokenOf() throws Exception {
    try (OutputStream trace = new GZIPOutputStream(Files.newOutputStream(temp.resolve("p3.gz")))) {
      for (int i = 0; i < 200; i++) {
        trace.write("%d %d 0 %d\n".formatted(i * 7 % 90, 1 + i % 5, i).getBytes(UTF_8));
      }
    }
    for (String name : List.of("a.jsonl", "b.jsonl")) {
      assertEquals(0, Main.run("trace", "--quick", "--rounds", "1", "--output", path(name)), name);
    }
  }

  private String path(String name) {
    return temp.resolve(name).toString();
  }

  private static List<String> shown(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map(result -> result.group(1).replaceAll("\\s+(\\* )?", " ").strip())
        .filter(line -> line.indexOf('[') < 0)
        .collect(Collectors.toCollection(ArrayList::new));
  }

  @Test
  void whatDocumentsShowIsTaken() throws Exception {
    List<String> lines = new ArrayList<>();
    for (String name : List.of("README.md", "ARCHITECTURE.md")) {
      lines.addAll(shown(IN_TEXT, Files.readString(Path.of("..", name))));
    }
    Path source = Path.of("src/main/java/io/ewok/gds/bench");
    for (String name : List.of("package-info.java", "kv/package-info.java")) {
      lines.addAll(shown(IN_CODE, Files.readString(source.resolve(name))));
    }
    requireTaken(lines, 20);
  }

  @Test
  void whatHelpShowsIsTaken() throws Exception {
    requireTaken(shown(IN_HELP, Main.USAGE), 30);
  }

  private void requireTaken(List<String> lines, int atLeast) throws Exception {
    assertTrue(lines.size() >= atLeast, lines::toString);
    for (String line : lines.stream().distinct().toList()) {
      String[] words = Arrays.stream(line.split(" ")).map(this::meant).toArray(String[]::new);
      if (DONE.matcher(line).matches()) {
        assertEquals(0, Main.run(words), line);
      } else {
        requireUnderstood(line, words);
      }
    }
  }

  /** What a word of a line stands for here. */
  private String meant(String word) {
    return switch (word) {
      case "A" -> path("a.jsonl");
      case "B" -> path("b.jsonl");
      case "a.html", "a.jsonl", "b.jsonl", "p3.gz" -> path(word);
      case "/mnt/disk/bench" -> path("bench");
      default -> word;
    };
  }

  private static void requireUnderstood(String line, String... words) throws Exception {
    String[] rest = Arrays.copyOfRange(words, 1, words.length);
    ReportCommand report = Main.REPORTS.get(words[0]);
    if (report != null) {
      ReportArguments arguments = ReportArguments.parse(rest, report.options());
      assertNotNull(report.preparation().apply(arguments), line);
      return;
    }
    assertEquals("micro", words[0], line);
    if (line.contains("--")) {
      assertEquals("--quick", rest[0], line);
      return;
    }
    String known = benchmarks();
    for (String name : new CommandLineOptions(rest).getIncludes()) {
      Matcher found = Pattern.compile(name).matcher(known);
      assertTrue(found.find(), line);
    }
  }

  /** Those that JMH has, as its generator has written them down. */
  private static String benchmarks() throws Exception {
    try (var list = ShownBenchmarksTest.class.getResourceAsStream("/META-INF/BenchmarkList")) {
      return new String(list.readAllBytes(), UTF_8);
    }
  }
}
