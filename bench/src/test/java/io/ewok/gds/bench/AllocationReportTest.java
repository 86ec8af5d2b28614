package io.ewok.gds.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Group;

class AllocationReportTest {
  /** Published for the mix. */
  private static final double MEAN_BYTES = 2533.5;

  @Test
  void mixHasThePublishedMeanAndOrderFollowsTheSeed() {
    int[] sizes = SizeMix.sizes(1 << 16, 1);
    assertEquals(MEAN_BYTES, Arrays.stream(sizes).average().orElseThrow(), MEAN_BYTES / 100);
    assertEquals(SizeMix.BYTES_MAX, Arrays.stream(sizes).max().orElseThrow());
    assertTrue(Arrays.equals(sizes, SizeMix.sizes(1 << 16, 1)));
    assertTrue(!Arrays.equals(sizes, SizeMix.sizes(1 << 16, 2)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "slabShard",
        "slabShardBatch",
        "slabAllocator",
        "slabAllocatorBatch",
        "malloc",
        "nettyAdaptive",
        "nettyAdaptiveShared",
        "nettyPooled"
      })
  void cellsHoldWhatWasRequested(String name) {
    ChurnFork.Sample sample = ChurnFork.run(name, ChurnFork.MIXED, 256, 1000);
    assertTrue(sample.nanosPerStep() > 0);
    assertTrue(sample.usedBytes() >= sample.requestedBytes(), sample::toLine);
    assertTrue(sample.committedBytes() < 0 || sample.committedBytes() >= sample.usedBytes());
    assertTrue(sample.residentBytes() < 0 || sample.residentBytes() >= sample.requestedBytes());
    assertEquals(sample, ChurnFork.Sample.parse(sample.toLine()));
  }

  @Test
  void framesAreAllOfOneSize() {
    ChurnFork.Sample sample = ChurnFork.run("nothing", ChurnFork.FRAMES, 256, 1000);
    assertEquals(256 * 4096, sample.requestedBytes());
  }

  @Test
  void residentMemoryOfRegionIsWhatWasTouched() {
    MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
    RegionOptions options = RegionOptions.ofSize(1 << 20).withHugePages(HugePages.OFF);
    try (Region region = Region.map(budget, options)) {
      long before = ResidentMemory.bytes(List.of(region));
      region.segment().asSlice(0, 1 << 19).fill((byte) 1);
      // A mapping of somebody else may have been merged with this one and grow meanwhile.
      assertTrue(ResidentMemory.bytes(List.of(region)) - before >= 1 << 19);
      assertTrue(ResidentMemory.bytes() >= ResidentMemory.bytes(List.of(region)));
    }
  }

  @Test
  void ratiosAreTakenRoundByRound() {
    Comparison comparison =
        Comparison.of(
            "layer", "case", "ns", new double[] {1, 2, 4}, "rival", new double[] {2, 8, 12});
    assertEquals(
        "{\"layer\":\"layer\",\"case\":\"case\",\"unit\":\"ns\",\"ours\":2.000,\"rival\":\"rival\","
            + "\"theirs\":8.000,\"ratio\":3.000,\"low\":2.000,\"high\":4.000,\"repeats\":3}",
        comparison.toJson());
    assertTrue(comparison.toRow().contains("2.00 … 4.00"), comparison::toRow);
  }

  @Test
  void evenNumberOfRoundsHasItsMedianInTheMiddle() {
    assertEquals(2.5, Comparison.median(new double[] {9, 1, 3, 2}));
  }

  @Test
  void casesNameBenchmarksThatExist() {
    for (AllocationCase one : AllocationCase.ALL) {
      for (String name : one.methods()) {
        assertTrue(
            Arrays.stream(one.benchmark().getMethods())
                .anyMatch(
                    method ->
                        method.getName().equals(name)
                            || (method.isAnnotationPresent(Group.class)
                                && method.getAnnotation(Group.class).value().equals(name))),
            () -> one.benchmark() + " has no " + name);
      }
      for (String parameter : one.parameters().keySet()) {
        assertTrue(
            Arrays.stream(one.benchmark().getFields())
                    .anyMatch(field -> field.getName().equals(parameter))
                || one.benchmark() == RemoteFreeBenchmark.class,
            () -> one.benchmark() + " has no " + parameter);
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() throws Exception {
    assertEquals(2, AllocationReport.COMMAND.run("--fast"));
    assertEquals(2, AllocationReport.COMMAND.run("--rounds"));
    assertEquals(2, AllocationReport.COMMAND.run("--rounds", "0"));
    assertEquals(0, AllocationReport.COMMAND.run("--help"));
  }
}
