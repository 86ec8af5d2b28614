package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.LoadedBlockFile;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.unchecked.Memory;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The file of a table for the pool. Opened with the table, or already when it begins to be written:
 * then blocks can be put into the pool while they are at hand, and its first readers find them
 * there.
 *
 * <p>Ownership: whoever opened it closes it, or opens a {@link Table} with it, which does. Threads:
 * any.
 */
public final class TableBlocks {
  final LoadedBlockFile file;
  final TableLoader loader;

  private TableBlocks(LoadedBlockFile file, TableLoader loader) {
    this.file = file;
    this.loader = loader;
  }

  /** Opens the file, which exists, of the table with a number. */
  public static TableBlocks open(BufferManager buffers, Path path, long number) throws IOException {
    TableLoader loader = new TableLoader(number);
    return new TableBlocks(buffers.openBlocks(path, loader), loader);
  }

  /** Puts a block into the pool whose handle is at an address. */
  void put(long handle, long block, Priority priority) {
    file.put(
        TableFormat.handleOffset(handle),
        Memory.view(block, TableFormat.handleLengthBytes(handle)),
        priority);
  }

  /** Closes the file; its blocks leave the pool. */
  public void close() throws IOException {
    file.close();
  }
}
