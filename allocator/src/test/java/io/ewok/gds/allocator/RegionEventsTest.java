package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.ffm.Errno;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the flight recorder is told of regions. */
class RegionEventsTest {
  private static final long UNIT = Region.UNIT_BYTES;

  @TempDir Path directory;

  private final MemoryBudget budget = MemoryBudget.root("test", 4 * UNIT);

  private List<RecordedEvent> recorded(String name, Runnable action) throws Exception {
    Path file = directory.resolve("recording.jfr");
    try (Recording recording = new Recording()) {
      recording.enable(name).withoutThreshold();
      recording.start();
      action.run();
      recording.stop();
      recording.dump(file);
    }
    return RecordingFile.readAllEvents(file).stream()
        .filter(event -> event.getEventType().getName().equals(name))
        .toList();
  }

  @Test
  void mappedRegionsAreTold() throws Exception {
    RegionOptions options =
        RegionOptions.ofSize(2 * UNIT).withPlacement(PlacementPolicy.preferred(0));
    List<RecordedEvent> events =
        recorded(
            "io.ewok.gds.RegionMapped",
            () -> {
              RecordingCalls calls = new RecordingCalls("mapHugePages", Errno.ENOMEM);
              Region.map(budget, options.withHugePages(HugePages.HUGETLB), calls).close();
              Region.reserve(budget, options.withHugePages(HugePages.OFF)).close();
            });
    assertEquals(2, events.size());
    RecordedEvent mapped = events.getFirst();
    assertEquals(2 * UNIT, mapped.getLong("bytes"));
    assertFalse(mapped.getBoolean("reserved"));
    assertEquals("HUGETLB", mapped.getString("requestedPages"));
    assertEquals("AUTO", mapped.getString("effectivePages"));
    assertTrue(mapped.getString("pagesReason").contains("ENOMEM"));
    assertEquals("preferred:0", mapped.getString("placement"));
    assertTrue(events.getLast().getBoolean("reserved"));
    assertEquals("OFF", events.getLast().getString("effectivePages"));
    assertEquals("", events.getLast().getString("pagesReason"));
  }

  @Test
  void placementThatIsNotAsRequestedIsTold() throws Exception {
    RegionOptions options =
        RegionOptions.ofSize(2 * UNIT)
            .withPlacement(PlacementPolicy.bind(1000))
            .withPrefaultThreads(1);
    List<RecordedEvent> events =
        recorded(
            "io.ewok.gds.PlacementDegraded",
            () -> {
              Region.map(budget, options.withPlacement(PlacementPolicy.bind(0))).close();
              try (Region region = Region.reserve(budget, options)) {
                region.commit(UNIT, UNIT);
              }
            });
    assertEquals(2, events.size());
    assertEquals(2 * UNIT, events.getFirst().getLong("bytes"));
    assertEquals("{}", events.getFirst().getString("pagesByNode"));
    RecordedEvent committed = events.getLast();
    assertEquals(UNIT, committed.getLong("bytes"));
    assertEquals("bind:1000", committed.getString("requested"));
    assertEquals("default", committed.getString("effective"));
    assertTrue(committed.getString("reason").contains("EINVAL"), committed.toString());
    assertEquals("{0=64}", committed.getString("pagesByNode"));
  }
}
