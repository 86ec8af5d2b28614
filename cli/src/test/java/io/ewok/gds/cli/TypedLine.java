package io.ewok.gds.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line as it is typed into a shell, done under a directory that stands for the root of all files:
 * {@code gds} within this JVM, and other programs, where they are installed, as processes. It knows
 * words in quotes, pipes, {@code &&}, {@code ||}, output into files, {@code ~} and stars. What
 * fails in a pipe fails the line.
 */
final class TypedLine {
  private static final Pattern TOKEN =
      Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\||\\|\\||&&|>>|>|;)(?=\\s|$)|(\\S+)");

  /** What is a file's name by itself, of the directory where one is. */
  private static final Pattern FILE =
      Pattern.compile("[\\w*/-]+\\.(?:txt|csv|conf|pages|gz|sst|sh|jsonl|keys|jfc|svg)");

  private static final Pattern ROOTED = Pattern.compile("(^|=)(/(?:tmp|data|mnt|var)/)");

  private final Path root;
  private final UnaryOperator<String> meaning;
  private final StringBuilder errors = new StringBuilder();

  /**
   * @param root for absolute names; relative ones are of its directory {@code work}
   * @param meaning of words that stand for others
   */
  TypedLine(Path root, UnaryOperator<String> meaning) {
    this.root = root;
    this.meaning = meaning;
  }

  /** What has been said of errors. */
  String errors() {
    return errors.toString();
  }

  /** Does a line; returns the status that a shell would end with. */
  int run(String line) throws Exception {
    List<String> words = new ArrayList<>();
    byte[] input = new byte[0];
    int status = ExitStatus.OK;
    Matcher token = TOKEN.matcher(line + " ;");
    while (token.find()) {
      String operator = token.group(3);
      if (operator == null) {
        words.addAll(words(token));
        continue;
      }
      byte[] output = new byte[0];
      if (!words.isEmpty()) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        status = program(words, input, out);
        output = out.toByteArray();
        words.clear();
      }
      input = new byte[0];
      switch (operator) {
        case "|" -> input = output;
        case ">", ">>" -> {
          boolean isThere = token.find();
          assert isThere : line;
          write(words(token).getFirst(), output, operator.equals(">>"));
        }
        default -> {} // The next one goes by the status alone.
      }
      if (!operator.startsWith(">") && (status == ExitStatus.OK) == operator.equals("||")) {
        return status;
      }
    }
    return status;
  }

  private List<String> words(Matcher token) throws IOException {
    String quoted = token.group(1) == null ? token.group(2) : token.group(1);
    return quoted == null ? files(meaning.apply(token.group())) : List.of(quoted);
  }

  private static void write(String name, byte[] output, boolean isAppended) throws IOException {
    Path target = Path.of(name);
    Files.createDirectories(target.getParent());
    Files.write(
        target,
        output,
        StandardOpenOption.CREATE,
        isAppended ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING);
  }

  private int program(List<String> words, byte[] input, ByteArrayOutputStream out)
      throws IOException, InterruptedException {
    String name = words.getFirst();
    if (name.equals("gds")) {
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      int status =
          GdsCommand.run(
              new Streams(new ByteArrayInputStream(input), out, err),
              words.subList(1, words.size()).toArray(new String[0]));
      errors.append(err.toString(UTF_8));
      return status;
    }
    if (!Files.isExecutable(Path.of("/usr/bin", name))) {
      return ExitStatus.OK; // It is no part of what is tried here.
    }
    Path file = Files.createTempFile(root, "input", "");
    Files.write(file, input);
    Process process =
        new ProcessBuilder(words)
            .directory(root.resolve("work").toFile())
            .redirectInput(file.toFile())
            .redirectErrorStream(true)
            .start();
    out.write(process.getInputStream().readAllBytes());
    int status = process.waitFor();
    if (status != ExitStatus.OK) {
      errors.append(out.toString(UTF_8));
    }
    return status;
  }

  /** The names under the root of what a word names, which is the word itself if it is no file. */
  private List<String> files(String word) throws IOException {
    if (word.equals("/")) {
      return List.of(root.toString());
    }
    if (word.startsWith("~/")) {
      return List.of(root.resolve("home").resolve(word.substring(2)).toString());
    }
    if (word.startsWith("/") || !FILE.matcher(word).matches()) {
      return List.of(
          ROOTED.matcher(word).replaceAll("$1" + Matcher.quoteReplacement(root.toString()) + "$2"));
    }
    Path path = root.resolve("work").resolve(word);
    if (!word.contains("*")) {
      return List.of(path.toString());
    }
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(path.getParent(), path.getFileName().toString())) {
      files.forEach(file -> found.add(file.toString()));
    }
    return found;
  }
}
