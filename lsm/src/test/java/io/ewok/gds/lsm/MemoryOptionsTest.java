package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.testing.VirtualMachine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the memory of a store lies, and in which pages, is what its options say. */
class MemoryOptionsTest {
  private static final long MIB = 1 << 20;

  /** All regions that may have huge pages are large enough for one. */
  private static final StoreOptions SIZES =
      StoreOptions.defaults()
          .withMemtableBytes(4 * MIB)
          .withPoolBytes(16 * MIB)
          .withRecordCacheBytes(2 * MIB);

  /** Another policy for each part, and all of them possible on every machine. */
  private static final MemoryOptions ON_FIRST_NODE =
      MemoryOptions.defaults()
          .withPool(List.of(PlacementPolicy.bind(0), PlacementPolicy.bind(0)))
          .withMemtables(PlacementPolicy.preferred(0))
          .withRecordCache(PlacementPolicy.interleave(0))
          .withBuffers(PlacementPolicy.local());

  private final SimEngine engine = new SimEngine(1);

  private Store open(MemoryOptions memory) throws Exception {
    return Store.open(Fixtures.DIRECTORY, SIZES.withMemory(memory), engine);
  }

  /** A container may forbid policies, and a store is opened there as well. */
  private static void assumePolicies() {
    try (Region region =
        Region.map(
            MemoryBudget.root("test", MIB),
            RegionOptions.ofSize(MIB).withPlacement(PlacementPolicy.bind(0)))) {
      assumeFalse(region.placement().isDegraded(), region.placement().toString());
    }
    assumeTrue(Files.isReadable(Path.of("/proc/self/numa_maps")));
  }

