package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SlabOptionsTest {

  @Test
  void settingsAreReadAndTheRestHasItsDefault() {
    SlabOptions defaults = SlabOptions.named("cells");
    SlabOptions none = SlabOptions.from("cells", Map.of("memory.read-arena.max", "50%"));
    assertEquals(defaults.region(), none.region());
    assertEquals(0, none.committedBytes());
    assertEquals(DebugLetters.fromProperty(), none.debug());
    SlabOptions read =
        SlabOptions.from(
            "cells",
            Map.of(
                "memory.slab.committed", "64M",
                "memory.debug", "RP,F=3",
                "memory.huge-pages", "off",
                "numa.policy", "preferred:0"));
    assertEquals("cells", read.name());
    assertEquals(64 << 20, read.committedBytes());
    assertEquals(DebugLetters.parse("RP,F=3"), read.debug());
    assertEquals(HugePages.OFF, read.region().hugePages());
    assertEquals(PlacementPolicy.preferred(0), read.region().placement());
  }

  @Test
  void aShareIsOfWhatTheProcessMayUse() {
    SlabOptions read = SlabOptions.from("cells", Map.of("memory.slab.committed", "10%"));
    assertEquals(ProcessMemory.limitBytes() / 10, read.committedBytes());
  }

  @Test
  void badSettingsAreRefusedWithTheirNameAndValueAtTheEnd() {
    RegionOptionsTest.assertRefused(
        settings -> SlabOptions.from("cells", settings),
        List.of(
            List.of("memory.slab.committed", "much"),
            List.of("memory.slab.commited", "1M"),
            List.of("memory.debug", "RX"),
            List.of("memory.huge-pages", "yes"),
            List.of("numa.policy", "interleave")));
  }

  @Test
  void theLettersAreNoMistakeToARegion() {
    assertEquals(RegionOptions.ofSize(1), RegionOptions.from(1, Map.of("memory.debug", "R")));
  }
}
