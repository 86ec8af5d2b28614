package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsProcess.nobody;
import static io.ewok.gds.cli.GdsProcess.shell;
import static io.ewok.gds.cli.GdsRun.gds;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.lsm.ReadOnlyStore;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the command behaves under a shell, as a process of its own. */
class ShellTest {
  private static final int RECORDS = 20_000;

  /** More than a pipe holds. */
  private static final String VALUE = "x".repeat(40);

  @TempDir private Path temp;
  private Path store;

  @BeforeEach
  void makeStore() throws IOException {
    store = temp.resolve("store");
    Path input = temp.resolve("input.tsv");
    Files.writeString(
        input,
        IntStream.range(0, RECORDS)
            .mapToObj(i -> "%06d\t%s\n".formatted(i, VALUE))
            .collect(Collectors.joining()));
    assertEquals(ExitStatus.OK, gds("load", store, input).status());
  }

  /** The records that are found later are those of the input, all of them. */
  private void requireWhole() {
    assertEquals(RECORDS, gds("scan", store).ok().lines().count());
  }

  @Test
  void closedPipeEndsQuietly() throws Exception {
    GdsProcess scan = shell(temp, "$GDS scan $1 | head -1; exit ${PIPESTATUS[0]}", store);
    assertEquals("000000\t" + VALUE + "\n", scan.quiet(ExitStatus.CLOSED_PIPE).out());
    shell(temp, "$GDS dump $1 --format export | head -c 9; exit ${PIPESTATUS[0]}", store)
        .quiet(ExitStatus.CLOSED_PIPE);
    requireWhole();
  }

  @Test
  void viewsEndWithWhoeverLooked() throws Exception {
    try (Store open = Store.open(store, StoreOptions.defaults())) {
      GdsProcess top = shell(temp, "$GDS top $1 | head -1; exit ${PIPESTATUS[0]}", store);
      assertTrue(top.quiet(ExitStatus.CLOSED_PIPE).out().startsWith("store"), top.out());
      Process process = GdsProcess.builder(temp, "exec $GDS top $1", store).start();
      try (BufferedReader reader = process.inputReader()) {
        assertTrue(reader.readLine().startsWith("store"));
        GdsProcess.interrupt(process);
        GdsProcess.ended(process, temp).quiet(ExitStatus.INTERRUPTED);
      }
      assertTrue(open.stats().engine().length() > 0);
    }
  }

  @Test
  void outputThatTakesNothingIsAnError() throws Exception {
    for (String command : List.of("scan $1", "--help")) {
      String failure = shell(temp, "$GDS " + command + " >/dev/full", store).failure(1);
      assertTrue(failure.endsWith("No space left on device"), failure);
    }
  }

  /**
   * Java opens files of its own under the numbers of closed streams, were nothing done about it.
   */
  @Test
  void closedStreamsAreErrors() throws Exception {
    Path other = temp.resolve("other");
    String noInput = shell(temp, "$GDS load $1 - <&-", other).failure(ExitStatus.FAILED);
    assertTrue(noInput.contains("cannot read standard input"), noInput);
    String noOutput = shell(temp, "$GDS get $1 000000 >&-", store).failure(ExitStatus.FAILED);
    assertTrue(noOutput.contains("cannot write to standard output"), noOutput);
    shell(temp, "$GDS get $1 none 2>&-", store).quiet(ExitStatus.FAILED);
    shell(temp, "$GDS put $1 new value <&- >&- 2>&-", store).quiet(ExitStatus.OK);
    assertEquals("value\n", gds("get", store, "new").ok());
  }

  @Test
  void interruptedLoadLeavesAGoodStore() throws Exception {
    Path other = temp.resolve("other");
    Process load = GdsProcess.builder(temp, "exec $GDS load $1 --synced", other).start();
    int given = 0;
    try (OutputStream lines = load.getOutputStream()) {
      while (stored(other) == 0) {
        for (int end = given + 1_000; given < end; given++) {
          lines.write("%08d\n".formatted(given).getBytes(UTF_8));
        }
        lines.flush();
      }
      long stored = stored(other);
      GdsProcess.interrupt(load);
      GdsProcess.ended(load, temp).quiet(ExitStatus.INTERRUPTED);
      assertTrue(stored(other) >= stored);
    }
    List<String> keys = gds("scan", other).ok().lines().map(line -> line.substring(0, 8)).toList();
    assertFalse(keys.isEmpty());
    for (int i = 0; i < keys.size(); i++) {
      assertEquals("%08d".formatted(i), keys.get(i));
    }
    gds("put", other, "after", "it").ok();
    assertEquals(ExitStatus.OK, gds("verify", other).status());
  }

  /** How many records who follows a store sees; 0 while there is none. */
  private static long stored(Path directory) throws Exception {
    Thread.sleep(20);
    try (ReadOnlyStore open = Store.openReadOnly(directory, StoreOptions.defaults())) {
      return open.sequence();
    } catch (IOException e) {
      return 0; // It is being made.
    }
  }

