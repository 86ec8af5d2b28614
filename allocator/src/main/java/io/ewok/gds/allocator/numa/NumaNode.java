package io.ewok.gds.allocator.numa;

import java.util.BitSet;
import java.util.List;

/**
 * A node of a {@link NumaTopology}: memory and the CPUs next to it. There are nodes without CPUs
 * (memory on an expander) and nodes without memory.
 *
 * <p>An immutable value; threads: any.
 *
 * @param id its number, 0 to 1023; numbers may have gaps
 * @param cpus numbers of its CPUs; the record keeps a copy
 * @param memoryBytes its memory; {@link Long#MAX_VALUE} where that is not known
 * @param freeBytes what of it was unused when the topology was read; the kernel can free more
 * @param distances how far it is to each node of the topology, by ascending number: 10 to itself,
 *     20 means twice the latency
 */
public record NumaNode(
    int id, BitSet cpus, long memoryBytes, long freeBytes, List<Integer> distances) {
  /** More CPUs than any kernel is built for. */
  static final int CPU_MAX = 8191;

  /** Checks the ranges. */
  public NumaNode {
    if (id < 0 || id > PlacementPolicy.NODE_MAX) {
      throw new IllegalArgumentException(
          "nodes are numbered from 0 to " + PlacementPolicy.NODE_MAX + ": node=" + id);
    }
    cpus = (BitSet) cpus.clone();
    if (cpus.length() > CPU_MAX + 1) {
      throw new IllegalArgumentException(
          "CPUs are numbered from 0 to " + CPU_MAX + ": cpu=" + (cpus.length() - 1));
    }
    if (memoryBytes < 0 || freeBytes < 0 || freeBytes > memoryBytes) {
      throw new IllegalArgumentException(
          "free memory is a part of the memory: memoryBytes="
              + memoryBytes
              + " freeBytes="
              + freeBytes);
    }
    distances = List.copyOf(distances);
    for (int distance : distances) {
      if (distance <= 0) {
        throw new IllegalArgumentException("a distance is positive: distance=" + distance);
      }
    }
  }

  /** A copy. */
  @Override
  public BitSet cpus() {
    return (BitSet) cpus.clone();
  }

  /** Whether pages can lie on it. */
  public boolean hasMemory() {
    return memoryBytes > 0;
  }
}
