package io.ewok.gds.wal;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * A place in the log that is reserved for one record, to be filled from several pieces: so a record
 * is put together where it is written from. Nobody waits for anything while having one, but one at
 * a time may wait for those who have reserved before; and nobody forgets to close it: the log
 * cannot be written before.
 *
 * <p>Ownership: who reserved it closes it, and must not touch it afterwards. Threads: confined to
 * that one.
 *
 * <pre>{@code
 * try (LogPlace place = log.reserve(key.byteSize() + value.byteSize())) {
 *   lsn = place.endLsn();
 *   place.put(key);
 *   place.put(value);
 * }
 * }</pre>
 *
 * <p>Errors: a place that is closed before it is full, or that cannot be sealed, poisons the log,
 * see {@link WriteAheadLog}. Who cannot fill it, since what he copies from is gone, can still give
 * it another content: {@link #putInstead}.
 */
public final class LogPlace implements AutoCloseable {
  /*
   * Also what a thread needs for itself while it appends: a checksum, and views of the buffers. AppendSlots lends it.
   */
  final RecordChecksum checksum = new RecordChecksum();
  final ByteBuffer[] views;
  final int base;
  private final LogBuffers buffers;

  private BlockBuffer block;
  private long place;
  private int extent;
  private int lengthBytes;
  private int filledBytes;

  /** Bytes of the record before those that the owner puts. */
  private int tagBytes;

  /** Why it could not be filled, or null. */
  private Throwable failure;

  private long endLsn;
  private long previousEndLsn;

  LogPlace(LogBuffers buffers, ByteBuffer[] views, int base) {
    this.buffers = buffers;
    this.views = views;
    this.base = base;
  }

  /**
   * Begins a record.
   *
   * @param lengthBytes of what is put; with the tag the content is longer
   */
  void begin(BlockBuffer block, long place, int extent, int lengthBytes, int tagBytes) {
    this.block = block;
    this.tagBytes = tagBytes;
    this.place = place;
    this.extent = extent;
    this.lengthBytes = lengthBytes;
    filledBytes = 0;
    failure = null;
    int offset = Reservation.offset(place);
    endLsn = block.lsn() + offset + extent;
    previousEndLsn =
        offset == LogFormat.BLOCK_HEADER_BYTES
            ? block.previousRecordEndLsn()
            : block.lsn() + offset;
  }

  /** The same for a record that was written already, and is not to be filled. */
  void beginWritten(int extent, long endLsn, long previousEndLsn, int tagBytes) {
    block = null;
    this.tagBytes = tagBytes;
    this.extent = extent;
    this.endLsn = endLsn;
    this.previousEndLsn = previousEndLsn;
  }

  /** The position of the record: no other one's is between this and {@link #endLsn}. */
  public long startLsn() {
    return endLsn - extent + tagBytes;
  }

  /** The position just after the record, as {@link WriteAheadLog#append} returns it. */
  public long endLsn() {
    return endLsn;
  }

  /**
   * The position just after the record before this one, or, if this is the first one since the log
   * was opened, where the log ended then.
   */
  public long previousEndLsn() {
    return previousEndLsn;
  }

  /** Whether the record is there already: of {@link WriteAheadLog#appendLarge}. */
  public boolean isWritten() {
    return block == null;
  }

  /** Continues the record by all bytes of a segment. */
  public void put(MemorySegment bytes) {
    put(bytes, 0, bytes.byteSize());
  }

  /** Continues the record by bytes of a segment, from an offset on. */
  public void put(MemorySegment from, long offset, long lengthBytes) {
    requireRoom(lengthBytes);
    try {
      MemorySegment.copy(from, offset, block.memory(), at(), lengthBytes);
    } catch (RuntimeException | Error e) {
      failure = e;
      throw e;
    }
    filledBytes += (int) lengthBytes;
  }

  /** Continues the record by a number of 8 bytes, little-endian. */
  public void putLong(long value) {
    requireRoom(Long.BYTES);
    block.memory().set(LogFormat.LONG, at(), value);
    filledBytes += Long.BYTES;
  }

  /**
   * Makes the record another one, whatever was put before: a number of 8 bytes, little-endian, and
   * zeros up to the length that was reserved. Then it is full.
   */
  public void putInstead(long value) {
    filledBytes = 0;
    failure = null;
    putLong(value);
    block.memory().asSlice(at(), (long) lengthBytes - filledBytes).fill((byte) 0);
    filledBytes = lengthBytes;
  }

  private long at() {
    return (long) Reservation.offset(place)
        + LogFormat.RECORD_HEADER_BYTES
        + tagBytes
        + filledBytes;
  }

  private void requireRoom(long bytes) {
    if (bytes > lengthBytes - filledBytes) {
      throw new IllegalArgumentException(
          "so much was not reserved: reservedBytes=%d filledBytes=%d bytes=%d"
              .formatted(lengthBytes, filledBytes, bytes));
    }
  }

  /** Lets the log have the record. */
  @Override
  public void close() {
    BlockBuffer filled = block;
    block = null; // nothing may keep it
    if (filled == null) {
      buffers.giveBack(this);
      return;
    }
    try {
      if (filledBytes == lengthBytes) {
        filled.complete(
            Reservation.offset(place),
            extent,
            tagBytes + lengthBytes,
            buffers.incarnation(),
            checksum,
            views[Reservation.block(place)],
            buffers.keyOrNull());
      } else {
        filled.fail(
            failure != null
                ? failure
                : new IllegalStateException(
                    "a record was not filled: reservedBytes=%d filledBytes=%d"
                        .formatted(lengthBytes, filledBytes)));
      }
    } catch (RuntimeException | Error e) {
      filled.fail(e); // sealing needs room on the heap
      throw e;
    } finally {
      buffers.filled(this, filled, place, extent, lengthBytes); // whoever writes waits for that
    }
  }
}
