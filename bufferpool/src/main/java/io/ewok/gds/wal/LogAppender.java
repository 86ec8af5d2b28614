package io.ewok.gds.wal;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Finds a place for each record: in the open block, without a lock; else in a new one, or a large
 * one in a block of its own, as far as the ring has room.
 *
 * <p>Threads: any.
 */
final class LogAppender {
  private final Path directory;
  private final SegmentRing ring;
  private final LogBuffers buffers;
  private final LogWriter writer;

  LogAppender(Path directory, SegmentRing ring, LogBuffers buffers, LogWriter writer) {
    this.directory = directory;
    this.ring = ring;
    this.buffers = buffers;
    this.writer = writer;
  }

  /** See {@link WriteAheadLog#append(MemorySegment)}. */
  long append(MemorySegment record) throws IOException {
    byte unused = record.get(ValueLayout.JAVA_BYTE, 0); // may this thread read it?
    boolean large = record.byteSize() > reserveBytesMax();
    try (LogPlace place = large ? appendLarge(record) : reserve(record.byteSize())) {
      if (!place.isWritten()) {
        place.put(record);
      }
      return place.endLsn();
    }
  }

  /** See {@link WriteAheadLog#reserveBytesMax}. */
  long reserveBytesMax() {
    // A multiple of the alignment of records.
    return (long) buffers.blockBytesMax()
        - LogFormat.BLOCK_HEADER_BYTES
        - LogFormat.RECORD_HEADER_BYTES
        - buffers.tagBytes();
  }

  /** Bytes of each record before what is appended. */
  int tagBytes() {
    return buffers.tagBytes();
  }

  /** What a record takes in a block whose owner appends so many bytes. */
  private long extent(long recordBytes) {
    return LogFormat.recordExtent(buffers.tagBytes() + recordBytes);
  }

  /** See {@link WriteAheadLog#reserve}. */
  LogPlace reserve(long recordBytes) throws IOException {
    long extent = extent(recordBytes);
    long place = buffers.reserve((int) extent);
    if (place == Reservation.REFUSED) {
      place = awaitPlace(recordBytes, (int) extent);
    }
    return buffers.begin(place, (int) extent, (int) recordBytes);
  }

  private long awaitPlace(long recordBytes, int extent) throws IOException {
    writer.lock.lock();
    try {
      while (true) {
        writer.checkUsable();
        long place = buffers.reserve(extent);
        if (place != Reservation.REFUSED) {
          return place;
        }
        if (isReadyForBlock(recordBytes)) {
          return buffers.open(ring.segmentEnd(buffers.nextLsn()), extent);
        }
      }
    } finally {
      writer.lock.unlock();
    }
  }

  /** Gives the record a block of its own, which is written while others append behind it. */
  LogPlace appendLarge(MemorySegment record) throws IOException {
    long extent = extent(record.byteSize());
    writer.lock.lock();
    try {
      while (true) {
        writer.checkUsable();
        if (!isReadyForBlock(record.byteSize())) {
          continue;
        }
        if (writer.isWriting()) {
          writer.awaitTurn();
          continue;
        }
        long previousEndLsn = buffers.recordEndLsn();
        BlockHeader block =
            buffers.skip((int) LogFormat.blockExtent(extent), (int) extent, writer.durableLsn());
        buffers.countLarge(record.byteSize());
        writer.takeTurn(LogDurability.NONE, spare -> writeLarge(spare, block, record));
        return buffers.beginWritten((int) extent, block.endLsn(), previousEndLsn);
      }
    } finally {
      writer.lock.unlock();
    }
  }

  private int writeLarge(BlockBuffer spare, BlockHeader block, MemorySegment record)
      throws IOException {
    LogKey key = buffers.keyOrNull();
    if (key == null) {
      return spare.writeLarge(writer.sink, block, record);
    }
    // Its checksum comes first and is of all that was sealed: so that is made as a whole.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sealed = arena.allocate(LogKey.TAG_BYTES + record.byteSize());
      MemorySegment.copy(record, 0, sealed, LogKey.TAG_BYTES, record.byteSize());
      key.seal(block.lsn() + LogFormat.BLOCK_HEADER_BYTES, sealed);
      return spare.writeLarge(writer.sink, block, sealed);
    }
  }

  /**
   * Brings it about that no block is open and that the next one can have such a record. Returns
   * false if it had to wait, and everything may have changed.
   */
  private boolean isReadyForBlock(long recordBytes) throws IOException {
    long extent = extent(recordBytes);
    if (endOfBlockWith(extent) > writer.limitLsn()) {
      throw new LogFullException(directory, recordBytes, spaceLeft(), writer.horizonLsn());
    }
    boolean open = buffers.isOpen();
    long next = buffers.nextLsn();
    boolean crosses = !open && blockStart(next, extent) != next;
    if (!open && !crosses) {
      return true;
    }
    if (writer.isWriting()) {
      writer.awaitTurn();
    } else if (open) {
      writer.takeTurn(LogDurability.NONE, null);
    } else {
      // All that is left of the segment, before anyone could put a record there.
      BlockHeader padding =
          buffers.skip((int) (ring.segmentEnd(next) - next), 0, writer.durableLsn());
      writer.takeTurn(LogDurability.NONE, spare -> spare.writeEmpty(writer.sink, padding));
    }
    return false;
  }

  /** Where the block ends that a record would be in, if it does not fit into the open one. */
  private long endOfBlockWith(long extent) {
    return blockStart(buffers.nextLsn(), extent) + LogFormat.blockExtent(extent);
  }

  /**
   * Where a new block with this record starts: here, or if it would cross a segment's end, there.
   */
  private long blockStart(long lsn, long extent) {
    long end = ring.segmentEnd(lsn);
    return lsn + LogFormat.BLOCK_HEADER_BYTES + extent <= end ? lsn : end;
  }

  private long spaceLeft() {
    return Math.max(0, writer.limitLsn() - buffers.nextLsn());
  }

  /** See {@link WriteAheadLog#spaceLeftBytes}. */
  long spaceLeftBytes() {
    writer.lock.lock();
    try {
      return spaceLeft();
    } finally {
      writer.lock.unlock();
    }
  }

  /** See {@link WriteAheadLog#hasRoomFor}. */
  boolean hasRoomFor(long recordBytes) {
    long extent = extent(recordBytes);
    if (buffers.fits(extent)) {
      return true;
    }
    writer.lock.lock();
    try {
      return buffers.fits(extent) || endOfBlockWith(extent) <= writer.limitLsn();
    } finally {
      writer.lock.unlock();
    }
  }
}
