package io.ewok.gds.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The arguments that the reports have in common, and those of one report.
 *
 * @param help whether only the usage is wanted
 * @param quick whether to end within a minute
 * @param json whether to print JSON lines
 * @param rounds how often everything is measured; 0 if nothing was said
 * @param others values of the report's own arguments, by name
 */
record ReportArguments(
    boolean help, boolean quick, boolean json, int rounds, Map<String, String> others) {
  /** The name of the option that {@link #directory} reads. */
  static final String DIRECTORY = "--directory";

  /** The name of the option that {@link BenchFile#open} reads. */
  static final String FILE = "--file";

  private static final String OUTPUT = "--output";
  private static final String HTML = "--html";
  private static final Set<String> FILES = Set.of(OUTPUT, HTML);

  /**
   * Reads the arguments.
   *
   * @param own names of the report's own ones; each has a value
   * @throws IllegalArgumentException with what to tell the user
   */
  static ReportArguments parse(String[] args, Set<String> own) {
    boolean help = false;
    boolean quick = false;
    boolean json = false;
    int rounds = 0;
    Map<String, String> others = new HashMap<>();
    for (int i = 0; i < args.length; i++) {
      String name = args[i];
      switch (name) {
        case "--help", "-h" -> help = true;
        case "--quick" -> quick = true;
        case "--json" -> json = true;
        case "--rounds" -> {
          String number = i + 1 < args.length ? args[++i] : "";
          if (!number.matches("[1-9][0-9]{0,3}")) {
            throw new IllegalArgumentException("--rounds needs a number from 1 to 9999");
          }
          rounds = Integer.parseInt(number);
        }
        default -> {
          if (!own.contains(name) && !FILES.contains(name)) {
            throw new IllegalArgumentException("unknown argument: " + name);
          }
          if (i + 1 == args.length) {
            throw new IllegalArgumentException(name + " needs a value");
          }
          others.put(name, args[++i]);
          if (FILES.contains(name)) {
            requireWritable(name, Path.of(args[i]));
          }
        }
      }
    }
    return new ReportArguments(help, quick, json, rounds, others);
  }

  /** Returns how often everything is measured. */
  int roundsOr(int usual) {
    return rounds > 0 ? rounds : usual;
  }

  /**
   * Returns the value of an option of the report.
   *
   * @throws IllegalArgumentException if it is not a number within these bounds
   */
  int number(String name, int usual, int min, int max) {
    String text = others.get(name);
    if (text == null) {
      return usual;
    }
    int number = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
    if (number < min || number > max) {
      throw new IllegalArgumentException(
          "%s needs a number from %d to %d".formatted(name, min, max));
    }
    return number;
  }

  /**
   * Returns where to make files, on the disk in question; that of temporary files if nothing was
   * said.
   *
   * @throws IllegalArgumentException if it is not there
   */
  Path directory() {
    Path directory = Path.of(others.getOrDefault(DIRECTORY, System.getProperty("java.io.tmpdir")));
    if (!Files.isDirectory(directory)) {
      throw new IllegalArgumentException("there is no such directory: path=" + directory);
    }
    return directory;
  }

  /** Before everything is measured, and not afterwards. */
  private static void requireWritable(String name, Path file) {
    Path directory = file.toAbsolutePath().getParent();
    boolean isThere = Files.exists(file);
    if (Files.isDirectory(file)
        || (isThere && !Files.isWritable(file))
        || (!isThere && (directory == null || !Files.isWritable(directory)))) {
      throw new IllegalArgumentException(name + " cannot be written: path=" + file);
    }
  }

  /**
   * Writes the files that were asked for, and says what is wrong if one cannot be written.
   *
   * @param title of the page
   * @param charts of the page; the other file has rows alone
   * @return the exit code: 0, or 1 then
   */
  int write(String title, List<Comparison> rows, List<Chart> charts) {
    try {
      if (others.containsKey(OUTPUT)) {
        ResultFile.write(Path.of(others.get(OUTPUT)), rows);
      }
      if (others.containsKey(HTML)) {
        HtmlReport.write(Path.of(others.get(HTML)), title, rows, charts);
      }
      return 0;
    } catch (IOException e) {
      System.err.println("the results cannot be written: " + e);
      return 1;
    }
  }
}
