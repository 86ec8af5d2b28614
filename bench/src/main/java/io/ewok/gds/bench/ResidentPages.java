package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** A pool with all pages of a temporary file in it. Each page holds its number. */
final class ResidentPages implements AutoCloseable {
  static final int PAGE_BYTES = 4096;

  /** Where in a page its number is; not in the cache line of its header. */
  static final int NUMBER_OFFSET = 128;

  final CachedPageFile file;

  private final int count;
  private final Path directory;
  private final IoEngine engine;
  private final BufferManager manager;

  ResidentPages(int count) throws IOException {
    this.count = count;
    BufferOptions options = new BufferOptions(2L * count * PAGE_BYTES, PAGE_BYTES, null);
    directory = ScratchDirectories.create("gds-bench-pool-");
    engine = IoEngines.open(EngineOptions.defaults());
    manager = new BufferManager(engine, MemoryBudget.root("bench", options.memoryBytes()), options);
    file =
        manager.openPages(
            directory.resolve("pages"), PageSize.ofBytes(PAGE_BYTES), OpenMode.CREATE_NEW);
    try (Fix fix = new Fix()) {
      for (int i = 0; i < count; i++) {
        long page = file.create(fix);
        fix.segment().set(ValueLayout.JAVA_LONG, NUMBER_OFFSET, page);
        fix.unfix();
      }
    }
    manager.flush();
  }

  /** Opens the same pages as blocks, and has them in the pool, too. */
  LoadedBlockFile blocks() throws IOException {
    LoadedBlockFile blocks =
        manager.openBlocks(file.path(), (_, _, stored, block) -> block.copyFrom(stored));
    try (Fix fix = new Fix()) {
      for (long page = 1; page <= count; page++) {
        blocks.fix(page * PAGE_BYTES, PAGE_BYTES, PAGE_BYTES, fix);
        fix.unfix();
      }
    }
    return blocks;
  }

  /** Closes and deletes everything. */
  @Override
  public void close() throws IOException {
    try (engine;
        manager) {
      ScratchDirectories.delete(directory);
    }
  }
}
