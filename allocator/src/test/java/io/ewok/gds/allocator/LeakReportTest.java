package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class LeakReportTest {
  @RegisterExtension final LeakCheck leaks = new LeakCheck();

  private static AllocationSite fromHere() {
    return AllocationSite.here();
  }

  private static AllocationSite fromThere() {
    return AllocationSite.here();
  }

  private static LeakReport threeFromTwoPlaces() {
    LeakReport.Builder builder = new LeakReport.Builder();
    for (int i = 0; i < 2; i++) {
      builder.add(8, fromHere());
    }
    builder.add(100, fromThere());
    return builder.build("pool seven");
  }

  @Test
  void sitesAreCountedAndTheLargestIsFirst() {
    LeakReport report = threeFromTwoPlaces();
    assertEquals(3, report.count());
    assertEquals(116, report.bytes());
    assertEquals(2, report.sites().size());
    assertEquals(1, report.sites().get(0).count());
    assertEquals(100, report.sites().get(0).bytes());
    assertTrue(report.sites().get(0).where().contains("fromThere"), report.toString());
    assertEquals(2, report.sites().get(1).count());
    assertEquals(16, report.sites().get(1).bytes());
    assertTrue(report.sites().get(1).where().contains("fromHere"), report.toString());
  }

  @Test
  void withoutSitesThereAreStillNumbers() {
    LeakReport.Builder builder = new LeakReport.Builder();
    builder.add(8, null);
    assertEquals(
        "1 allocations of 8 bytes not freed in pool seven", builder.build("pool seven").toString());
  }

  @Test
  void aReportIsOneLineInTheLog() {
    LeakEvent.tell(threeFromTwoPlaces());
    List<String> logged = leaks.take();
    assertEquals(1, logged.size());
    assertTrue(
        logged.get(0).startsWith("3 allocations of 116 bytes not freed in pool seven: 1 of 100"),
        logged.get(0));
    assertFalse(logged.get(0).contains("\n"), logged.get(0));
  }

  @Test
  void nothingIsToldWhenThereIsNothing() {
    LeakReport nothing = new LeakReport.Builder().build("pool seven");
    assertTrue(nothing.isEmpty());
    LeakEvent.tell(nothing);
    assertEquals(List.of(), leaks.take());
  }

  @Test
  void aLeakFailsTheTestThatDoesNotExpectIt() {
    LeakEvent.tell(threeFromTwoPlaces());
    assertThrows(AssertionError.class, () -> leaks.afterEach(null));
    assertEquals(List.of(), leaks.take());
  }

  @Test
  void theFlightRecorderIsToldToo(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("leaks.jfr");
    try (Recording recording = new Recording()) {
      recording.enable("io.ewok.gds.Leak");
      recording.start();
      LeakEvent.tell(threeFromTwoPlaces());
      recording.stop();
      recording.dump(file);
    }
    leaks.take();
    List<RecordedEvent> events = RecordingFile.readAllEvents(file);
    assertEquals(1, events.size());
    RecordedEvent event = events.get(0);
    assertEquals("pool seven", event.getString("pool"));
    assertEquals(3, event.getLong("count"));
    assertEquals(116, event.getLong("bytes"));
    assertEquals(2, event.getString("sites").lines().count());
    assertTrue(event.getString("sites").contains("fromThere"), event.toString());
  }
}
