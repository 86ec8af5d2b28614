package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * An open file. Offsets in the file, offsets in memory and lengths are multiples of {@link
 * #alignmentBytes}, because transfers bypass the kernel's page cache.
 *
 * <p>Ownership: whoever opened the file closes it. Close waits for operations in flight.
 *
 * <p>Threads: any. Operations in flight at the same time are not ordered among each other; a read
 * that overlaps a write in flight sees any mixture of old and new.
 *
 * <p>Durability: what was written is durable when {@link #sync} returns, and not before. After a
 * failed sync every write and sync throws {@link PoisonedFileException}; reads go on.
 *
 * <p>Errors: {@link IllegalArgumentException} for unaligned or outlying arguments, {@link
 * IllegalStateException} after close and for writing to a read-only file, {@link
 * OutOfSpaceException} and other {@link StorageException}s from the device.
 */
public interface IoFile extends AutoCloseable {
  /** Returns the path it was opened with. */
  Path path();

  /** Returns the size in bytes. */
  long sizeBytes() throws IOException;

  /** Returns what offsets, addresses and lengths are multiples of: a power of two, at least 512. */
  int alignmentBytes();

  /**
   * Returns whether transfers bypass the page cache; false where the file system refuses that, or
   * takes it and is known not to do it.
   */
  boolean isDirect();

  /**
   * Returns whether this is a block device: of fixed size, and {@link #truncate} is refused. One
   * that is open for writing is in use by nobody else; a mounted one cannot be opened so.
   */
  default boolean isBlockDevice() {
    return false;
  }

  /** Returns which writes can be done wholly or not at all. */
  default AtomicWrites atomicWrites() {
    return AtomicWrites.NONE;
  }

  /** Returns what transfers of this file are for, unless a request says otherwise. */
  WorkClass workClass();

  /**
   * Says what transfers of this file are for from now on; until then {@link WorkClass#FOREGROUND}.
   * See {@link IoEngine#setThrottle}.
   */
  void setWorkClass(WorkClass work);

  /** Returns whether the file was opened for writing. */
  boolean canWrite();

  /**
   * Reserves space, so that later writes in this range cannot find the device full. A range past
   * the end makes the file longer; new bytes read as zero. Arguments need no alignment.
   *
   * <p>Where the file system cannot reserve space the file becomes longer and no more, and says so
   * when it is printed. Nobody may write past the range's end meanwhile, then.
   *
   * @throws OutOfSpaceException if the device is full; the file stays usable
   */
  void preallocate(long offset, long length) throws IOException;

  /**
   * Gives the space of a range back; it reads as zeros from now on, and the size stays. Offset and
   * length are multiples of the alignment.
   *
   * @throws StorageException also where the file system cannot; nothing has changed then
   */
  void punchHole(long offset, long length) throws IOException;

  /** Cuts the file, or makes it longer with zeros. The size needs no alignment. */
  void truncate(long sizeBytes) throws IOException;

  /**
   * Reads and waits.
   *
   * @return the bytes read, fewer than {@code length} only at the end of the file
   */
  int read(long offset, Region region, long regionOffset, int length) throws IOException;

  /**
   * Reads and waits, all or nothing.
   *
   * @throws EOFException if the file ends within the range
   */
  default void readFully(long offset, Region region, long regionOffset, int length)
      throws IOException {
    int count = read(offset, region, regionOffset, length);
    if (count < length) {
      throw new EOFException(
          "the file ends too early: path=%s offset=%d length=%d available=%d"
              .formatted(path(), offset, length, count));
    }
  }

  /** Writes all bytes and waits. After an exception any part of the range may have been written. */
  void write(long offset, Region region, long regionOffset, int length) throws IOException;

  /**
   * Writes all bytes and waits until they are durable, and the size: as {@link #write} and {@link
   * #sync}, but of this range alone and in one step where the kernel can. A failure that may have
   * lost bytes poisons the file as that of a sync does.
   */
  void writeSynced(long offset, Region region, long regionOffset, int length) throws IOException;

  /** Makes all completed writes durable, and the size (fdatasync). */
  void sync() throws IOException;

  /** Waits for operations in flight and closes. Does not sync. Twice does nothing. */
  @Override
  void close() throws IOException;

  /**
   * Checks the arguments of {@link #punchHole} as that does.
   *
   * @throws IllegalArgumentException if one is negative or unaligned
   */
  default void checkHole(long offset, long length) {
    boolean misaligned = ((offset | length) & (alignmentBytes() - 1)) != 0;
    if (offset < 0 || length < 0 || misaligned || offset + length < 0) {
      throw new IllegalArgumentException(
          "a hole has non-negative multiples of the file's alignment: path=%s alignmentBytes=%d"
                  .formatted(path(), alignmentBytes())
              + " offset=%d length=%d".formatted(offset, length));
    }
  }

  /**
   * Checks the arguments of a transfer as {@link #read} and {@link #write} do.
   *
   * @throws IllegalArgumentException if one is negative, unaligned or outside of the region
   */
  default void checkTransfer(long offset, Region region, long regionOffset, int length) {
    Objects.requireNonNull(region, "region");
    long misaligned = (offset | regionOffset | length | region.address()) & (alignmentBytes() - 1);
    if (offset < 0 || length < 0 || misaligned != 0 || offset + length < 0) {
      throw new IllegalArgumentException(
          "a transfer has non-negative multiples of the file's alignment: path=%s alignmentBytes=%d"
                  .formatted(path(), alignmentBytes())
              + " offset=%d regionOffset=%d length=%d".formatted(offset, regionOffset, length));
    }
    if (regionOffset < 0 || regionOffset > region.sizeBytes() - length) {
      throw new IllegalArgumentException(
          "the transfer is outside of its region: sizeBytes=%d regionOffset=%d length=%d"
              .formatted(region.sizeBytes(), regionOffset, length));
    }
  }
}
