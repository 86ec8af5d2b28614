package io.ewok.gds.allocator;

import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.Objects;

/**
 * How a {@link SlabAllocator} takes memory.
 *
 * @param name appears in messages
 * @param region how memory is mapped: regions of at most this size are reserved, and committed in
 *     units of 2 MiB as cells are needed. Default 1 GiB and {@link HugePages#AUTO}, by which the
 *     first touch of a unit makes all of it resident; {@code OFF} where little memory matters more
 *     than the speed of access. If it asks for a placement, that holds for all memory; by default
 *     each node with memory has a heap of its own, preferably on that node.
 * @param committedBytes how much is committed from the start, distributed evenly over the nodes and
 *     rounded up to units; default 0. With {@link SlabAllocator#seal} that is all there ever is.
 * @param topology the nodes; default those of the machine
 */
public record SlabOptions(
    String name, RegionOptions region, long committedBytes, NumaTopology topology) {

  /** Checks the ranges. */
  public SlabOptions {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(region, "region");
    Objects.requireNonNull(topology, "topology");
    if (region.sizeBytes() % Region.UNIT_BYTES != 0) {
      throw new IllegalArgumentException(
          "a region of slabs has whole units of 2 MiB: sizeBytes=" + region.sizeBytes());
    }
    if (committedBytes < 0) {
      throw new IllegalArgumentException(
          "memory to commit is not negative: committedBytes=" + committedBytes);
    }
  }

  /** Returns the defaults for an allocator of this name. */
  public static SlabOptions named(String name) {
    return new SlabOptions(
        name, RegionOptions.ofSize(Region.SIZE_BYTES_MAX), 0, NumaTopology.read());
  }

  /** Returns these options with regions mapped in another way. */
  public SlabOptions withRegion(RegionOptions region) {
    return new SlabOptions(name, region, committedBytes, topology);
  }

  /** Returns these options with another choice of pages. */
  public SlabOptions withHugePages(HugePages hugePages) {
    return withRegion(region.withHugePages(hugePages));
  }

  /** Returns these options with so much memory from the start. */
  public SlabOptions withCommittedBytes(long committedBytes) {
    return new SlabOptions(name, region, committedBytes, topology);
  }

  /** Returns these options for another machine. */
  public SlabOptions withTopology(NumaTopology topology) {
    return new SlabOptions(name, region, committedBytes, topology);
  }
}
