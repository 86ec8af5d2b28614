package io.ewok.gds.wal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.ReadArenaOptions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LogReadCacheOptionsTest {
  private static final LogReadCacheOptions DEFAULTS = LogReadCacheOptions.defaults();

  @Test
  void settingsAreReadAndOthersPassedOver() {
    assertEquals(DEFAULTS, LogReadCacheOptions.from(Map.of("io.engine", "pool")));
    assertEquals(
        DEFAULTS
            .withPageBytes(512)
            .withStridePagesMax(1)
            .withPrefetch(false)
            .withTailBytes(1 << 20)
            .withReadAheadsMax(5)
            .withMemory(ReadArenaOptions.ofBytes(1 << 20, 2 << 20)),
        LogReadCacheOptions.from(
            Map.of(
                "log-cache.page", "512",
                "log-cache.stride-pages", "1",
                "log-cache.prefetch", "false",
                "log-cache.tail", "1M",
                "log-cache.read-aheads", "5",
                "memory.read-arena.min", "1M",
                "memory.read-arena.max", "2M")));
  }

  @ParameterizedTest
  @CsvSource({
    "log-cache.prefetch,yes",
    "log-cache.stride,1",
    "log-cache.stride-pages,x",
    "log-cache.read-aheads,many",
  })
  void badSettingIsNamed(String name, String value) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> LogReadCacheOptions.from(Map.of(name, value)));
    assertTrue(e.getMessage().endsWith(name + "=" + value), e::getMessage);
  }

  @Test
  void valuesOutsideOfTheirRangesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withPageBytes(1024));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withStridePagesMax(0));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withStridePagesMax(3));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withTailBytes(0));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withTailBytes(5000));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withTailBytes(2L << 30));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withReadAheadsMax(0));
    assertThrows(IllegalArgumentException.class, () -> DEFAULTS.withReadAheadsMax(4097));
  }
}
