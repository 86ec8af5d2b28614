package io.ewok.gds.lsm.table;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;

/**
 * Data blocks of tables in the order in which they lie there, read in large pieces past the pool.
 *
 * <p>Ownership: the region is the caller's. Threads: confined to one.
 */
final class BlockReader {
  /** Room for blocks of more than one record; longer ones come from the pool. */
  private static final int BLOCK_BYTES = TableLayout.BLOCK_BYTES_MAX;

  private static final int BLOCK_PART = 4;

  private final IoEngine engine;
  private final Region region;

  /** What is read goes here; a block is made of it behind that. */
  private final long pieceAt;

  private final int pieceBytesMax;
  private final int blockBytesMax;

  private Table table;
  private IoFile file;

  /** What was read, as offsets in the file. */
  private long pieceStart;

  private long pieceEnd;

  /**
   * A reader with a part of a region.
   *
   * @param regionOffset a multiple of 4096, as the length
   */
  BlockReader(IoEngine engine, Region region, long regionOffset, int lengthBytes) {
    this.engine = engine;
    this.region = region;
    this.pieceAt = regionOffset;
    this.blockBytesMax = (int) Math.min(BLOCK_BYTES, TableFormat.padded(lengthBytes / BLOCK_PART));
    this.pieceBytesMax = lengthBytes - blockBytesMax;
  }

  /** Goes to a table, which the caller keeps open. */
  void open(Table next) throws IOException {
    close();
    table = next;
    file = engine.open(next.path(), OpenMode.READ_ONLY);
    file.setWorkClass(WorkClass.COMPACTION);
  }

  /**
   * Makes a data block, found by the address of its handle. It is there until the next call.
   *
   * @return its address, or 0 if there is no room for it
   */
  long read(long handle) throws IOException {
    long offset = TableFormat.handleOffset(handle);
    int storedBytes = TableFormat.handleStoredBytes(handle);
    int lengthBytes = TableFormat.handleLengthBytes(handle);
    long start = offset & -TableFormat.FILE_ALIGNMENT_BYTES;
    long fileBytes = table.meta().sizeBytes();
    if (lengthBytes > blockBytesMax
        || TableFormat.padded(offset + storedBytes) - start > pieceBytesMax
        || offset + storedBytes > fileBytes) {
      return 0;
    }
    if (offset < pieceStart || offset + storedBytes > pieceEnd) {
      pieceEnd = 0;
      int lengthOfPiece = (int) Math.min(pieceBytesMax, fileBytes - start);
      file.readFully(start, region, pieceAt, lengthOfPiece);
      pieceStart = start;
      pieceEnd = start + lengthOfPiece;
    }
    long stored = region.address() + pieceAt + (offset - pieceStart);
    long block = region.address() + pieceAt + pieceBytesMax;
    table.makeData(offset, Memory.view(stored, storedBytes), Memory.view(block, lengthBytes));
    return block;
  }

  /** Twice does nothing. */
  void close() throws IOException {
    pieceStart = 0;
    pieceEnd = 0;
    IoFile closing = file;
    file = null;
    if (closing != null) {
      closing.close();
    }
  }
}
