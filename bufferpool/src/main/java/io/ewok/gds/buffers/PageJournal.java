package io.ewok.gds.buffers;

import static io.ewok.gds.buffers.JournalFormat.BLOCK_BYTES_MIN;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.JournalFormat.Entry;
import io.ewok.gds.buffers.JournalFormat.Shape;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The file in which copies of pages are kept until the pages themselves are durable. {@link
 * JournalFormat} draws it.
 *
 * <p>Batches fill one half. When it is full, the page file is synced, the other half's turn comes,
 * and an epoch begins; so what is overwritten is older than an epoch that is durable itself. Of the
 * two halves the one with the higher epoch counts.
 *
 * <p>Threads: one at a time; the caller has the lock of the page file's {@link PageWriter}.
 */
final class PageJournal implements AutoCloseable {
  /** Bytes of a half: as much as can be staged. */
  static final int HALF_BYTES = Staging.BYTES;

  private final IoFile file;
  private final Shape shape;

  /** That of the batches in the half whose turn it is; if there are none the last before. */
  private long epoch;

  private int sequence;
  private long position;

  private PageJournal(IoFile file, Shape shape) {
    this.file = file;
    this.shape = shape;
    this.position = shape.halfBytes(); // the first batch begins an epoch
  }

  /** A copy that is to be compared with its page. */
  record Copy(long position, Entry entry) {}

  static Path pathOf(Path pages) {
    return pages.resolveSibling(pages.getFileName() + ".journal");
  }

  /** Creates the journal of a new page file; what a failed creation left behind is removed. */
  static PageJournal create(
      IoEngine engine, Path pages, long fileId, int halfBytes, Staging staging) throws IOException {
    Path path = pathOf(pages);
    if (engine.exists(path)) {
      engine.delete(path);
    }
    IoFile file = engine.open(path, OpenMode.CREATE_NEW);
    try {
      Shape shape = new Shape(Math.max(BLOCK_BYTES_MIN, file.alignmentBytes()), halfBytes, fileId);
      Region region = staging.region();
      region.segment().fill((byte) 0);
      file.preallocate(0, shape.sizeBytes());
      for (long at = shape.blockBytes(); at < shape.sizeBytes(); at += Staging.BYTES) {
        // So that no later write has to turn reserved space into written space.
        int length = (int) Math.min(Staging.BYTES, shape.sizeBytes() - at);
        file.write(at, region, 0, length);
      }
      JournalFormat.writeShape(region.segment().asSlice(0, shape.blockBytes()), shape);
      file.write(0, region, 0, shape.blockBytes());
      file.sync();
      return new PageJournal(file, shape);
    } catch (Throwable e) {
      closeAfter(file, e);
      try {
        engine.delete(path);
      } catch (IOException more) {
        e.addSuppressed(more);
      }
      throw e;
    }
  }

  /**
   * Opens the journal of an existing page file.
   *
   * @throws io.ewok.gds.pagestore.MissingFileException if there is none
   * @throws CorruptFileException if it is not that of this file
   */
  static PageJournal open(IoEngine engine, Path pages, long fileId, OpenMode mode, Staging staging)
      throws IOException {
    Path path = pathOf(pages);
    IoFile file = engine.open(path, mode);
    try {
      if (file.alignmentBytes() > Staging.BYTES / 2 || file.sizeBytes() < BLOCK_BYTES_MIN) {
        throw new CorruptFileException(path, 0, "a journal", file.sizeBytes() + " bytes");
      }
      int block = Math.max(BLOCK_BYTES_MIN, file.alignmentBytes());
      file.readFully(0, staging.region(), 0, block);
      Shape shape = JournalFormat.readShape(staging.region().segment().asSlice(0, block), path);
      if (shape.fileId() != fileId) {
        throw new CorruptFileException(
            path, 0, "the journal of file " + fileId, "that of file " + shape.fileId());
      }
      if (shape.blockBytes() % file.alignmentBytes() != 0 || shape.halfBytes() > Staging.BYTES) {
        throw new StorageException(
            "the journal does not fit this device: blockBytes=%d halfBytes=%d alignmentBytes=%d"
                .formatted(shape.blockBytes(), shape.halfBytes(), file.alignmentBytes()),
            path);
      }
      return new PageJournal(file, shape);
    } catch (Throwable e) {
      closeAfter(file, e);
      throw e;
    }
  }

  int blockBytes() {
    return shape.blockBytes();
  }

