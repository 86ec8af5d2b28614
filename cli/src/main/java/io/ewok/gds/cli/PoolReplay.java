package io.ewok.gds.cli;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedBlockFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.eviction.ReferenceTrace;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/**
 * Replays a trace through a real buffer pool: every key is a block of a file that consists of a
 * hole, so that it takes no room on the disk.
 */
final class PoolReplay {
  private static final int BLOCK_BYTES = 4096;

  /** What the pool may take beyond what its options say, for the alignment of its memory. */
  private static final long SLACK_BYTES = 4 << 20;

  private static final int STEP = 1 << 14;

  private PoolReplay() {}

  /**
   * Counts the fixes that did not read.
   *
   * @param size frames of the pool
   * @param done is told how many references were replayed, now and then
   */
  static long hits(ReferenceTrace trace, int size, LongConsumer done) throws IOException {
    BufferOptions options = options(size);
    MemoryBudget budget = MemoryBudget.root("replay", options.memoryBytes() + SLACK_BYTES);
    Path path = Files.createTempFile("gds-replay", null);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        BufferManager manager = new BufferManager(engine, budget, options)) {
      try (RandomAccessFile hole = new RandomAccessFile(path.toFile(), "rw")) {
        hole.setLength((long) trace.distinct() * BLOCK_BYTES);
      }
      try (CachedBlockFile file = manager.openBlocks(path, (_, _, _) -> {})) {
        replay(trace, file, done);
        return manager.stats().hits();
      }
    } finally {
      Files.deleteIfExists(path);
    }
  }

  /**
   * How the pool is set up.
   *
   * @throws IllegalArgumentException if it cannot have so many frames
   */
  static BufferOptions options(int size) {
    return new BufferOptions((long) size * BLOCK_BYTES, BLOCK_BYTES, null);
  }

  private static void replay(ReferenceTrace trace, CachedBlockFile file, LongConsumer done)
      throws IOException {
    try (Fix fix = new Fix()) {
      for (int i = 0; i < trace.length(); i++) {
        file.fix((long) trace.id(i) * BLOCK_BYTES, BLOCK_BYTES, fix);
        fix.unfix();
        if ((i + 1) % STEP == 0) {
          done.accept(STEP);
        }
      }
    }
    done.accept(trace.length() % STEP);
  }
}
