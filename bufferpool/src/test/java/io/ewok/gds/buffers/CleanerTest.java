package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.ClassLimits;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoRate;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.ThrottleOptions;
import io.ewok.gds.pagestore.WorkClass;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CleanerTest {
  private static final LogOptions LOG = new LogOptions(64 << 10, 8, 16 << 10);
  private static final int FRAMES = 32;
  private static final int VALUE = 24;

  @TempDir private Path temporary;

  private final SimEngine sim = new SimEngine(1);
  private final MemorySegment record = MemorySegment.ofArray(new byte[100]);

  /** A manager with a log and one file. */
  private static final class Pool implements AutoCloseable {
    final WriteAheadLog log;
    final BufferManager manager;
    final CachedPageFile file;

    Pool(IoEngine engine, Path directory, TornPages mode) throws IOException {
      log =
          WriteAheadLog.open(
              engine, directory.resolve("log"), LOG, BufferFixture.budget(), (lsn, bytes) -> {});
      manager =
          new BufferManager(
              engine, BufferFixture.budget(), new BufferOptions(FRAMES * 4096, 4096, log));
      file =
          manager.openPages(
              directory.resolve("pages"), PageSize.BYTES_4096, OpenMode.CREATE_NEW, mode);
    }

    @Override
    public void close() throws IOException {
      try (log;
          manager) {
        file.close();
      }
    }
  }

  @Test
  void aPageThatChangesWhileItIsWrittenStaysDirty() throws IOException {
    Runnable[] meanwhile = {() -> {}};
    IoEngine engine = GatedEngine.before("write", sim, () -> meanwhile[0].run());
    try (Pool pool = new Pool(engine, Path.of("/"), TornPages.NONE)) {
      create(pool, 3);
      pool.manager.flush();
      change(pool, 1, 10);
      change(pool, 2, 20);
      meanwhile[0] =
          () -> {
            meanwhile[0] = () -> {};
            try {
              change(pool, 1, 11); // the cleaner has no latch now
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          };
      long before = pool.log.endLsn();
      pool.manager.clean(Long.MAX_VALUE);
      assertEquals(1, pool.manager.stats().dirty());
      assertEquals(before, pool.manager.checkpoint(), "what was copied need not be redone");
      pool.manager.clean(Long.MAX_VALUE);
      assertEquals(0, pool.manager.stats().dirty());
      assertEquals(pool.log.endLsn(), pool.manager.checkpoint());
    }
    try (BufferManager manager =
            new BufferManager(
                sim.crash(1),
                BufferFixture.budget(),
                new BufferOptions(FRAMES * 4096, 4096, null));
        CachedPageFile file =
            manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.READ_ONLY)) {
      assertEquals(11, value(file, 1));
      assertEquals(20, value(file, 2));
    }
  }

  @Test
  void theHorizonIsTheOldestChangeThatIsNotInItsFile() throws IOException {
    try (Pool pool = new Pool(sim, Path.of("/"), TornPages.AUTO);
        Fix fix = new Fix()) {
      create(pool, 4);
      pool.manager.flush();
      long first = pool.log.endLsn();
      assertEquals(first, pool.manager.checkpoint());
      change(pool, 1, 1);
      long second = pool.log.endLsn();
      change(pool, 2, 2);
      long third = pool.log.endLsn();
      pool.file.fixExclusive(3, fix);
      pool.log.append(record);
      assertEquals(first, pool.manager.checkpoint());
      pool.manager.clean(second);
      assertEquals(second, pool.manager.checkpoint());
      pool.manager.clean(Long.MAX_VALUE);
      assertEquals(third, pool.manager.checkpoint(), "page 3 may be changed by what was logged");
      fix.markDirty(pool.log.endLsn());
      fix.unfix();
      assertEquals(third, pool.manager.checkpoint());
      pool.manager.clean(Long.MAX_VALUE);
      assertEquals(pool.log.endLsn(), pool.manager.checkpoint());
      assertEquals(0, pool.manager.stats().dirty());
    }
  }

  @Test
  void whatCannotBeWrittenIsToldAndTriedAgainAndTheLogKeepsIt() throws IOException {
    try (Pool pool = new Pool(sim, Path.of("/"), TornPages.NONE)) {
      create(pool, 2);
      pool.manager.flush();
      long horizon = pool.manager.checkpoint();
      change(pool, 1, 7);
      pool.log.sync(pool.log.endLsn());
      sim.failNth(SimOperation.WRITE, 1, Errno.EIO);
      assertThrows(StorageException.class, () -> pool.manager.clean(Long.MAX_VALUE));
      assertEquals(1, pool.manager.stats().dirty());
      assertEquals(horizon, pool.manager.checkpoint());
      pool.manager.clean(Long.MAX_VALUE);
      assertEquals(0, pool.manager.stats().dirty());
    }
  }

  @Test
  void aFileThatWasClosedAndNotWrittenKeepsTheLog() throws IOException {
    Pool pool = new Pool(sim, Path.of("/"), TornPages.NONE);
    try (pool.log;
        pool.manager) {
      create(pool, 2);
      pool.manager.flush();
      long horizon = pool.manager.checkpoint();
      change(pool, 1, 7);
      pool.log.sync(pool.log.endLsn());
      sim.failNth(SimOperation.WRITE, 1, Errno.EIO);
      assertThrows(StorageException.class, pool.file::close);
      assertThrows(StorageException.class, pool.manager::checkpoint);
      assertEquals(horizon, pool.log.horizonLsn());
    }
  }

  @Test
  void cleaningIsOfItsOwnClass() throws IOException {
    ClassLimits limits = ClassLimits.NONE.withDepth(4);
    sim.setThrottle(
        new ThrottleOptions(IoRate.UNLIMITED, IoRate.UNLIMITED, Map.of(WorkClass.CLEANER, limits)));
    try (Pool pool = new Pool(sim, Path.of("/"), TornPages.AUTO)) {
      create(pool, 9);
      assertEquals(0, sim.stats(WorkClass.CLEANER).operations());
      pool.manager.clean(Long.MAX_VALUE);
      assertEquals(2, sim.stats(WorkClass.CLEANER).operations(), "to the journal, and 9 pages");
    }
  }

  @Test
  void redoStaysShortWhileManyThreadsChangePages() throws Exception {
    CleanerOptions options =
        CleanerOptions.defaults().withRedoBytesMax(128 << 10).withInterval(Duration.ofMillis(1));
    int threads = 4;
    int changes = 4000;
    for (TornPages mode : new TornPages[] {TornPages.DOUBLE_WRITE, TornPages.BACKUP}) {
      Path directory = temporary.resolve(mode.name());
      try (IoEngine engine = IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL))) {
        engine.createDirectories(directory);
        try (Pool pool = new Pool(engine, directory, mode)) {
          create(pool, 2 * FRAMES);
          try (Cleaner cleaner = Cleaner.start(pool.manager, options)) {
            List<Future<Void>> workers = new ArrayList<>();
            try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
              for (int i = 0; i < threads; i++) {
                SplittableRandom random = new SplittableRandom(i);
                workers.add(executor.submit(() -> count(pool, changes, random)));
              }
            }
            for (Future<Void> worker : workers) {
              worker.get();
            }
            awaitRedo(pool, options.redoBytesMax());
            assertTrue(cleaner.failure().isEmpty(), () -> cleaner.failure().toString());
          }
          long sum = 0;
          for (long page = 1; page <= 2 * FRAMES; page++) {
            sum += value(pool.file, page);
          }
          assertEquals((long) threads * changes, sum);
        }
      }
    }
  }

  private static Void count(Pool pool, int changes, SplittableRandom random) throws IOException {
    MemorySegment record = MemorySegment.ofArray(new byte[100]);
    try (Fix fix = new Fix()) {
      for (int i = 0; i < changes; i++) {
        awaitRedo(pool, LOG.segmentBytes() * (LOG.segmentCount() - 2));
        pool.file.fixExclusive(1 + random.nextInt(2 * FRAMES), fix);
        MemorySegment page = fix.segment();
        page.set(ValueLayout.JAVA_LONG, VALUE, page.get(ValueLayout.JAVA_LONG, VALUE) + 1);
        fix.markDirty(pool.log.append(record));
        fix.unfix();
      }
    }
    return null;
  }

  /** Returns when the log needed for redo is not longer than that. */
  private static void awaitRedo(Pool pool, long bytes) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (pool.log.endLsn() - pool.log.horizonLsn() > bytes) {
      assertTrue(System.nanoTime() < deadline, () -> "too long: " + pool.log.horizonLsn());
      Thread.onSpinWait();
    }
  }

  private static void create(Pool pool, int pages) throws IOException {
    try (Fix fix = new Fix()) {
      for (int i = 0; i < pages; i++) {
        pool.file.create(fix);
        fix.unfix();
      }
    }
  }

  private void change(Pool pool, long page, long value) throws IOException {
    try (Fix fix = new Fix()) {
      pool.file.fixExclusive(page, fix);
      fix.segment().set(ValueLayout.JAVA_LONG, VALUE, value);
      fix.markDirty(pool.log.append(record));
    }
  }

  private static long value(CachedPageFile file, long page) throws IOException {
    try (Fix fix = new Fix()) {
      file.fixShared(page, fix);
      return fix.segment().get(ValueLayout.JAVA_LONG, VALUE);
    }
  }
}