  /** The longest batch, its header block included. */
  long batchBytesMax() {
    return shape.halfBytes();
  }

  boolean fits(long batchBytes) {
    return roundUp(batchBytes) <= shape.halfBytes() - position;
  }

  /**
   * Writes a batch and makes it durable. If that fails it is as if it had not been tried, except
   * that a failed sync is the last thing that the file did.
   *
   * @param region has the header block with its entries, not yet sealed, and behind it the images
   * @param batchBytes of both
   */
  void append(Region region, long regionOffset, int count, long batchBytes, WorkClass work)
      throws IOException {
    int length = (int) roundUp(batchBytes);
    MemorySegment block = region.segment().asSlice(regionOffset, shape.blockBytes());
    JournalFormat.sealBatch(block, shape.fileId(), epoch, sequence, count);
    file.setWorkClass(work);
    file.writeSynced(halfStart(epoch) + position, region, regionOffset, length);
    sequence++;
    position += length;
  }

  /** The pages of all batches are durable: the other half's turn comes. */
  void beginEpoch() {
    epoch++;
    sequence = 0;
    position = 0;
  }

  /**
   * Makes it durable that no copy is needed any more, after {@link #beginEpoch}.
   *
   * @param region its first block is overwritten
   */
  void closeEpoch(Region region) throws IOException {
    append(region, 0, 0, shape.blockBytes(), WorkClass.FOREGROUND);
  }

  /** Whether there is anything in this epoch. */
  boolean isUsed() {
    return sequence > 0;
  }

  /**
   * Finds the copies that count, by their offset in the page file; of several the newest. The next
   * batch will begin an epoch after them.
   *
   * @param region is used to read
   */
  Map<Long, Copy> copies(Region region) {
    long first = firstEpoch(region, 0);
    long second = firstEpoch(region, 1);
    epoch = Math.max(first, second);
    position = shape.halfBytes();
    sequence = 0;
    Map<Long, Copy> copies = new TreeMap<>();
    long at = 0;
    for (int batch = 0; at < shape.halfBytes(); batch++) {
      if (epoch == 0 || batchEpoch(region, halfStart(epoch) + at, batch) != epoch) {
        break;
      }
      MemorySegment block = block(region);
      sequence = batch + 1;
      Entry[] entries = new Entry[JournalFormat.count(block)];
      for (int i = 0; i < entries.length; i++) {
        entries[i] = JournalFormat.entry(block, i);
      }
      long image = at + shape.blockBytes();
      for (Entry entry : entries) {
        if (entry.length() <= 0 || entry.length() > shape.halfBytes() - image) {
          break;
        }
        Copy copy = new Copy(halfStart(epoch) + image, entry);
        if (isIntact(copy, region)) {
          copies.put(entry.offset(), copy);
        }
        image += entry.length();
      }
      at = roundUp(image);
    }
    return copies;
  }

  /** Reads a copy's image to the start of a region. */
  MemorySegment read(Copy copy, Region region) throws IOException {
    long start = copy.position() & -file.alignmentBytes();
    int lead = (int) (copy.position() - start);
    int length =
        (lead + copy.entry().length() + file.alignmentBytes() - 1) & -file.alignmentBytes();
    file.readFully(start, region, 0, length);
    return region.segment().asSlice(lead, copy.entry().length());
  }

  private boolean isIntact(Copy copy, Region region) {
    try {
      return JournalFormat.checksum(read(copy, region)) == copy.entry().imageChecksum();
    } catch (IOException e) {
      return false; // its page, if it is torn, will be found to be so
    }
  }

  private long firstEpoch(Region region, int half) {
    long found = batchEpoch(region, halfStart(half), 0);
    return (found & 1) == half ? found : 0;
  }

  /** Reads a header to the start of a region; returns 0 if it is none. */
  private long batchEpoch(Region region, long at, int batch) {
    try {
      file.readFully(at, region, 0, shape.blockBytes());
    } catch (IOException e) {
      return 0; // as with images
    }
    return JournalFormat.epoch(block(region), shape.fileId(), batch);
  }

  private MemorySegment block(Region region) {
    return region.segment().asSlice(0, shape.blockBytes());
  }

  private long halfStart(long epoch) {
    return shape.blockBytes() + (epoch & 1) * shape.halfBytes();
  }

  private long roundUp(long bytes) {
    return (bytes + shape.blockBytes() - 1) & -shape.blockBytes();
  }

  private static void closeAfter(IoFile file, Throwable failure) {
    try {
      file.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
