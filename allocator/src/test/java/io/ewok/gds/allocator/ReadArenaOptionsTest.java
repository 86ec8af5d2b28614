package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReadArenaOptionsTest {
  @Test
  void defaultsAreThirtyAndFiftyPercent() {
    ReadArenaOptions options = ReadArenaOptions.from(Map.of());
    assertEquals(ReadArenaOptions.DEFAULT, options);
    assertEquals(300, options.min().bytes(1000));
    assertEquals(500, options.max().bytes(1000));
  }

  @Test
  void settingsAreReadAndThoseOfOthersPassedOver() {
    ReadArenaOptions options =
        ReadArenaOptions.from(
            Map.of(
                "memory.read-arena.min", "64M",
                "memory.read-arena.max", "12.5%",
                "memory.locked", "true",
                "numa.policy", "interleave:0-1"));
    assertEquals(PlacementPolicy.interleave(0, 1), options.placement());
    assertEquals(64 << 20, options.min().bytes(1 << 30));
    assertEquals(128 << 20, options.max().bytes(1 << 30));
  }

  @Test
  void badSettingsAreNamed() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> ReadArenaOptions.from(Map.of("memory.read-arena.max", "101%")));
    assertTrue(e.getMessage().endsWith("memory.read-arena.max=101%"), e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> ReadArenaOptions.from(Map.of("memory.read-arena.maximum", "1")));
    assertTrue(e.getMessage().endsWith("memory.read-arena.maximum=1"), e.getMessage());
  }
}