  @Test
  void interruptedReadersLeaveNothing() throws Exception {
    gds("compact", store).ok();
    Process dump = GdsProcess.builder(temp, "exec $GDS dump $1 --format tsv", store).start();
    try (BufferedReader reader = dump.inputReader()) {
      assertTrue(reader.readLine().startsWith("000000"));
      GdsProcess.interrupt(dump); // which cannot go on, as the pipe is full
      GdsProcess.ended(dump, temp).quiet(ExitStatus.INTERRUPTED);
    }
    Path backups = temp.resolve("backups");
    interruptedOnceThereAre(
        backups, "backup", store, backups, "--set", "throttle.backup.read=/100KB");
    assertTrue(gds("verify-backup", backups).ok().contains("0 problems"));
    gds("backup", store, backups).ok();
    Path restored = temp.resolve("restored");
    Path settings = temp.resolve("settings.conf");
    Files.writeString(settings, "throttle.backup.write = /100KB\n");
    Path unfinished = temp.resolve("restored.copying");
    interruptedOnceThereAre(unfinished, "restore", backups, restored, "--config", settings);
    assertFalse(Files.exists(restored));
    gds("restore", backups, restored).ok(); // which removes what was left
    assertFalse(Files.exists(unfinished));
    assertEquals(RECORDS, gds("scan", restored).ok().lines().count());
    requireWhole();
  }

  /** Runs what takes seconds, and interrupts it when it has made a file somewhere. */
  private void interruptedOnceThereAre(Path files, Object... words) throws Exception {
    Process process = GdsProcess.builder(temp, "exec $GDS \"$@\"", words).start();
    while (isEmpty(files)) {
      assertTrue(process.isAlive(), Files.readString(temp.resolve("err")));
      Thread.sleep(10);
    }
    GdsProcess.interrupt(process);
    GdsProcess ended = GdsProcess.ended(process, temp);
    assertEquals(ExitStatus.INTERRUPTED, ended.status(), ended.err());
    assertFalse(ended.err().contains("gds: "), ended.err()); // But how far it has come.
  }

  private static boolean isEmpty(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return true;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      return files.noneMatch(Files::isRegularFile);
    }
  }

  /** What a line prints on a terminal, with what the environment says before it. */
  private String onTerminal(String environment, String line) throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "no program for terminals");
    String command = "%s script -qec \"$GDS %s\" /dev/null".formatted(environment, line);
    GdsProcess ended = shell(temp, command, store);
    assertEquals(0, ended.status(), ended.err() + ended.out());
    return ended.out();
  }

  @Test
  void coloursAreForTerminalsThatAreWanted() throws Exception {
    assertTrue(onTerminal("TERM=xterm", "get --help").contains("\u001B[1m"));
    assertFalse(onTerminal("TERM=xterm NO_COLOR=1", "get --help").contains("\u001B"));
    assertFalse(onTerminal("TERM=dumb", "get --help").contains("\u001B"));
  }

  @Test
  void barIsDrawnOnOneLineAndErased() throws Exception {
    // More than a process loads before the first look at it.
    Files.writeString(
        temp.resolve("lines"),
        IntStream.range(0, 300_000).mapToObj(i -> i + "\n").collect(Collectors.joining()));
    String plain = onTerminal("TERM=xterm NO_COLOR=1", "load plain lines");
    assertTrue(plain.contains("\r\u001B[K\u001B[?7lloading"), plain);
    assertFalse(plain.contains("\u001B[3"), plain);
    int last = plain.lastIndexOf("\u001B[?7h\r\u001B[K");
    assertTrue(last > plain.lastIndexOf("loading"), plain);
    assertTrue(onTerminal("TERM=xterm", "load coloured lines").contains("\u001B[32m"));
  }

  @Test
  void argumentsThatAreNoTextAreRefused() throws Exception {
    Path beside = temp.resolve("beside");
    for (String command : List.of("put $1 $'k\\xff' v", "put $1/$'d\\xff' k v")) {
      String refusal = shell(temp, "$GDS " + command, beside).failure(ExitStatus.USAGE);
      assertTrue(refusal.contains("--hex"), refusal);
      assertFalse(Files.exists(beside));
    }
    shell(temp, "LC_ALL=C $GDS put $1 ключ $'\\xef\\xbf\\xbd'", beside).quiet(ExitStatus.OK);
    assertEquals("\uFFFD\n", gds("get", beside, "ключ").ok());
  }

  @Test
  void charactersAreLostWhereBytesAreNoText() {
    ArgumentBytes bytes =
        new ArgumentBytes(new byte[] {'j', 0, 'a', 0, (byte) 0xC3, (byte) 0xA9, 0}, UTF_8);
    assertTrue(bytes.lost("a", "é").isEmpty());
    assertTrue(bytes.lost("a", "\uFFFD").isEmpty()); // Not what became of these bytes.
    ArgumentBytes broken = new ArgumentBytes(new byte[] {'a', 0, (byte) 0xC3, 0}, UTF_8);
    assertTrue(broken.lost("a", "\uFFFD").orElseThrow().endsWith("argument=\uFFFD"));
    assertTrue(new ArgumentBytes(new byte[0], UTF_8).lost("\uFFFD").isPresent());
    assertTrue(new ArgumentBytes(new byte[0], UTF_8).lost("a").isEmpty());
  }

  @Test
  void whatIsNotPermittedIsToldInOneLine() throws Exception {
    String nobody = nobody(temp);
    Path locked = temp.resolve("locked");
    gds("put", locked, "key", "value").ok();
    byte[] before = Files.readAllBytes(locked.resolve("MANIFEST"));
    for (String command : List.of("get $1 key", "put $1 key other")) {
      String failure = shell(temp, nobody + "$GDS " + command, locked).failure(ExitStatus.FAILED);
      assertTrue(failure.contains("permission denied: path=" + locked), failure);
    }
    assertArrayEquals(before, Files.readAllBytes(locked.resolve("MANIFEST")));
    assertNotEquals("", gds("get", locked, "key").ok());
  }
}
