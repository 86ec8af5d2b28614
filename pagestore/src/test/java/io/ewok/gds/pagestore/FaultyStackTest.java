package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimFault;
import io.ewok.gds.pagestore.sim.SimOptions;
import io.ewok.gds.pagestore.sim.SimSyncFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@link AtomicFile} on a device with each of the faults. It never returns what was never written.
 * With a device that tells of its faults it never loses what was acknowledged, either.
 */
class FaultyStackTest {
  private static final int MAGIC = 7;
  private static final Path DIRECTORY = Path.of("/sim");
  private static final Path FILE = DIRECTORY.resolve("CURRENT");

  /** With these an acknowledged file may be gone, or unreadable, or an older one come back. */
  private static final Set<SimFault> UNTOLD =
      EnumSet.of(
          SimFault.BAD_SECTOR,
          SimFault.MISDIRECTED_READ,
          SimFault.MISDIRECTED_WRITE,
          SimFault.LYING_SYNC,
          SimFault.LOST_ENTRIES);

  /** A payload that tells its version, in each part of each sector. */
  private static byte[] payload(int version) {
    byte[] payload = new byte[300 + version % 5 * 400];
    Arrays.fill(payload, (byte) version);
    return payload;
  }

  /** Returns the version that is read; what is read has to be one of a single version. */
  private static int read(SimEngine engine) throws IOException {
    byte[] found = AtomicFile.read(engine, FILE, MAGIC, 1);
    assertTrue(found.length > 0);
    assertArrayEquals(payload(found[0]), found, "a mixture");
    return found[0];
  }

  @ParameterizedTest
  @EnumSource(SimFault.class)
  void readsWhatWasWrittenOrSaysSo(SimFault fault) throws IOException {
    long fired = 0;
    for (double rate : new double[] {0.05, 0.5, 1}) {
      for (SimSyncFailure syncFailure : SimSyncFailure.values()) {
        for (long seed = 0; seed < 4; seed++) {
          SimOptions options = SimOptions.defaults().withSyncFailure(syncFailure);
          try (SimEngine engine = new SimEngine(seed, options)) {
            String where = "fault=%s rate=%s %s seed=%d".formatted(fault, rate, syncFailure, seed);
            Life life = new Life(engine, EnumSet.of(fault), where);
            life.run(rate, seed);
            fired += engine.count(fault);
          }
        }
      }
    }
    assertTrue(fired > 0, "did not happen: " + fault);
  }

  @Test
  void allThatIsToldIsSurvivedTogether() throws IOException {
    Set<SimFault> told = EnumSet.complementOf(EnumSet.copyOf(UNTOLD));
    for (long seed = 100; seed < 130; seed++) {
      try (SimEngine engine = new SimEngine(seed)) {
        new Life(engine, told, "seed=" + seed).run(0.1, seed);
      }
    }
  }

  @Test
  void everythingAtOnceYieldsNoMixture() throws IOException {
    for (long seed = 200; seed < 230; seed++) {
      try (SimEngine engine = new SimEngine(seed)) {
        new Life(engine, EnumSet.allOf(SimFault.class), "seed=" + seed).run(0.1, seed);
      }
    }
  }

  /** A file that is replaced again and again, and read back after power cuts. */
  private static final class Life {
    private final SimEngine engine;
    private final Set<SimFault> faults;
    private final boolean told;
    private final String where;
    private int acknowledged;
    private int tried;

    Life(SimEngine engine, Set<SimFault> faults, String where) throws IOException {
      this.engine = engine;
      this.faults = faults;
      this.told = faults.stream().noneMatch(UNTOLD::contains);
      this.where = where;
      engine.createDirectories(DIRECTORY);
      AtomicFile.write(engine, FILE, MAGIC, 1, payload(++tried));
      acknowledged = tried;
    }

    void run(double rate, long seed) throws IOException {
      SplittableRandom random = new SplittableRandom(seed);
      engine.onSync(() -> crashAndRead(random.nextLong()));
      for (int round = 0; round < 6; round++) {
        faults.forEach(fault -> engine.setRate(fault, rate));
        try {
          AtomicFile.write(engine, FILE, MAGIC, 1, payload(++tried));
          acknowledged = tried;
        } catch (StorageException reported) {
          // Old or new, then.
        }
        try {
          assertKnown(read(engine));
        } catch (StorageException reported) {
          // The caller knows.
        }
        crashAndRead(random.nextLong());
        faults.forEach(fault -> engine.setRate(fault, 0));
      }
    }

    private void crashAndRead(long seed) {
      try (SimEngine after = engine.crash(seed)) {
        assertKnown(read(after));
      } catch (IOException e) {
        if (told || !(e instanceof StorageException)) {
          fail(where + " crash=" + seed, e);
        }
      }
    }

    private void assertKnown(int version) {
      List<Integer> known = new ArrayList<>();
      for (int candidate = told ? acknowledged : 1; candidate <= tried; candidate++) {
        known.add(candidate);
      }
      assertTrue(known.contains(version), () -> where + " found=" + version + " known=" + known);
    }
  }

  /**
   * The tear inside a sector, where it hurts: the sync of the temporary file lied, and the rename
   * is durable. The checksum finds it wherever it is.
   */
  @Test
  void tearInsideASectorIsFound() throws IOException {
    Set<String> seen = new TreeSet<>();
    for (long seed = 0; seed < 200; seed++) {
      SimOptions options = SimOptions.defaults().withRate(SimFault.TORN_SECTOR, 1);
      try (SimEngine engine = new SimEngine(seed, options)) {
        engine.createDirectories(DIRECTORY);
        engine.setRate(SimFault.LYING_SYNC, 1);
        AtomicFile.write(engine, FILE, MAGIC, 1, payload(3));
        try (SimEngine after = engine.crash(seed)) {
          assertTrue(engine.count(SimFault.TORN_SECTOR) > 0);
          assertEquals(3, read(after), "seed=" + seed);
          seen.add("whole"); // torn in the zeros behind it
        } catch (CorruptFileException found) {
          seen.add(found.getMessage().contains("checksum") ? "checksum" : "header");
        }
      }
    }
    assertTrue(seen.containsAll(List.of("checksum", "header")), seen.toString());
  }
}
