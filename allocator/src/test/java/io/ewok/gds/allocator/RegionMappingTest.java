package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.allocator.numa.PlacementPolicy;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is asked of the kernel, in which order, and what a refusal leaves behind. */
class RegionMappingTest {
  private static final long UNIT = Region.UNIT_BYTES;
  private static final RegionOptions EVERYTHING =
      RegionOptions.ofSize(2 * UNIT)
          .withPlacement(PlacementPolicy.preferred(0))
          .withPrefaultThreads(2)
          .withLocked(true);

  private final MemoryBudget budget = MemoryBudget.root("test", 4 * UNIT);

  @Test
  void memoryIsPlacedAndAdvisedBeforeItIsTouchedThenLockedThenVerified() {
    RecordingCalls calls = new RecordingCalls();
    try (Region region = Region.map(budget, EVERYTHING, calls)) {
      assertEquals(List.of("map", "place", "advise", "populate", "lock", "verify"), calls.made);
      assertEquals(2 * UNIT / 4096, Resident.pages(region.segment()));
      assertEquals(PlacementPolicy.preferred(0), region.placementFound().effective());
      assertEquals(0, region.placementFound().untouchedPages());
    }
  }

  @Test
  void callsAreSeenToComeTooLate() {
    RecordingCalls calls =
        new RecordingCalls() {
          @Override
          public MemorySegment map(long sizeBytes, long alignmentBytes, Arena arena)
              throws ErrnoException {
            return super.map(sizeBytes, alignmentBytes, arena).fill((byte) 1);
          }
        };
    Region.map(budget, EVERYTHING, calls).close();
    assertEquals(List.of("place too late", "advise too late"), calls.made.subList(1, 3));
  }

  @Test
  void partOfReservedRegionIsTouchedAndLockedWhenItIsCommitted() {
    RecordingCalls calls = new RecordingCalls();
    try (Region region = Region.reserve(budget, EVERYTHING, calls)) {
      assertEquals(List.of("reserve", "place", "advise"), calls.made);
      assertEquals(0, Resident.pages(region.segment()));
      calls.made.clear();
      region.commit(UNIT, UNIT);
      assertEquals(List.of("populate", "lock", "verify"), calls.made);
      assertEquals(UNIT / 4096, Resident.pages(region.segment()));
      calls.made.clear();
      region.decommit(UNIT, UNIT);
      assertEquals(List.of("unlock", "discard"), calls.made);
      assertEquals(0, Resident.pages(region.segment()));
    }
  }

  @Test
  void nodesAreReadOnceForARegionAndOnlyIfItsMemoryIsTouched() {
    AtomicInteger reads = new AtomicInteger();
    MappingCalls calls =
        new MappingCalls() {
          @Override
          public NumaTopology topology() {
            reads.incrementAndGet();
            return MappingCalls.super.topology();
          }
        };
    RegionOptions untouched = RegionOptions.ofSize(2 * UNIT);
    for (RegionOptions options : List.of(untouched, untouched.withPrefaultThreads(1))) {
      try (Region region = Region.reserve(budget, options, calls)) {
        assertTrue(region.commit(0, UNIT));
        assertTrue(region.commit(UNIT, UNIT));
        assertEquals(options.prefaultThreads(), reads.get());
      }
    }
  }

  @Test
  void mappingThatIsRefusedLeavesNothingBehind() throws IOException {
    for (String call : List.of("map", "populate", "lock")) {
      long mappedBefore = mappings();
      RecordingCalls calls = new RecordingCalls(call, Errno.ENOMEM);
      UncheckedIOException e =
          assertThrows(
              UncheckedIOException.class, () -> Region.map(budget, EVERYTHING, calls), call);
      assertTrue(e.getMessage().contains("ENOMEM"), e.getMessage());
      assertEquals(call, calls.made.getLast());
      assertEquals(0, budget.usedBytes());
      assertTrue(mappings() <= mappedBefore, "left mapped after " + call);
    }
  }

