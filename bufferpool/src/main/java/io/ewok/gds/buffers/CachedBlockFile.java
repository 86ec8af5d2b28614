package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import java.io.IOException;

/**
 * A file of immutable blocks, read through the pool. A block begins anywhere and has any length
 * that the file's alignment allows; where blocks begin is known to the caller alone.
 *
 * <p>Ownership: whoever opened it closes it, after unfixing its blocks; its blocks leave the pool
 * then.
 *
 * <p>Threads: any, for all methods.
 */
public final class CachedBlockFile extends BlockFile {
  private final BlockVerifier verifier;

  CachedBlockFile(BufferManager manager, IoFile io, long hashSeed, BlockVerifier verifier) {
    super(manager, io, hashSeed);
    this.verifier = verifier;
  }

  /**
   * Fixes a block, shared.
   *
   * @param offset where it starts in the file, a multiple of {@link #alignmentBytes}
   * @param lengthBytes its length, a positive multiple of the same; always the same for one offset
   * @param into an empty handle
   * @throws CorruptFileException if the verifier refuses it, or the file ends within it
   * @throws IOException if it cannot be read
   * @throws PoolExhaustedException if there is no room
   * @throws IllegalArgumentException if offset or length are not such multiples, or the length
   *     differs from before
   */
  public void fix(long offset, int lengthBytes, Fix into) throws IOException {
    int alignment = io.alignmentBytes();
    if (offset < 0 || lengthBytes <= 0 || (offset | lengthBytes) % alignment != 0) {
      throw new IllegalArgumentException(
          "a block has the file's alignment: alignmentBytes=%d offset=%d lengthBytes=%d"
              .formatted(alignment, offset, lengthBytes));
    }
    manager.table().fix(this, offset, lengthBytes, PageTable.Access.SHARED, into);
  }

  @Override
  void read(Frame frame) throws IOException {
    readStored(frame.key, frame.region, frame.regionOffset, frame.lengthBytes);
    verifier.verify(path(), frame.key, frame.readOnly);
  }
}
