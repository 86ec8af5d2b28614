package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LogOptionsTest {
  @Test
  void settingsChangeTheDefaults() {
    assertEquals(LogOptions.defaults(), LogOptions.from(Map.of("io.engine", "pool")));
    assertEquals(
        new LogOptions(32 << 20, 8, 64 << 10).withRecovery(RecoveryMode.POINT_IN_TIME),
        LogOptions.from(
            Map.of(
                "log.segment-bytes", "32M",
                "log.segments", "8",
                "log.buffer-bytes", "64K",
                "log.recovery", "point-in-time")));
  }

  @ParameterizedTest
  @CsvSource({
    "log.segment-bytes,5",
    "log.segment-bytes,10%",
    "log.segment-bytes,much",
    "log.segments,1",
    "log.buffer-bytes,100G",
    "log.recovery,strictest",
    "log.recover,strict"
  })
  void whatASettingCannotBeIsNamed(String name, String value) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> LogOptions.from(Map.of(name, value)));
    assertTrue(e.getMessage().contains("="), e::getMessage);
  }
}