  /** How much is mapped and huge by advice; a JVM maps nothing of the kind. */
  private static long mappings() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/smaps"))) {
      return lines.filter(line -> line.startsWith("VmFlags:") && line.contains(" hg")).count();
    }
  }

  @Test
  void commitThatIsRefusedLeavesNothingBehind() {
    for (String call : List.of("populate", "lock")) {
      RecordingCalls calls = new RecordingCalls(call, Errno.ENOMEM);
      try (Region region = Region.reserve(budget, EVERYTHING, calls)) {
        assertThrows(UncheckedIOException.class, () -> region.commit(0, UNIT));
        assertEquals(List.of("unlock", "discard"), calls.made.reversed().subList(0, 2).reversed());
        assertEquals(0, Resident.pages(region.segment()));
        assertEquals(0, region.committedBytes());
        assertEquals(0, budget.usedBytes());
      }
    }
  }

  @Test
  void explicitHugePagesAreTouchedAndNotLocked() {
    RecordingCalls calls = new RecordingCalls();
    RegionOptions options = EVERYTHING.withHugePages(HugePages.HUGETLB).withPrefaultThreads(0);
    try (Region region = Region.map(budget, options, calls)) {
      assertEquals(List.of("mapHugePages", "place", "populate", "verify"), calls.made);
      assertEquals(new PageBacking(HugePages.HUGETLB, HugePages.HUGETLB, ""), region.pages());
      assertThrows(IllegalStateException.class, () -> region.trim(0, UNIT));
    }
  }

  @Test
  void explicitHugePagesThatAreNotToBeHadAreReplacedAndTheReasonTold() {
    RegionOptions options = RegionOptions.ofSize(2 * UNIT).withHugePages(HugePages.HUGETLB);
    for (String call : List.of("mapHugePages", "populate")) {
      RecordingCalls calls = new RecordingCalls(call, Errno.ENOMEM);
      try (Region region = Region.map(budget, options, calls)) {
        assertEquals(HugePages.HUGETLB, region.pages().requested());
        assertEquals(HugePages.AUTO, region.pages().effective());
        assertTrue(region.pages().reason().contains(call + " failed"), region.pages().reason());
        assertTrue(region.toString().contains("AUTO instead of HUGETLB"), region.toString());
        assertEquals(2 * UNIT, budget.usedBytes());
        region.segment().fill((byte) 1);
      }
      assertEquals(0, budget.usedBytes());
    }
    try (Region odd =
            Region.map(budget, RegionOptions.ofSize(UNIT + 1).withHugePages(HugePages.HUGETLB));
        Region reserved = Region.reserve(budget, options)) {
      assertEquals("not whole huge pages: sizeBytes=2101248", odd.pages().reason());
      assertEquals("explicit huge pages are not for reserved regions", reserved.pages().reason());
      assertEquals(HugePages.AUTO, reserved.pages().effective());
    }
  }

  @Test
  void emptyPoolIsSurvived() throws IOException {
    assumeTrue(meminfo("HugePages_Free") < 512, "this machine has a GiB of explicit huge pages");
    MemoryBudget large = MemoryBudget.root("large", 1L << 30);
    RegionOptions options = RegionOptions.ofSize(1L << 30).withHugePages(HugePages.HUGETLB);
    try (Region region = Region.map(large, options)) {
      assertEquals(HugePages.AUTO, region.pages().effective());
      assertTrue(region.pages().reason().startsWith("mmap(MAP_HUGETLB) failed"));
      region.segment().set(JAVA_LONG, (1L << 30) - 8, 1);
    }
  }

  @Test
  void poolOfExplicitHugePagesIsUsed() throws IOException {
    Path setting = Path.of("/proc/sys/vm/nr_hugepages");
    assumeTrue(Files.isWritable(setting), "the pool can be changed by root only");
    String before = Files.readString(setting).strip();
    try {
      Files.writeString(setting, Long.toString(Long.parseLong(before) + 16));
      assumeTrue(meminfo("HugePages_Free") >= 2, "the system has no memory in large pieces");
      RegionOptions options = RegionOptions.ofSize(2 * UNIT).withHugePages(HugePages.HUGETLB);
      try (Region region = Region.map(budget, options)) {
        assertEquals(HugePages.HUGETLB, region.pages().effective(), region.pages().reason());
        assertEquals(0, region.address() % UNIT);
        assertEquals(2 * UNIT, region.hugePageBytes());
        assertEquals(0, region.segment().get(JAVA_LONG, 2 * UNIT - 8));
        region.segment().fill((byte) 7);
        assertThrows(IllegalStateException.class, () -> region.trim(0, UNIT));
      }
    } finally {
      Files.writeString(setting, before);
    }
  }

  private static long meminfo(String name) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      Optional<String> line = lines.filter(l -> l.startsWith(name + ":")).findFirst();
      return line.map(l -> Long.parseLong(l.replaceAll("[^0-9]", ""))).orElse(0L);
    }
  }

  @Test
  void touchedMemoryLiesInHugePagesUnlessTheyAreOff() {
    RegionOptions options = RegionOptions.ofSize(2 * UNIT).withPrefaultThreads(1);
    try (Region huge = Region.map(budget, options);
        Region small = Region.map(budget, options.withHugePages(HugePages.OFF))) {
      assertEquals(new PageBacking(HugePages.OFF, HugePages.OFF, ""), small.pages());
      assertEquals(0, small.hugePageBytes());
      assertEquals(2 * UNIT / 4096, Resident.pages(small.segment()));
      assumeTrue(huge.pages().effective() == HugePages.AUTO, huge.pages().reason());
      assertEquals(2 * UNIT, huge.hugePageBytes());
    }
  }

  @Test
  void advisedMemoryIsLostToHugePagesOnlyWithTheReasonTold() {
    RecordingCalls calls = new RecordingCalls("advise", Errno.EINVAL);
    try (Region refused = Region.map(budget, RegionOptions.ofSize(UNIT), calls);
        Region small = Region.map(budget, RegionOptions.ofSize(4096))) {
      assertEquals(HugePages.OFF, refused.pages().effective());
      assertTrue(refused.pages().reason().contains("EINVAL"), refused.pages().reason());
      assertEquals("smaller than a huge page: sizeBytes=4096", small.pages().reason());
    }
    RecordingCalls without = new RecordingCalls("adviseNot", Errno.EINVAL);
    RegionOptions off = RegionOptions.ofSize(UNIT).withHugePages(HugePages.OFF);
    Region.map(budget, off, without).close();
    RecordingCalls failing = new RecordingCalls("adviseNot", Errno.ENOMEM);
    assertThrows(UncheckedIOException.class, () -> Region.map(budget, off, failing));
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void absentNodeIsReportedAndSurvived() {
    RegionOptions options =
        RegionOptions.ofSize(UNIT).withPlacement(PlacementPolicy.bind(1000)).withPrefaultThreads(1);
    try (Region region = Region.map(budget, options)) {
      assertTrue(region.placement().isDegraded());
      assertTrue(region.placement().reason().contains("EINVAL"), region.placement().reason());
      assertEquals(PlacementPolicy.none(), region.placement().effective());
    }
  }

  @Test
  void placementIsLookedAtAgain() {
    RegionOptions options = RegionOptions.ofSize(2 * UNIT).withPlacement(PlacementPolicy.bind(0));
    try (Region region = Region.map(budget, options)) {
      assertEquals(64, region.placement().untouchedPages());
      region.segment().asSlice(0, UNIT).fill((byte) 1);
      assertEquals(32, region.placement().untouchedPages());
      assertEquals(32, region.placement().pagesByNode().get(0));
      assertFalse(region.placement().isDegraded(), region.placement().reason());
    }
  }

  @Test
  void policyOfMappedMemoryIsTheKernels() throws Exception {
    RegionOptions options = RegionOptions.ofSize(UNIT).withPlacement(PlacementPolicy.interleave(0));
    try (Region region = Region.reserve(budget, options)) {
      assertEquals(3, LinuxMemory.getMempolicy(region.address()).mode() & 7);
      assertEquals(3, LinuxMemory.getMempolicy(region.address() + UNIT - 4096).mode() & 7);
    }
  }
}
