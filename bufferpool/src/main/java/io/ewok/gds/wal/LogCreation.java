package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Makes a log where there is none. The header comes last and at once, so that a log is there or
 * not; segments without a header are left of a creation that was cut, and made anew, unless they
 * hold something: then it is the header that was lost.
 */
final class LogCreation {
  private LogCreation() {}

  /**
   * Creates the files of a log; nothing is left behind when it fails.
   *
   * @param lsn where its first segment begins, and its horizon is
   */
  static void create(IoEngine engine, Path directory, LogOptions options, long lsn, Region region)
      throws IOException {
    for (int slot = 0; slot < options.segmentCount(); slot++) {
      Path path = SegmentRing.slotPath(directory, slot);
      if (engine.exists(path) && startsWithBlock(engine, path, region)) {
        throw new CorruptFileException(
            LogHeader.file(directory), 0, "the header of the log in this directory", "no file");
      }
    }
    region.segment().fill((byte) 0);
    LogHeader header = LogHeader.first(options, lsn);
    SegmentRing ring = SegmentRing.create(engine, directory, header, region);
    try (ring) {
      header.write(engine, directory); // from here on it is a log
    } catch (Throwable e) {
      ring.abandon(engine, e);
      throw e;
    }
  }

  private static boolean startsWithBlock(IoEngine engine, Path path, Region region)
      throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      return file.read(0, region, 0, LogFormat.BLOCK_ALIGNMENT) >= LogFormat.BLOCK_HEADER_BYTES
          && LogFormat.isHeader(region.segment());
    }
  }
}
