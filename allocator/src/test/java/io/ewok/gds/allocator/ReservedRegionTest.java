package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.leases.RegionLeases;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.LinuxMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ReservedRegionTest {
  private static final long UNIT = Region.UNIT_BYTES;

  private final MemoryBudget budget = MemoryBudget.root("test", 4 * UNIT);

  private Region reserve(long bytes) {
    return Region.reserve(budget, RegionOptions.ofSize(bytes));
  }

  private static boolean isResident(Region region, long offset) throws Exception {
    int node = LinuxMemory.movePagesQuery(new long[] {region.address() + offset})[0];
    assertTrue(node >= 0 || node == -Errno.ENOENT, "node=" + node);
    return node >= 0;
  }

  @Test
  void reservingChargesNothingAndCommittingChargesWhatIsCommitted() {
    try (Region region = reserve(Region.SIZE_BYTES_MAX)) {
      assertEquals(0, budget.usedBytes());
      assertEquals(0, region.address() % UNIT);
      assertTrue(region.commit(3 * UNIT, 2 * UNIT));
      assertEquals(2 * UNIT, budget.usedBytes());
      assertEquals(2 * UNIT, region.committedBytes());
      region.segment().set(JAVA_LONG, 5 * UNIT - 8, 1);
      region.decommit(4 * UNIT, UNIT);
      assertEquals(UNIT, budget.usedBytes());
      assertEquals(UNIT, region.committedBytes());
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void commitBeyondTheBudgetIsFalseAndChargesNothing() {
    try (Region region = reserve(8 * UNIT)) {
      assertTrue(region.commit(0, 3 * UNIT));
      assertFalse(region.commit(4 * UNIT, 2 * UNIT));
      assertEquals(3 * UNIT, budget.usedBytes());
      assertEquals(3 * UNIT, region.committedBytes());
      assertTrue(region.commit(4 * UNIT, UNIT));
    }
  }

  @Test
  void decommittedMemoryIsGoneAndReadsAsZero() throws Exception {
    try (Region region = reserve(2 * UNIT)) {
      region.commit(0, 2 * UNIT);
      region.segment().fill((byte) 7);
      region.decommit(UNIT, UNIT);
      assertTrue(isResident(region, UNIT - 1));
      assertFalse(isResident(region, UNIT));
      assertFalse(isResident(region, 2 * UNIT - 1));
      assertEquals(0, region.segment().get(JAVA_BYTE, UNIT));
      region.commit(UNIT, UNIT);
      assertEquals(-1, region.segment().asSlice(UNIT).mismatch(zeros(UNIT)));
      assertEquals(7, region.segment().get(JAVA_BYTE, 0));
    }
  }

  private static MemorySegment zeros(long bytes) {
    return MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
  }

  @Test
  void wholeUnitsOnlyAndEachOnce() {
    try (Region region = reserve(4 * UNIT)) {
      assertThrows(IllegalArgumentException.class, () -> region.commit(4096, UNIT));
      assertThrows(IllegalArgumentException.class, () -> region.commit(0, 4096));
      assertThrows(IndexOutOfBoundsException.class, () -> region.commit(3 * UNIT, 2 * UNIT));
      region.commit(UNIT, UNIT);
      assertThrows(IllegalStateException.class, () -> region.commit(0, 2 * UNIT));
      assertThrows(IllegalStateException.class, () -> region.decommit(UNIT, 2 * UNIT));
      assertEquals(UNIT, budget.usedBytes());
    }
  }

  @Test
  void unitsAreOsPagesWithoutHugePages() throws Exception {
    RegionOptions options = RegionOptions.ofSize(100_000).withHugePages(HugePages.OFF);
    try (Region region = Region.reserve(budget, options)) {
      assertEquals(4096, region.unitBytes());
      assertEquals(25 * 4096, region.sizeBytes());
      region.commit(8192, 8192);
      region.segment().set(JAVA_BYTE, 8192, (byte) 1);
      assertEquals(8192, budget.usedBytes());
      region.decommit(8192, 4096);
      assertFalse(isResident(region, 8192));
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void onlyCommittedBytesAreLeasedAndOnlyWholeRegionsRegistered() {
    try (Region region = reserve(2 * UNIT)) {
      region.commit(0, UNIT);
      RegionLeases.take(region, UNIT - 1, 1);
      RegionLeases.giveBack(region, UNIT - 1, 1);
      assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, UNIT - 1, 2));
      assertThrows(IllegalStateException.class, () -> RegionLeases.register(region));
      region.commit(UNIT, UNIT);
      RegionLeases.register(region);
      assertThrows(IllegalStateException.class, () -> region.decommit(0, UNIT));
      assertThrows(IllegalStateException.class, region::close);
      RegionLeases.unregister(region);
      assertThrows(IllegalStateException.class, () -> RegionLeases.unregister(region));
    }
  }

  @Test
  void allocatorIsToldOfOperationsAndVouchesForWhatItGivesBack() {
    List<String> told = new ArrayList<>();
    FrameLeases leases =
        new FrameLeases() {
          @Override
          public void leased(long offset, long bytes) {
            if (offset == 1) {
              throw new IllegalStateException("no frame begins here");
            }
            told.add("leased " + offset + " " + bytes);
          }

          @Override
          public void unleased(long offset, long bytes) {
            told.add("unleased " + offset + " " + bytes);
          }
        };
    try (Region region = reserve(2 * UNIT)) {
      region.commit(0, 2 * UNIT);
      region.attach(leases);
      assertThrows(IllegalStateException.class, () -> region.attach(leases));
      RegionLeases.take(region, 4096, 8192);
      assertThrows(IllegalStateException.class, () -> RegionLeases.take(region, 1, 1));
      region.decommit(UNIT, UNIT);
      assertThrows(IllegalStateException.class, region::close);
      RegionLeases.giveBack(region, 4096, 8192);
      RegionLeases.take(region, 0, 0);
      RegionLeases.giveBack(region, 0, 0);
    }
    assertEquals(List.of("leased 4096 8192", "unleased 4096 8192"), told);
  }

  @Test
  void rangeOutsideOfTheRegionIsRefusedByOneThatNamesIt() {
    try (Region region = reserve(2 * UNIT)) {
      List<Executable> calls =
          List.of(
              () -> region.commit(UNIT, 2 * UNIT),
              () -> region.decommit(UNIT, 2 * UNIT),
              () -> region.trim(UNIT, 2 * UNIT),
              () -> RegionLeases.take(region, UNIT, 2 * UNIT));
      for (Executable call : calls) {
        Exception e = assertThrows(IndexOutOfBoundsException.class, call);
        assertTrue(
            e.getMessage().endsWith(": offset=2097152 bytes=4194304 sizeBytes=4194304"),
            e.getMessage());
      }
      long end = Long.MAX_VALUE / UNIT * UNIT;
      assertThrows(IndexOutOfBoundsException.class, () -> region.commit(end, UNIT));
      assertThrows(IndexOutOfBoundsException.class, () -> region.commit(UNIT, end));
    }
  }
}
