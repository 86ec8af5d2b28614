package io.ewok.gds.bench;

import com.sun.management.ThreadMXBean;
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
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * What pages of a file cost that is encrypted, or is not, by one thread: those that are read, since
 * they are not in the pool, and those that are read, changed and made durable.
 *
 * @param readsPerSecond pages read in a second
 * @param heapPerRead bytes of the heap for each
 * @param writesPerSecond pages made durable in a second
 * @param heapPerWrite bytes of the heap for each
 */
record SealedPagesRun(
    double readsPerSecond, double heapPerRead, double writesPerSecond, double heapPerWrite) {
  private static final PageSize SIZE = PageSize.BYTES_4096;
  private static final int PAGES = 16_384;

  /** Changed between two flushes. */
  private static final int CHANGED = 256;

  /** Twice what is changed, so that all of it has room, and a page that is read hardly stays. */
  private static final int FRAMES = 2 * CHANGED;

  private static final double NANOS_PER_SECOND = 1e9;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** One key, which nobody has to keep secret. */
  private static final KeySource KEYS =
      new KeySource() {
        @Override
        public int currentId() {
          return 1;
        }

        @Override
        public byte[] key(int id) {
          return id == 1 ? new byte[KEY_BYTES] : null;
        }
      };

  /** Makes a file, and reads and writes for at least as long each. */
  static SealedPagesRun measure(Path parent, boolean encrypted, long nanos) throws IOException {
    Path directory = ScratchDirectories.create(parent, "gds-bench-pages-");
    EngineOptions engineOptions = EngineOptions.defaults();
    BufferOptions options = new BufferOptions((long) FRAMES * SIZE.bytes(), SIZE.bytes(), null);
    try (IoEngine engine =
            IoEngines.open(encrypted ? engineOptions.withKeys(KEYS) : engineOptions);
        BufferManager manager =
            new BufferManager(engine, MemoryBudget.root("bench", options.memoryBytes()), options);
        CachedPageFile file =
            manager.openPages(
                directory.resolve("pages"), SIZE, OpenMode.CREATE_NEW, TornPages.DOUBLE_WRITE);
        Fix fix = new Fix()) {
      for (int i = 0; i < PAGES; i++) {
        file.create(fix);
        fix.unfix();
      }
      file.flush();
      SplittableRandom random = new SplittableRandom(1);
      double[] reads = run(nanos, () -> read(file, fix, random));
      double[] writes = run(nanos, () -> write(file, fix, random));
      return new SealedPagesRun(reads[0], reads[1], writes[0], writes[1]);
    } finally {
      ScratchDirectories.delete(directory);
    }
  }

  private interface Batch {
    /** Reads or writes {@link #CHANGED} pages. */
    void run() throws IOException;
  }

  /** Pages a second, and bytes of the heap a page. */
  private static double[] run(long nanos, Batch batch) throws IOException {
    long heap = THREADS.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    long pages = 0;
    long passed;
    do {
      batch.run();
      pages += CHANGED;
      passed = System.nanoTime() - start;
    } while (passed < nanos);
    double bytes = THREADS.getCurrentThreadAllocatedBytes() - heap;
    return new double[] {pages * NANOS_PER_SECOND / passed, bytes / pages};
  }

  private static void read(CachedPageFile file, Fix fix, SplittableRandom random)
      throws IOException {
    for (int i = 0; i < CHANGED; i++) {
      file.fixShared(1 + random.nextInt(PAGES), fix);
      fix.unfix();
    }
  }

  private static void write(CachedPageFile file, Fix fix, SplittableRandom random)
      throws IOException {
    for (int i = 0; i < CHANGED; i++) {
      // One in each stretch, so that none is changed twice.
      file.fixExclusive(1 + (long) i * (PAGES / CHANGED) + random.nextInt(PAGES / CHANGED), fix);
      fix.segment().set(ValueLayout.JAVA_LONG, ResidentPages.NUMBER_OFFSET, random.nextLong());
      fix.markDirty(0);
      fix.unfix();
    }
    file.flush();
  }
}
