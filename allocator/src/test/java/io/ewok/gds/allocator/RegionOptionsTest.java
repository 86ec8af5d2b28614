package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class RegionOptionsTest {
  @Test
  void settingsAreReadAndTheRestHasItsDefault() {
    assertEquals(RegionOptions.ofSize(4096), RegionOptions.from(4096, Map.of()));
    assertEquals(
        new RegionOptions(4096, HugePages.HUGETLB, PlacementPolicy.interleave(0, 1), 4, true),
        RegionOptions.from(
            4096,
            Map.of(
                "memory.huge-pages", "hugetlb",
                "memory.prefault-threads", "4",
                "memory.locked", "true",
                "numa.policy", "interleave:0-1")));
    assertEquals(
        RegionOptions.ofSize(1).withHugePages(HugePages.OFF),
        RegionOptions.from(1, Map.of("memory.huge-pages", " OFF ", "memory.locked", "False")));
  }

  @Test
  void settingThatIsNullHasItsDefault() {
    Map<String, String> settings = new HashMap<>();
    settings.put("memory.huge-pages", null);
    settings.put("memory.locked", "true");
    assertEquals(RegionOptions.ofSize(1).withLocked(true), RegionOptions.from(1, settings));
  }

  @Test
  void settingsOfOthersArePassedOver() {
    Map<String, String> others =
        Map.of("memory.read-arena.max", "50%", "store.path", "/data", "memory", "x");
    assertEquals(RegionOptions.ofSize(1), RegionOptions.from(1, others));
  }

  @Test
  void badSettingsAreRefusedWithTheirNameAndValueAtTheEnd() {
    assertRefused(
        settings -> RegionOptions.from(1, settings),
        List.of(
            List.of("memory.huge-pages", "yes"),
            List.of("memory.huge-pages", ""),
            List.of("memory.prefault-threads", "-1"),
            List.of("memory.prefault-threads", "1025"),
            List.of("memory.prefault-threads", "99999999999"),
            List.of("memory.prefault-threads", "two"),
            List.of("memory.locked", "1"),
            List.of("numa.policy", "interleave"),
            List.of("memory.hugepages", "auto"),
            List.of("numa.node", "1")));
  }

  /**
   * Asserts that each setting, alone, is refused by a message with its name and value at the end.
   */
  static void assertRefused(Function<Map<String, String>, ?> read, List<List<String>> settings) {
    for (List<String> bad : settings) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> read.apply(Map.of(bad.get(0), bad.get(1))),
              bad.toString());
      assertTrue(e.getMessage().endsWith(bad.get(0) + "=" + bad.get(1)), e.getMessage());
    }
  }

  @Test
  void rangesAreChecked() {
    assertThrows(IllegalArgumentException.class, () -> RegionOptions.ofSize(0));
    assertThrows(
        IllegalArgumentException.class, () -> RegionOptions.ofSize(Region.SIZE_BYTES_MAX + 1));
    RegionOptions options = RegionOptions.ofSize(1);
    assertThrows(IllegalArgumentException.class, () -> options.withPrefaultThreads(-1));
    assertThrows(IllegalArgumentException.class, () -> options.withPrefaultThreads(1025));
    assertThrows(NullPointerException.class, () -> options.withHugePages(null));
    assertThrows(NullPointerException.class, () -> options.withPlacement(null));
  }
}
