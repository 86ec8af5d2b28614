package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ThrottleOptionsTest {
  @Test
  void whatLimitsNothingEqualsUnlimited() {
    ThrottleOptions options =
        ThrottleOptions.UNLIMITED
            .withRead(IoRate.parse("1"))
            .with(WorkClass.BACKUP, ClassLimits.NONE.withShare(1))
            .withRead(IoRate.UNLIMITED)
            .with(WorkClass.BACKUP, ClassLimits.NONE);
    assertEquals(ThrottleOptions.UNLIMITED, options);
    assertEquals(ClassLimits.NONE, options.of(WorkClass.BACKUP));
  }

  @Test
  void limitsOfOneClassLeaveTheOthers() {
    ClassLimits slow = ClassLimits.NONE.withWrite(IoRate.parse("5")).withDepth(2);
    ThrottleOptions options =
        new ThrottleOptions(IoRate.UNLIMITED, IoRate.parse("7"), Map.of(WorkClass.CLEANER, slow))
            .with(WorkClass.LOG, ClassLimits.NONE.withRead(IoRate.parse("/9")));
    assertEquals(slow, options.of(WorkClass.CLEANER));
    assertEquals(IoRate.ofBytes(9), options.of(WorkClass.LOG).read());
    assertEquals(ClassLimits.NONE, options.of(WorkClass.FOREGROUND));
    assertEquals(IoRate.ofOperations(7), options.write());
  }

  @Test
  void settingsAreReadByName() {
    ThrottleOptions options =
        ThrottleOptions.from(
            Map.of(
                "throttle.read", "10K/100MB",
                "throttle.backup.write", "/1MiB",
                "throttle.backup.depth", "2",
                "throttle.compaction.share", "50",
                "io.engine", "pool"));
    assertEquals(IoRate.parse("10K/100MB"), options.read());
    assertEquals(IoRate.UNLIMITED, options.write());
    assertEquals(
        ClassLimits.NONE.withWrite(IoRate.ofBytes(1 << 20)).withDepth(2),
        options.of(WorkClass.BACKUP));
    assertEquals(ClassLimits.NONE.withShare(50), options.of(WorkClass.COMPACTION));
    assertEquals(ThrottleOptions.UNLIMITED, ThrottleOptions.from(Map.of()));
  }

  @Test
  void wrongSettingsAreNamed() {
    Map<String, String> wrong =
        Map.of(
            "throttle.red", "1",
            "throttle.backup", "1",
            "throttle.nobody.read", "1",
            "throttle.read", "much",
            "throttle.log.write", "0",
            "throttle.log.share", "all");
    wrong.forEach(
        (name, value) -> {
          IllegalArgumentException e =
              assertThrows(
                  IllegalArgumentException.class, () -> ThrottleOptions.from(Map.of(name, value)));
          assertTrue(e.getMessage().endsWith(name + "=" + value), e.getMessage());
        });
  }

  @Test
  void outlyingLimitsAreRefused() {
    for (int share : new int[] {0, -1, ClassLimits.SHARE_MAX + 1}) {
      assertThrows(IllegalArgumentException.class, () -> ClassLimits.NONE.withShare(share));
    }
    assertThrows(IllegalArgumentException.class, () -> ClassLimits.NONE.withDepth(0));
  }
}
