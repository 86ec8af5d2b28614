package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The store and a TreeMap do the same random operations and must agree all the time. A failure
 * saves the operations, less what it does not need, as a script: {@code -Dgds.test.script=FILE}.
 */
class StoreModelTest {
  private static final int OPERATIONS = 6_000;
  private static final int SHRINK_TRIES = 400;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 14})
  void storeAgreesWithATreeMap(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    List<String> script = ScriptWriter.write(seed, OPERATIONS);
    StoreScript run = new StoreScript();
    try {
      run.run(script);
    } catch (AssertionError e) {
      throw new AssertionError(Fixtures.replay(getClass(), seed) + "; " + save(script, seed), e);
    }
    // Else the test would not test much.
    assertTrue(
        run.flushes > 20 && run.merges > 5 && run.misses > 200,
        "flushes=%d merges=%d misses=%d".formatted(run.flushes, run.merges, run.misses));
    // That one has families in which nothing goes by itself.
    assertTrue(
        seed != 1 || (run.commits > 20 && run.conflicts > 0),
        "commits=%d conflicts=%d".formatted(run.commits, run.conflicts));
    boolean hasFamilies = script.contains("create 1");
    assertTrue(run.clones > 0 || !hasFamilies, "clones=" + run.clones);
    // And is leveled all the time.
    assertTrue(seed != 1 || run.mergesWithinLevel0 > 0);
    // In these all families, or one, let their oldest tables go.
    assertTrue(run.drops > 5 || (seed != 4 && seed != 6 && seed != 14), "drops=" + run.drops);
  }

  private static String save(List<String> script, long seed) throws IOException {
    List<String> shrunk = ScriptWriter.shrink(script, StoreModelTest::fails, SHRINK_TRIES);
    Path file = Files.createTempFile("store-" + seed + "-", ".script");
    Files.write(file, shrunk);
    return "or with -Dgds.test.script=" + file + " of " + shrunk.size() + " lines";
  }

  private static boolean fails(List<String> script) {
    try {
      new StoreScript().run(script);
      return false;
    } catch (AssertionError e) {
      return true;
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "gds.test.script", matches = ".+")
  void scriptOfAFileHolds() throws IOException {
    new StoreScript().run(Files.readAllLines(Path.of(System.getProperty("gds.test.script"))));
  }

  @Test
  void scriptSaysWhichLineFailed() {
    AssertionError e =
        assertThrows(
            AssertionError.class,
            () -> new StoreScript().run(List.of("put 1 10:1 SYNCED", "dance")));
    assertEquals("line 2: dance", e.getMessage());
  }

  @Test
  void shrinkingKeepsWhatTheFailureNeeds() {
    List<String> script = ScriptWriter.write(5, 300);
    List<String> puts = script.stream().filter(line -> line.startsWith("put")).toList();
    List<String> culprits = List.of(puts.getFirst(), puts.get(puts.size() / 2), puts.getLast());
    List<String> shrunk = ScriptWriter.shrink(script, lines -> lines.containsAll(culprits), 10_000);
    assertEquals(culprits, shrunk);
  }
}
