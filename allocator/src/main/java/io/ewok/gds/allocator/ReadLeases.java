package io.ewok.gds.allocator;

/**
 * Makes each operation in flight a use of the blocks that it touches, so that no block is issued
 * anew or given back under it. One for each region of a {@link ReadArena}.
 *
 * <p>Threads: any.
 */
final class ReadLeases implements FrameLeases {
  private final ReadSupply supply;
  private final ReadBlocks blocks;
  private final int firstBlock;

  /**
   * Creates the leases of one region.
   *
   * @param firstBlock the block at the start of the region
   */
  ReadLeases(ReadSupply supply, ReadBlocks blocks, int firstBlock) {
    this.supply = supply;
    this.blocks = blocks;
    this.firstBlock = firstBlock;
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if some of the bytes are not allocated
   */
  @Override
  public void leased(long offset, long bytes) {
    int first = block(offset);
    int last = block(offset + bytes - 1);
    for (int block = first; block <= last; block++) {
      long start = (long) (block - firstBlock) * ReadBlocks.BLOCK_BYTES;
      long from = Math.max(offset - start, 0);
      long to = Math.min(offset + bytes - start, ReadBlocks.BLOCK_BYTES);
      boolean isUsed = blocks.beginUse(block);
      if (!isUsed || !blocks.areLive(block, from, to - from)) {
        endUses(first, isUsed ? block : block - 1);
        throw new IllegalStateException(
            "no pages are allocated there: arena=%s offset=%d bytes=%d"
                .formatted(supply.name(), offset, bytes));
      }
    }
  }

  @Override
  public void unleased(long offset, long bytes) {
    endUses(block(offset), block(offset + bytes - 1));
  }

  private void endUses(int first, int last) {
    for (int block = first; block <= last; block++) {
      supply.endUses(block, 1);
    }
  }

  private int block(long offset) {
    return firstBlock + (int) (offset / ReadBlocks.BLOCK_BYTES);
  }
}
