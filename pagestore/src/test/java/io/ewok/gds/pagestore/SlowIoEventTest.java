package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import jdk.jfr.EventSettings;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Operations that take long are told to the flight recorder, once each, if it asks. */
class SlowIoEventTest {
  private static final String NAME = "io.ewok.gds.SlowIo";
  private static final int UNIT = 4096;

  @TempDir private Path directory;

  private interface Load {
    void run(IoFile file, Region region) throws Exception;
  }

  private List<RecordedEvent> recorded(EngineKind kind, Duration thresholdOrNull, Load load)
      throws Exception {
    List<RecordedEvent> events = Collections.synchronizedList(new ArrayList<>());
    try (RecordingStream stream = new RecordingStream();
        IoEngine engine = IoEngines.open(EngineOptions.defaults().withWanted(kind));
        Region region =
            Region.map(MemoryBudget.root("test", 2 * UNIT), RegionOptions.ofSize(2 * UNIT));
        IoFile file = engine.open(directory.resolve("file"), OpenMode.CREATE_NEW)) {
      stream.setReuse(false);
      stream.onEvent(NAME, events::add);
      if (thresholdOrNull != null) {
        EventSettings unused = stream.enable(NAME).withThreshold(thresholdOrNull);
      }
      stream.startAsync();
      load.run(file, region);
      stream.stop(); // delivers what there is
    }
    return events;
  }

  private static List<String> told(List<RecordedEvent> events) {
    TreeSet<String> told = new TreeSet<>();
    for (RecordedEvent event : events) {
      assertTrue(event.getString("path").endsWith("/file"), event.toString());
      assertTrue(event.getDuration().toNanos() > 0, event.toString());
      told.add(
          "%s %s %d+%d %b"
              .formatted(
                  event.getString("operation"),
                  event.getString("workClass"),
                  event.getLong("offset"),
                  event.getLong("bytes"),
                  event.getBoolean("failed")));
    }
    assertEquals(told.size(), events.size(), "each once: " + events);
    return List.copyOf(told);
  }

  private static void transfer(IoFile file, Region region) throws IOException {
    file.write(0, region, 0, UNIT);
    file.writeSynced(UNIT, region, 0, UNIT);
    file.sync();
    file.setWorkClass(WorkClass.BACKUP);
    file.read(UNIT, region, UNIT, UNIT);
  }

  private static final List<String> EACH =
      List.of(
          "read BACKUP 4096+4096 false",
          "sync FOREGROUND 0+0 false",
          "write FOREGROUND 0+4096 false",
          "write FOREGROUND 4096+4096 false");

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "POOL"})
  void whatAThreadDoesItselfIsTold(EngineKind kind) throws Exception {
    assertEquals(EACH, told(recorded(kind, Duration.ZERO, SlowIoEventTest::transfer)));
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "POOL"})
  void whatIsSubmittedIsTold(EngineKind kind) throws Exception {
    List<RecordedEvent> events =
        recorded(
            kind,
            Duration.ZERO,
            (file, region) -> {
              Thread thread =
                  Thread.ofVirtual()
                      .start(
                          () -> {
                            try {
                              transfer(file, region);
                            } catch (IOException e) {
                              throw new IllegalStateException(e);
                            }
                          });
              thread.join();
            });
    assertEquals(EACH, told(events));
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "POOL"})
  void failuresAreToldToo(EngineKind kind) throws Exception {
    List<RecordedEvent> events =
        recorded(
            kind,
            Duration.ZERO,
            (file, region) -> {
              long beyond = Long.MAX_VALUE / UNIT * UNIT - UNIT;
              assertThrows(IOException.class, () -> file.write(beyond, region, 0, UNIT));
            });
    assertEquals(1, events.size());
    assertTrue(events.getFirst().getBoolean("failed"));
  }

  @Test
  void fastOnesAreNot() throws Exception {
    assertEquals(
        List.of(), recorded(EngineKind.POOL, Duration.ofMinutes(1), SlowIoEventTest::transfer));
  }

  /** So that nobody pays who has not asked. */
  @Test
  void nothingIsMadeUnlessSomebodyAsks() throws Exception {
    List<RecordedEvent> events =
        recorded(
            EngineKind.POOL,
            null,
            (file, region) -> {
              transfer(file, region);
              assertNull(SlowIoEvent.beginOrNull());
            });
    assertFalse(events.stream().anyMatch(event -> true), events.toString());
  }
}
