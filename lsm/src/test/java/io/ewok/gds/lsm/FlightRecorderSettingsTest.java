package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.PageBacking;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoRate;
import java.io.File;
import java.io.InputStreamReader;
import java.io.Reader;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jdk.jfr.Configuration;
import jdk.jfr.Event;
import jdk.jfr.Name;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The settings of the flight recorder that come with the store switch on all events there are. */
class FlightRecorderSettingsTest {
  @TempDir private Path directory;

  private static Configuration shipped() throws Exception {
    try (Reader reader =
        new InputStreamReader(
            Store.class.getResourceAsStream("/META-INF/gds.jfc"), StandardCharsets.UTF_8)) {
      return Configuration.create(reader);
    }
  }

  /** The names of the events in the module that a class is of, be it a jar or a folder. */
  private static Set<String> events(Class<?> of) throws Exception {
    Path code = Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(code)) {
      return events(of, code);
    }
    try (FileSystem jar = FileSystems.newFileSystem(URI.create("jar:" + code.toUri()), Map.of())) {
      return events(of, jar.getPath("/"));
    }
  }

  private static Set<String> events(Class<?> of, Path root) throws Exception {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(each -> each.toString().endsWith("Event.class")).toList()) {
        String name = root.relativize(file).toString().replace(File.separatorChar, '.');
        Class<?> type =
            Class.forName(name.replaceFirst("\\.class$", ""), false, of.getClassLoader());
        if (Event.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers())) {
          names.add(type.getAnnotation(Name.class).value());
        }
      }
    }
    return names;
  }

  @Test
  void everyEventIsSwitchedOn() throws Exception {
    Set<String> all = new TreeSet<>();
    for (Class<?> module :
        List.of(PageBacking.class, IoEngine.class, BufferManager.class, Store.class)) {
      all.addAll(events(module));
    }
    assertTrue(
        all.containsAll(Set.of("io.ewok.gds.StoreFlush", "io.ewok.gds.SlowIo")), all::toString);
    Map<String, String> settings = shipped().getSettings();
    assertEquals(
        all,
        settings.entrySet().stream()
            .filter(setting -> setting.getKey().endsWith("#enabled"))
            .filter(setting -> setting.getValue().equals("true"))
            .map(setting -> setting.getKey().split("#", 2)[0])
            .collect(Collectors.toCollection(TreeSet::new)));
    Set<String> kinds = Set.of("enabled", "threshold", "stackTrace");
    settings.keySet().forEach(key -> assertTrue(kinds.contains(key.split("#", 2)[1]), key));
  }

  /** On a device that is so slow by its limits that flushes hold up writers. */
  @Test
  void aRecordingWithThemHasWhatHappensInAStore() throws Exception {
    Path file = directory.resolve("recording.jfr");
    EngineOptions slow =
        EngineOptions.defaults()
            .withThrottle(EngineOptions.defaults().throttle().withWrite(IoRate.parse("/4MB")));
    try (Recording recording = new Recording(shipped())) {
      recording.start();
      try (IoEngine engine = IoEngines.open(slow);
          Store store =
              Store.open(
                  directory.resolve("store"), Fixtures.TINY.withTablesBeforeMerge(2), engine)) {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 4_000; i++) {
          store.put(
              Fixtures.bytes("key" + random.nextInt(3_000)),
              Fixtures.randomBytes(random, 1_000),
              Durability.NONE);
        }
        store.compact();
      }
      recording.stop();
      recording.dump(file);
    }
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    Set<String> names =
        events.stream()
            .map(event -> event.getEventType().getName())
            .filter(name -> name.startsWith("io.ewok.gds."))
            .collect(Collectors.toSet());
    Set<String> expected =
        Set.of(
            "io.ewok.gds.StoreFlush",
            "io.ewok.gds.StoreCompaction",
            "io.ewok.gds.StoreWriteStall",
            "io.ewok.gds.SlowIo",
            "io.ewok.gds.IoThrottled",
            "io.ewok.gds.RegionMapped");
    assertTrue(names.containsAll(expected), names::toString);
    for (RecordedEvent event : events) {
      if (event.getEventType().getName().equals("io.ewok.gds.SlowIo")) {
        assertTrue(event.getDuration().toMillis() >= 20, event.toString());
        assertTrue(event.getString("path").startsWith(directory.toString()), event.toString());
      }
    }
  }
}
