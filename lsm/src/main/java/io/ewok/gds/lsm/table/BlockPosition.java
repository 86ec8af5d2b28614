package io.ewok.gds.lsm.table;

/**
 * Which data block of a run it is: by the places of its table, of the partition of the index there,
 * and of the block in that. Positions of a run are ordered as their keys are.
 */
final class BlockPosition {
  private static final int BITS = 20;

  int table;
  int partition;
  int block;

  void set(int toTable, int toPartition, int toBlock) {
    table = toTable;
    partition = toPartition;
    block = toBlock;
  }

  /** As one number: that of a neighbour in the same partition differs by 1. */
  long number() {
    return number(table, partition, block);
  }

  /** The same of a position that is not kept. */
  static long number(int table, int partition, int block) {
    return ((long) table << BITS | partition) << BITS | block;
  }
}
