package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.reactor.Baton;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * Memory in which one block is put together. Its header and its end belong to the thread whose turn
 * it is to write, each place in between to who has reserved it ({@link Reservation}).
 */
final class BlockBuffer {
  /** What the rest of a block is made of; at most that long. */
  private static final MemorySegment ZEROS =
      MemorySegment.ofArray(new byte[LogFormat.BLOCK_ALIGNMENT]);

  private final Region region;
  private final long regionOffset;
  private final MemorySegment memory;

  /** Of the thread whose turn it is to write. */
  private final HeaderChecksum headerChecksum = new HeaderChecksum();

  /** Posted when the last of those who had reserved here has filled his place. */
  private final Baton filled = new Baton();

  /** Read while others may open the block anew, which the reader finds out afterwards. */
  private volatile long lsn;

  private long previousEndLsn;
  private long previousRecordEndLsn;

  /** Why a place here could not be filled. Written before the place is said to be filled. */
  private Throwable failure;

  BlockBuffer(Region region, long regionOffset, int capacityBytes) {
    this.region = region;
    this.regionOffset = regionOffset;
    this.memory = region.segment().asSlice(regionOffset, capacityBytes);
  }

  int capacityBytes() {
    return (int) memory.byteSize();
  }

  /** A view of the memory, for a checksum. */
  ByteBuffer newView() {
    return memory.asByteBuffer();
  }

  /** Starts a block without records, before anybody can reserve in it. */
  void open(long lsn, long previousEndLsn, long previousRecordEndLsn) {
    this.lsn = lsn;
    this.previousEndLsn = previousEndLsn;
    this.previousRecordEndLsn = previousRecordEndLsn;
    this.failure = null;
    filled.reset();
  }

  long lsn() {
    return lsn;
  }

  /** Where the last record before this block ends; for those who have reserved here. */
  long previousRecordEndLsn() {
    return previousRecordEndLsn;
  }

  /** For those who fill the places they have reserved. */
  MemorySegment memory() {
    return memory;
  }

  /**
   * Completes a record whose content is in its place.
   *
   * @param extent what it takes, header and padding included
   * @param keyOrNull what it is sealed with before
   */
  void complete(
      int offset,
      int extent,
      int length,
      long incarnation,
      RecordChecksum checksum,
      ByteBuffer view,
      LogKey keyOrNull) {
    int start = offset + LogFormat.RECORD_HEADER_BYTES;
    for (int at = start + length; at < offset + extent; at++) {
      memory.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
    }
    if (keyOrNull != null) {
      keyOrNull.seal(lsn + offset, memory.asSlice(start, length));
    }
    int crc = checksum.of(lsn + offset, incarnation, view.limit(start + length).position(start));
    LogFormat.writeRecordHeader(memory, offset, length, crc);
  }

  /** Says, before the place is filled, that it is not. */
  void fail(Throwable failure) {
    this.failure = failure;
  }

  /** Wakes the writer. */
  void tellFilled() {
    filled.post();
  }

  /** Waits for those who reserved here and have not filled their place. */
  void awaitFilled() {
    filled.await();
  }

  /**
   * Completes the block.
   *
   * @param fill where its records end
   * @return the bytes to write
   */
  int complete(int fill, long incarnation, long durableLsn, int keyId, long salt)
      throws IOException {
    if (failure != null) {
      throw new IOException("a record could not be read while it was appended", failure);
    }
    int extent = (int) LogFormat.alignToBlock(fill);
    MemorySegment.copy(ZEROS, 0, memory, fill, extent - fill);
    LogFormat.writeHeader(
        memory,
        headerChecksum,
        lsn,
        incarnation,
        extent,
        fill - LogFormat.BLOCK_HEADER_BYTES,
        durableLsn,
        previousEndLsn,
        keyId,
        salt);
    return extent;
  }

  /** Writes the block that is complete. */
  void write(BlockSink sink, int bytes) throws IOException {
    sink.write(lsn, region, regionOffset, bytes);
  }

  /** Writes a block without records. */
  int writeEmpty(BlockSink sink, BlockHeader header) throws IOException {
    MemorySegment.copy(ZEROS, 0, memory, 0, LogFormat.BLOCK_ALIGNMENT);
    LogFormat.writeHeader(memory, headerChecksum, header);
    sink.write(header.lsn(), region, regionOffset, LogFormat.BLOCK_ALIGNMENT);
    return LogFormat.BLOCK_ALIGNMENT;
  }

  /**
   * Writes a block with one record that is larger than this buffer, piece by piece.
   *
   * @param header the block's header
   * @param record its content, sealed if records are
   */
  int writeLarge(BlockSink sink, BlockHeader header, MemorySegment record) throws IOException {
    int recordCrc =
        new RecordChecksum()
            .of(header.lsn() + LogFormat.BLOCK_HEADER_BYTES, header.incarnation(), record);
    LogFormat.writeHeader(memory, headerChecksum, header);
    LogFormat.writeRecordHeader(
        memory, LogFormat.BLOCK_HEADER_BYTES, (int) record.byteSize(), recordCrc);
    long at = LogFormat.BLOCK_HEADER_BYTES + LogFormat.RECORD_HEADER_BYTES;
    long copied = 0;
    for (long offset = 0; offset < header.extentBytes(); ) {
      int piece = (int) Math.min(memory.byteSize(), header.extentBytes() - offset);
      long length = Math.min(record.byteSize() - copied, piece - at);
      MemorySegment.copy(record, copied, memory, at, length);
      memory.asSlice(at + length, piece - at - length).fill((byte) 0);
      sink.write(header.lsn() + offset, region, regionOffset, piece);
      copied += length;
      offset += piece;
      at = 0;
    }
    return header.extentBytes();
  }

  /** Where a block's bytes go. */
  interface BlockSink {
    void write(long lsn, Region region, long regionOffset, int bytes) throws IOException;
  }
}
