package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.SlottedPage;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.lsm.Store;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/**
 * What documents and help show to be typed is done here, each line where all is that it speaks of,
 * and has to end well. What is not done is listed with the reason.
 */
class ShownCommandsTest {
  private static final String SMALL = "--memory=12M";

  /** Lines that are only parsed ({@link DocumentedCommandsTest}), by the reason. */
  private static final Map<String, Pattern> NOT_DONE =
      Map.of(
          "takes a minute or more, and is of the module bench, whose tests do with it what they can",
          Pattern.compile("gds bench .*"),
          "loads what the machine has installed, or as much: DemoTest does it with less",
          Pattern.compile("gds demo.*"),
          "is this build",
          Pattern.compile("build verify.*"),
          "is for the shell that it is typed into: UsageTest completes with it",
          Pattern.compile("source <\\(gds completion\\)"));

  /** What has to be done before lines that begin so. */
  private static final Map<String, String> BEFORE =
      Map.of(
          "gds family clone", "gds family create /tmp/store users",
          "gds family drop", "gds family create /tmp/store users",
          "gds config check gds.conf", "gds config reference > gds.conf",
          "gds config show --config gds.conf", "gds config reference > gds.conf",
          "gds backup", "rm -r /mnt/backups");

  /** What stands for something in lines, and what it stands for here. */
  private static final Map<String, String> STANDS_FOR =
      Map.of(
          "BACKUPS", "/mnt/backups",
          "COPY", "/tmp/copy",
          "DATABASE", "/var/lib/rocks",
          "KEY", "greeting",
          "N", "1",
          "12", "1",
          "F", "arc");

  /** What lines speak of, and get copies of if they do. */
  private static final List<String> PARTS =
      List.of("tmp/store", "data/store", "mnt/backups", "var/lib/rocks", "var/lib/mydata", "work");

  @TempDir private static Path temp;
  private static Path all;
  private static long sequence;
  private static Instant time;

  @BeforeAll
  static void makeWhatIsSpokenOf() throws Exception {
    all = temp.resolve("all");
    Path work = all.resolve("work");
    for (String name : List.of("work/backup", "tmp", "data", "mnt", "var/lib")) {
      Files.createDirectories(all.resolve(name));
    }
    Files.writeString(work.resolve("words.txt"), "one\ntwo\n");
    Files.writeString(work.resolve("people.csv"), "id,name\n1,Ada\n2,Grace\n");
    Files.writeString(work.resolve("io.csv"), "time,lbn,size\n1,0,4096\n2,8,512\n3,0,512\n");
    try (OutputStream trace = new GZIPOutputStream(Files.newOutputStream(work.resolve("p3.gz")))) {
      for (int i = 0; i < 200; i++) {
        trace.write("%d %d 0 %d\n".formatted(i * 7 % 90, 1 + i % 5, i).getBytes(UTF_8));
      }
    }
    Path keys = Files.writeString(work.resolve("store.keys"), "1 " + "0f".repeat(32) + "\n");
    Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
    makePages(work.resolve("data.pages"));
    makeRocks(all.resolve("var/lib/rocks"), work.resolve("backup/000012.sst"));
    makeStore(all.resolve("tmp/store"));
    makeStore(all.resolve("data/store"));
    makeStore(all.resolve("var/lib/mydata"));
    Path archived = temp.resolve("archived");
    Path backups = all.resolve("mnt/backups");
    makeStore(archived);
    gds("backup", archived, backups, "--set", "store.archive=" + backups.resolve("log")).ok();
    gds("put", archived, "later", "value").ok();
    sequence = (Long) gds("stats", archived, "--json").json().getFirst().get("sequence");
    time = Instant.now();
    Thread.sleep(2); // Marks of the time are of milliseconds.
    gds("put", archived, "last", "value").ok();
    gds("backup", archived, backups).ok();
  }

  private static void makeStore(Path store) {
    gds("put", store, "greeting", "hello", SMALL).ok();
    gds("put", store, "--hex", "00ff", "68656c6c6f", SMALL).ok();
    for (String key : List.of("/usr/bin/ls", "apple", "user/1")) {
      gds("put", store, key, "value", SMALL).ok();
    }
    gds("compact", store, SMALL).ok();
  }

