package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;

/** Where a block lies in its file; not yet known to be within it. */
record BlockHandle(long offset, long sizeBytes) {
  static BlockHandle read(ByteReader in) throws CorruptFileException {
    return new BlockHandle(in.varint(), in.varint());
  }

  /** The first byte after the block and its trailer. */
  long end() {
    return offset + sizeBytes + SstFormat.TRAILER_BYTES;
  }
}
