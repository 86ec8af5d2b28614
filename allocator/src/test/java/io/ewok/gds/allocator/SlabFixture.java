package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;

/** What tests of slabs have in common. */
final class SlabFixture {
  static final String NAME = "tested";

  private SlabFixture() {}

  /** Memory in pages of 4 KiB, so that what is resident is what was touched. */
  static SlabOptions options() {
    return SlabOptions.named(NAME).withHugePages(HugePages.OFF).withTopology(nodes(1));
  }

  static SlabAllocator allocator(long bytes) {
    return new SlabAllocator(MemoryBudget.root("test", bytes), options());
  }

  /** Nodes 0, 2, 4, … with a CPU each, of the number of the node. */
  static NumaTopology nodes(int count) {
    List<NumaNode> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      BitSet cpus = new BitSet();
      cpus.set(2 * i);
      List<Integer> distances = new ArrayList<>(Collections.nCopies(count, 20));
      distances.set(i, 10);
      nodes.add(new NumaNode(2 * i, cpus, 1 << 30, 1 << 30, distances));
    }
    return NumaTopology.declared(nodes);
  }

  static long granted(long handle) {
    assertNotEquals(SlabAllocator.NONE, handle);
    return handle;
  }

  /** Every call that takes a handle refuses this one, by a message that names the allocator. */
  static void assertStale(SlabAllocator allocator, long handle) {
    StaleHandleException e = assertThrows(StaleHandleException.class, () -> allocator.free(handle));
    if (!e.getMessage().contains(NAME)
        || !e.getMessage().endsWith("handle=0x" + Long.toHexString(handle))) {
      throw new AssertionError(e.getMessage());
    }
    assertThrows(StaleHandleException.class, () -> allocator.address(handle));
    assertThrows(StaleHandleException.class, () -> allocator.segment(handle));
    assertThrows(StaleHandleException.class, () -> allocator.segment(handle, 1));
    assertThrows(StaleHandleException.class, () -> allocator.cellBytes(handle));
    assertThrows(StaleHandleException.class, () -> allocator.region(handle));
    assertThrows(StaleHandleException.class, () -> allocator.offset(handle));
  }
}
