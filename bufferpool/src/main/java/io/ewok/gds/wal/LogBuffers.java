package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import java.io.IOException;

/**
 * The two blocks that are put together in memory: appenders fill the one that is open, side by side
 * and without a lock, while the other is written.
 *
 * <p>Threads: any append, and ask where the log ends. One at a time, who holds the writer's lock,
 * opens and seals; the block that is sealed is his whose turn it is to write.
 */
final class LogBuffers {
  private final long incarnation;

  /** Null if records are not sealed. */
  private final LogKey key;

  private final BlockBuffer[] buffers;
  private final Reservation reservation = new Reservation(LogFormat.BLOCK_HEADER_BYTES);
  private final AppendSlots slots;

  /** Where the content ends before the open block, or that after it; written by the owner. */
  private volatile long closedEndLsn;

  // Guarded by the writer's lock.
  /** Where the next block starts, while none is open. */
  private long nextLsn;

  /** Where the last record ends that is not in the open block. */
  private long recordEndLsn;

  private long largeRecords;
  private long largeRecordBytes;

  LogBuffers(Region region, int bufferBytes, LogHeader header, LogKey keyOrNull) {
    this.incarnation = header.incarnation();
    this.key = keyOrNull;
    this.buffers =
        new BlockBuffer[] {
          new BlockBuffer(region, 0, bufferBytes), new BlockBuffer(region, bufferBytes, bufferBytes)
        };
    this.slots = new AppendSlots(this, buffers);
    this.nextLsn = header.startLsn();
    this.closedEndLsn = header.cutLsn();
    // Not open, but asked for its end.
    buffers[0].open(closedEndLsn - LogFormat.BLOCK_HEADER_BYTES, closedEndLsn, closedEndLsn);
    recordEndLsn = closedEndLsn;
  }

  /** Reserves a place in the open block; REFUSED if none is open or it is full. */
  long reserve(int extent) {
    return reservation.reserve(extent);
  }

  /** Where the records end, at most, of a block that is put together here. */
  int blockBytesMax() {
    return buffers[0].capacityBytes();
  }

  boolean fits(long extent) {
    return extent <= buffers[0].capacityBytes() && reservation.fits((int) extent);
  }

  /** Lends what a reserved place is filled with. */
  LogPlace begin(long place, int extent, int lengthBytes) {
    LogPlace begun = slots.take();
    begun.begin(buffers[Reservation.block(place)], place, extent, lengthBytes, tagBytes());
    return begun;
  }

  /** The same for a record that was written already, behind another one. */
  LogPlace beginWritten(int extent, long endLsn, long previousEndLsn) {
    LogPlace begun = slots.take();
    begun.beginWritten(extent, endLsn, previousEndLsn, tagBytes());
    return begun;
  }

  /** Ends what {@link #begin} began. */
  void filled(LogPlace begun, BlockBuffer buffer, long place, int extent, int lengthBytes) {
    slots.count(begun, lengthBytes);
    slots.giveBack(begun);
    if (reservation.filled(place, extent)) {
      buffer.tellFilled();
    }
  }

  void giveBack(LogPlace begun) {
    slots.giveBack(begun);
  }

  long incarnation() {
    return incarnation;
  }

  LogKey keyOrNull() {
    return key;
  }

  /** Bytes of each record before what its owner appends. */
  int tagBytes() {
    return key == null ? 0 : LogKey.TAG_BYTES;
  }

  private int keyId() {
    return key == null ? 0 : key.keyId();
  }

  private long salt() {
    return key == null ? 0 : key.salt();
  }

  /** Where what was appended ends. Never falls. */
  long endLsn() {
    while (true) {
      long tail = reservation.tail();
      long end = buffers[Reservation.block(tail)].lsn() + Reservation.offset(tail);
      if (!Reservation.isOpen(tail)) {
        end = Math.max(end, closedEndLsn);
      }
      if (reservation.tail() >>> Integer.SIZE == tail >>> Integer.SIZE) {
        return end;
      }
      // Another block is open, and where the last one was there may be a third.
    }
  }

  // ---- with the writer's lock

  boolean isOpen() {
    return Reservation.isOpen(reservation.tail());
  }

  /** Where the next block starts. */
  long nextLsn() {
    return isOpen() ? LogFormat.alignToBlock(endLsn()) : nextLsn;
  }

  /** Opens the block that is not being written, and reserves the first place in it. */
  long open(long segmentEndLsn, int extent) {
    BlockBuffer next = buffers[1 - Reservation.block(reservation.tail())];
    next.open(nextLsn, closedEndLsn, recordEndLsn);
    return reservation.open((int) Math.min(next.capacityBytes(), segmentEndLsn - nextLsn), extent);
  }

  /** Seals the open block. Returns what {@link #write} wants. */
  long seal() {
    long end = reservation.seal();
    closedEndLsn = buffers[Reservation.block(end)].lsn() + Reservation.offset(end);
    nextLsn = LogFormat.alignToBlock(closedEndLsn);
    recordEndLsn = closedEndLsn; // who opens a block reserves the first place in it
    return end;
  }

  /** Lets the log go on behind a block that is not put together here. Nothing is open. */
  BlockHeader skip(int extentBytes, int payloadBytes, long durableLsn) {
    BlockHeader block =
        new BlockHeader(
            nextLsn,
            incarnation,
            extentBytes,
            payloadBytes,
            durableLsn,
            closedEndLsn,
            keyId(),
            salt());
    nextLsn = block.nextLsn();
    closedEndLsn = block.endLsn();
    if (payloadBytes > 0) {
      recordEndLsn = closedEndLsn;
    }
    return block;
  }

  long recordEndLsn() {
    return recordEndLsn;
  }

  void countLarge(long recordBytes) {
    largeRecords++;
    largeRecordBytes += recordBytes;
  }

  /** Memory for a block that is not put together here, while the last one is written. */
  BlockBuffer spare() {
    return buffers[Reservation.block(reservation.tail())];
  }

  // ---- with the turn to write

  /**
   * Waits for those who fill a sealed block, and writes it.
   *
   * @return the bytes written
   */
  int write(long sealed, long durableLsn, BlockBuffer.BlockSink sink) throws IOException {
    BlockBuffer buffer = buffers[Reservation.block(sealed)];
    if (!reservation.settle(sealed)) {
      buffer.awaitFilled();
    }
    int bytes =
        buffer.complete(Reservation.offset(sealed), incarnation, durableLsn, keyId(), salt());
    buffer.write(sink, bytes);
    return bytes;
  }

  // ---- with the writer's lock

  long records() {
    return slots.records() + largeRecords;
  }

  long recordBytes() {
    return slots.recordBytes() + largeRecordBytes;
  }
}
