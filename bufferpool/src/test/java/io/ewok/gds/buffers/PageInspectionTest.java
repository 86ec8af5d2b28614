package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PageInspectionTest {
  private static final Path FILE = Path.of("/pages");
  private static final int PAGES = 40;
  private static final int FREED = 7;

  private final MemoryBudget budget = BufferFixture.budget();
  private final Found found = new Found();

  @ParameterizedTest
  @EnumSource(PageSize.class)
  void rotAndBadSectorsAreFoundAndNothingElse(PageSize size) throws IOException {
    try (SimEngine engine = withPages(size)) {
      engine.flipBit(FILE, 3L * size.bytes() + 100);
      engine.markBad(FILE, 20L * size.bytes());
      try (PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
        assertEquals(size, inspection.pageSize());
        assertEquals(TornPages.DOUBLE_WRITE, inspection.tornPagesOrNull());
        inspection.verify(found);
        assertEquals(inspection.pageCount(), found.pages.get());
      }
      assertEquals(1, found.free.get());
      assertEquals(found.pages.get() - PAGES - found.lost(), found.neverWritten.get());
      assertTrue(found.bad.remove(3L).contains("checksum"));
      // Pages smaller than what the device reads at once are lost together.
      assertTrue(found.bad.remove(20L).contains("errno=EIO"));
      assertTrue(found.bad.keySet().stream().allMatch(page -> near(page, size)), found.toString());
    }
    assertEquals(0, budget.usedBytes());
  }

  private static boolean near(long page, PageSize size) {
    return page * size.bytes() / 4096 == 20L * size.bytes() / 4096;
  }

  @Test
  void callersShareTheWork() throws Exception {
    try (SimEngine engine = withPages(PageSize.BYTES_65536);
        PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
      ArrayList<Thread> threads = new ArrayList<>();
      ConcurrentSkipListMap<Integer, Exception> failures = new ConcurrentSkipListMap<>();
      for (int i = 0; i < 3; i++) {
        int number = i;
        threads.add(
            Thread.ofVirtual()
                .start(
                    () -> {
                      try {
                        inspection.verify(found);
                      } catch (IOException e) {
                        failures.put(number, e);
                      }
                    }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(Map.of(), failures);
      assertEquals(inspection.pageCount(), found.pages.get());
      assertEquals(Map.of(), found.bad);
    }
  }

  @Test
  void aFileThatEndsInAPageIsTold() throws IOException {
    PageSize size = PageSize.BYTES_8192;
    try (SimEngine engine = withPages(size)) {
      try (IoFile file = engine.open(FILE, OpenMode.READ_WRITE)) {
        file.truncate(5 * 8192 + 1234);
      }
      try (PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
        assertEquals(5, inspection.pageCount());
        inspection.verify(found);
        assertEquals(Map.of(5L, "the file ends after 1234 of its bytes"), found.bad);
      }
    }
  }

  @Test
  void pagesAreReadInAnyOrderAndAroundBadOnes() throws IOException {
    PageSize size = PageSize.BYTES_4096;
    try (SimEngine engine = withPages(size)) {
      engine.markBad(FILE, 20L * size.bytes());
      try (PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
        for (long page : new long[] {39, 1, 19, 21, 2, 0}) {
          assertNull(inspection.defectOrNull(inspection.page(page), page));
        }
        assertNotNull(inspection.defectOrNull(inspection.page(5), 6));
        assertThrows(StorageException.class, () -> inspection.page(20));
        assertNull(inspection.defectOrNull(inspection.page(19), 19));
        assertThrows(IllegalArgumentException.class, () -> inspection.page(inspection.pageCount()));
        assertThrows(IllegalArgumentException.class, () -> inspection.page(-1));
      }
    }
  }

  @Test
  void whatIsNoPageFileIsRefusedUnlessTheSizeIsGiven() throws IOException {
    try (SimEngine engine = withPages(PageSize.BYTES_512)) {
      engine.flipBit(FILE, 24);
      assertThrows(
          NotAPageFileException.class, () -> PageInspection.open(engine, budget, FILE).close());
      try (PageInspection inspection =
          PageInspection.open(engine, budget, FILE, PageSize.BYTES_512)) {
        assertNull(inspection.tornPagesOrNull());
        inspection.verify(found);
        assertEquals(1, found.bad.size());
      }
      try (IoFile file = engine.open(FILE, OpenMode.READ_WRITE)) {
        file.truncate(0);
      }
      assertThrows(
          NotAPageFileException.class, () -> PageInspection.open(engine, budget, FILE).close());
    }
    assertEquals(0, budget.usedBytes());
  }

  /** A file of 40 pages, one of them given back. */
  private static SimEngine withPages(PageSize size) throws IOException {
    SimEngine engine = new SimEngine(1);
    engine.createDirectories(FILE.getParent());
    BufferOptions options = new BufferOptions(1 << 20, 4096, null);
    try (BufferManager manager = new BufferManager(engine, BufferFixture.budget(), options);
        CachedPageFile file =
            manager.openPages(FILE, size, OpenMode.CREATE_NEW, TornPages.DOUBLE_WRITE);
        Fix fix = new Fix()) {
      for (int i = 1; i < PAGES; i++) {
        file.create(fix);
        SlottedPage.insert(fix.segment(), MemorySegment.ofArray(new byte[i]));
        fix.unfix();
      }
      file.free(FREED, 0);
    }
    return engine;
  }

  private static final class Found implements PageFindings {
    final AtomicInteger pages = new AtomicInteger();
    final AtomicInteger neverWritten = new AtomicInteger();
    final AtomicInteger free = new AtomicInteger();
    final Map<Long, String> bad = new ConcurrentSkipListMap<>();

    @Override
    public void inspected(int pages, int neverWritten, int free) {
      this.pages.addAndGet(pages);
      this.neverWritten.addAndGet(neverWritten);
      this.free.addAndGet(free);
    }

    @Override
    public void bad(long page, String reason) {
      bad.put(page, reason);
    }

    /** How many pages lie beyond the last one and are bad. */
    long lost() {
      return bad.keySet().stream().filter(page -> page >= PAGES).count();
    }

    @Override
    public String toString() {
      return new TreeMap<>(bad).toString();
    }
  }
}