  private static void makePages(Path file) throws IOException {
    BufferOptions options = new BufferOptions(1 << 20, 8192, null);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        BufferManager manager =
            new BufferManager(engine, MemoryBudget.root("pages", options.memoryBytes()), options);
        CachedPageFile pages =
            manager.openPages(
                file, PageSize.BYTES_8192, OpenMode.CREATE_NEW, TornPages.DOUBLE_WRITE);
        Fix fix = new Fix()) {
      for (int i = 1; i <= 6; i++) {
        pages.create(fix);
        SlottedPage.insert(fix.segment(), MemorySegment.ofArray("item".getBytes(UTF_8)));
        fix.unfix();
      }
    }
  }

  private static void makeRocks(Path database, Path table) throws Exception {
    RocksDB.loadLibrary();
    try (Options options = new Options().setCreateIfMissing(true);
        RocksDB rocks = RocksDB.open(options, database.toString());
        FlushOptions waiting = new FlushOptions().setWaitForFlush(true)) {
      rocks.put("key".getBytes(UTF_8), "value".getBytes(UTF_8));
      rocks.flush(waiting);
      String name = rocks.getLiveFilesMetaData().getFirst().fileName();
      Files.copy(Path.of(database.toString(), name), table);
    }
  }

  private static List<String> ofDocuments() throws IOException {
    List<String> lines = new ArrayList<>();
    for (String name : List.of("README.md", "ARCHITECTURE.md", "SECURITY.md")) {
      DocumentedCommandsTest.typedIn(Files.readString(Path.of("..", name))).stream()
          .map(line -> line.replaceAll("\\s+", " ").replaceAll("\\./(gds|build)", "$1").strip())
          .forEach(lines::add);
    }
    return lines;
  }

  private static List<String> ofHelp() {
    return DocumentedCommandsTest.tree(DocumentedCommandsTest.commands())
        .flatMap(command -> Stream.of(command.getCommandSpec().usageMessage().footer()))
        .filter(footer -> footer.startsWith("  ") && footer.contains("gds "))
        .map(footer -> footer.strip().replaceAll(" {2,}.*", "").replace("%%", "%"))
        .toList();
  }

  private static boolean isDone(String line) {
    return NOT_DONE.values().stream().noneMatch(pattern -> pattern.matcher(line).matches());
  }

  /** Does all lines that may be done, each in a place of its own. */
  private static void requireDone(List<String> lines, int atLeast) throws Exception {
    List<String> wrong = new ArrayList<>();
    List<String> done =
        lines.stream()
            .distinct()
            .filter(ShownCommandsTest::isDone)
            .flatMap(ShownCommandsTest::choices)
            .toList();
    for (String line : done) {
      Path root = temp.resolve("root");
      copyParts(line, root);
      TypedLine typed = new TypedLine(root, word -> meant(root, line, word));
      int status = run(typed, root, line);
      if (status != ExitStatus.OK) {
        wrong.add(line + " ended with " + status + ": " + typed.errors());
      }
      delete(root);
    }
    assertEquals(List.of(), wrong);
    assertTrue(done.size() >= atLeast, done.toString());
  }

  private static int run(TypedLine typed, Path root, String line) throws Exception {
    for (Map.Entry<String, String> before : BEFORE.entrySet()) {
      if (line.startsWith(before.getKey())) {
        assertEquals(ExitStatus.OK, typed.run(before.getValue()), typed.errors());
      }
    }
    if (!line.startsWith("gds top ")) {
      return typed.run(line);
    }
    // Somebody has the store open, for a while: then it ends by itself.
    Path path = root.resolve(line.contains("mydata") ? "var/lib/mydata" : "tmp/store");
    Store store = Store.open(path, StoreOptions.defaults());
    CompletableFuture<Void> closed =
        CompletableFuture.runAsync(
            () -> {
              try {
                store.close();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            },
            CompletableFuture.delayedExecutor(2_500, TimeUnit.MILLISECONDS));
    int status = typed.run(line);
    closed.join();
    return status;
  }

  /** A line, or one for each of several words of which one is to be chosen. */
  private static Stream<String> choices(String line) {
    List<String> words = List.of(line.split(" ", -1));
    if (words.size() == 2
        && List.of("family", "verify", "repair", "stats").contains(words.get(1))) {
      return Stream.of(line + " --help"); // It is spoken of.
    }
    return IntStream.range(0, words.size())
        .filter(i -> words.get(i).matches("\\w+(\\|\\w+)+"))
        .mapToObj(words::get)
        .findFirst()
        .map(several -> Stream.of(several.split("\\|", -1)).map(one -> line.replace(several, one)))
        .orElse(Stream.of(line));
  }

  private static String meant(Path root, String line, String word) {
    if (word.matches("/tmp/store/[0-9a-f]{16}\\.table")) {
      return "/tmp/store/" + tableIn(root.resolve("tmp/store"));
    }
    return switch (word) {
      case "DIR" -> line.startsWith("gds restore") ? "/tmp/fresh" : "/tmp/store";
      case "FILE" ->
          line.contains(" page ") ? "data.pages" : line.contains("trace") ? "p3.gz" : "store.keys";
      case "T", "2026-11-22T09:30:00Z" -> time.toString();
      case "73400320" -> Long.toString(sequence);
      default ->
          word.equals("N") && line.contains("--to-sequence")
              ? Long.toString(sequence)
              : STANDS_FOR.getOrDefault(word, word);
    };
  }

  private static String tableIn(Path store) {
    try (Stream<Path> files = Files.list(store)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".table"))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void copyParts(String line, Path root) throws IOException {
    String spoken = line.replace("DIR", "/tmp/store");
    for (Map.Entry<String, String> name : STANDS_FOR.entrySet()) {
      spoken = spoken.replace(name.getKey(), name.getValue());
    }
    for (String name : List.of("tmp", "data", "mnt/other", "var/lib", "home")) {
      Files.createDirectories(root.resolve(name));
    }
    for (String part : PARTS) {
      if (!part.equals("work") && !spoken.contains("/" + part)) {
        continue;
      }
      try (Stream<Path> files = Files.walk(all.resolve(part))) {
        for (Path file : files.toList()) {
          Files.copy(
              file,
              root.resolve(all.relativize(file).toString()),
              StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Test
  void linesOfDocumentsEndWell() throws Exception {
    requireDone(ofDocuments(), 20);
  }

  @Test
  void examplesOfHelpEndWell() throws Exception {
    requireDone(ofHelp(), 65);
  }

  @Test
  void everyReasonIsNeeded() throws IOException {
    List<String> lines = new ArrayList<>(ofDocuments());
    lines.addAll(ofHelp());
    NOT_DONE.forEach(
        (reason, pattern) ->
            assertTrue(lines.stream().anyMatch(line -> pattern.matcher(line).matches()), reason));
    for (String begin : BEFORE.keySet()) {
      assertTrue(lines.stream().anyMatch(line -> line.startsWith(begin)), begin);
    }
  }

  @Test
  void whatFailsIsSeen() throws Exception {
    Path root = temp.resolve("fails");
    copyParts("/tmp/store", root);
    TypedLine typed = new TypedLine(root, word -> word);
    assertNotEquals(0, typed.run("gds get /tmp/store none | cat > out.txt"));
    assertTrue(typed.errors().contains("no such key"), typed.errors());
    assertEquals(0, typed.run("gds verify /tmp/store && gds put /tmp/store 'a key' v"));
    assertEquals(0, typed.run("gds get /tmp/store \"a key\" >> out.txt"));
    assertEquals("v\n", Files.readString(root.resolve("work/out.txt")));
    assertNotEquals(0, typed.run("gds verify /tmp/none && gds get /tmp/store greeting"));
    assertEquals(0, typed.run("gds verify /tmp/none || gds get /tmp/store greeting"));
  }
}
