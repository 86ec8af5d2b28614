package io.ewok.gds.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * The command as its users have it: the launcher, which starts a process on the module path, under
 * a shell.
 *
 * @param status of the shell, or of what it ended with
 */
record GdsProcess(int status, String out, String err) {
  private static final int MINUTES_MAX = 15;

  /** Whoever started the build may have signals ignored, which processes inherit. */
  private static final List<String> FRESH = List.of("env", "--default-signal=INT,PIPE,TERM");

  /**
   * Starts a line of bash, in which {@code $GDS} is the command and {@code $1} the first word.
   *
   * @param directory where it is, and where {@code err} gets what it says of errors
   */
  static ProcessBuilder builder(Path directory, String line, Object... words) throws IOException {
    List<String> command = new ArrayList<>(FRESH);
    command.addAll(List.of("bash", "--norc", "-c", line, "bash"));
    Arrays.stream(words).map(Object::toString).forEach(command::add);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectError(directory.resolve("err").toFile());
    Map<String, String> environment = builder.environment();
    environment.put("GDS", launcher().toString());
    List.of(
            EngineArguments.CONFIG_VARIABLE,
            "NO_COLOR",
            "COLUMNS",
            "JDK_JAVA_OPTIONS",
            "JAVA_TOOL_OPTIONS",
            "BASH_ENV")
        .forEach(environment::remove);
    return builder;
  }

  /** Runs such a line to its end, with an empty standard input. */
  static GdsProcess shell(Path directory, String line, Object... words) throws Exception {
    Path out = directory.resolve("out");
    Process process =
        builder(directory, line, words)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(out.toFile())
            .start();
    return ended(process, directory, Files.readString(out, UTF_8));
  }

  /** Waits for the end of what was started, which did not print into a file. */
  static GdsProcess ended(Process process, Path directory) throws Exception {
    return ended(process, directory, "");
  }

  private static GdsProcess ended(Process process, Path directory, String before) throws Exception {
    Path out = directory.resolve("out");
    boolean ended = process.waitFor(MINUTES_MAX, TimeUnit.MINUTES);
    process.toHandle().destroyForcibly();
    String err = Files.readString(directory.resolve("err"), UTF_8);
    assertTrue(ended, "still running: " + err);
    String printed = Files.exists(out) ? Files.readString(out, UTF_8) : before;
    return new GdsProcess(process.exitValue(), printed, err);
  }

  /** What Ctrl-C does to a process. */
  static void interrupt(Process process) throws Exception {
    Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
    assertEquals(0, kill.waitFor());
  }

  /** Requires an end with this status, and an error of one line, which is returned. */
  String failure(int expectedStatus) {
    assertEquals(expectedStatus, status, err);
    List<String> lines = err.lines().toList();
    assertEquals(1, lines.stream().filter(line -> line.startsWith("gds: ")).count(), err);
    assertTrue(lines.stream().noneMatch(line -> line.startsWith("\tat ")), err);
    return lines.stream().filter(line -> line.startsWith("gds: ")).findFirst().orElseThrow();
  }

  /** Requires an end with this status that nothing is said of. */
  GdsProcess quiet(int expectedStatus) {
    assertEquals("", err);
    assertEquals(expectedStatus, status);
    return this;
  }

  /** Starts a line of the shell: the rest of it is run by an ordinary user without capabilities. */
  static String nobody(Path directory) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can be somebody else");
    String nobody =
        "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all --ambient-caps -all"
            + " --bounding-set -all ";
    GdsProcess version = shell(directory, nobody + "$GDS --version");
    assumeTrue(version.status() == 0, "the source tree is not for everybody: " + version.err());
    return nobody;
  }

  /** The launcher of this source tree, beside what the build has made so far. */
  static Path launcher() {
    return Launcher.PATH;
  }

  /** Made once for all tests of a process; others may make theirs at the same time. */
  private static final class Launcher {
    static final Path PATH = make();

    private static Path make() {
      String process = System.getProperty("gds.test.process", "process");
      Path root = Path.of("target", "launched", process).toAbsolutePath();
      Path lib = root.resolve("cli/target/lib");
      try {
        Files.createDirectories(lib);
        try (Stream<Path> old = Files.list(lib)) {
          for (Path file : old.toList()) {
            Files.delete(file);
          }
        }
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
          Path path = Path.of(entry);
          boolean isOurs = !entry.endsWith("test-classes") && !entry.endsWith("-tests.jar");
          if (isOurs && entry.endsWith(".jar")) {
            // A copy, since what Maven keeps is not for everybody if it is root's.
            Path jar = lib.resolve(path.getFileName());
            Files.copy(path, jar, StandardCopyOption.REPLACE_EXISTING);
            assertTrue(jar.toFile().setReadable(true, false));
          } else if (isOurs && !entry.isEmpty()) {
            pack(path, lib);
          }
        }
        Path build = root.resolve("build");
        Files.writeString(build, "#!/bin/sh\necho '" + System.getProperty("java.home") + "'\n");
        Path launcher = root.resolve("gds");
        Files.copy(Path.of("..", "gds"), launcher, StandardCopyOption.REPLACE_EXISTING);
        for (Path program : List.of(build, launcher)) {
          assertTrue(program.toFile().setExecutable(true, false), program.toString());
        }
        Files.writeString(lib.resolve(".complete"), "");
        return launcher;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** A module path takes no links to directories: makes a jar of one. */
    private static void pack(Path classes, Path lib) throws IOException {
      Path jar = Files.createTempFile(lib, "gds-", ".jar");
      try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar));
          Stream<Path> files = Files.walk(classes)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          zip.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
          Files.copy(file, zip);
        }
      }
      assertTrue(jar.toFile().setReadable(true, false));
    }
  }
}