  private static void assumeTransparentHugePages() {
    assumeTrue(Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage")));
  }

  private static Map<String, Long> expected() {
    StoreOptions options = SIZES.withMemory(ON_FIRST_NODE);
    long log = StoreMemory.logOptions(options).memoryBytes();
    long tables = 2 * TableWriter.bufferBytes(StoreMemory.tableOptions(options));
    return new TreeMap<>(
        Map.of(
            "bind:0",
            16 * MIB,
            "prefer:0",
            4 * MIB,
            "interleave:0",
            2 * MIB,
            "local",
            log + tables + StoreMemory.readBufferBytes(options)));
  }

  @Test
  void eachPartHasItsOwnPolicy() throws Exception {
    assumePolicies();
    assertEquals(Map.of(), MappedMemory.bytesByPolicy(MappedMemory.placed()));
    try (Store store = open(ON_FIRST_NODE)) {
      store.put(Fixtures.bytes("key"), new byte[100_000], Durability.SYNCED);
      List<MappedMemory> placed = MappedMemory.placed();
      assertEquals(expected(), MappedMemory.bytesByPolicy(placed));
      assertTrue(placed.stream().anyMatch(memory -> memory.pagesByNode().containsKey(0)));
    }
    assertEquals(Map.of(), MappedMemory.bytesByPolicy(MappedMemory.placed()));
    try (Store store = open(MemoryOptions.defaults())) {
      assertEquals(100_000, store.get(Fixtures.bytes("key")).length);
      assertEquals(Map.of(), MappedMemory.bytesByPolicy(MappedMemory.placed()));
    }
  }

  /** Followers have the same pool and memtables. */
  @Test
  void whoOnlyReadsHasThemToo() throws Exception {
    assumePolicies();
    open(MemoryOptions.defaults()).close();
    StoreOptions options = SIZES.withMemory(ON_FIRST_NODE);
    try (ReadOnlyStore _ = Store.openReadOnly(Fixtures.DIRECTORY, options, engine)) {
      Map<String, Long> found = MappedMemory.bytesByPolicy(MappedMemory.placed());
      assertEquals(16 * MIB, found.get("bind:0"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "off"})
  void pagesAreAdvisedInAllParts(String choice) throws Exception {
    assumePolicies();
    assumeTransparentHugePages();
    String wanted = choice.equals("off") ? "nh" : "hg";
    HugePages pages = HugePages.valueOf(choice.toUpperCase(Locale.ROOT));
    try (Store _ = open(ON_FIRST_NODE.withHugePages(pages))) {
      List<MappedMemory> placed = MappedMemory.placed();
      assertEquals(expected(), MappedMemory.bytesByPolicy(placed));
      for (MappedMemory memory : placed) {
        // Too small for a huge page, nothing is said of it.
        if (memory.bytes() >= Region.UNIT_BYTES) {
          assertTrue(memory.flags().contains(wanted), memory.toString());
        }
      }
    }
  }

  /** What the administrator has set aside: none is no error. */
  @Test
  void explicitHugePagesAreTakenWhereTheyAre() throws Exception {
    assumePolicies();
    assumeTransparentHugePages();
    long free =
        Files.readAllLines(Path.of("/proc/meminfo")).stream()
            .filter(line -> line.startsWith("HugePages_Free:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
            .sum();
    assumeTrue(free == 0 || free * Region.UNIT_BYTES > 64 * MIB, "too few for all: free=" + free);
    try (Store store = open(ON_FIRST_NODE.withHugePages(HugePages.HUGETLB))) {
      store.put(Fixtures.bytes("key"), Fixtures.bytes("value"), Durability.SYNCED);
      for (MappedMemory memory : MappedMemory.placed()) {
        if (!memory.policy().equals("local")) {
          assertTrue(memory.flags().contains(free > 0 ? "ht" : "hg"), memory.toString());
        }
      }
    }
  }

  /** Of each setting, before anything is written. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "store.numa.pool",
        "store.numa.memtable",
        "store.numa.record-cache",
        "store.numa.buffers"
      })
  void nodesThatTheMachineDoesNotHaveAreNamed(String setting) throws Exception {
    StoreOptions options = SIZES.with(Map.of(setting, "interleave:0,1000"));
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Store.open(Fixtures.DIRECTORY, options, engine))
            .getMessage();
    assertTrue(message.startsWith("no memory on node 1000 of a machine with "), message);
    assertTrue(message.endsWith(": " + setting + "=interleave:0,1000"), message);
    assertFalse(engine.exists(Fixtures.DIRECTORY));
    MemoryBudget budget = MemoryBudget.root("test", 1L << 30);
    assertThrows(
        IllegalArgumentException.class,
        () -> Store.open(Fixtures.DIRECTORY, options, engine, budget));
    assertTrue(budget.children().isEmpty());
  }

  @Test
  void eachPartOfThePoolIsLargeEnoughForTheLargestBlocks() {
    List<PlacementPolicy> three = Collections.nCopies(3, PlacementPolicy.none());
    MemoryOptions memory = MemoryOptions.defaults().withPool(three);
    String message =
        assertThrows(IllegalArgumentException.class, () -> SIZES.withMemory(memory)).getMessage();
    assertTrue(message.endsWith("placements=3 poolBytes=16777216"), message);
    assertEquals(3, SIZES.withPoolBytes(24 * MIB).withMemory(memory).memory().pool().size());
    assertThrows(
        IllegalArgumentException.class, () -> MemoryOptions.defaults().withPool(List.of()));
  }

  /** With the smallest parts, and the largest values in each of them. */
  @Test
  void largeValuesFitInEachPart() throws Exception {
    MemoryOptions memory =
        MemoryOptions.defaults().withPool(Collections.nCopies(2, PlacementPolicy.preferred(0)));
    SplittableRandom random = new SplittableRandom(1);
    byte[][] values = new byte[20][];
    try (Store store = open(memory)) {
      for (int i = 0; i < values.length; i++) {
        byte[] key = Fixtures.bytes("key" + i);
        values[i] = Fixtures.randomBytes(random, (int) SIZES.valueBytesMax(key.length));
        store.put(key, values[i], Durability.NONE);
      }
      store.compact();
    }
    try (Store store = open(memory)) {
      for (int i = 0; i < values.length; i++) {
        assertArrayEquals(values[i], store.get(Fixtures.bytes("key" + i)));
      }
      assertEquals(values.length, Fixtures.contents(store).size());
      assertTrue(store.stats().memory().peakBytes() <= SIZES.memoryBytes());
    }
  }

  /**
   * On a machine of two nodes pages lie where they were wanted: the pool's parts one on each,
   * memtables on the second.
   */
  @Test
  @EnabledIfSystemProperty(named = VirtualMachine.RUNNER, matches = ".+")
  void pagesLandOnTheirNodes(@TempDir Path folder) throws Exception {
    List<String> machine = List.of("--nodes", "2", "--mem-per-node", "1024");
    String told = VirtualMachine.run(folder, machine, PlacedStoreGuest.class, List.of());
    Map<String, String> pages = new TreeMap<>();
    told.lines()
        .filter(line -> line.startsWith(PlacedStoreGuest.PREFIX))
        .map(line -> line.substring(PlacedStoreGuest.PREFIX.length()).split("\\|"))
        .forEach(fields -> pages.merge(fields[0], fields[1], (one, other) -> one + other));
    assertEquals(Map.of("bind:0", "[0]", "bind:1", "[1]", "prefer:1", "[1]"), pages, told);
  }
}
