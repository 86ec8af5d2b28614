package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReactorOptionsTest {
  @Test
  void settingsChangeTheDefaults() {
    assertEquals(ReactorOptions.defaults(), ReactorOptions.from(Map.of("io.engine", "pool")));
    ReactorOptions options =
        ReactorOptions.from(
            Map.of(
                "reactor.cpus", "0-2, 5",
                "reactor.timer-tick-us", "500",
                "reactor.overflow", "7",
                "reactor.stall-ms", "20",
                "reactor.reap-max", "16"));
    assertEquals(Set.of(0, 1, 2, 5), options.cpus());
    assertEquals(500_000, options.timerTickNanos());
    assertEquals(7, options.overflowCount());
    assertEquals(20_000_000, options.stallNanos());
    assertEquals(16, options.ring().reapMax());
    assertEquals(Set.of(), ReactorOptions.from(Map.of("reactor.cpus", "")).cpus());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "reactor.cpus=1-",
        "reactor.cpus=3-1",
        "reactor.cpus=1-2-3",
        "reactor.cpus=-1",
        "reactor.cpus=99999",
        "reactor.cpus=a",
        "reactor.overflow=many",
        "reactor.oferflow=1"
      })
  void nonsenseIsRefusedByName(String setting) {
    String[] parts = setting.split("=", -1);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> ReactorOptions.from(Map.of(parts[0], parts[1])));
    assertTrue(e.getMessage().endsWith(setting), e.getMessage());
  }
}
