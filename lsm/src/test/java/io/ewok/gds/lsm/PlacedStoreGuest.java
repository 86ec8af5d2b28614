package io.ewok.gds.lsm;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs in the guest of {@link MemoryOptionsTest}: uses a store that is to lie on two nodes, and
 * tells on which nodes the memory of each policy has pages, a line for each.
 */
final class PlacedStoreGuest {
  static final String PREFIX = "store|";
  private static final int RECORDS = 1_000;
  private static final int VALUE_BYTES = 1_000;

  private PlacedStoreGuest() {}

  /**
   * Writes, flushes and reads.
   *
   * @param args none
   */
  public static void main(String[] args) throws IOException {
    StoreOptions options =
        Fixtures.TINY
            .withPoolBytes(4 << 20)
            .withMemory(
                MemoryOptions.defaults()
                    .withHugePages(HugePages.OFF)
                    .withPool(List.of(PlacementPolicy.bind(0), PlacementPolicy.bind(1)))
                    .withMemtables(PlacementPolicy.preferred(1)));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, new SimEngine(1))) {
      for (int i = 0; i < RECORDS; i++) {
        store.put(Fixtures.bytes("key" + i), new byte[VALUE_BYTES], Durability.NONE);
      }
      store.compact();
      for (int i = 0; i < RECORDS; i++) {
        if (store.get(Fixtures.bytes("key" + i)).length != VALUE_BYTES) {
          throw new IllegalStateException("another value: i=" + i);
        }
      }
      TreeMap<String, Set<Integer>> nodes = new TreeMap<>();
      for (MappedMemory memory : MappedMemory.placed()) {
        nodes
            .computeIfAbsent(memory.policy(), _ -> new TreeSet<>())
            .addAll(memory.pagesByNode().keySet());
      }
      nodes.forEach((policy, on) -> System.out.println(PREFIX + policy + "|" + on));
    }
  }
}
