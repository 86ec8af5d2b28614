package io.ewok.gds.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What documents and help show to be typed is what the command takes. */
class DocumentedCommandsTest {
  private static final Path DOCUMENTS = Path.of("..");

  /** A word of a shell: bare, or in quotes. */
  private static final Pattern WORD = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)");

  private static final Pattern IN_TEXT = Pattern.compile("`\\./gds ([^`…]+)`", Pattern.DOTALL);

  /** Two blanks and more are before what is said of a command. */
  private static final Pattern ALONE =
      Pattern.compile("^ +(?:\\$ )?(?:\\./)?gds (.+?)(?: {2,}.*)?$", Pattern.MULTILINE);

  /** In text, or on lines of their own. */
  private static final Pattern ANY =
      Pattern.compile(
          "`((?:source <\\()?\\./(?:gds|build) [^`…]+)`"
              + "|^ +(?:\\$ )?(\\./(?:gds|build) .+?)(?: {2,}.*)?$",
          Pattern.MULTILINE);

  static CommandLine commands() {
    Streams streams =
        new Streams(
            new ByteArrayInputStream(new byte[0]),
            new ByteArrayOutputStream(),
            new ByteArrayOutputStream());
    return GdsCommand.commandLine(streams, new PrintWriter(new StringWriter()), false);
  }

  /** The words up to what is the shell's. */
  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(line);
    while (matcher.find()) {
      String bare = matcher.group(3);
      if (bare == null) {
        words.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
      } else if (bare.matches("[|>#;&].*|2>.*")) {
        break;
      } else {
        words.add(example(bare));
        if (bare.endsWith(";")) {
          break;
        }
      }
    }
    return words;
  }

  /** A value for what stands for one. */
  private static String example(String word) {
    return switch (word) {
      case "N" -> "1";
      case "F" -> "csv";
      case "T" -> "2026-11-22T09:30:00Z";
      default -> word.contains("|") ? word.substring(0, word.indexOf('|')) : word;
    };
  }

  /** What is wrong with a line; empty if nothing is. */
  private static String refusal(List<String> words) {
    if (words.isEmpty() || words.getFirst().equals("bench")) {
      return ""; // the launcher's
    }
    CommandLine commands = commands();
    try {
      CommandLine named = commands;
      int depth = 0;
      while (depth < words.size() && named.getSubcommands().containsKey(words.get(depth))) {
        named = named.getSubcommands().get(words.get(depth));
        depth++;
      }
      if (depth > 0 && depth == words.size()) {
        return ""; // is spoken of
      }
      CommandLine.ParseResult unused = commands.parseArgs(words.toArray(new String[0]));
      return "";
    } catch (ParameterException e) {
      return words + ": " + e.getMessage();
    }
  }

  /** All that a document shows to be typed, in its order. */
  static List<String> typedIn(String text) {
    return ANY.matcher(text)
        .results()
        .map(result -> result.group(1) == null ? result.group(2) : result.group(1))
        .toList();
  }

  private static List<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(result -> result.group(1)).toList();
  }

  private static void requireTaken(List<String> lines, int atLeast) {
    List<String> refused =
        lines.stream()
            .map(line -> refusal(words(line.replaceAll("\\s+", " "))))
            .filter(refusal -> !refusal.isEmpty())
            .toList();
    assertEquals(List.of(), refused);
    assertTrue(lines.size() >= atLeast, lines.toString());
  }

  @Test
  void commandsInDocumentsAreTaken() throws IOException {
    List<String> lines = new ArrayList<>();
    for (String name : List.of("README.md", "ARCHITECTURE.md", "SECURITY.md")) {
      String text = Files.readString(DOCUMENTS.resolve(name));
      lines.addAll(found(IN_TEXT, text));
      lines.addAll(found(ALONE, text));
    }
    requireTaken(lines, 30);
  }

  @Test
  void examplesInHelpAreTaken() {
    List<String> lines = new ArrayList<>();
    tree(commands())
        .forEach(
            command ->
                Stream.of(command.getCommandSpec().usageMessage().footer())
                    .forEach(footer -> lines.addAll(found(ALONE, footer.replace("%%", "%")))));
    requireTaken(lines, 40);
  }

  static Stream<CommandLine> tree(CommandLine command) {
    return Stream.concat(
        Stream.of(command),
        command.getSubcommands().values().stream().flatMap(DocumentedCommandsTest::tree));
  }

  @Test
  void whatIsNotTakenIsSeen() {
    for (String line :
        List.of("scna DIR", "scan DIR --no-such", "get DIR", "dump DIR --format x")) {
      assertThrows(AssertionError.class, () -> requireTaken(List.of(line), 0), line);
    }
  }
}
