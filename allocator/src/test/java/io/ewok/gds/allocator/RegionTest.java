package io.ewok.gds.allocator;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class RegionTest {
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
    Region region = Region.map(budget, RegionOptions.ofSize(4096));
    MemorySegment slice = region.segment().asSlice(100, 8);
    region.close();
    region.close();
    assertThrows(IllegalStateException.class, () -> slice.get(JAVA_BYTE, 0));
    assertThrows(IllegalStateException.class, () -> region.lease(0, 1));
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
  void refusedByTheBudgetLeavesNothingBehind() {
    MemoryBudget small = MemoryBudget.root("small", 8192);
    assertThrows(
        BudgetExceededException.class, () -> Region.map(small, RegionOptions.ofSize(8193)));
    assertEquals(0, small.usedBytes());
  }

  @Test
  void badSizesAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> RegionOptions.ofSize(0));
    assertThrows(
        IllegalArgumentException.class, () -> RegionOptions.ofSize(Region.SIZE_BYTES_MAX + 1));
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
