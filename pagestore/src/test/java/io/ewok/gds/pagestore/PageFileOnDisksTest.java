package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Page files on disks with blocks of other lengths, where this process may make such. */
@ParameterizedClass
@EnumSource(names = {"POOL", "URING"})
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class PageFileOnDisksTest {
  private static final long DISK_BYTES = 400L << 20; // XFS takes no less than 300

  private final EngineKind kind;

  @TempDir Path directory;

  PageFileOnDisksTest(EngineKind kind) {
    this.kind = kind;
    assumeTrue(kind != EngineKind.URING || UringProbe.probe().supported());
  }

  private interface DiskTest {
    void run(IoEngine engine, Path folder, Region region) throws Exception;
  }

  private static int run(String... command) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    } catch (IOException e) {
      return abort("there is no " + command[0] + ": " + e.getMessage());
    }
  }

  private void onDisk(String fileSystem, int blockBytes, DiskTest test) throws Exception {
    Path image = directory.resolve(fileSystem + blockBytes);
    try (RandomAccessFile disk = new RandomAccessFile(image.toFile(), "rw")) {
      disk.setLength(DISK_BYTES);
    }
    Path device = LoopDevice.attach(image, blockBytes);
    try {
      assumeTrue(run("mkfs." + fileSystem, "-q", device.toString()) == 0, fileSystem);
      Path folder = Files.createDirectory(directory.resolve(fileSystem + blockBytes + "-mounted"));
      assumeTrue(run("mount", device.toString(), folder.toString()) == 0, "mounting is refused");
      try (Region region =
              Region.map(
                  MemoryBudget.root("test", 8 << 20),
                  RegionOptions.ofSize(PageFileTest.FRAMES * 8192));
          IoEngine engine = IoEngines.open(EngineOptions.defaults().withWanted(kind))) {
        test.run(engine, folder, region);
      } finally {
        assertEquals(0, run("umount", folder.toString()));
      }
    } finally {
      LoopDevice.detach(device);
    }
  }

  /** As long as a block of the disk, and longer. */
  private static void usePages(
      IoEngine engine, Path folder, Region region, String fileSystem, int blockBytes)
      throws IOException {
    for (int pageBytes : new int[] {blockBytes, 8192}) {
      IoFile file = engine.open(folder.resolve("pages" + pageBytes), OpenMode.CREATE_NEW);
      try (PageFile pages = new PageFile(file, pageBytes, new PageFileOptions(1 << 20))) {
        assertEquals(blockBytes, file.alignmentBytes(), pages.toString());
        assertTrue(file.isDirect(), pages.toString());
        assertTrue(file.toString().contains("fileSystem=" + fileSystem), pages.toString());
        PageFileTest.playAgainstAModel(engine, pages, region, 60L + pageBytes, 200);
        pages.sync();
        assertTrue(pages.toString().endsWith("reservesSpace=true"), pages.toString());
      }
    }
  }

  @Test
  void pagesLieOnXfsWithSmallBlocks() throws Exception {
    onDisk("xfs", 512, (engine, folder, region) -> usePages(engine, folder, region, "xfs", 512));
  }

  @Test
  void pagesLieOnXfsWithLargeBlocks() throws Exception {
    onDisk("xfs", 4096, (engine, folder, region) -> usePages(engine, folder, region, "xfs", 4096));
  }

  @Test
  void pagesLieOnExt4WithSmallBlocks() throws Exception {
    onDisk("ext4", 512, (engine, folder, region) -> usePages(engine, folder, region, "ext", 512));
  }

  /** The second extended file system has no fallocate. */
  @Test
  void fileGrowsAndSaysSoWhereNoSpaceIsReserved() throws Exception {
    onDisk(
        "ext2",
        512,
        (engine, folder, region) -> {
          IoFile file = engine.open(folder.resolve("pages"), OpenMode.CREATE_NEW);
          try (PageFile pages = new PageFile(file, 4096, new PageFileOptions(64 << 10))) {
            EngineConformanceTest.onThreads(
                true,
                4,
                index ->
                    () -> {
                      for (long page = index; page < 200; page += 4) {
                        pages.ensureCapacity(page + 1);
                        pages.write(page, region, 4096L * page % (8192 * PageFileTest.FRAMES));
                        assertTrue(file.sizeBytes() >= (page + 1) * 4096);
                      }
                    });
            assertEquals(208, pages.capacityPages());
            assertEquals(208 * 4096, file.sizeBytes());
            assertTrue(pages.toString().endsWith("reservesSpace=false"), pages.toString());
          }
        });
  }
}
