package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Memory in which one block is put together. Guarded by the log's lock while it is filled; owned by
 * the writing thread from {@link #seal} until that thread has written it.
 */
final class BlockBuffer {
  private final Region region;
  private final long regionOffset;
  private final MemorySegment memory;
  private final ByteBuffer bytes;

  private long lsn;
  private long previousEndLsn;
  private int fill;
  private long paddedBytes;
  private int writeBytes;

  BlockBuffer(Region region, long regionOffset, int capacityBytes) {
    this.region = region;
    this.regionOffset = regionOffset;
    this.memory = region.segment().asSlice(regionOffset, capacityBytes);
    this.bytes = memory.asByteBuffer();
  }

  /** Starts a block without records. */
  void open(long lsn, long previousEndLsn) {
    this.lsn = lsn;
    this.previousEndLsn = previousEndLsn;
    this.fill = LogFormat.BLOCK_HEADER_BYTES;
    this.paddedBytes = 0;
  }

  boolean isOpen() {
    return fill > 0;
  }

  /** Whether a record of so many bytes, header included, fits into the open block. */
  boolean fits(long recordExtent, long segmentEndLsn) {
    return fill + recordExtent <= memory.byteSize() && endLsn() + recordExtent <= segmentEndLsn;
  }

  /** Where the content of the open block ends. */
  long endLsn() {
    return lsn + fill;
  }

  /** Where the block after this one starts. */
  long nextLsn() {
    return lsn + Math.max(paddedBytes, LogFormat.alignToBlock(fill));
  }

  /** Copies a record into the open block, where {@link #fits} said that it fits. */
  void append(MemorySegment record, long incarnation, RecordChecksum checksum) {
    int length = (int) record.byteSize();
    int extent = (int) LogFormat.recordExtent(length);
    int start = fill + LogFormat.RECORD_HEADER_BYTES;
    MemorySegment.copy(record, 0, memory, start, length);
    memory.asSlice(start + length, fill + extent - start - length).fill((byte) 0);
    int crc = checksum.of(endLsn(), incarnation, bytes.limit(start + length).position(start));
    LogFormat.writeRecordHeader(memory, fill, length, crc);
    fill += extent;
  }

  /** Makes the open block, which has no records, take all that is left of its segment. */
  void pad(long extentBytes) {
    paddedBytes = extentBytes;
  }

  /** Completes the block; what is written is not changed any more. */
  void seal(long incarnation, long durableLsn) {
    writeBytes = (int) LogFormat.alignToBlock(fill);
    memory.asSlice(fill, writeBytes - fill).fill((byte) 0);
    LogFormat.writeHeader(
        memory,
        new BlockHeader(
            lsn,
            incarnation,
            (int) (nextLsn() - lsn),
            fill - LogFormat.BLOCK_HEADER_BYTES,
            durableLsn,
            previousEndLsn));
    fill = 0;
  }

  /** Writes the sealed block. */
  int write(SegmentRing ring, LogSource source) throws IOException {
    ring.write(lsn, region, regionOffset, writeBytes);
    source.show(lsn, memory.asSlice(0, writeBytes));
    return writeBytes;
  }

  /**
   * Writes a block with one record that is larger than this buffer, piece by piece.
   *
   * @param header the block's header
   * @param recordCrc the record's checksum
   */
  void writeLarge(
      SegmentRing ring, LogSource source, BlockHeader header, MemorySegment record, int recordCrc)
      throws IOException {
    LogFormat.writeHeader(memory, header);
    LogFormat.writeRecordHeader(
        memory, LogFormat.BLOCK_HEADER_BYTES, (int) record.byteSize(), recordCrc);
    long at = LogFormat.BLOCK_HEADER_BYTES + LogFormat.RECORD_HEADER_BYTES;
    long copied = 0;
    for (long offset = 0; offset < header.extentBytes(); ) {
      int piece = (int) Math.min(memory.byteSize(), header.extentBytes() - offset);
      long length = Math.min(record.byteSize() - copied, piece - at);
      MemorySegment.copy(record, copied, memory, at, length);
      memory.asSlice(at + length, piece - at - length).fill((byte) 0);
      ring.write(header.lsn() + offset, region, regionOffset, piece);
      source.show(header.lsn() + offset, memory.asSlice(0, piece));
      copied += length;
      offset += piece;
      at = 0;
    }
  }
}
