package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.PlacementPolicy;
import java.util.ArrayList;
import java.util.List;

/**
 * The regions under a {@link ReadArena}, seen as a row of blocks. Address space for all blocks is
 * reserved at once; memory comes and goes by the block.
 *
 * <p>Threads: any; two threads never change the same block at once.
 */
final class ReadMemory {
  /** The most blocks of one region. */
  static final int REGION_BLOCKS_MAX = (int) (Region.SIZE_BYTES_MAX / ReadBlocks.BLOCK_BYTES);

  private static final long BLOCK_BYTES = ReadBlocks.BLOCK_BYTES;

  private final List<Region> regions;

  /** Of the blocks of each region but the last. */
  private final int regionBlocksLog2;

  private ReadMemory(List<Region> regions, int regionBlocks) {
    this.regions = regions;
    this.regionBlocksLog2 = Integer.numberOfTrailingZeros(regionBlocks);
  }

  /**
   * Reserves address space.
   *
   * @param budget charged for the blocks that are memory
   * @param regionBlocks how many blocks a region has, a power of two
   */
  static ReadMemory reserve(
      MemoryBudget budget, int blockCount, int regionBlocks, PlacementPolicy placement) {
    List<RegionOptions> options = new ArrayList<>();
    for (int first = 0; first < blockCount; first += regionBlocks) {
      long bytes = Math.min(regionBlocks, blockCount - first) * BLOCK_BYTES;
      // A huge page would keep eight blocks, of which one may be in use.
      options.add(
          RegionOptions.ofSize(bytes).withHugePages(HugePages.OFF).withPlacement(placement));
    }
    return new ReadMemory(
        Region.reserveTogether(budget, options, MappingCalls.KERNEL), regionBlocks);
  }

  /** Makes operations uses of the blocks that they touch. */
  void attach(ReadSupply supply, ReadBlocks blocks) {
    for (int i = 0; i < regions.size(); i++) {
      regions.get(i).attach(new ReadLeases(supply, blocks, i << regionBlocksLog2));
    }
  }

  Region region(int block) {
    return regions.get(block >> regionBlocksLog2);
  }

  /** Returns the offset of a block in its region, in bytes. */
  long offset(int block) {
    return (block & ((1 << regionBlocksLog2) - 1)) * BLOCK_BYTES;
  }

  List<Region> regions() {
    return List.copyOf(regions);
  }

  /** Returns false, with nothing changed, if the budget has no room. */
  boolean commit(int block) {
    return region(block).commit(offset(block), BLOCK_BYTES);
  }

  /** Commits with bytes that are reserved in the budget already. */
  void commitReserved(int block) {
    region(block).commitReserved(offset(block), BLOCK_BYTES);
  }

  void decommit(int block) {
    region(block).decommit(offset(block), BLOCK_BYTES);
  }

  /** Closes all regions, or none; see {@link Region#close}. */
  void close() {
    regions.getFirst().close();
  }
}
