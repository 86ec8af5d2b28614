package io.ewok.gds.pagestore;

import static io.ewok.gds.pagestore.AtomicFileFormat.CHECKSUM_OFFSET;
import static io.ewok.gds.pagestore.AtomicFileFormat.HEADER_BYTES;
import static io.ewok.gds.pagestore.AtomicFileFormat.INT;
import static io.ewok.gds.pagestore.AtomicFileFormat.LENGTH_OFFSET;
import static io.ewok.gds.pagestore.AtomicFileFormat.MAGIC_OFFSET;
import static io.ewok.gds.pagestore.AtomicFileFormat.PAYLOAD_BYTES_MAX;
import static io.ewok.gds.pagestore.AtomicFileFormat.VERSION_OFFSET;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * A small file that is replaced as a whole: after a crash there is the old content or the new one,
 * never a mixture. A checksum, a magic number and a version are checked when it is read.
 *
 * <p>Writing goes to {@code name.tmp}, which is synced and renamed, and the directory is synced;
 * what a crash leaves of the temporary file is overwritten the next time.
 *
 * <p>Each call maps memory of the file's size for its duration.
 *
 * <p>Threads: any; one writer per path at a time.
 *
 * <pre>{@code
 * AtomicFile.write(engine, dir.resolve("CURRENT"), 0x47445343, 1, payload);
 * byte[] payload = AtomicFile.read(engine, dir.resolve("CURRENT"), 0x47445343, 1);
 * }</pre>
 */
public final class AtomicFile {
  private static final String TEMPORARY_SUFFIX = ".tmp";

  private AtomicFile() {}

  /**
   * Replaces the file; durable on return. If it fails the old content is still there, or, where the
   * failure was in making the new name durable, either may be after a crash.
   *
   * @param magic what kind of file it is, not zero
   * @param version version of the payload's format, from 1
   */
  public static void write(IoEngine engine, Path path, int magic, int version, byte[] payload)
      throws IOException {
    if (magic == 0 || version < 1 || payload.length > PAYLOAD_BYTES_MAX) {
      throw new IllegalArgumentException(
          "magic is not zero, version is positive, payload is at most %d bytes: "
                  .formatted(PAYLOAD_BYTES_MAX)
              + "magic=%d version=%d payload.length=%d".formatted(magic, version, payload.length));
    }
    Path absolute = path.toAbsolutePath();
    Path temporary = absolute.resolveSibling(absolute.getFileName() + TEMPORARY_SUFFIX);
    if (engine.exists(temporary)) {
      engine.delete(temporary);
    }
    try {
      try (IoFile file = engine.open(temporary, OpenMode.CREATE_NEW)) {
        int length = roundUp(HEADER_BYTES + payload.length, file.alignmentBytes());
        try (Region region = map(length)) {
          AtomicFileFormat.encode(region.segment(), magic, version, payload);
          file.write(0, region, 0, length);
        }
        file.sync();
      }
      engine.rename(temporary, absolute);
    } catch (IOException e) {
      try {
        if (engine.exists(temporary)) {
          engine.delete(temporary);
        }
      } catch (IOException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
    engine.syncDirectory(absolute.getParent());
  }

  /**
   * Returns the payload.
   *
   * @param magic what kind of file is expected
   * @param versionMax the newest version that the caller understands
   * @throws MissingFileException if there is no such file
   * @throws CorruptFileException if it is not what was written, or another kind of file
   * @throws UnsupportedFormatException if its version is newer than {@code versionMax}
   */
  public static byte[] read(IoEngine engine, Path path, int magic, int versionMax)
      throws IOException {
    return readVersioned(engine, path, magic, versionMax).payload();
  }

  /**
   * A payload and the version of its format.
   *
   * @param version 1 to the newest that the reader asked for
   * @param payload the caller's to keep
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over once, never compared
  public record Versioned(int version, byte[] payload) {}

  /** As {@link #read}, with the version of what was read. */
  public static Versioned readVersioned(IoEngine engine, Path path, int magic, int versionMax)
      throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      long sizeBytes = file.sizeBytes();
      if (sizeBytes < HEADER_BYTES) {
        throw new CorruptFileException(
            path, 0, "at least " + HEADER_BYTES + " bytes", sizeBytes + " bytes");
      }
      if (sizeBytes > PAYLOAD_BYTES_MAX + (long) file.alignmentBytes()) {
        throw new CorruptFileException(
            path, 0, "at most " + PAYLOAD_BYTES_MAX + " bytes", sizeBytes + " bytes");
      }
      // Before memory is given to a large file: it may be something else altogether.
      try (Region region = map(file.alignmentBytes())) {
        file.read(0, region, 0, file.alignmentBytes());
        checkMagic(path, region.segment(), magic);
      }
      int length = roundUp((int) sizeBytes, file.alignmentBytes());
      try (Region region = map(length)) {
        int count = file.read(0, region, 0, length);
        return decode(path, region.segment().asSlice(0, count), magic, versionMax);
      }
    }
  }

  private static void checkMagic(Path path, MemorySegment file, int magic)
      throws CorruptFileException {
    int found = file.get(INT, MAGIC_OFFSET);
    if (found != magic) {
      throw new CorruptFileException(
          path, MAGIC_OFFSET, "magic 0x%08x".formatted(magic), "0x%08x".formatted(found));
    }
  }

  private static Versioned decode(Path path, MemorySegment file, int magic, int versionMax)
      throws IOException {
    if (file.byteSize() < HEADER_BYTES) {
      throw new CorruptFileException(
          path, 0, "at least " + HEADER_BYTES + " bytes", file.byteSize() + " bytes");
    }
    checkMagic(path, file, magic);
    int length = file.get(INT, LENGTH_OFFSET);
    if (length < 0 || length > file.byteSize() - HEADER_BYTES) {
      throw new CorruptFileException(
          path,
          LENGTH_OFFSET,
          "a payload of at most " + (file.byteSize() - HEADER_BYTES) + " bytes",
          Integer.toUnsignedString(length));
    }
    int checksum = AtomicFileFormat.checksum(file, length);
    int foundChecksum = file.get(INT, CHECKSUM_OFFSET);
    if (foundChecksum != checksum) {
      throw new CorruptFileException(
          path,
          CHECKSUM_OFFSET,
          "checksum 0x%08x".formatted(checksum),
          "0x%08x".formatted(foundChecksum));
    }
    // After the checksum: a flipped bit is not a newer program.
    int version = file.get(INT, VERSION_OFFSET);
    if (version < 1 || version > versionMax) {
      throw new UnsupportedFormatException(path, version, versionMax);
    }
    byte[] payload = new byte[length];
    MemorySegment.copy(file, ValueLayout.JAVA_BYTE, HEADER_BYTES, payload, 0, length);
    return new Versioned(version, payload);
  }

  private static Region map(int sizeBytes) {
    return Region.map(
        MemoryBudget.root("atomic file", Region.SIZE_BYTES_MAX),
        RegionOptions.ofSize(sizeBytes).withHugePages(HugePages.OFF));
  }

  private static int roundUp(int bytes, int alignment) {
    return (bytes + alignment - 1) & -alignment;
  }
}
