package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The two blocks that are put together in memory: appenders fill the one that is open, side by side
 * and without a lock, while the other is written.
 *
 * <p>Threads: any append, and ask where the log ends. One at a time, who holds the writer's lock,
 * opens and seals; the block that is sealed is his whose turn it is to write.
 */
final class LogBuffers {
  private final long incarnation;
  private final BlockBuffer[] buffers;
  private final Reservation reservation = new Reservation(LogFormat.BLOCK_HEADER_BYTES);
  private final AppendSlots slots;

  /** Where the content ends before the open block, or that after it; written by the owner. */
  private volatile long closedEndLsn;

  // Guarded by the writer's lock.
  /** Where the next block starts, while none is open. */
  private long nextLsn;

  private long largeRecords;
  private long largeRecordBytes;

  LogBuffers(Region region, int bufferBytes, LogHeader header) {
    this.incarnation = header.incarnation();
    this.buffers =
        new BlockBuffer[] {
          new BlockBuffer(region, 0, bufferBytes), new BlockBuffer(region, bufferBytes, bufferBytes)
        };
    this.slots = new AppendSlots(buffers);
    this.nextLsn = header.startLsn();
    this.closedEndLsn = header.cutLsn();
    // Not open, but asked for its end.
    buffers[0].open(closedEndLsn - LogFormat.BLOCK_HEADER_BYTES, closedEndLsn);
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

  /**
   * Fills a reserved place.
   *
   * @return the position after the record
   */
  long fill(long place, int extent, MemorySegment record) {
    BlockBuffer buffer = buffers[Reservation.block(place)];
    int offset = Reservation.offset(place);
    long end = buffer.lsn() + offset + extent;
    AppendSlots.Slot slot = slots.take();
    try {
      buffer.put(
          offset, extent, record, incarnation, slot.checksum, slot.views[Reservation.block(place)]);
    } catch (Throwable e) {
      buffer.fail(e);
      throw e;
    } finally {
      slots.giveBack(slot, record.byteSize());
      if (reservation.filled(place, extent)) {
        buffer.tellFilled();
      }
    }
    return end;
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
    next.open(nextLsn, closedEndLsn);
    return reservation.open((int) Math.min(next.capacityBytes(), segmentEndLsn - nextLsn), extent);
  }

  /** Seals the open block. Returns what {@link #write} wants. */
  long seal() {
    long end = reservation.seal();
    closedEndLsn = buffers[Reservation.block(end)].lsn() + Reservation.offset(end);
    nextLsn = LogFormat.alignToBlock(closedEndLsn);
    return end;
  }

  /** Lets the log go on behind a block that is not put together here. Nothing is open. */
  BlockHeader skip(int extentBytes, int payloadBytes, long durableLsn) {
    BlockHeader block =
        new BlockHeader(nextLsn, incarnation, extentBytes, payloadBytes, durableLsn, closedEndLsn);
    nextLsn = block.nextLsn();
    closedEndLsn = block.endLsn();
    return block;
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
    int bytes = buffer.complete(Reservation.offset(sealed), incarnation, durableLsn);
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
