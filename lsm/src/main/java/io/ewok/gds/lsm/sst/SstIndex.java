package io.ewok.gds.lsm.sst;

import java.io.IOException;

/** The handles of a table's data blocks, in order, through an index of one or two levels. */
final class SstIndex {
  private final SstBlocks blocks;
  private final SstProperties properties;

  /** The blocks of the lower level; null if there is one level. */
  private final HandleCursor partitions;

  private HandleCursor handles;
  private long dataEnd;

  SstIndex(SstBlocks blocks, BlockHandle root, SstProperties properties) throws IOException {
    this.blocks = blocks;
    this.properties = properties;
    HandleCursor top = new HandleCursor(blocks.read(root), properties);
    this.partitions = properties.indexIsPartitioned() ? top : null;
    this.handles = properties.indexIsPartitioned() ? null : top;
  }

  /** The next data block's, or null at the end. */
  BlockHandle next() throws IOException {
    while (true) {
      BlockHandle handle = handles == null ? null : handles.next();
      if (handle != null) {
        if (handle.offset() < dataEnd) {
          throw blocks.corrupt(handle.offset(), "a data block that no other overlaps", handle);
        }
        dataEnd = handle.end();
        return handle;
      }
      BlockHandle partition = partitions == null ? null : partitions.next();
      if (partition == null) {
        return null;
      }
      handles = new HandleCursor(blocks.read(partition), properties);
    }
  }
}
