package io.ewok.gds.bench;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.EngineKind;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * The file that all read and write: preallocated, written as a whole, and past the page cache.
 *
 * <p>Behind the bytes that are measured is one block more, by which we know the file again. A file
 * without it is somebody else's and not touched.
 *
 * <table>
 * <caption>The last block, little-endian</caption>
 * <tr><td>0</td><td>8</td><td>magic</td></tr>
 * <tr><td>8</td><td>8</td><td>bytes before this block; 0 while not all of them are written</td></tr>
 * </table>
 */
final class BenchFile implements AutoCloseable {
  /** What a size is a multiple of. */
  static final int CHUNK_BYTES = 1 << 20;

  private static final int MARK_BYTES = 4096;
  private static final int SIZE_OFFSET = 8;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(java.nio.ByteOrder.LITTLE_ENDIAN);
  private static final long MAGIC = 0x31_6f69_5344_47L; // "GDSio1"

  private final Path path;
  private final long sizeBytes;
  private final boolean keep;

  private BenchFile(Path path, long sizeBytes, boolean keep) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.keep = keep;
  }

  /** Makes the file that is asked for: a temporary one, or that of {@code --file}. */
  static BenchFile open(ReportArguments arguments, long sizeBytes) throws IOException {
    String path = arguments.others().get(ReportArguments.FILE);
    return path == null ? temporary(sizeBytes) : named(Path.of(path), sizeBytes);
  }

  /** Makes a file that is deleted on close, or when the process ends. */
  static BenchFile temporary(long sizeBytes) throws IOException {
    Path path = Files.createTempFile("gds-bench-io-", ".data");
    Files.delete(path);
    path.toFile().deleteOnExit();
    return make(path, sizeBytes, false);
  }

  /**
   * Makes a file that is kept, or takes the one that an earlier run has made.
   *
   * @throws IOException also if there is one that is not ours
   */
  static BenchFile named(Path path, long sizeBytes) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return make(path, sizeBytes, true);
    }
    long before = markedBytes(path);
    if (before < 0) {
      throw new IOException("this file is not of gds bench io and stays as it is: path=" + path);
    }
    if (before == sizeBytes) {
      return new BenchFile(path, sizeBytes, true);
    }
    Files.delete(path);
    return make(path, sizeBytes, true);
  }

  /** Returns the size before the mark, 0 for a file that is not written as a whole, -1 for none. */
  private static long markedBytes(Path path) throws IOException {
    if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      return -1;
    }
    long size = Files.size(path) - MARK_BYTES;
    if (size <= 0 || size % CHUNK_BYTES != 0) {
      return -1;
    }
    try (IoEngine engine = engine();
        Region region = region();
        IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      file.readFully(size, region, 0, MARK_BYTES);
      long told = region.segment().get(LONG, SIZE_OFFSET);
      return region.segment().get(LONG, 0) == MAGIC && (told == size || told == 0) ? told : -1;
    }
  }

  private static BenchFile make(Path path, long sizeBytes, boolean keep) throws IOException {
    BenchFile made = new BenchFile(path, sizeBytes, keep);
    boolean complete = false;
    try (IoEngine engine = engine();
        Region region = region();
        IoFile file = engine.open(path, OpenMode.CREATE_NEW)) {
      try {
        made.write(file, region);
        complete = true;
      } finally {
        if (!complete) {
          Files.delete(path);
        }
      }
    }
    return made;
  }

  private void write(IoFile file, Region region) throws IOException {
    if (!file.isDirect() || Files.getFileStore(path).type().equals("tmpfs")) {
      throw new IOException(
          "there is no direct I/O here, name a file on a disk by --file: path=" + path);
    }
    file.preallocate(0, sizeBytes + MARK_BYTES);
    mark(file, region, 0);
    SplittableRandom random = new SplittableRandom(sizeBytes);
    byte[] chunk = new byte[CHUNK_BYTES];
    ByteBuffer memory = region.segment().asByteBuffer();
    String label = "making a file of %d MiB".formatted(sizeBytes >> 20);
    try (Progress progress = Progress.of(label, sizeBytes / CHUNK_BYTES)) {
      for (long at = 0; at < sizeBytes; at += CHUNK_BYTES) {
        progress.begin(label, 1);
        random.nextBytes(chunk);
        memory.put(0, chunk);
        file.write(at, region, 0, CHUNK_BYTES);
      }
      file.sync();
    }
    mark(file, region, sizeBytes);
  }

  private static void mark(IoFile file, Region region, long writtenBytes) throws IOException {
    region.segment().asSlice(0, MARK_BYTES).fill((byte) 0);
    region.segment().set(LONG, 0, MAGIC);
    region.segment().set(LONG, SIZE_OFFSET, writtenBytes);
    file.write(file.sizeBytes() - MARK_BYTES, region, 0, MARK_BYTES);
    file.sync();
  }

  private static IoEngine engine() throws IOException {
    return IoEngines.open(EngineOptions.defaults().withWanted(EngineKind.POOL));
  }

  private static Region region() {
    return Region.map(
        MemoryBudget.root("bench-file", 2 * CHUNK_BYTES), RegionOptions.ofSize(CHUNK_BYTES));
  }

  Path path() {
    return path;
  }

  /** Returns the bytes that are read and written. */
  long sizeBytes() {
    return sizeBytes;
  }

  /** Deletes the file unless it was named. */
  @Override
  public void close() throws IOException {
    if (!keep) {
      Files.delete(path);
    }
  }
}
