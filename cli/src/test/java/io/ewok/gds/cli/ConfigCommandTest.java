package io.ewok.gds.cli;

import static io.ewok.gds.cli.GdsRun.gds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.ProcessMemory;
import io.ewok.gds.allocator.Setting;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.IoRate;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigCommandTest {
  @TempDir private Path temp;

  private Path conf;

  @BeforeEach
  void nameTheFile() {
    conf = temp.resolve("gds.conf");
  }

  private Path conf(String text) throws IOException {
    return Files.writeString(conf, text);
  }

  private static StoreOptions options(Path file) {
    return Configuration.of(ConfigFile.read(file)).options();
  }

  /** What is shown of a setting: its value, and where that comes from. */
  private static Map<String, String> shown(String name, Object... args) {
    Object[] words = new Object[args.length + 3];
    System.arraycopy(new Object[] {"config", "show", "--json"}, 0, words, 0, 3);
    System.arraycopy(args, 0, words, 3, args.length);
    return gds(words).json().stream()
        .filter(line -> line.get("name").equals(name))
        .map(
            line ->
                Map.of("value", (String) line.get("value"), "origin", (String) line.get("origin")))
        .findAny()
        .orElseThrow();
  }

  private String at(int line) {
    return conf + ":" + line;
  }

  // ---- the file

  @Test
  void oneFileSaysHowAStoreAndItsEngineAreOpened() throws IOException {
    conf(
        """
        # everything that a store is opened with
        store {
          pool = 32M
          memtable = 8388608
          compression = [none, lz4, zstd]
          create-if-missing = true
          record-cache = null  // not said
          family.journal { ttl = 90d, style = fifo }
          family."a.b".growth = 8
        }
        io.engine = pool
        io.queue-depth = 16
        throttle.read = "10K/100MB"
        throttle.compaction.write = /50MB
        throttle.backup.depth = 2
        log { segments = 8, segment-bytes = 32M }
        reactor.cpus = ${?GDS_TEST_NOT_SET}
        page-file.step = 1M
        """);
    StoreOptions expected =
        StoreOptions.from(
            Map.ofEntries(
                Map.entry("store.pool", "32M"),
                Map.entry("store.memtable", "8M"),
                Map.entry("store.compression", "none,lz4,zstd"),
                Map.entry("store.family.journal.ttl", "90d"),
                Map.entry("store.family.journal.style", "fifo"),
                Map.entry("store.family.a.b.growth", "8"),
                Map.entry("io.engine", "pool"),
                Map.entry("io.queue-depth", "16"),
                Map.entry("throttle.read", "10K/100MB"),
                Map.entry("throttle.compaction.write", "/50MB"),
                Map.entry("throttle.backup.depth", "2"),
                Map.entry("log.segments", "8"),
                Map.entry("log.segment-bytes", "32M")));
    StoreOptions found = options(conf);
    assertEquals(expected, found);
    assertEquals(IoRate.parse("10K/100MB"), found.engine().throttle().read());
    assertEquals(2, found.engine().throttle().of(WorkClass.BACKUP).depth());
    assertEquals(Duration.ofDays(90), found.tree("journal").ttl());
  }

  @Test
  void commandsOpenStoresAsTheFileSays() throws IOException {
    Path store = temp.resolve("store");
    conf("store.create-if-missing = false\nio.engine = pool");
    String message = gds("put", store, "k", "v", "--config", conf).failure(ExitStatus.FAILED);
    assertTrue(message.contains("createIfMissing=false"), message);
    gds("put", store, "k", "v", "--config", conf, "--set", "store.create-if-missing=true").ok();
    assertEquals(
        "POOL", gds("stats", store, "--json", "--config", conf).json().getFirst().get("engine"));
  }

  @Test
  void flightRecorderReadsWhatIsPrintedForIt() throws Exception {
    String text = gds("config", "jfc").ok();
    Map<String, String> settings =
        jdk.jfr.Configuration.create(new StringReader(text)).getSettings();
    assertEquals("true", settings.get("io.ewok.gds.StoreFlush#enabled"), settings.toString());
    assertEquals("20 ms", settings.get("io.ewok.gds.SlowIo#threshold"), settings.toString());
  }

  @Test
  void nodesOfMemoryAreThoseOfTheFile() throws IOException {
    Path store = temp.resolve("store");
    conf(
        """
        store.huge-pages = off
        store.numa { pool = "preferred:0;local", memtable = "bind:1000" }
        """);
    String message = gds("put", store, "k", "v", "--config", conf).failure(ExitStatus.FAILED);
    assertTrue(message.endsWith(": store.numa.memtable=bind:1000"), message);
    assertFalse(Files.exists(store));
    gds("put", store, "k", "v", "--config", conf, "--set", "store.numa.memtable=local").ok();
    String explained = gds("config", "explain", "store.numa", "--config", conf).ok();
    assertTrue(explained.contains("preferred:0;local"), explained);
    assertTrue(explained.contains("at the next opening"), explained);
  }

  @Test
  void commandsWithoutAStoreTakeTheEngineOfTheFile() throws IOException {
    conf("io.engine = pool");
    String text = gds("doctor", temp, "--config", conf).ok();
    assertTrue(text.lines().anyMatch(line -> line.matches("engine +POOL .*")), text);
  }

  @Test
  void variableNamesTheFile() throws Exception {
    conf("store.growth = 9");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=deny",
            Main.class.getName(),
            "config",
            "show",
            "--changed");
    builder.environment().put("GDS_CONF", conf.toString());
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), err);
    assertEquals("store.growth  9  " + at(1) + "\n", out);
    assertEquals("", err);
  }

  // ---- mistakes

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "store.pol = 1M | 2 | store.pool",
        "sotre.growth = 8 | 2 | store.growth",
        "store { tabel = 1M } | 2 | store.table",
        "io.queue_depth = 8 | 2 | io.queue-depth",
        "store.family.f.pool = 8M | 2 | store.pool",
        "store.family.f.stile = fifo | 2 | store.family.f.style",
        "throttle.backups.read = 8 | 2 | throttle.backup.read",
        "store = 5 | 2 | store.ttl"
      })
  void unknownKeyIsShownWithItsLineAndTheNearest(String text, int line, String nearest)
      throws IOException {
    conf("# first line\n" + text);
    for (GdsRun run :
        List.of(gds("config", "show", "--config", conf), gds("get", temp, "k", "--config", conf))) {
      String message = run.failure(ExitStatus.USAGE);
      assertTrue(message.startsWith("gds: " + at(line) + ": there is no such setting"), message);
      assertTrue(message.contains("the nearest is " + nearest + ": "), message);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "store.pool = much | store.pool=much",
        "store.pool = 1K | store.pool: poolBytes is",
        "store.ttl = 3w | store.ttl=3w",
        "store.growth = 0.5 | store.growth=0.5",
        "store.family.f.ttl = 3w | store.ttl=3w",
        "store.memory = 101% | store.memory=101%",
        "store.memory = 1K | a store cannot run with so little memory",
        "store.compression = [none, lz5] | store.compression=lz5",
        "io.engine = fast | io.engine=fast",
        "throttle.read = 10X | throttle.read=10X",
        "reactor.count = 0 | reactor.count: from 1",
        "page-file.step = 1 | page-file.step=1",
        "numa.policy = nowhere | numa.policy=nowhere",
        "buffers.frame = 5K | buffers.frame: a frame is",
        "buffers.placements = \"bind:0;nowhere\" | buffers.placements=bind:0;nowhere",
        "pages.torn = twice | pages.torn=twice",
        "cleaner.interval-ms = 0 | cleaner.interval-ms: an interval has",
        "log.buffer-bytes = 5 | log.buffer-bytes: a buffer has"
      })
  void wrongValueIsShownWithItsLine(String text, String expected) throws IOException {
    conf("io.queue-depth = 8\n\n" + text);
    String message = gds("config", "show", "--config", conf).failure(ExitStatus.USAGE);
    assertTrue(message.startsWith("gds: " + at(3) + ": "), message);
    assertTrue(message.contains(expected), message);
  }

  @Test
  void checkShowsAllMistakesByTheirLines() throws IOException {
    conf(
        """
        store.growth = 1000
        store.pol = 1M
        store.table = 8M
        io { engine = fast, queue-depth = -1 }
        throttle.reed = 1
        """);
    GdsRun run = gds("config", "check", conf);
    assertEquals(ExitStatus.FAILED, run.status());
    List<String> lines = run.out().lines().toList();
    assertEquals(5, lines.size(), run.out());
    for (int i = 0; i < lines.size(); i++) {
      assertTrue(lines.get(i).startsWith(at(List.of(1, 2, 4, 4, 5).get(i)) + ": "), run.out());
    }
    assertEquals("", run.err());
    String message = gds("get", temp, "k", "--config", conf).failure(ExitStatus.USAGE);
    assertTrue(message.contains("(1 of 5 mistakes"), message);
  }

  @Test
  void valuesThatAreGoodTogetherAreNoMistakes() throws IOException {
    conf("store.batch-max = 32M\nstore.pool = 256M\nstore.memtable = 64M\nlog.segment-bytes = 64M");
    assertEquals(conf + " is good\n", gds("config", "check", conf).ok());
    assertEquals("the options are good\n", gds("config", "check").ok());
    conf("store.batch-max = 32M");
    GdsRun run = gds("config", "check", conf);
    assertEquals(ExitStatus.FAILED, run.status());
    assertTrue(run.out().startsWith(at(1) + ": store.batch-max: "), run.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "store { pool = 1M | 2",
        "store.compression = none,lz4 | 2",
        "store.pool = ${nobody.said.this} | 2",
        "include \"other.conf\" | 2",
        "include url(\"http://localhost/\") | 2",
        "include file(\"/etc/passwd\") | 2",
        "include classpath(\"reference.conf\") | 2",
        "store.compression = [none, {}] | 2"
      })
  void whatIsNotAConfigurationIsRefusedWithItsLine(String text, int line) throws IOException {
    conf("# first line\n" + text);
    String message = gds("config", "check", conf).failure(ExitStatus.USAGE);
    assertTrue(message.startsWith("gds: " + at(line) + ": "), message);
  }

  @Test
  void filesThatCannotBeReadAreNamed() throws IOException {
    String missing = gds("config", "check", conf).failure(ExitStatus.FAILED);
    assertTrue(missing.endsWith("path=" + conf), missing);
    Files.write(conf, new byte[] {'a', '=', (byte) 0xff});
    String binary = gds("config", "check", conf).failure(ExitStatus.FAILED);
    assertTrue(binary.contains("UTF-8"), binary);
    conf("#".repeat(2 << 20));
    String longer = gds("config", "check", conf).failure(ExitStatus.FAILED);
    assertTrue(longer.contains("too long"), longer);
    conf("a = " + "[".repeat(500_000));
    gds("config", "check", conf).failure(ExitStatus.USAGE);
  }

  @Test
  void unknownNameOfAnOptionIsRefusedToo() {
    String message = gds("get", temp, "k", "--set", "sotre.pool=1M").failure(ExitStatus.USAGE);
    assertEquals(
        "gds: there is no such setting; the nearest is store.pool: sotre.pool=1M", message);
  }

  // ---- what holds

  @Test
  void optionsWinOverTheFileAndSettingsOverOptions() throws IOException {
    conf("io.engine = pool\nstore.growth = 9\nstore.growth = 8");
    assertEquals(Map.of("value", "pool", "origin", at(1)), shown("io.engine", "--config", conf));
    assertEquals(
        Map.of("value", "uring", "origin", "--engine"),
        shown("io.engine", "--config", conf, "--engine", "uring"));
    assertEquals(
        Map.of("value", "auto", "origin", "--set"),
        shown("io.engine", "--config", conf, "--engine", "uring", "--set", "io.engine=auto"));
    assertEquals(Map.of("value", "8", "origin", at(3)), shown("store.growth", "--config", conf));
    assertEquals(
        Map.of("value", "7", "origin", "--set"),
        shown("store.growth", "--config", conf, "--set", "store.growth=7"));
    assertEquals(Map.of("value", "10", "origin", "default"), shown("store.growth"));
  }

  @Test
  void memoryIsAShareOfWhatTheProcessMayUse() throws IOException {
    conf("store.memory = 10%\nstore.growth = 8\n");
    long granted = ProcessMemory.limitBytes() / 10;
    StoreOptions options = options(conf);
    assertEquals(StoreSizes.within(granted).memoryBytes(), options.memoryBytes());
    assertTrue(options.memoryBytes() <= granted);
    assertEquals(8, options.tree().growth());
    assertEquals(
        Map.of("value", Long.toString(options.poolBytes()), "origin", "store.memory, " + at(1)),
        shown("store.pool", "--config", conf));
    assertEquals(
        shown("store.pool", "--config", conf).get("value"),
        shown("store.pool", "--memory", "10%").get("value"));
    assertEquals(
        "4194304",
        shown(
                "store.pool",
                "--memory",
                "10%",
                "--set",
                "store.batch-max=128K",
                "--set",
                "store.pool=4194304")
            .get("value"));
  }

  /** Whatever else is said: a container would end a process that takes more. */
  @Test
  void memoryIsNotExceededByOtherSizes() throws IOException {
    conf("store.memory = 512M\nstore.memtable = 64M\nstore.record-cache = 64M\n");
    StoreOptions options = options(conf);
    assertEquals(64 << 20, options.memtableBytes());
    assertTrue(options.memoryBytes() <= 512L << 20, "bytes: " + options.memoryBytes());
    assertEquals(
        Long.toString(options.poolBytes()), shown("store.pool", "--config", conf).get("value"));
    conf("store.memory = 512M\nstore.record-cache = 1G\n");
    String mistake = gds("config", "check", conf).out();
    assertTrue(mistake.contains("what is said of other sizes takes more"), mistake);
    assertTrue(mistake.contains(at(1)), mistake);
  }

  @Test
  void muchMemoryIsNotTooLittle() {
    assertEquals(Long.toString(1L << 30), shown("store.pool", "--memory", "64G").get("value"));
  }

  @Test
  void whatIsNotChangedCanBeLeftOut() throws IOException {
    conf("store.growth = 9\npage-file.step = 1M");
    assertEquals(
        "store.growth    9   " + at(1) + "\npage-file.step  1M  " + at(2) + "\n",
        gds("config", "show", "--changed", "--config", conf).ok());
  }

  @Test
  void allSettingsOfStoresAreShown() {
    assertEquals(
        KnownSettings.stores().stream().map(Setting::name).toList(),
        gds("config", "show", "--json").json().stream().map(line -> line.get("name")).toList());
  }

  // ---- what is said of settings

  @Test
  void settingIsExplainedWithItsValue() throws IOException {
    conf("\nstore.pool = 32M");
    String text = gds("config", "explain", "store.pool", "--config", conf).ok();
    Setting setting = KnownSettings.find("store.pool").orElseThrow();
    for (String part :
        List.of(
            "store.pool: " + setting.meaning(),
            "32M (" + at(2) + ")",
            "64M",
            setting.form(),
            setting.change(),
            setting.cost(),
            "at the next opening")) {
      assertTrue(text.contains(part), part + " in " + text);
    }
  }

  @Test
  void settingIsExplainedAlsoToWhoHasMadeAMistake() throws IOException {
    conf("store.memory = 101%\nstore.pol = 1M");
    String text = gds("config", "explain", "store.memory", "--config", conf).ok();
    assertTrue(text.contains("101% (" + at(1) + ")"), text);
    assertTrue(text.contains("gds alone"), text);
  }

  @Test
  void settingOfAFamilyIsThatOfItsStoreIfNothingIsSaid() throws IOException {
    conf("store.ttl = 5d\nstore.family.journal.growth = 7");
    Map<String, Object> ttl =
        gds("config", "explain", "store.family.journal.ttl", "--config", conf, "--json")
            .json()
            .getFirst();
    assertEquals("5d", ttl.get("value"));
    assertEquals("store.ttl, " + at(1), ttl.get("origin"));
    Map<String, Object> growth =
        gds("config", "explain", "store.family.journal.growth", "--config", conf, "--json")
            .json()
            .getFirst();
    assertEquals("7", growth.get("value"));
    assertEquals(at(2), growth.get("origin"));
  }

  @Test
  void beginningOfNamesExplainsThemAll() {
    List<Map<String, Object>> lines = gds("config", "explain", "page-file", "--json").json();
    assertEquals("page-file.step", lines.getFirst().get("name"));
    assertEquals(false, lines.getFirst().get("gds"));
    assertEquals(22, gds("config", "explain", "throttle.", "--json").json().size());
    String message = gds("config", "explain", "store.pol").failure(ExitStatus.USAGE);
    assertTrue(message.contains("store.pool"), message);
  }

  @Test
  void referenceHasEverySettingWithItsDefault() throws IOException {
    String reference = gds("config", "reference").ok();
    conf(reference);
    assertEquals(List.of(), ConfigFile.read(conf));
    // Without the number signs in front of names.
    conf(
        reference
            .lines()
            .map(line -> line.matches("#[a-z].*") ? line.substring(1) : line)
            .collect(Collectors.joining("\n")));
    List<Configured> values = ConfigFile.read(conf);
    Map<String, String> expected =
        SettingsTest.all().stream().collect(Collectors.toMap(Setting::name, Setting::byDefault));
    assertEquals(
        expected, values.stream().collect(Collectors.toMap(Configured::name, Configured::value)));
    assertEquals(conf + " is good\n", gds("config", "check", conf).ok());
    assertEquals(StoreOptions.defaults(), options(conf));
    for (Setting setting : SettingsTest.all()) {
      String flat = reference.replaceAll("\\R# *", " ");
      assertTrue(flat.contains("Costs: " + setting.cost()), setting.name());
      assertTrue(flat.contains("Change it when " + setting.change()), setting.name());
      assertTrue(flat.contains("Values: " + setting.form()), setting.name());
    }
    assertFalse(reference.lines().anyMatch(line -> line.length() > 100 && !line.contains("//")));
  }
}
