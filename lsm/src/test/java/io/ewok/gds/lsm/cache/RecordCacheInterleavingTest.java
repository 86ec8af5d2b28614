package io.ewok.gds.lsm.cache;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.InterleavedLoader;
import io.ewok.gds.lsm.Interleaver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * In every order in which readers, and flushes that make what they read old, can meet, nobody finds
 * a value of another time; see {@link RecordCacheScenes}.
 */
@Timeout(120)
class RecordCacheInterleavingTest {
  private static Interleaver.Scenes scenes(String alwaysTrue) throws ReflectiveOperationException {
    ClassLoader loader =
        new InterleavedLoader(RecordCacheScenes.class.getPackageName(), "current", alwaysTrue);
    return (Interleaver.Scenes)
        loader.loadClass(RecordCacheScenes.class.getName()).getConstructor().newInstance();
  }

  @ParameterizedTest
  @CsvSource({
    "a reader beside a flush, 4, 50",
    "readers beside a flush, 2, 100",
    "readers beside flushes, 2, 100",
    "keys of one bucket, 2, 100",
    "a record moves, 2, 100"
  })
  void whatIsFoundIsWhatTheTablesOfTheReaderHave(String scene, int preemptions, int runsMin)
      throws Exception {
    try (Interleaver.Scenes scenes = scenes("")) {
      int runs = Interleaver.explore(preemptions, () -> scenes.scene(scene));
      assertTrue(runs >= runsMin, "runs: " + runs);
    }
  }

  private static void assertGoesWrong(String alwaysTrue, String scene) throws Exception {
    try (Interleaver.Scenes scenes = scenes(alwaysTrue)) {
      assertThrows(AssertionError.class, () -> Interleaver.explore(2, () -> scenes.scene(scene)));
    }
  }

  @Test
  void slowReaderWhoIsNotRefusedGoesWrong() throws Exception {
    assertGoesWrong("mayComeIn", "readers beside a flush");
  }

  @Test
  void readerWhoDoesNotLookAgainGoesWrong() throws Exception {
    assertGoesWrong("isUnchanged", "a record moves");
  }

  @Test
  void readerWhoTakesWhatIsOfAnotherTimeGoesWrong() throws Exception {
    assertGoesWrong("isOfTime", "readers beside flushes");
  }

  @Test
  void tablesThatAreSeenBeforeRecordsAreForgottenGoWrong() throws Exception {
    assertGoesWrong("", "a flush that is seen too early");
  }

  @Test
  void writersWhoDoNotLookForEachOtherGoWrong() throws Exception {
    try (Interleaver.Scenes scenes = scenes("")) {
      assertThrows(
          AssertionError.class,
          () -> Interleaver.exploreBlind(2, () -> scenes.scene("keys of one bucket")));
    }
  }
}
