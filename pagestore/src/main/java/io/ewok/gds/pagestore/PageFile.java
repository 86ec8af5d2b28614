package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file of pages of one size, addressed by page number. Space is reserved in steps ahead of the
 * writes, so that the file lies in few extents and a full device shows when the file grows, not
 * when a page is written back.
 *
 * <p>Reserved pages that were never written read as zeros. Which pages are in use is the owner's
 * knowledge, not this class's.
 *
 * <p>Ownership: closing it closes the file.
 *
 * <p>Threads: any. Pages are not locked: two transfers of one page at once mix.
 *
 * <pre>{@code
 * PageFile pages =
 *     new PageFile(engine.open(path, OpenMode.CREATE_NEW), 4096, PageFileOptions.defaults());
 * pages.ensureCapacity(page + 1);
 * pages.write(page, region, frameOffset);
 * pages.sync();
 * }</pre>
 *
 * <p>Errors: as {@link IoFile}; {@link IllegalArgumentException} for a page outside of the
 * capacity.
 */
public final class PageFile implements AutoCloseable {
  private final IoFile file;
  private final int pageBytes;
  private final long stepBytes;

  /** Pages that the file has space for. Grows only. */
  private final AtomicLong capacityPages;

  /**
   * Takes over an open file.
   *
   * @param pageBytes a power of two, a multiple of the file's alignment
   */
  public PageFile(IoFile file, int pageBytes, PageFileOptions options) throws IOException {
    long stepBytes = options.stepBytes();
    if (Integer.bitCount(pageBytes) != 1
        || pageBytes % file.alignmentBytes() != 0
        || stepBytes < pageBytes
        || stepBytes % pageBytes != 0) {
      throw new IllegalArgumentException(
          "a page is a power of two and a multiple of the alignment, a step is whole pages: "
              + "pageBytes=%d alignmentBytes=%d stepBytes=%d"
                  .formatted(pageBytes, file.alignmentBytes(), stepBytes));
    }
    this.file = file;
    this.pageBytes = pageBytes;
    this.stepBytes = stepBytes;
    this.capacityPages = new AtomicLong(file.sizeBytes() / pageBytes);
  }

  /** Returns the file, for what is not done by page number. */
  public IoFile file() {
    return file;
  }

  /** Returns the bytes of a page. */
  public int pageBytes() {
    return pageBytes;
  }

  /** Returns the pages that the file has space for; numbers are 0 to one less. */
  public long capacityPages() {
    return capacityPages.get();
  }

  /**
   * Makes sure that pages 0 to {@code pages - 1} have space. Reserves whole steps; where the device
   * has no room for one, just what is needed.
   *
   * @throws OutOfSpaceException if there is no room for that; the file stays as usable as it was
   */
  public void ensureCapacity(long pages) throws IOException {
    long have = capacityPages.get() * pageBytes;
    if (pages <= have / pageBytes) {
      return;
    }
    if (pages > Long.MAX_VALUE / pageBytes - stepBytes) {
      throw new IllegalArgumentException("more pages than a file can have: pages=" + pages);
    }
    long need = pages * pageBytes - have;
    long steps = (need + stepBytes - 1) / stepBytes * stepBytes;
    // Others may do the same meanwhile: what is reserved twice stays as it is.
    try {
      file.preallocate(have, steps);
      capacityPages.accumulateAndGet((have + steps) / pageBytes, Math::max);
    } catch (OutOfSpaceException e) {
      if (steps == need) {
        throw e;
      }
      file.preallocate(have, need);
      capacityPages.accumulateAndGet(pages, Math::max);
    }
  }

  /** Reads a page into memory and waits. */
  public void read(long page, Region region, long regionOffset) throws IOException {
    read(page, 1, region, regionOffset);
  }

  /** Writes a page and waits. */
  public void write(long page, Region region, long regionOffset) throws IOException {
    write(page, 1, region, regionOffset);
  }

  /**
   * Reads neighbouring pages into memory in one transfer and waits.
   *
   * @param count pages, at least 1
   */
  public void read(long first, int count, Region region, long regionOffset) throws IOException {
    file.readFully(offset(first, count), region, regionOffset, lengthBytes(count));
  }

  /** Writes neighbouring pages from memory in one transfer and waits. */
  public void write(long first, int count, Region region, long regionOffset) throws IOException {
    file.write(offset(first, count), region, regionOffset, lengthBytes(count));
  }

  /** Prepares a request that reads a page. */
  public IoRequest prepareRead(IoRequest request, long page, Region region, long regionOffset) {
    return prepareRead(request, page, 1, region, regionOffset);
  }

  /** Prepares a request that writes a page. */
  public IoRequest prepareWrite(IoRequest request, long page, Region region, long regionOffset) {
    return prepareWrite(request, page, 1, region, regionOffset);
  }

  /** Prepares a request that reads neighbouring pages in one transfer. */
  public IoRequest prepareRead(
      IoRequest request, long first, int count, Region region, long regionOffset) {
    return request.prepareRead(
        file, offset(first, count), region, regionOffset, lengthBytes(count));
  }

  /** Prepares a request that writes neighbouring pages in one transfer. */
  public IoRequest prepareWrite(
      IoRequest request, long first, int count, Region region, long regionOffset) {
    return request.prepareWrite(
        file, offset(first, count), region, regionOffset, lengthBytes(count));
  }

  /**
   * Prepares a request that reads neighbouring pages into frames wherever they are, in one
   * transfer.
   *
   * @param regionOffsets where each page goes, in bytes; copied
   * @param from the place of the first page's in the array
   */
  public IoRequest prepareRead(
      IoRequest request, long first, int count, Region region, long[] regionOffsets, int from) {
    long offset = offset(first, count);
    return request.prepareRead(file, offset, region, regionOffsets, from, count, pageBytes);
  }

  /** Prepares a request that writes neighbouring pages from frames wherever they are; likewise. */
  public IoRequest prepareWrite(
      IoRequest request, long first, int count, Region region, long[] regionOffsets, int from) {
    long offset = offset(first, count);
    return request.prepareWrite(file, offset, region, regionOffsets, from, count, pageBytes);
  }

  /**
   * Gives the space of pages back to the device; they read as zeros until they are written, which
   * takes new space.
   *
   * @throws StorageException also where the file system cannot; nothing has changed then
   */
  public void punch(long first, long count) throws IOException {
    file.punchHole(offset(first, count), count * pageBytes);
  }

  private int lengthBytes(int count) {
    if (count > Integer.MAX_VALUE / pageBytes) {
      throw new IllegalArgumentException(
          "more bytes than one transfer can have: pageBytes=%d count=%d"
              .formatted(pageBytes, count));
    }
    return count * pageBytes;
  }

  /** Returns where pages begin in the file, in bytes; refuses those outside of the capacity. */
  long offset(long first, long count) {
    long capacity = capacityPages.get();
    if (first < 0 || count < 1 || first > capacity - count) {
      throw new IllegalArgumentException(
          "the pages are outside of the file: path=%s capacityPages=%d first=%d count=%d"
              .formatted(file.path(), capacity, first, count));
    }
    return first * pageBytes;
  }

  /** Makes all completed writes durable, and the capacity. */
  public void sync() throws IOException {
    file.sync();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  @Override
  public String toString() {
    return "pageBytes=%d stepBytes=%d capacityPages=%d %s"
        .formatted(pageBytes, stepBytes, capacityPages.get(), file);
  }
}
