package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IoThrottledEventTest {
  private static final String NAME = "io.ewok.gds.IoThrottled";
  private static final int UNIT = 4096;

  private final MemoryBudget budget = MemoryBudget.root("test", UNIT);
  private final Region region = Region.map(budget, RegionOptions.ofSize(UNIT));
  private final SimEngine engine = new SimEngine(1);
  private IoFile file;

  @BeforeEach
  void open() throws IOException {
    file = engine.open(Path.of("/f"), OpenMode.CREATE_NEW);
  }

  @AfterEach
  void close() {
    engine.close();
    region.close();
  }

  private interface Load {
    void run() throws IOException;
  }

  private static List<RecordedEvent> recorded(Load load) throws IOException {
    List<RecordedEvent> events = Collections.synchronizedList(new ArrayList<>());
    try (RecordingStream stream = new RecordingStream()) {
      stream.setReuse(false);
      stream.enable(NAME);
      stream.onEvent(NAME, events::add);
      stream.startAsync();
      load.run();
      stream.stop(); // delivers what there is
    }
    return events;
  }

  private void reads(WorkClass work, int count) throws IOException {
    file.setWorkClass(work);
    for (int i = 0; i < count; i++) {
      file.read(0, region, 0, UNIT);
    }
  }

  @Test
  void longWaitsAreRecordedWithTheCapThatHeldThem() throws IOException {
    engine.setThrottle(
        ThrottleOptions.UNLIMITED
            .withRead(IoRate.parse("20"))
            .withWrite(IoRate.ofBytes(UNIT))
            .with(WorkClass.BACKUP, ClassLimits.NONE.withRead(IoRate.parse("10/1GB"))));
    List<RecordedEvent> events =
        recorded(
            () -> {
              reads(WorkClass.FOREGROUND, 4);
              reads(WorkClass.BACKUP, 3);
              file.write(0, region, 0, UNIT);
              file.write(0, region, 0, UNIT);
            });
    Set<String> seen = new TreeSet<>();
    long foregroundNanos = 0;
    long backupNanos = 0;
    for (RecordedEvent event : events) {
      long nanos = event.getDuration("waitedNanos").toNanos();
      String work = event.getString("workClass");
      seen.add(work + " " + nanos / 1_000_000 + " ms: " + event.getString("cap"));
      foregroundNanos += work.equals("FOREGROUND") ? nanos : 0;
      backupNanos += work.equals("BACKUP") ? nanos : 0;
    }
    assertEquals(
        Set.of(
            "FOREGROUND 50 ms: throttle.read operations",
            "BACKUP 50 ms: throttle.read operations",
            "BACKUP 100 ms: throttle.backup.read operations",
            "BACKUP 1000 ms: throttle.write bytes"),
        seen);
    assertEquals(3 + 3 + 1, events.size());
    assertEquals(engine.stats(WorkClass.FOREGROUND).throttledNanos(), foregroundNanos);
    assertEquals(engine.stats(WorkClass.BACKUP).throttledNanos(), backupNanos);
  }

  @Test
  void shortWaitsAreCountedOnly() throws IOException {
    engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(IoRate.parse("101")));
    assertEquals(List.of(), recorded(() -> reads(WorkClass.FOREGROUND, 50)));
    assertTrue(engine.stats(WorkClass.FOREGROUND).throttledOperations() == 49);
  }
}
