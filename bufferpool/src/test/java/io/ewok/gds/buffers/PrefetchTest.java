package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class PrefetchTest {
  private static final Path FILE = Path.of("/pages");
  private static final PageSize SIZE = PageSize.BYTES_4096;
  private static final int PAGES = 60;
  private static final BufferOptions OPTIONS = new BufferOptions(64 * 4096, 4096, null);

  @TempDir Path temporary;

  private final SimEngine engine = new SimEngine(1);

  private static void write(IoEngine engine, Path path) throws IOException {
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        CachedPageFile file = manager.openPages(path, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      for (int page = 1; page <= PAGES; page++) {
        file.create(fix);
        fix.segment().set(ValueLayout.JAVA_LONG, 64, page);
        fix.unfix();
      }
    }
  }

  private static long[] pages(int from, int count) {
    return LongStream.range(from, from + count).toArray();
  }

  private static Fix[] fixes(int count) {
    return Stream.generate(Fix::new).limit(count).toArray(Fix[]::new);
  }

  private interface Body {
    void run(BufferManager manager, CachedPageFile file) throws Exception;
  }

  private void run(Body body) throws Exception {
    write(engine, FILE);
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), OPTIONS);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      body.run(manager, file);
    }
  }

  @Test
  void whatWasPrefetchedNeedsNoRead() throws Exception {
    run(
        (manager, file) -> {
          file.prefetch(pages(1, 10), 10, Priority.NORMAL);
          long misses = manager.stats().misses();
          long reads = engine.stats().reads();
          try (Fix fix = new Fix()) {
            for (int page = 1; page <= 10; page++) {
              file.fixShared(page, fix);
              assertEquals(page, fix.segment().get(ValueLayout.JAVA_LONG, 64));
              fix.unfix();
            }
          }
          assertEquals(misses, manager.stats().misses());
          assertEquals(reads, engine.stats().reads());
          file.prefetch(pages(1, 10), 10, Priority.NORMAL);
          assertEquals(misses, manager.stats().misses());
        });
  }

  @Test
  void aBatchIsFixedTogether() throws Exception {
    run(
        (manager, file) -> {
          long[] pages = {7, 3, 50, 7, 20};
          Fix[] fixes = fixes(pages.length);
          file.fixShared(pages, pages.length, fixes);
          for (int i = 0; i < pages.length; i++) {
            assertEquals(pages[i], fixes[i].segment().get(ValueLayout.JAVA_LONG, 64));
          }
          assertEquals(4, manager.stats().pinned());
          for (Fix fix : fixes) {
            fix.close();
          }
          assertThrows(
              IllegalArgumentException.class,
              () -> file.fixShared(new long[] {1, PAGES + 1}, 2, fixes));
          assertThrows(IndexOutOfBoundsException.class, () -> file.fixShared(pages, 6, fixes));
        });
  }

  @Test
  void aBatchWithABadPageFixesNothing() throws Exception {
    run(
        (manager, file) -> {
          engine.flipBit(FILE, 5L * SIZE.bytes() + 70);
          Fix[] fixes = fixes(8);
          CorruptFileException e =
              assertThrows(CorruptFileException.class, () -> file.fixShared(pages(1, 8), 8, fixes));
          assertTrue(e.getMessage().contains("page 5"), e.getMessage());
          for (Fix fix : fixes) {
            assertFalse(fix.isFixed());
          }
          assertEquals(0, manager.stats().pinned());
        });
  }

  @Test
  void aPrefetchThatFailsLeavesNoTrace() throws Exception {
    run(
        (manager, file) -> {
          int free = manager.stats().freeFrames();
          engine.failNth(SimOperation.READ, 1, Errno.EIO);
          file.prefetch(pages(9, 1), 1, Priority.NORMAL);
          assertEquals(free, manager.stats().freeFrames());
          try (Fix fix = new Fix()) {
            file.fixShared(9, fix);
          }
        });
  }

  @Test
  void aPrefetchTakesWhatIsIdleAndCleanAndNothingElse() throws Exception {
    run(
        (manager, file) -> {
          Fix[] fixes = fixes(PAGES);
          file.fixShared(pages(1, PAGES), PAGES, fixes);
          for (int page = 1; page <= 20; page++) { // fixed, dirty or idle
            fixes[page - 1].unfix();
            file.fixExclusive(page, fixes[page - 1]);
            fixes[page - 1].markDirty(0);
            fixes[page - 1].unfix();
          }
          for (int page = 21; page <= 30; page++) {
            fixes[page - 1].unfix();
          }
          Path other = Path.of("/other");
          write(engine, other);
          try (CachedPageFile second = manager.openPages(other, SIZE, OpenMode.READ_ONLY)) {
            long misses = manager.stats().misses();
            for (int page = 1; page <= PAGES; page += 10) {
              second.prefetch(pages(page, 10), 10, Priority.LOW);
            }
            assertTrue(manager.stats().misses() > misses + 10);
            assertEquals(20, manager.stats().dirty());
            assertEquals(0, manager.stats().writeBacks());
          }
          for (int page = 31; page <= PAGES; page++) {
            assertEquals(page, fixes[page - 1].segment().get(ValueLayout.JAVA_LONG, 64));
            fixes[page - 1].unfix();
          }
        });
  }

  @Test
  void aFileMayBeClosedWhileItIsPrefetched() throws Exception {
    Path path = temporary.resolve("pages");
    try (IoEngine pool = IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL))) {
      write(pool, path);
      try (BufferManager manager = new BufferManager(pool, BufferFixture.budget(), OPTIONS)) {
        for (int i = 0; i < 100; i++) {
          CachedPageFile file = manager.openPages(path, SIZE, OpenMode.READ_ONLY);
          file.prefetch(pages(1, 16), 16, Priority.NORMAL);
          file.prefetch(pages(17, 16), 16, Priority.NORMAL);
          if (i % 2 == 0) {
            Fix[] fixes = fixes(32);
            file.fixShared(pages(1, 32), 32, fixes);
            for (Fix fix : fixes) {
              fix.close();
            }
          }
          file.close();
          assertEquals(64, manager.stats().freeFrames());
        }
      }
    }
  }
}
