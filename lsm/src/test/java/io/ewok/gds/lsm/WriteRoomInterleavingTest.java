package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * In every order in which writers, flushes and readers can meet, each write is in the memtable that
 * has its place in the log, and nobody waits in vain; see {@link WriteRoomScenes}.
 */
@Timeout(120)
class WriteRoomInterleavingTest {
  private static Interleaver.Scenes scenes() throws ReflectiveOperationException {
    return (Interleaver.Scenes)
        new WriteRoomLoader()
            .loadClass(WriteRoomScenes.class.getName())
            .getConstructor()
            .newInstance();
  }

  @ParameterizedTest
  @CsvSource({
    "a memtable for each, 1, 100",
    "a memtable for two, 1, 100",
    "a log for two, 1, 100",
    "a reader has the memory, 1, 100",
    "two wait for a reader, 0, 50",
    "a flush beside, 1, 100"
  })
  void memtablesHaveTheirPartOfTheLogInAnyOrder(String scene, int preemptions, int runsMin)
      throws Exception {
    try (Interleaver.Scenes scenes = scenes()) {
      int runs = Interleaver.explore(preemptions, () -> scenes.scene(scene));
      assertTrue(runs >= runsMin, "runs: " + runs);
    }
  }

  @Test
  void twoWhoReplaceAMemtableAtOnceGoWrong() throws Exception {
    try (Interleaver.Scenes scenes = scenes()) {
      assertThrows(
          AssertionError.class,
          () -> Interleaver.exploreBlind(1, () -> scenes.scene("a log for two")));
    }
  }
}
