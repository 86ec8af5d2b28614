package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class UsageTest {
  @TempDir private Path temp;

  private static Stream<String> commands() {
    Streams streams =
        new Streams(
            InputStream.nullInputStream(),
            OutputStream.nullOutputStream(),
            OutputStream.nullOutputStream());
    return below(GdsCommand.commandLine(streams, new PrintWriter(Writer.nullWriter()), false));
  }

  private static Stream<String> below(CommandLine command) {
    return command.getSubcommands().values().stream()
        .filter(each -> !each.getCommandSpec().usageMessage().hidden())
        .flatMap(
            each -> Stream.concat(Stream.of(each.getCommandSpec().qualifiedName()), below(each)));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandExplainsItselfWithAnExample(String command) {
    String[] words = command.substring("gds ".length()).split(" ", -1);
    String help = gds((Object[]) words("--help", words)).ok();
    assertTrue(help.contains("Usage: " + command), help);
    assertTrue(help.lines().anyMatch(line -> line.startsWith("  gds ")), help);
    assertTrue(help.contains("--debug"), help);
    String last = words[words.length - 1];
    String[] group = Arrays.copyOf(words, words.length - 1);
    assertTrue(gds((Object[]) words("--help", group)).ok().contains("\n  " + last), command);
  }

  private static String[] words(String last, String... first) {
    String[] words = Arrays.copyOf(first, first.length + 1);
    words[first.length] = last;
    return words;
  }

  /** Whatever is typed: one line says what is wrong, and nothing is made. */
  @ParameterizedTest
  @MethodSource("commands")
  void everyMistakeIsToldInOneLine(String command) throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "not what is looked for\n");
    Path absent = temp.resolve("absent");
    String[] words = command.substring("gds ".length()).split(" ", -1);
    requireTold(gds((Object[]) words("--no-such-option", words)), ExitStatus.USAGE);
    // The one loads what is on standard input, the others need nothing.
    List<String> takesAnything = List.of("load", "doctor", "completion", "demo", "config");
    if (!takesAnything.contains(words[0])) {
      requireTold(gds((Object[]) words), ExitStatus.USAGE);
      for (Path wrong : List.of(absent, file)) {
        requireTold(gds((Object[]) words(wrong.toString(), words)), -1);
        String[] other = words(wrong.toString(), words(temp.resolve("third").toString(), words));
        requireTold(gds((Object[]) other), -1);
      }
    }
    try (Stream<Path> files = Files.list(temp)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  private static void requireTold(GdsRun run, int statusOrAny) {
    String error = run.failure(statusOrAny < 0 ? run.status() : statusOrAny);
    assertTrue(run.status() == ExitStatus.FAILED || run.status() == ExitStatus.USAGE, error);
    assertFalse(error.contains("internal error"), error);
    assertFalse(run.err().contains("\tat "), run.err());
  }

  @Test
  void helpIsAsWideAsTheTerminalWhereThatIsKnown() {
    assertEquals(80, GdsCommand.helpWidth(null));
    assertEquals(80, GdsCommand.helpWidth("wide"));
    assertEquals(55, GdsCommand.helpWidth("20"));
    assertEquals(90, GdsCommand.helpWidth("90"));
    assertEquals(100, GdsCommand.helpWidth("9999"));
  }

  @Test
  void loaderOfTheDemonstrationIsNotListed() {
    assertFalse(gds("--help").ok().contains(DemoLoaderCommand.NAME));
  }

  /** As bash does when the tabulator key is pressed. */
  @ParameterizedTest
  @CsvSource({
    "sca, scan",
    "config refer, reference",
    "config show --conf, --config",
    "family li, list",
    "dump --form, --format",
    "restore --no-such, ''",
    "scan s --engine u, uring",
    "load s f --format js, jsonl",
    "scan s --set store.poo, store.pool=",
    "config explain store.poo, store.pool",
    "config explain numa.pol, numa.policy"
  })
  void completionFindsCommandsAndOptions(String typed, String expected) throws Exception {
    Path script = temp.resolve("completion");
    Files.writeString(script, gds("completion").ok());
    String line =
        "compopt() { :; }; source %s; COMP_WORDS=(gds %s); COMP_CWORD=%d; _complete_gds; echo ${COMPREPLY[@]}"
            .formatted(script, typed, typed.split(" ").length);
    Process bash =
        new ProcessBuilder("bash", "--norc", "-c", line).redirectErrorStream(true).start();
    String found = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, bash.waitFor(), found);
    assertEquals(expected, found.strip());
    assertFalse(Files.readString(script).contains(DemoLoaderCommand.NAME));
  }

  @Test
  void versionIsTheBuilds() {
    String version = gds("--version").ok();
    assertTrue(version.matches("gds \\d+\\.\\d+\\S* \\(Java .*\\)\\R"), version);
  }

  @Test
  void commandIsRequired() {
    gds().failure(ExitStatus.USAGE);
  }

  @Test
  void unknownCommandSuggestsTheNearest() {
    assertTrue(gds("scna", temp).failure(ExitStatus.USAGE).contains("scan"));
  }

  @Test
  void unknownOptionSuggestsTheNearest() {
    String message = gds("scan", temp, "--prefx=a").failure(ExitStatus.USAGE);
    assertTrue(message.contains("--prefix"), message);
  }

  @Test
  void missingArgumentIsNamed() {
    assertTrue(gds("put", temp, "k").failure(ExitStatus.USAGE).contains("VALUE"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"much", "0", "-1M", "1X", "99999999999999999T", ""})
  void badSizeIsRefused(String size) {
    String message = gds("scan", temp, "--memory=" + size).failure(ExitStatus.USAGE);
    assertTrue(message.contains("--memory"), message);
  }

  @Test
  void sizesHaveUnits() {
    SizeConverter converter = new SizeConverter();
    assertEquals(4096, converter.convert("4096"));
    assertEquals(64 << 10, converter.convert("64k"));
    assertEquals(64L << 20, converter.convert("64MiB"));
    assertEquals(2L << 30, converter.convert("2 GB"));
    assertEquals(1L << 40, converter.convert("1T"));
  }

  @Test
  void tooLittleMemoryNamesTheSmallest() {
    String message =
        gds("put", temp.resolve("s"), "k", "v", "--memory=1K").failure(ExitStatus.USAGE);
    assertTrue(message.endsWith("smallest=" + StoreSizes.minimumBytes()), message);
  }

  @Test
  void unknownEngineListsTheKnown() {
    String message = gds("doctor", "--engine=fast").failure(ExitStatus.USAGE);
    assertTrue(message.contains("URING") && message.contains("POOL"), message);
  }

  @Test
  void stackTraceIsShownOnlyOnDemand() {
    assertFalse(gds("scan", temp.resolve("none")).err().contains("\tat "));
    assertTrue(gds("scan", temp.resolve("none"), "--debug").err().contains("\tat "));
  }

  @Test
  void closedPipeEndsQuietly() {
    Path store = temp.resolve("store");
    gds("put", store, "a", "1").ok();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams = new Streams(InputStream.nullInputStream(), failing("Broken pipe"), err);
    assertEquals(ExitStatus.CLOSED_PIPE, GdsCommand.run(streams, "scan", store.toString()));
    assertEquals("", err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void unwritableOutputIsAnError() {
    Path store = temp.resolve("store");
    gds("put", store, "a", "1").ok();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Streams streams =
        new Streams(InputStream.nullInputStream(), failing("No space left on device"), err);
    assertEquals(ExitStatus.FAILED, GdsCommand.run(streams, "scan", store.toString()));
    assertTrue(
        err.toString(StandardCharsets.UTF_8).contains("No space left on device"),
        err.toString(StandardCharsets.UTF_8));
  }

  private static OutputStream failing(String message) {
    return new OutputStream() {
      @Override
      public void write(int oneByte) throws IOException {
        throw new IOException(message);
      }
    };
  }
}
