package io.ewok.gds.buffers;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;

/** What files of immutable blocks have in common: nothing is ever written to them. */
abstract sealed class BlockFile extends CachedFile permits CachedBlockFile, LoadedBlockFile {
  BlockFile(BufferManager manager, IoFile io, long hashSeed) {
    super(manager, io, hashSeed);
  }

  /** What offsets and stored lengths are multiples of: a power of two, at least 512. */
  public final int alignmentBytes() {
    return io.alignmentBytes();
  }

  /** The size of the file in bytes. */
  public final long sizeBytes() throws IOException {
    return io.sizeBytes();
  }

  /** Reads all that is stored of a block. */
  final void readStored(long offset, Region region, long regionOffset, int storedBytes)
      throws IOException {
    int count = io.read(offset, region, regionOffset, storedBytes);
    if (count < storedBytes) {
      throw new CorruptFileException(
          path(), offset, "a block of " + storedBytes + " bytes", count + " bytes");
    }
  }

  @Override
  final void write(Frame frame) {
    throw new AssertionError("a block is never changed");
  }

  @Override
  final int offsetInFrame(long key) {
    return 0;
  }

  @Override
  final void flushAll() {}

  @Override
  final void end() {}
}
