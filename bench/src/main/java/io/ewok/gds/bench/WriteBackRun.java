package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.bench.scratch.ScratchDirectories;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.CachedPageFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SplittableRandom;

/** What keeping pages whole costs: how many changed pages become durable in a second. */
final class WriteBackRun {
  private static final PageSize SIZE = PageSize.BYTES_16384;
  private static final int PAGES = 4096;

  /** Changed between two flushes. */
  private static final int CHANGED = 256;

  private static final double NANOS_PER_SECOND = 1e9;

  private WriteBackRun() {}

  /** Why a mode cannot be had here, if it cannot. */
  static Optional<String> refusal(Path parent, TornPages mode) throws IOException {
    Path directory = ScratchDirectories.create(parent, "gds-bench-pages-");
    BufferOptions options = new BufferOptions(64L * SIZE.bytes(), SIZE.bytes(), null);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        BufferManager manager =
            new BufferManager(engine, MemoryBudget.root("bench", options.memoryBytes()), options)) {
      manager.openPages(directory.resolve("pages"), SIZE, OpenMode.CREATE_NEW, mode).close();
      return Optional.empty();
    } catch (StorageException e) {
      return Optional.of(e.getMessage());
    } finally {
      ScratchDirectories.delete(directory);
    }
  }

  /** Changes pages here and there, and flushes, for at least as long. */
  static double pagesPerSecond(Path parent, TornPages mode, long nanos) throws IOException {
    Path directory = ScratchDirectories.create(parent, "gds-bench-pages-");
    BufferOptions options = new BufferOptions(2L * PAGES * SIZE.bytes(), SIZE.bytes(), null);
    try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
        BufferManager manager =
            new BufferManager(engine, MemoryBudget.root("bench", options.memoryBytes()), options);
        CachedPageFile file =
            manager.openPages(directory.resolve("pages"), SIZE, OpenMode.CREATE_NEW, mode);
        Fix fix = new Fix()) {
      for (int i = 0; i < PAGES; i++) {
        file.create(fix);
        fix.unfix();
      }
      file.flush();
      return change(file, fix, nanos);
    } finally {
      ScratchDirectories.delete(directory);
    }
  }

  private static double change(CachedPageFile file, Fix fix, long nanos) throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    long pages = 0;
    long start = System.nanoTime();
    long passed;
    do {
      // One in each stretch, so that none is changed twice.
      for (int i = 0; i < CHANGED; i++) {
        long page = 1 + (long) i * (PAGES / CHANGED) + random.nextInt(PAGES / CHANGED);
        file.fixExclusive(page, fix);
        fix.segment().set(ValueLayout.JAVA_LONG, ResidentPages.NUMBER_OFFSET, pages++);
        fix.markDirty(0);
        fix.unfix();
      }
      file.flush();
      passed = System.nanoTime() - start;
    } while (passed < nanos);
    return pages * NANOS_PER_SECOND / passed;
  }
}
