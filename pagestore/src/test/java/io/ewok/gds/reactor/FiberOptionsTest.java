package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FiberOptionsTest {
  private static final Map<String, String> ALL =
      Map.of(
          "fibers.mode", "virtual",
          "fibers.count", "3",
          "fibers.max", "5",
          "fibers.inbox", "7",
          "fibers.scratch.small", "11",
          "fibers.scratch.medium", "13",
          "fibers.scratch.large", "17");

  @Test
  void settingsChangeTheDefaults() {
    assertEquals(FiberOptions.defaults(), FiberOptions.from(Map.of("reactor.overflow", "7")));
    assertEquals(new FiberOptions(FiberMode.VIRTUAL, 3, 5, 7, 11, 13, 17), FiberOptions.from(ALL));
    assertEquals(
        FiberOptions.defaults().withInbox(9), FiberOptions.from(Map.of("fibers.inbox", "9")));
  }

  @Test
  void reactorsTakeThem() {
    assertEquals(FiberOptions.from(ALL), ReactorOptions.from(ALL).fibers());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fibers.mode=green",
        "fibers.mode=",
        "fibers.count=many",
        "fibers.max=99999999999",
        "fibers.inbxo=1"
      })
  void nonsenseIsRefusedByName(String setting) {
    String[] parts = setting.split("=", -1);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> FiberOptions.from(Map.of(parts[0], parts[1])));
    assertTrue(e.getMessage().endsWith(setting), e.getMessage());
  }

  @Test
  void numbersThatCannotBeAreRefused() {
    FiberOptions options = FiberOptions.defaults();
    assertThrows(IllegalArgumentException.class, () -> options.withFibers(0, 1));
    assertThrows(IllegalArgumentException.class, () -> options.withFibers(2, 1));
    assertThrows(IllegalArgumentException.class, () -> options.withInbox(0));
    assertThrows(IllegalArgumentException.class, () -> options.withScratches(-1, 0, 0));
  }
}
