package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class ReadAheadOptionsTest {
  @Test
  void settingsAreReadByName() {
    assertEquals(
        new ReadAheadOptions(8, 65536),
        ReadAheadOptions.from(Map.of("read-ahead.frames", "8", "read-ahead.max", "64K")));
    assertEquals(ReadAheadOptions.defaults(), ReadAheadOptions.from(Map.of("io.engine", "pool")));
  }

  @Test
  void wrongSettingsAreNamed() {
    Map<String, String> wrong =
        Map.of("read-ahead.frame", "8", "read-ahead.frames", "few", "read-ahead.max", "2G");
    wrong.forEach(
        (name, value) -> {
          IllegalArgumentException e =
              assertThrows(
                  IllegalArgumentException.class, () -> ReadAheadOptions.from(Map.of(name, value)));
          assertTrue(e.getMessage().endsWith(name + "=" + value), e.getMessage());
        });
  }

  @Test
  void outlyingOptionsAreRefused() {
    ReadAheadOptions options = ReadAheadOptions.defaults();
    for (int frames : new int[] {1, ReadAheadOptions.FRAMES_MAX + 1}) {
      assertThrows(IllegalArgumentException.class, () -> options.withFrames(frames));
    }
    for (int bytes : new int[] {511, ReadAheadOptions.TRANSFER_BYTES_LARGEST + 1}) {
      assertThrows(IllegalArgumentException.class, () -> options.withTransferBytesMax(bytes));
    }
  }
}
