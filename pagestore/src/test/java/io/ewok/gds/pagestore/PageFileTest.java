package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Page files and batches of pages against an array of what each page holds. */
class PageFileTest {
  static final int FRAMES = 160; // more than half a MiB of the larger pages
  private static final int PAGES_MAX = 300;

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = MemoryBudget.root("test", 8 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(FRAMES * 8192));

  @AfterEach
  void close() {
    engine.close();
    region.close();
  }

  private PageFile create(int pageBytes, int stepPages) throws IOException {
    return new PageFile(
        engine.open(Path.of("/pages" + pageBytes), OpenMode.CREATE_NEW),
        pageBytes,
        new PageFileOptions((long) stepPages * pageBytes));
  }

  /** Marks both ends of a frame. */
  private static void fill(Region region, long regionOffset, int pageBytes, long value) {
    region.segment().set(ValueLayout.JAVA_LONG, regionOffset, value);
    region.segment().set(ValueLayout.JAVA_LONG, regionOffset + pageBytes - Long.BYTES, value);
  }

  private static void assertFilled(
      Region region, long regionOffset, int pageBytes, long value, String where) {
    assertEquals(value, region.segment().get(ValueLayout.JAVA_LONG, regionOffset), where);
    assertEquals(
        value,
        region.segment().get(ValueLayout.JAVA_LONG, regionOffset + pageBytes - Long.BYTES),
        where);
  }

  @Test
  void pagesHoldWhatWasWrittenLast() throws IOException {
    for (int pageBytes : new int[] {512, 4096, 8192}) {
      try (PageFile file = create(pageBytes, 7)) {
        playAgainstAModel(engine, file, region, 50L + pageBytes, 500);
      }
    }
  }

  /**
   * Does what comes to mind with a new file and compares with an array.
   *
   * @param region of at least {@link #FRAMES} pages
   */
  static void playAgainstAModel(IoEngine engine, PageFile file, Region region, long seed, int steps)
      throws IOException {
    int pageBytes = file.pageBytes();
    SplittableRandom random = new SplittableRandom(seed);
    long[] model = new long[PAGES_MAX];
    long[] pages = new long[FRAMES];
    long[] offsets = new long[FRAMES];
    PageBatch batch = new PageBatch(engine, file, 5);
    for (int step = 0; step < steps; step++) {
      String where = "seed=" + seed + " step=" + step;
      file.ensureCapacity(random.nextInt(PAGES_MAX) * (long) step / steps + 1);
      int capacity = (int) Math.min(file.capacityPages(), PAGES_MAX);
      int count = random.nextInt(1, Math.min(capacity, FRAMES) + 1);
      int first = random.nextInt(capacity - count + 1);
      switch (random.nextInt(5)) {
        case 0 -> { // neighbours, by one transfer
          for (int i = 0; i < count; i++) {
            model[first + i] = step + 1L;
            fill(region, (long) i * pageBytes, pageBytes, step + 1);
          }
          file.write(first, count, region, 0);
        }
        case 1 -> {
          file.read(first, count, region, 0);
          for (int i = 0; i < count; i++) {
            assertFilled(region, (long) i * pageBytes, pageBytes, model[first + i], where);
          }
        }
        case 2 -> {
          file.punch(first, count);
          for (int i = 0; i < count; i++) {
            model[first + i] = 0;
          }
        }
        case 3 -> {
          choose(random, capacity, count, pages, offsets, pageBytes);
          for (int i = 0; i < count; i++) {
            model[(int) pages[i]] = (step + 1L) << 20 | i;
            fill(region, offsets[i], pageBytes, (step + 1L) << 20 | i);
          }
          batch.write(pages, offsets, count, region);
        }
        default -> {
          choose(random, capacity, count, pages, offsets, pageBytes);
          batch.read(pages, offsets, count, region);
          for (int i = 0; i < count; i++) {
            assertFilled(region, offsets[i], pageBytes, model[(int) pages[i]], where);
          }
        }
      }
    }
  }

