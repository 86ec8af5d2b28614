package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemorySizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "4096, 4096",
    "4096 , 4096",
    "1K, 1024",
    "1KiB, 1024",
    "64m, 67108864",
    "64MiB, 67108864",
    "64 MiB, 67108864",
    "3G, 3221225472",
    "3gib, 3221225472",
    "2T, 2199023255552",
    "9223372036854775807, 9223372036854775807",
    "8388607T, 9223370937343148032",
  })
  void bytesAreReadWithAndWithoutUnit(String text, long bytes) {
    MemorySize size = MemorySize.parse(text);
    assertEquals(bytes, size.bytes(0));
    assertFalse(size.isShare());
  }

  @ParameterizedTest
  @CsvSource({
    "50%, 1000, 500",
    "12.5%, 1000, 125",
    "12.5 %, 1000, 125",
    "33.333%, 1000, 333",
    "0%, 1000, 0",
    "100%, 9223372036854775807, 9223372036854775807",
    "0.0001%, 1000000, 1",
    "50%, 0, 0",
    "50%, 1, 0",
  })
  void shareIsTakenOfTheWholeAndRoundedDown(String text, long wholeBytes, long bytes) {
    MemorySize size = MemorySize.parse(text);
    assertEquals(bytes, size.bytes(wholeBytes));
    assertTrue(size.isShare());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "-1",
        "+1",
        "1.5G",
        "64KB",
        "64B",
        "K",
        "%",
        "1e3",
        "0x10",
        "101%",
        "100.01%",
        "-5%",
        ".5%",
        "5.%",
        "50%%",
        "50% of it",
        "9223372036854775808",
        "8388608T",
        "99999999999999999999999G",
        "1 000",
        "1\u00a0K",
        "١"
      })
  void wrongTextIsAnErrorThatEndsInTheSetting(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> MemorySize.parse("memory.max", text));
    assertTrue(e.getMessage().endsWith(": memory.max=" + text), e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> MemorySize.parse(text));
    assertTrue(e.getMessage().endsWith(": size=" + text), e.getMessage());
  }

  @Test
  void negativeBytesAreRefused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> MemorySize.ofBytes(-1));
    assertTrue(e.getMessage().endsWith("bytes=-1"), e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> MemorySize.parse("5%").bytes(-2));
    assertTrue(e.getMessage().endsWith("wholeBytes=-2"), e.getMessage());
  }

  @Test
  void sizesAreValuesAndTheirTextIsReadAgain() {
    assertEquals(MemorySize.ofBytes(1024), MemorySize.parse("1K"));
    assertEquals(MemorySize.parse("50%"), MemorySize.parse("50.00%"));
    assertEquals(MemorySize.parse("50%").hashCode(), MemorySize.parse("50.00%").hashCode());
    assertNotEquals(MemorySize.parse("50"), MemorySize.parse("50%"));
    for (String text : new String[] {"1024", "12.5%", "100%", "0%", "0"}) {
      assertEquals(text, MemorySize.parse(text).toString());
    }
  }
}
