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
  private static final long BLOCK_BYTES = ReadBlocks.BLOCK_BYTES;
  private static final int REGION_BLOCKS = (int) (Region.SIZE_BYTES_MAX / BLOCK_BYTES);

  private final List<Region> regions;

  private ReadMemory(List<Region> regions) {
    this.regions = regions;
  }

  /**
   * Reserves address space.
   *
   * @param budget charged for the blocks that are memory
   */
  static ReadMemory reserve(MemoryBudget budget, int blockCount, PlacementPolicy placement) {
    ReadMemory memory = new ReadMemory(new ArrayList<>());
    boolean reserved = false;
    try {
      for (int first = 0; first < blockCount; first += REGION_BLOCKS) {
        long bytes = Math.min(REGION_BLOCKS, blockCount - first) * BLOCK_BYTES;
        // A huge page would keep eight blocks, of which one may be in use.
        RegionOptions options =
            RegionOptions.ofSize(bytes).withHugePages(HugePages.OFF).withPlacement(placement);
        memory.regions.add(Region.reserve(budget, options));
      }
      reserved = true;
      return memory;
    } finally {
      if (!reserved) {
        memory.close();
      }
    }
  }

  /** Makes operations uses of the blocks that they touch. */
  void attach(ReadSupply supply, ReadBlocks blocks) {
    for (int i = 0; i < regions.size(); i++) {
      regions.get(i).attach(new ReadLeases(supply, blocks, i * REGION_BLOCKS));
    }
  }

  Region region(int block) {
    return regions.get(block / REGION_BLOCKS);
  }

  /** Returns the offset of a block in its region, in bytes. */
  long offset(int block) {
    return block % REGION_BLOCKS * BLOCK_BYTES;
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

  /** Closes what is still open; see {@link Region#close}. */
  void close() {
    regions.forEach(Region::close);
  }
}
