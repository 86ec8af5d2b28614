package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A file of immutable blocks that lie in the pool in another form than in the file: compressed
 * there, for instance. What is stored is read into frames of the pool that are free again when the
 * {@link BlockLoader} has made the block of it.
 *
 * <p>Ownership: whoever opened it closes it, after unfixing its blocks; its blocks leave the pool
 * then.
 *
 * <p>Threads: any, for all methods.
 */
public final class LoadedBlockFile extends BlockFile {
  private final BlockLoader loader;

  LoadedBlockFile(BufferManager manager, IoFile io, long hashSeed, BlockLoader loader) {
    super(manager, io, hashSeed);
    this.loader = loader;
  }

  /**
   * Fixes a block, shared.
   *
   * @param offset where what is stored starts in the file, a multiple of {@link #alignmentBytes}
   * @param storedBytes its length, a positive multiple of the same
   * @param lengthBytes the length of the block, positive; always the same for one offset
   * @param into an empty handle
   * @throws CorruptFileException if the loader refuses it, or the file ends within it
   * @throws IOException if it cannot be read
   * @throws PoolExhaustedException if there is no room
   * @throws IllegalArgumentException if offset or stored length are not such multiples, the length
   *     differs from before, or both lengths do not fit into a partition of the pool
   */
  public void fix(long offset, int storedBytes, int lengthBytes, Fix into) throws IOException {
    int alignment = io.alignmentBytes();
    if (offset < 0 || storedBytes <= 0 || (offset | storedBytes) % alignment != 0) {
      throw new IllegalArgumentException(
          "a stored block has the file's alignment: alignmentBytes=%d offset=%d storedBytes=%d"
              .formatted(alignment, offset, storedBytes));
    }
    if (lengthBytes <= 0) {
      throw new IllegalArgumentException("a block has bytes: lengthBytes=" + lengthBytes);
    }
    manager.table().fix(this, offset, lengthBytes, storedBytes, PageTable.Access.SHARED, into);
  }

  @Override
  void read(Frame frame) throws IOException {
    Frame staging = frame.load.staging;
    int storedBytes = frame.load.storedBytes;
    readStored(frame.key, staging.region, staging.regionOffset, storedBytes);
    MemorySegment stored =
        staging.region.segment().asSlice(staging.regionOffset, storedBytes).asReadOnly();
    loader.load(path(), frame.key, stored, frame.segment);
  }
}
