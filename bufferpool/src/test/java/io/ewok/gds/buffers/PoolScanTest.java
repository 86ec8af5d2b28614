package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.eviction.EvictionKind;
import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.buffers.eviction.Simulation;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How often a pool has what is asked for. A scan of ten times the pool goes on beside a hot set of
 * half of it, in turn one by one; the hot set is asked for by a Zipf distribution with exponent
 * 0.99.
 */
final class PoolScanTest {
  private static final Path FILE = Path.of("/blocks");
  private static final int FRAME = 4096;
  private static final int FRAMES = 256;
  private static final int HOT = FRAMES / 2;
  private static final int SCAN = 10 * FRAMES;
  private static final double POINTS_MAX = 0.05;

  private final SimEngine engine = new SimEngine(1);
  private final Random random = new Random(7);
  private final double[] cumulated = new double[HOT];
  private long reads;

  @BeforeEach
  void writeFile() throws IOException {
    BufferFixture.writeBlocks(engine, FILE, (HOT + SCAN) * (FRAME / BufferFixture.UNIT));
    double sum = 0;
    for (int block = 0; block < HOT; block++) {
      sum += Math.pow(block + 1, -0.99);
      cumulated[block] = sum;
    }
  }

  @Test
  void aScanDoesNotFlushThePool() throws IOException {
    double cost = costOfScan(options());
    assertTrue(cost <= POINTS_MAX, "cost=" + cost);
  }

  /** Shows that the test can see what a scan does. */
  @Test
  void aScanFlushesAPoolWithAClock() throws IOException {
    double cost = costOfScan(options().withEviction(EvictionKind.CLOCK));
    assertTrue(cost > POINTS_MAX, "cost=" + cost);
  }

  @ParameterizedTest
  @EnumSource(names = {"S3_FIFO", "CAR"})
  void aPoolHasTheHitsThatASimulationPredicts(EvictionKind kind) throws IOException {
    ReferenceTrace.Builder trace = new ReferenceTrace.Builder();
    try (BufferManager manager =
            new BufferManager(engine, BufferFixture.budget(), options().withEviction(kind));
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      for (int i = 0; i < 20_000; i++) {
        int block = i % 3 == 0 ? hotBlock() : random.nextInt(HOT + SCAN / 4);
        trace.add(block);
        isHit(file, block, fix);
      }
      assertEquals(Simulation.hits(kind, trace.build(), FRAMES), manager.stats().hits());
    }
  }

  private static BufferOptions options() {
    return new BufferOptions((long) FRAMES * FRAME, FRAME, null);
  }

  private CachedBlockFile open(BufferManager manager) throws IOException {
    return manager.openBlocks(FILE, (_, _, _) -> reads++);
  }

  /** By how much the part of hits in the hot set falls while the scan goes on. */
  private double costOfScan(BufferOptions options) throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), options);
        CachedBlockFile file = open(manager);
        Fix fix = new Fix()) {
      for (int i = 0; i < 20 * HOT; i++) {
        isHit(file, hotBlock(), fix);
      }
      int before = 0;
      int during = 0;
      for (int i = 0; i < SCAN; i++) {
        before += isHit(file, hotBlock(), fix) ? 1 : 0;
      }
      for (int i = 0; i < SCAN; i++) {
        isHit(file, HOT + i, fix);
        during += isHit(file, hotBlock(), fix) ? 1 : 0;
      }
      return (double) (before - during) / SCAN;
    }
  }

  private boolean isHit(CachedBlockFile file, int block, Fix fix) throws IOException {
    long before = reads;
    file.fix((long) block * FRAME, FRAME, fix);
    fix.unfix();
    return reads == before;
  }

  private int hotBlock() {
    int at = Arrays.binarySearch(cumulated, random.nextDouble() * cumulated[HOT - 1]);
    return at < 0 ? -at - 1 : at;
  }
}