  /** Chooses different pages, some of them neighbours, and frames, some of them so too. */
  private static void choose(
      SplittableRandom random, int capacity, int count, long[] pages, long[] offsets, int bytes) {
    int page = random.nextInt(capacity);
    int frame = random.nextInt(FRAMES);
    int jumpsLeft = capacity - count;
    for (int i = 0; i < count; i++) {
      pages[i] = page % capacity;
      offsets[i] = (long) (frame + i) % FRAMES * bytes;
      int jump = random.nextInt(3) == 0 ? random.nextInt(jumpsLeft + 1) : 0;
      jumpsLeft -= jump;
      page += 1 + jump;
    }
  }

  @Test
  void settingsSayTheStep() {
    assertEquals(64 << 20, PageFileOptions.from(Map.of()).stepBytes());
    Map<String, String> settings = Map.of("page-file.step", "2M", "x.y", "z");
    assertEquals(2 << 20, PageFileOptions.from(settings).stepBytes());
    for (String setting :
        List.of("page-file.step=100", "page-file.step=1KB", "page-file.step=2T", "page-file.s=1")) {
      String[] parts = setting.split("=", -1);
      Exception e =
          assertThrows(
              IllegalArgumentException.class,
              () -> PageFileOptions.from(Map.of(parts[0], parts[1])));
      assertTrue(e.getMessage().endsWith(setting), e.getMessage());
    }
  }

  @Test
  void threadsGrowAFileTogether() throws Exception {
    try (PageFile file = create(512, 4)) {
      EngineConformanceTest.onThreads(
          false,
          4,
          index ->
              () -> {
                for (int pages = 1 + index; pages < 200; pages += 3) {
                  file.ensureCapacity(pages);
                  long capacity = file.capacityPages(); // before the size: others go on
                  assertTrue(capacity >= pages);
                  assertTrue(file.file().sizeBytes() >= capacity * 512);
                }
              });
      assertEquals(200, file.capacityPages());
      assertTrue(file.toString().startsWith("pageBytes=512 stepBytes=2048 capacityPages=200 "));
    }
  }

  @Test
  void neighboursGoInOneTransferIfTheirFramesAreNeighbours() throws IOException {
    try (PageFile file = create(4096, 64)) {
      file.ensureCapacity(64);
      PageBatch batch = new PageBatch(engine, file, 64);
      long[] pages = {3, 4, 5, 9, 10, 12};
      long[] offsets = {0, 4096, 8192, 12288, 20480, 24576};
      IoStats before = engine.stats();
      batch.read(pages, offsets, 6, region);
      // 3 to 5 lie together in memory, 9 and 10 do not, and 12 has no neighbour.
      assertEquals(4, engine.stats().since(before).reads());
      assertEquals(6 * 4096, engine.stats().since(before).bytesRead());
    }
  }

  @Test
  void failureOfOneTransferIsToldAfterTheOthersHaveEnded() throws IOException {
    try (PageFile file = create(512, 64)) {
      file.ensureCapacity(64);
      PageBatch batch = new PageBatch(engine, file, 8);
      long[] pages = {1, 3, 5};
      long[] offsets = {0, 512, 1024};
      engine.failNth(SimOperation.READ, 2, Errno.EIO);
      IoStats before = engine.stats();
      assertThrows(StorageException.class, () -> batch.read(pages, offsets, 3, region));
      assertEquals(2, engine.stats().since(before).reads());
      batch.read(pages, offsets, 3, region);
    }
  }

  @Test
  void pagesOutsideOfTheCapacityAreRefused() throws IOException {
    try (PageFile file = create(512, 8)) {
      file.ensureCapacity(8);
      assertThrows(IllegalArgumentException.class, () -> file.read(7, 2, region, 0));
      assertThrows(IllegalArgumentException.class, () -> file.read(-1, 2, region, 0));
      assertThrows(IllegalArgumentException.class, () -> file.read(0, 0, region, 0));
      assertThrows(IllegalArgumentException.class, () -> file.punch(0, 9));
      assertThrows(IllegalArgumentException.class, () -> file.punch(1, Long.MAX_VALUE));
      PageBatch batch = new PageBatch(engine, file, 8);
      assertThrows(
          IllegalArgumentException.class,
          () -> batch.write(new long[] {1, 8}, new long[] {0, 512}, 2, region));
      batch.write(new long[] {1, 2}, new long[] {0, 512}, 2, region);
    }
  }
}
