package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** What one caller of {@link PageInspection#verify} does: reads ahead, and checks what came. */
final class PageVerification {
  /** What is read at once: whole pages of any size. */
  static final int PIECE_BYTES = 256 << 10;

  private static final int PIECES = 8;

  /** Behind the pieces is room to read a page alone. */
  static final long MEMORY_BYTES = (PIECES + 1L) * PIECE_BYTES;

  private final PageInspection inspection;
  private final IoEngine engine;
  private final IoFile io;
  private final Region region;
  private final PageFindings findings;
  private final PageSize size;
  private final IoRequest[] requests = new IoRequest[PIECES];
  private final boolean[] inFlight = new boolean[PIECES];

  PageVerification(
      PageInspection inspection, IoEngine engine, IoFile io, Region region, PageFindings findings) {
    this.inspection = inspection;
    this.engine = engine;
    this.io = io;
    this.region = region;
    this.findings = findings;
    this.size = inspection.pageSize();
  }

  /** Takes pieces by their number until the file ends. */
  void run(AtomicLong nextPiece) {
    int prepared = 0;
    while (prepared < PIECES && prepare(prepared, nextPiece)) {
      prepared++;
    }
    engine.submitAll(requests, prepared);
    for (int i = 0; i < prepared; i++) {
      inFlight[i] = true;
    }
    try {
      for (int slot = 0; prepared > 0 && inFlight[slot]; slot = (slot + 1) % prepared) {
        check(slot, await(slot));
        if (prepare(slot, nextPiece)) {
          engine.submit(requests[slot]);
          inFlight[slot] = true;
        }
      }
    } finally {
      for (int slot = 0; slot < prepared; slot++) {
        if (inFlight[slot]) {
          await(slot);
        }
      }
    }
  }

  private boolean prepare(int slot, AtomicLong nextPiece) {
    long offset = nextPiece.getAndIncrement() * PIECE_BYTES;
    if (offset >= inspection.sizeBytes()) {
      return false;
    }
    if (requests[slot] == null) {
      requests[slot] = new IoRequest();
    }
    requests[slot].prepareRead(io, offset, region, (long) slot * PIECE_BYTES, PIECE_BYTES);
    return true;
  }

  /** How many bytes came; none if they cannot be read together, and each page is to be tried. */
  private int await(int slot) {
    inFlight[slot] = false;
    try {
      return requests[slot].await();
    } catch (IOException e) {
      return 0;
    }
  }

  private void check(int slot, int bytes) {
    long offset = requests[slot].offset();
    int expected = (int) Math.min(PIECE_BYTES, inspection.sizeBytes() - offset);
    MemorySegment piece = region.segment().asSlice((long) slot * PIECE_BYTES, PIECE_BYTES);
    int neverWritten = 0;
    int free = 0;
    int pages = expected / size.bytes();
    for (int i = 0; i < pages; i++) {
      MemorySegment page = piece.asSlice((long) i * size.bytes(), size.bytes());
      long number = offset / size.bytes() + i;
      boolean came = (i + 1) * size.bytes() <= bytes;
      if (!came || defectOrNull(page, number) != null) {
        String reason = readAlone(number, page);
        if (reason != null) {
          findings.bad(number, reason);
          continue;
        }
      }
      if (PageFormat.isNeverWritten(page)) {
        neverWritten++;
      } else if ((PageFormat.flags(page) & PageFormat.FLAG_FREE) != 0) {
        free++;
      }
    }
    findings.inspected(pages, neverWritten, free);
    int rest = expected % size.bytes();
    if (rest != 0) {
      findings.bad(inspection.pageCount(), "the file ends after %d of its bytes".formatted(rest));
    }
  }

  /** What is wrong with a page, or null; what was read is then in place of what was there. */
  private String readAlone(long number, MemorySegment page) {
    long start = number * size.bytes();
    long offset = start & -io.alignmentBytes();
    int unit = Math.max(size.bytes(), io.alignmentBytes());
    long at = (long) PIECES * PIECE_BYTES;
    try {
      int bytes = io.read(offset, region, at, unit);
      if (bytes < start - offset + size.bytes()) {
        return "the file was cut while it was read";
      }
    } catch (IOException e) {
      return "it cannot be read: " + e.getMessage();
    }
    page.copyFrom(region.segment().asSlice(at + start - offset, size.bytes()));
    return defectOrNull(page, number);
  }

  private String defectOrNull(MemorySegment page, long number) {
    String defect = inspection.defectOrNull(page, number);
    return defect != null ? defect : inspection.sealDefectOrNull(page, number);
  }
}
