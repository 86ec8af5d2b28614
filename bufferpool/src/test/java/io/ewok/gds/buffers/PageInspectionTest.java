package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WrongKeyException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  void encryptedPagesAreLookedAtWithoutTheKeyAndIntoWithIt() throws IOException {
    PageSize size = PageSize.BYTES_4096;
    TestKeys keys = new TestKeys(1);
    try (SimEngine engine = withPages(size, keys)) {
      try (PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
        assertTrue(inspection.isEncrypted() && inspection.hasKey());
        inspection.verify(found);
        assertEquals(Map.of(), found.bad);
        assertEquals(1, found.free.get());
        for (int page = 1; page < PAGES; page++) {
          MemorySegment content = inspection.content(inspection.page(page), page);
          SlottedPage.check(content);
          assertEquals(page == FREED ? 0 : 1, SlottedPage.itemCount(content));
          assertTrue(page == FREED || SlottedPage.length(content, 0) == page, "page=" + page);
          assertNull(inspection.defectOrNull(inspection.page(page), page));
        }
      }
      forge(engine, 5L * size.bytes(), size);
      try (PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
        inspection.verify(found);
        assertEquals(1, found.bad.size());
        assertTrue(found.bad.get(5L).contains("tampered"), found.toString());
        MemorySegment forged = inspection.page(5);
        assertThrows(CorruptFileException.class, () -> inspection.content(forged, 5));
      }
      found.bad.clear();
      keys.oldest = 2;
      try (PageInspection inspection = PageInspection.open(engine, budget, FILE)) {
        assertTrue(inspection.isEncrypted() && !inspection.hasKey());
        inspection.verify(found); // its checksum is right
        assertEquals(Map.of(), found.bad);
        MemorySegment page = inspection.page(4);
        assertThrows(StorageException.class, () -> inspection.content(page, 4));
      }
      keys.oldest = 1;
      keys.filling = 1;
      assertThrows(
          WrongKeyException.class, () -> PageInspection.open(engine, budget, FILE).close());
    }
    assertEquals(0, budget.usedBytes());
    TestKeys strict = new TestKeys(KeySource.NOT_ENCRYPTED);
    try (SimEngine engine = withPages(size, strict)) {
      strict.readsPlain = false;
      assertThrows(
          PlainFileException.class, () -> PageInspection.open(engine, budget, FILE).close());
    }
  }

  private void forge(SimEngine engine, long offset, PageSize size) throws IOException {
    try (IoFile file = engine.open(FILE, OpenMode.READ_WRITE);
        Region region = Region.map(budget, RegionOptions.ofSize(size.bytes()))) {
      file.readFully(offset, region, 0, size.bytes());
      MemorySegment page = region.segment().asSlice(0, size.bytes());
      page.set(ValueLayout.JAVA_BYTE, 1000, (byte) (page.get(ValueLayout.JAVA_BYTE, 1000) ^ 1));
      PageFormat.seal(page, size, offset / size.bytes());
      file.write(offset, region, 0, size.bytes());
    }
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
    return withPages(size, KeySource.NONE);
  }

  private static SimEngine withPages(PageSize size, KeySource keys) throws IOException {
    SimEngine engine = new SimEngine(1, SimOptions.defaults().withKeys(keys));
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
