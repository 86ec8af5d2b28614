package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A hot set of half the pool, asked for by a zipfian distribution with exponent 0.99, loses at most
 * 5 points of hit ratio to a scan of ten times the pool beside it.
 */
final class ScanTest {
  private static final int FRAMES = 256;
  private static final int HOT = FRAMES / 2;
  private static final int COLD = 10 * FRAMES;
  private static final int REQUESTS = 20_000;

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(11);
  private final double[] cumulative = new double[HOT];

  @ParameterizedTest
  @EnumSource
  void aScanThatSaysSoLeavesTheHotSetAlone(EvictionKind eviction) throws IOException {
    double sum = 0;
    for (int i = 0; i < HOT; i++) {
      sum += 1 / Math.pow(i + 1, 0.99);
      cumulative[i] = sum;
    }
    BufferOptions options = new BufferOptions(FRAMES * 4096, 4096, null).withEviction(eviction);
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), options);
        CachedPageFile file =
            manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.CREATE_NEW);
        Fix fix = new Fix();
        Fix scan = new Fix().withPriority(Priority.LOW)) {
      for (int i = 0; i < HOT + COLD; i++) {
        file.create(scan);
        scan.unfix();
      }
      double alone = 0;
      for (int i = 0; i < 2; i++) { // the first round brings the hot set in
        alone = hitRatio(manager, file, fix, null);
      }
      double beside = hitRatio(manager, file, fix, scan);
      assertTrue(alone - beside <= 0.05, "alone=" + alone + " beside=" + beside);
    }
  }

  private double hitRatio(BufferManager manager, CachedPageFile file, Fix fix, Fix scan)
      throws IOException {
    int hits = 0;
    long cold = 0;
    for (int i = 0; i < REQUESTS; i++) {
      if (scan != null && cold < COLD) {
        file.fixShared(1 + HOT + cold++, scan);
        scan.unfix();
      }
      int found = Arrays.binarySearch(cumulative, random.nextDouble() * cumulative[HOT - 1]);
      long misses = manager.stats().misses();
      file.fixShared(1 + Math.min(HOT - 1, found < 0 ? -found - 1 : found), fix);
      fix.unfix();
      hits += manager.stats().misses() == misses ? 1 : 0;
    }
    return (double) hits / REQUESTS;
  }
}
