package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.RingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * A ring whose entries a thread of the kernel takes, and one beside it whose devices are polled.
 */
class UringPollTest extends LinuxEngineTest {
  /** So short that the kernel's thread falls asleep between operations. */
  private static final String IDLE_MILLIS = "1";

  private static EngineOptions options() {
    return EngineOptions.from(
        Map.of(
            "io.engine", "uring",
            "io.queue-depth", "8",
            "io.sync-method", "dsync",
            "io.sq-poll", "true",
            "io.sq-poll-idle-ms", IDLE_MILLIS,
            "io.io-poll", "true"));
  }

  @Override
  IoEngine openEngine() throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    return IoEngines.open(options());
  }

  @Test
  void submissionsArePolledOrTheReasonIsTold() {
    String description = engine.description();
    assertTrue(
        description.contains(", submissions polled")
            || description.contains(", submissions not polled ("),
        description);
  }

  /** Also where each is refused: the transfer is made without. */
  @Test
  void devicesArePolledOrTheReasonIsTold() throws Exception {
    int files = 3;
    for (int number = 0; number < files; number++) {
      try (IoFile file = create("data" + number)) {
        fill(0, UNIT, number + 1);
        onThreads(true, 1, i -> () -> file.writeSynced(0, region, 0, UNIT));
        onThreads(true, 8, i -> () -> file.readFully(0, region, (i + 1L) * UNIT, UNIT));
        for (int i = 1; i <= 8; i++) {
          assertArrayEquals(filled(UNIT, number + 1), bytes((long) i * UNIT, UNIT));
        }
        assumeTrue(file.isDirect(), "only past the page cache");
      }
    }
    String description = engine.description();
    assertTrue(description.contains(", devices polled"), description);
    if (description.contains("but for")) {
      String clause =
          " but for 3 files (first "
              + Errno.name(Errno.EOPNOTSUPP)
              + ": path="
              + directory.resolve("data0");
      assertTrue(description.contains(clause), description);
    }
  }

  @Test
  void whatTheKernelRefusesIsLeftOut() throws IOException {
    RingOptions wanted = RingOptions.defaults().withSqPollIdleMillis(5).withIoPoll(true);
    List<RingOptions> tried = new ArrayList<>();
    PolledRings rings =
        PolledRings.start(
            wanted,
            ring -> {
              tried.add(ring);
              if (ring.sqPollIdleMillis() > 0) {
                throw new IOException("no thread");
              }
              return null;
            });
    assertEquals(List.of(wanted, wanted.withSqPollIdleMillis(0)), tried);
    assertEquals(tried.getLast(), rings.ring());
    assertEquals(", submissions not polled (no thread)", rings.refusals());

    rings =
        PolledRings.start(
            wanted,
            ring -> {
              if (ring.ioPoll()) {
                throw new IOException("no device");
              }
              return null;
            });
    assertEquals(RingOptions.defaults(), rings.ring());
    assertTrue(rings.refusals().endsWith(", devices not polled (no device)"), rings.refusals());
    assertThrows(
        IOException.class,
        () ->
            PolledRings.start(
                wanted,
                ring -> {
                  throw new IOException("nothing works");
                }));
  }
}
