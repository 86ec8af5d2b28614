package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IoEnginesTest {
  private static final EngineOptions OPTIONS =
      EngineOptions.defaults().withQueueDepth(32).withPoolThreads(3);

  private static final UringProbe FORBIDDEN =
      new UringProbe(
          UringProbe.Reason.DISABLED_BY_SYSCTL,
          "io_uring is switched off on this machine: kernel.io_uring_disabled=2",
          0,
          0,
          0,
          0,
          0);

  @Test
  void bestAvailableEngineIsTaken() throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    try (IoEngine engine = IoEngines.open(OPTIONS)) {
      assertEquals("URING", engine.name());
      assertTrue(engine.choice().rejections().isEmpty());
      assertEquals("URING: io_uring with fixed buffers, queue depth 32", engine.description());
    }
  }

  @Test
  void poolIsTakenWithTheReasonWhereTheRingIsForbidden() throws IOException {
    try (IoEngine engine = IoEngines.open(OPTIONS, FORBIDDEN)) {
      assertEquals("POOL", engine.name());
      EngineChoice.Rejection rejection = engine.choice().rejections().getFirst();
      assertEquals(EngineKind.URING, rejection.kind());
      assertEquals(EngineChoice.Code.DISABLED_BY_SYSCTL, rejection.code());
      assertEquals(FORBIDDEN.message(), rejection.reason());
      assertEquals(
          "POOL: up to 3 threads; URING rejected: " + FORBIDDEN.message(), engine.toString());
    }
  }

  @Test
  void poolIsTakenWhereTheRingCannotBeAsLargeAsWanted() throws IOException {
    UringProbe real = UringProbe.probe();
    // Flags that no kernel takes stand for a refusal that the small ring of the probe escaped.
    UringProbe optimistic =
        new UringProbe(
            UringProbe.Reason.AVAILABLE, "works", -1, real.features(), real.operations(), 0, 0);
    try (IoEngine engine = IoEngines.open(OPTIONS, optimistic)) {
      assertEquals("POOL", engine.name());
      assertTrue(engine.description().contains("io_uring_setup failed"), engine.description());
      assertEquals(
          EngineChoice.Code.FAILED, engine.choice().rejections().getFirst().code(), "EINVAL");
    }
  }

  @Test
  void everyRefusalOfTheProbeHasItsCode() throws IOException {
    for (UringProbe.Reason reason : UringProbe.Reason.values()) {
      if (reason == UringProbe.Reason.AVAILABLE) {
        continue;
      }
      UringProbe refused = new UringProbe(reason, "as if", 0, 0, 0, 0, 0);
      try (IoEngine engine = IoEngines.open(OPTIONS, refused)) {
        EngineChoice.Code code = engine.choice().rejections().getFirst().code();
        String expected = reason == UringProbe.Reason.FORBIDDEN ? "SECCOMP" : reason.name();
        assertEquals(expected, code.name());
      }
    }
  }

  @Test
  void settingsForceAnEngine() throws IOException {
    Map<String, String> settings =
        Map.of(
            "io.engine",
            "pool",
            "io.queue-depth",
            "16",
            "io.pool-threads",
            "2",
            "x.y",
            "z",
            "io.sync-method",
            "dsync");
    EngineOptions options = EngineOptions.from(settings);
    assertEquals(
        EngineOptions.defaults()
            .withWanted(EngineKind.POOL)
            .withQueueDepth(16)
            .withPoolThreads(2)
            .withSyncMethod(SyncMethod.DSYNC),
        options);
    try (IoEngine engine = IoEngines.open(options)) {
      assertEquals("POOL", engine.name());
    }
    assertEquals(EngineOptions.defaults(), EngineOptions.from(Map.of()));
  }

  @Test
  void settingsLimitAnEngineFromTheStartUntilTheyAreChanged() throws IOException {
    EngineOptions options =
        EngineOptions.from(
            Map.of(
                "io.engine", "pool",
                "throttle.read", "10K/100MB",
                "throttle.backup.depth", "2"));
    ThrottleOptions limits =
        ThrottleOptions.UNLIMITED
            .withRead(IoRate.parse("10K/100MB"))
            .with(WorkClass.BACKUP, ClassLimits.NONE.withDepth(2));
    try (IoEngine engine = IoEngines.open(options)) {
      assertEquals(limits, engine.throttle());
      engine.setThrottle(ThrottleOptions.UNLIMITED);
      assertEquals(ThrottleOptions.UNLIMITED, engine.throttle());
    }
  }

  @Test
  void badSettingsAreToldByName() {
    for (String setting :
        List.of(
            "io.engine=rocket",
            "io.queue-depth=many",
            "io.pool-threads=",
            "io.sync-method=often",
            "io.sq-poll=yes",
            "io.sq-poll-idle-ms=0",
            "io.io-poll=",
            "io.depth=1",
            "throttle.depth=1",
            "throttle.read=fast")) {
      String[] parts = setting.split("=", -1);
      Exception e =
          assertThrows(
              IllegalArgumentException.class, () -> EngineOptions.from(Map.of(parts[0], parts[1])));
      assertTrue(e.getMessage().endsWith(setting), e.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class, () -> EngineOptions.from(Map.of("io.queue-depth", "0")));
  }

  @Test
  void forcedEngineIsTakenOrRefusedWithTheReason() throws IOException {
    try (IoEngine engine = IoEngines.open(OPTIONS.withWanted(EngineKind.POOL), FORBIDDEN)) {
      assertEquals("POOL: up to 3 threads", engine.description());
    }
    IOException e =
        assertThrows(
            IOException.class,
            () -> IoEngines.open(OPTIONS.withWanted(EngineKind.URING), FORBIDDEN));
    assertTrue(e.getMessage().endsWith("kernel.io_uring_disabled=2"), e.getMessage());
  }

  @Test
  void optionsAreChecked() {
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withQueueDepth(0));
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withQueueDepth(1 << 20));
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withPoolThreads(0));
    assertThrows(NullPointerException.class, () -> OPTIONS.withWanted(null));
  }
}
