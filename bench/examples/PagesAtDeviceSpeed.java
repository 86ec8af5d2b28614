import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PageBatch;
import io.ewok.gds.pagestore.PageFile;
import io.ewok.gds.pagestore.PageFileOptions;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * Random reads of 4 KiB pages past the page cache: one after the other, and 64 that the device has
 * at the same time, in one call. What it prints as "pages a second" is what the device does; `gds
 * bench io` compares that with fio.
 */
final class PagesAtDeviceSpeed {
  private static final int PAGE = 4096;
  private static final int PAGES = 16_384;
  private static final int BATCH = 64;
  private static final int READS = 4_096;

  static void main(String[] arguments) throws IOException {
    boolean isTemporary = arguments.length == 0;
    Path directory = isTemporary ? Files.createTempDirectory("pages") : Path.of(arguments[0]);
    Path path = directory.resolve("pages");
    MemoryBudget budget = MemoryBudget.root("pages", 2L << 20);
    try (Region region = Region.map(budget, RegionOptions.ofSize(2 << 20));
        IoEngine engine = IoEngines.open(EngineOptions.defaults())) {
      IO.println("engine: " + engine.description());
      try (IoFile file = engine.open(path, OpenMode.CREATE_NEW);
          PageFile pages = new PageFile(file, PAGE, PageFileOptions.defaults())) {
        write(pages, region);
        Random random = new Random(1);
        report("one at a time", readAlone(pages, region, random));
        report(BATCH + " at a time", readTogether(engine, pages, region, random));
      }
    } finally {
      Files.deleteIfExists(path);
      if (isTemporary) {
        Files.delete(directory);
      }
    }
  }

  /** Each page begins with its number. */
  private static void write(PageFile pages, Region region) throws IOException {
    pages.ensureCapacity(PAGES);
    int together = (int) (region.sizeBytes() / PAGE);
    for (int first = 0; first < PAGES; first += together) {
      for (int i = 0; i < together; i++) {
        region.segment().set(ValueLayout.JAVA_LONG, (long) i * PAGE, first + i);
      }
      pages.write(first, together, region, 0);
    }
    pages.sync();
  }

  private static long readAlone(PageFile pages, Region region, Random random) throws IOException {
    long start = System.nanoTime();
    for (int i = 0; i < READS; i++) {
      long page = random.nextInt(PAGES);
      pages.read(page, region, 0);
      check(region, 0, page);
    }
    return System.nanoTime() - start;
  }

  private static long readTogether(IoEngine engine, PageFile pages, Region region, Random random)
      throws IOException {
    PageBatch batch = new PageBatch(engine, pages, BATCH);
    long[] numbers = new long[BATCH];
    long[] offsets = new long[BATCH];
    long start = System.nanoTime();
    for (int i = 0; i < READS; i += BATCH) {
      for (int j = 0; j < BATCH; j++) {
        numbers[j] = random.nextInt(PAGES);
        offsets[j] = (long) j * PAGE;
      }
      batch.read(numbers, offsets, BATCH, region);
      for (int j = 0; j < BATCH; j++) {
        check(region, offsets[j], numbers[j]);
      }
    }
    return System.nanoTime() - start;
  }

  private static void check(Region region, long offset, long page) {
    if (region.segment().get(ValueLayout.JAVA_LONG, offset) != page) {
      throw new AssertionError("page=" + page);
    }
  }

  private static void report(String how, long nanos) {
    IO.println("%s: %,d pages a second".formatted(how, READS * 1_000_000_000L / nanos));
  }
}
