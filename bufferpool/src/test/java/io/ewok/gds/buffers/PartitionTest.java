package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** A pool of several partitions. */
final class PartitionTest {
  private static final int FRAMES = 16;
  private static final int PARTITIONS = 4;
  private static final BufferOptions OPTIONS =
      new BufferOptions(PARTITIONS * FRAMES * 4096, 4096, null)
          .withPlacements(Collections.nCopies(PARTITIONS, PlacementPolicy.preferred(0)));

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = MemoryBudget.root("exact", OPTIONS.memoryBytes());

  private static CachedPageFile create(BufferManager manager, int pages) throws IOException {
    CachedPageFile file =
        manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.CREATE_NEW);
    try (Fix fix = new Fix()) {
      for (int i = 0; i < pages; i++) {
        file.create(fix);
        fix.unfix();
      }
    }
    return file;
  }

  @Test
  void pagesLieInAllOfThemAndMemoryIsWhatTheOptionsSay() throws IOException {
    try (BufferManager manager = new BufferManager(engine, budget, OPTIONS)) {
      create(manager, 10 * PARTITIONS * FRAMES);
      assertEquals(PARTITIONS * FRAMES, manager.stats().frames());
      assertEquals(0, manager.stats().freeFrames());
      assertEquals(10 * PARTITIONS * FRAMES + 1, manager.stats().misses());
      assertEquals(
          PARTITIONS,
          List.of(manager.table().frames()).stream().map(frame -> frame.region).distinct().count());
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void noPartitionIsLargerThanARegion() {
    BufferOptions large = new BufferOptions((2L << 30) + (512 << 20), 8192, null);
    assertEquals(3, large.partitionCount());
    assertEquals(109_226, large.framesPerPartition());
    assertEquals(1, new BufferOptions(1L << 30, 8192, null).partitionCount());
    List<PlacementPolicy> nodes = List.of(PlacementPolicy.bind(0), PlacementPolicy.bind(1));
    assertEquals(4, large.withPlacements(nodes).partitionCount());
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withPlacements(List.of()));
    List<PlacementPolicy> tooMany = Collections.nCopies(9, PlacementPolicy.none());
    assertThrows(IllegalArgumentException.class, () -> OPTIONS.withPlacements(tooMany));
  }

  @Test
  void memoryThatIsNotEnoughForAllIsGivenBack() {
    MemoryBudget tight = MemoryBudget.root("tight", OPTIONS.blockMemoryBytes() - 1);
    assertThrows(BudgetExceededException.class, () -> new BufferManager(engine, tight, OPTIONS));
    assertEquals(0, tight.usedBytes());
  }

  /** One page stays fixed, so no close succeeds; nobody else notices that it is tried. */
  @Test
  void aCloseThatIsRefusedDisturbsNobody() throws Exception {
    try (BufferManager manager = new BufferManager(engine, budget, OPTIONS)) {
      int pages = 6 * PARTITIONS * FRAMES;
      CachedPageFile file = create(manager, pages);
      FutureTask<Void> fixer =
          new FutureTask<>(
              () -> {
                SplittableRandom random = new SplittableRandom(3);
                try (Fix fix = new Fix()) {
                  for (int i = 0; i < 20_000; i++) {
                    file.fixShared(1 + random.nextInt(pages), fix);
                    fix.unfix();
                  }
                }
                return null;
              });
      try (Fix held = new Fix()) {
        file.fixShared(1, held);
        Thread thread = Thread.ofPlatform().start(fixer);
        while (thread.isAlive()) {
          IllegalStateException e = assertThrows(IllegalStateException.class, file::close);
          assertTrue(e.getMessage().contains("still fixed"), e.getMessage());
          e = assertThrows(IllegalStateException.class, manager::close);
          assertTrue(e.getMessage().contains("still fixed"), e.getMessage());
        }
        fixer.get();
      }
    }
  }
}
