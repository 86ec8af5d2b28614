package io.ewok.gds.lsm.sst;

import java.io.IOException;

/**
 * The handles in a block of an index, in the order of the file. That they ascend is checked: so
 * nothing is read twice, whatever an index says.
 *
 * <p>A value is a handle; or, behind a key that shares bytes with its predecessor, only by how much
 * its block is larger than the one before, which it follows. Some indexes add the first key of the
 * block.
 */
final class HandleCursor {
  private final BlockCursor entries;
  private final boolean deltas;
  private final boolean firstKeys;
  private BlockHandle previous;

  HandleCursor(ByteReader block, SstProperties properties) throws IOException {
    this.deltas = properties.indexHasDeltas();
    this.firstKeys = properties.indexHasFirstKeys();
    this.entries = new BlockCursor(block, deltas);
  }

  /** The next handle, or null at the end. */
  BlockHandle next() throws IOException {
    if (!entries.next()) {
      return null;
    }
    ByteReader value = entries.value();
    BlockHandle handle;
    if (deltas && entries.isShared()) {
      handle = new BlockHandle(previous.end(), previous.sizeBytes() + value.signedVarint());
    } else {
      handle = BlockHandle.read(value);
    }
    if (firstKeys) {
      value.skipLengthPrefixed();
    }
    boolean ascends = previous == null || handle.offset() >= previous.end();
    if (handle.sizeBytes() < 0 || handle.offset() < 0 || !ascends) {
      throw value.corrupt("a block behind " + previous, handle);
    }
    previous = handle;
    return handle;
  }
}
