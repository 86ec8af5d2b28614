package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Locking within a limit, in a JVM of its own that has lost the right to lock without one. That
 * takes two programs of util-linux.
 */
class LockedMemoryTest {

  private static List<String> linesUnderLimit(long limitBytes) throws Exception {
    assumeTrue(hasProgram("prlimit") && hasProgram("setpriv"), "util-linux is not installed");
    List<String> command = new ArrayList<>();
    if (ProcessStatus.read().text("Uid").orElse("").startsWith("0")) {
      command.addAll(List.of("setpriv", "--inh-caps=-ipc_lock", "--bounding-set=-ipc_lock", "--"));
    }
    command.addAll(List.of("prlimit", "--memlock=" + limitBytes + ":" + limitBytes, "--"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx64m"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor(60, TimeUnit.SECONDS);
    assumeTrue(!output.contains("setpriv:"), output);
    assertEquals(0, process.exitValue(), output);
    return output.lines().filter(line -> line.startsWith("> ")).toList();
  }

  private static boolean hasProgram(String name) {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, name)));
  }

  @Test
  void memoryIsLockedUpToTheLimitAndARefusalNamesNeedAndLimit() throws Exception {
    assertEquals(
        List.of(
            "> map: needBytes=4194304 lockedBytes=0 limitBytes=1048576",
            "> used after map: 0",
            "> commit: locked",
            "> locked: 524288",
            "> commit: needBytes=1048576 lockedBytes=524288 limitBytes=1048576",
            "> used after commit: 524288",
            "> locked: 524288",
            "> decommit: locked",
            "> locked: 0"),
        linesUnderLimit(1 << 20));
  }

  @Test
  void limitOfNothingIsNamedToo() throws Exception {
    List<String> lines = linesUnderLimit(0);
    assertEquals("> map: needBytes=4194304 lockedBytes=0 limitBytes=0", lines.getFirst());
    assertEquals("> locked: 0", lines.get(3));
  }

  static final class Main {
    private static final long COMMITTED = 512 << 10;

    private Main() {}

    public static void main(String[] arguments) throws IOException {
      MemoryBudget budget = MemoryBudget.root("test", 64 << 20);
      RegionOptions options = RegionOptions.ofSize(4 << 20).withLocked(true);
      attempt("map", () -> Region.map(budget, options).close());
      say("used after map: " + budget.usedBytes());
      RegionOptions small = options.withHugePages(HugePages.OFF);
      try (Region region = Region.reserve(budget, small)) {
        attempt("commit", () -> region.commit(0, COMMITTED));
        sayLocked();
        attempt("commit", () -> region.commit(1 << 20, 1 << 20));
        say("used after commit: " + budget.usedBytes());
        sayLocked();
        if (region.committedBytes() > 0) {
          attempt("decommit", () -> region.decommit(0, COMMITTED));
        }
        sayLocked();
      }
    }

    private static void attempt(String name, Runnable action) {
      try {
        action.run();
        say(name + ": locked");
      } catch (UncheckedIOException e) {
        say(name + ": " + e.getMessage().replaceAll(".*: (?=needBytes)", ""));
      }
    }

    private static void sayLocked() throws IOException {
      say("locked: " + ProcessStatus.read().bytes("VmLck").orElse(-1));
    }

    private static void say(String text) {
      System.out.println("> " + text);
    }
  }
}
