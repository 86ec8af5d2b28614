package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class RegionTest {
  private static final long UNIT = Region.UNIT_BYTES;

  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  @Test
  void memoryIsZeroAlignedAndCharged() {
    try (Region region = Region.map(budget, RegionOptions.ofSize(5 << 20))) {
      assertEquals(0, region.address() % (2 << 20));
      assertEquals(5 << 20, budget.usedBytes());
      assertEquals(0, region.segment().get(JAVA_LONG, (5 << 20) - 8));
      region.segment().set(JAVA_LONG, 0, 42);
      assertEquals(42, region.segment().get(JAVA_LONG, 0));
    }
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void smallRegionIsRoundedUpToPages() {
    RegionOptions options =
        RegionOptions.ofSize(1).withHugePages(HugePages.OFF).withPrefaultThreads(1);
    try (Region region = Region.map(budget, options)) {
      assertEquals(4096, region.sizeBytes());
      assertEquals(4096, budget.usedBytes());
    }
  }

  @Test
  void useAfterCloseIsAnException() {
    for (boolean reserved : new boolean[] {false, true}) {
      RegionOptions options = RegionOptions.ofSize(UNIT);
      Region region = reserved ? Region.reserve(budget, options) : Region.map(budget, options);
      if (reserved) {
        region.commit(0, UNIT);
      }
      MemorySegment slice = region.segment().asSlice(100, 8);
      region.close();
      region.close();
      assertThrows(IllegalStateException.class, () -> slice.get(JAVA_BYTE, 0));
      assertThrows(IllegalStateException.class, () -> region.segment().fill((byte) 1));
      assertThrows(IllegalStateException.class, () -> region.lease(0, 1));
      assertThrows(IllegalStateException.class, region::addRegistration);
      assertThrows(IllegalStateException.class, () -> region.commit(0, UNIT));
      assertThrows(IllegalStateException.class, () -> region.decommit(0, UNIT));
      assertThrows(IllegalStateException.class, () -> region.trim(0, UNIT));
      assertThrows(IllegalStateException.class, region::seal);
      assertThrows(IllegalStateException.class, region::placement);
      assertThrows(IllegalStateException.class, region::hugePageBytes);
      assertTrue(region.toString().contains("closed"), region.toString());
      assertEquals(UNIT, region.sizeBytes());
      assertEquals(0, budget.usedBytes());
    }
  }

  @Test
  void largestRegionIsMemoryToItsLastByte() {
    MemoryBudget large = MemoryBudget.root("large", Region.SIZE_BYTES_MAX);
    try (Region region = Region.map(large, RegionOptions.ofSize(Region.SIZE_BYTES_MAX))) {
      assertEquals(1 << 30, large.usedBytes());
      for (long offset = 0; offset < 1 << 30; offset += 255L << 20) {
        region.segment().set(JAVA_LONG, offset, offset + 1);
      }
      region.segment().set(JAVA_LONG, (1 << 30) - 8, 42);
      assertEquals((255L << 20) + 1, region.segment().get(JAVA_LONG, 255L << 20));
      assertThrows(IndexOutOfBoundsException.class, () -> region.segment().get(JAVA_BYTE, 1 << 30));
    }
  }

  @Test
  void trimmedMemoryLeavesTheProcessAndReadsAsZeroAndStaysCharged() throws IOException {
    MemoryBudget large = MemoryBudget.root("large", 256 << 20);
    RegionOptions options = RegionOptions.ofSize(256 << 20).withPrefaultThreads(2);
    try (Region region = Region.map(large, options)) {
      region.segment().set(JAVA_LONG, 0, 1);
      region.segment().set(JAVA_LONG, UNIT, 2);
      long before = Resident.processBytes();
      region.trim(UNIT, (256 << 20) - UNIT);
      long after = Resident.processBytes();
      assertTrue(before - after > 200 << 20, "before=%d after=%d".formatted(before, after));
      assertEquals(UNIT / 4096, Resident.pages(region.segment().asSlice(0, UNIT)));
      assertEquals(0, Resident.pages(region.segment().asSlice(UNIT)));
      assertEquals(1, region.segment().get(JAVA_LONG, 0));
      assertEquals(0, region.segment().get(JAVA_LONG, UNIT));
      assertEquals(256 << 20, large.usedBytes());
      region.segment().set(JAVA_LONG, UNIT, 3);
      assertEquals(3, region.segment().get(JAVA_LONG, UNIT));
    }
  }

  @Test
  void onlyWholeUnitsAreTrimmed() {
    try (Region region = Region.map(budget, RegionOptions.ofSize(3 * UNIT - 4096))) {
      assertThrows(IllegalArgumentException.class, () -> region.trim(4096, UNIT));
      assertThrows(IllegalArgumentException.class, () -> region.trim(0, UNIT + 4096));
      assertThrows(IllegalArgumentException.class, () -> region.trim(UNIT, 2 * UNIT - 4096));
      assertThrows(IndexOutOfBoundsException.class, () -> region.trim(2 * UNIT, UNIT));
      assertThrows(IndexOutOfBoundsException.class, () -> region.trim(-UNIT, UNIT));
      assertThrows(IndexOutOfBoundsException.class, () -> region.trim(0, -UNIT));
      region.trim(UNIT, 0);
      region.trim(0, 2 * UNIT);
    }
  }

  @Test
  void refusalsToTrimSayWhy() {
    try (Region region = Region.map(budget, RegionOptions.ofSize(UNIT))) {
      region.segment().fill((byte) 7);
      region.lease(0, 1);
      assertEquals("leases=1", lastWord(() -> region.trim(0, UNIT)));
      region.unlease(0, 1);
      region.addRegistration();
      assertEquals("registrations=1", lastWord(() -> region.trim(0, UNIT)));
      region.removeRegistration();
      region.seal();
      region.seal();
      assertEquals("sealed", lastWord(() -> region.trim(0, UNIT)));
      assertEquals(7, region.segment().get(JAVA_BYTE, 0));
    }
    try (Region locked = Region.map(budget, RegionOptions.ofSize(UNIT).withLocked(true))) {
      assertThrows(IllegalStateException.class, () -> locked.trim(0, UNIT));
    }
    try (Region mapped = Region.map(budget, RegionOptions.ofSize(UNIT))) {
      assertThrows(IllegalStateException.class, () -> mapped.commit(0, UNIT));
      assertThrows(IllegalStateException.class, () -> mapped.decommit(0, UNIT));
    }
  }

  private static String lastWord(Executable refused) {
    String message = assertThrows(IllegalStateException.class, refused).getMessage();
    return message.substring(message.lastIndexOf(' ') + 1);
  }

  @Test
  void oneLineTellsAll() {
    try (Region region =
        Region.map(budget, RegionOptions.ofSize(4096).withHugePages(HugePages.OFF))) {
      region.lease(0, 1);
      assertEquals(
          "Region[sizeBytes=4096 committedBytes=4096 pages=OFF placement=default"
              + " open leases=1 registrations=0 sealed=false]",
          region.toString());
      region.unlease(0, 1);
    }
  }

  @Test
  void leasedRegionCannotBeClosed() {
    Region region = Region.map(budget, RegionOptions.ofSize(4096));
    region.lease(0, 4096);
    IllegalStateException e = assertThrows(IllegalStateException.class, region::close);
    assertTrue(e.getMessage().endsWith("leases=1"), e.getMessage());
    region.segment().set(JAVA_BYTE, 0, (byte) 1);
    region.unlease(0, 4096);
    assertThrows(IllegalStateException.class, () -> region.unlease(0, 4096));
    region.close();
  }

  @Test
  void leaseBeyondTheEndIsRefused() {
    try (Region region = Region.map(budget, RegionOptions.ofSize(4096))) {
      assertThrows(IndexOutOfBoundsException.class, () -> region.lease(4096, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> region.lease(-1, 1));
      assertThrows(IndexOutOfBoundsException.class, () -> region.lease(0, -1));
    }
  }

  @Test
  void refusedByTheBudgetLeavesNothingBehind() {
    MemoryBudget small = MemoryBudget.root("small", 8192);
    assertThrows(
        BudgetExceededException.class, () -> Region.map(small, RegionOptions.ofSize(8193)));
    assertEquals(0, small.usedBytes());
  }

  @Test
  void regionInANativeCallStaysOpenAndClosesLater() throws Exception {
    Pipe pipe = Pipe.open();
    Region region = Region.map(budget, RegionOptions.ofSize(4 << 20));
    FutureTask<Integer> write =
        new FutureTask<>(() -> pipe.sink().write(region.segment().asByteBuffer()));
    Thread writer = Thread.ofPlatform().start(write);
    ByteBuffer drain = ByteBuffer.allocate(1 << 16);
    // Larger than a pipe holds: once the first bytes are out, the writer is inside the call.
    int drained = pipe.source().read(drain.limit(1));
    assertThrows(IllegalStateException.class, region::close);
    assertEquals(0, region.segment().get(JAVA_BYTE, 0));
    while (drained < 4 << 20) {
      drained += pipe.source().read(drain.clear());
    }
    assertEquals(4 << 20, write.get());
    writer.join();
    region.close();
    assertEquals(0, budget.usedBytes());
    pipe.sink().close();
    pipe.source().close();
  }
}
