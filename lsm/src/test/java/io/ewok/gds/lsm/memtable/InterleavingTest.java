package io.ewok.gds.lsm.memtable;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.InterleavedLoader;
import io.ewok.gds.lsm.Interleaver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In every order in which writers and a reader can meet, each reader finds what had been inserted,
 * in order and once; see {@link MemtableScenes}.
 */
@Timeout(120)
class InterleavingTest {
  private static Interleaver.Scenes scenes(String alwaysTrue) throws ReflectiveOperationException {
    return scenes("root", alwaysTrue);
  }

  private static Interleaver.Scenes scenes(String field, String alwaysTrue)
      throws ReflectiveOperationException {
    ClassLoader loader =
        new InterleavedLoader(MemtableScenes.class.getPackageName(), field, alwaysTrue);
    return (Interleaver.Scenes)
        loader.loadClass(MemtableScenes.class.getName()).getConstructor().newInstance();
  }

  @ParameterizedTest
  @CsvSource({
    "a leaf has room, 2, 1000",
    "'a leaf splits, its left half gains', 2, 500",
    "'a leaf splits, its right half gains', 3, 10000",
    "a leaf before another splits, 2, 500",
    "the last leaf splits at its end, 2, 500",
    "a leaf splits and is read backward, 2, 1000",
    "slots of a leaf that split are used again, 2, 500",
    "a leaf splits for one and gains for another, 2, 1000",
    "a leaf of keys with one head splits, 2, 1000",
    "a leaf of keys with one head is read backward, 2, 1000",
    "the first leaf of all, 2, 1000",
    "leaf and root split, 2, 1000",
    "leaf and root split and are read, 2, 1000",
    "a level is needed that comes late, 1, 50",
    "versions of one key, 4, 1000",
    "keys that meet, 2, 100",
    "a table that is full, 2, 1000"
  })
  void whatWasInsertedIsFoundInAnyOrder(String scene, int preemptions, int runsMin)
      throws Exception {
    try (Interleaver.Scenes scenes = scenes("")) {
      int runs = Interleaver.explore(preemptions, () -> scenes.scene(scene));
      assertTrue(runs >= runsMin, "runs: " + runs);
    }
  }

  @ParameterizedTest
  @CsvSource({"ranges are added and read, 3, 1000", "readers make sets side by side, 3, 1000"})
  void rangeDeletesThatWereAddedAreFoundInAnyOrder(String scene, int preemptions, int runsMin)
      throws Exception {
    try (Interleaver.Scenes scenes = scenes("view", "")) {
      int runs = Interleaver.explore(preemptions, () -> scenes.scene(scene));
      assertTrue(runs >= runsMin, "runs: " + runs);
    }
  }

  @Test
  void readerWhoDoesNotLookForSplitsGoesWrong() throws Exception {
    try (Interleaver.Scenes scenes = scenes("isUnsplit")) {
      assertThrows(
          AssertionError.class,
          () -> Interleaver.explore(2, () -> scenes.scene("a leaf splits, its left half gains")));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a leaf has room",
        "versions of one key",
        "a table that is full",
        "ranges are added and read"
      })
  void writersWhoDoNotLookForEachOtherGoWrong(String scene) throws Exception {
    try (Interleaver.Scenes scenes = scenes("")) {
      assertThrows(
          AssertionError.class, () -> Interleaver.exploreBlind(2, () -> scenes.scene(scene)));
    }
  }
}
