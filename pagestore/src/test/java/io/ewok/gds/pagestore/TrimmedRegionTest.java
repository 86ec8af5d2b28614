package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reads through the ring into a region whose memory went back to the system before. A ring
 * remembers the pages of a registered region, not its addresses: where these get other pages
 * meanwhile, the device writes into memory that nobody sees.
 */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class TrimmedRegionTest {
  private static final int UNIT = (int) Region.UNIT_BYTES;
  private static final int PAGE = 4096;

  @TempDir Path temporary;

  private final MemoryBudget budget = MemoryBudget.root("test", 4 * UNIT);
  private final IoRequest request = new IoRequest();
  private IoEngine engine;
  private IoFile file;

  @BeforeEach
  void open() throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    engine =
        new UringEngine(
            EngineOptions.defaults().withQueueDepth(8),
            probe.setupFlags(),
            new EngineChoice("URING", List.of()));
    assumeTrue(engine.description().contains("with fixed buffers"), engine.description());
    file = engine.open(temporary.resolve("data"), OpenMode.CREATE_NEW);
    try (Region pages = Region.map(budget, RegionOptions.ofSize(2 * PAGE))) {
      for (int page = 0; page < 2; page++) {
        pages.segment().asSlice((long) page * PAGE, PAGE).fill((byte) (page + 1));
      }
      file.write(0, pages, 0, 2 * PAGE);
    }
  }

  @AfterEach
  void close() throws IOException {
    if (engine != null) {
      engine.close();
    }
    assertEquals(0, budget.usedBytes());
  }

  private void register(Region region) {
    engine.register(region);
    // A kernel that refused would read by address, and nothing would be shown.
    assumeTrue(engine.description().contains("with fixed buffers"), engine.description());
  }

  /** Reads a page of the file through the ring; returns what its bytes in the region are. */
  private byte[] read(int page, Region region, long regionOffset) throws IOException {
    engine.submit(request.prepareRead(file, (long) page * PAGE, region, regionOffset, PAGE));
    assertEquals(PAGE, request.await());
    return region.segment().asSlice(regionOffset, PAGE).toArray(ValueLayout.JAVA_BYTE);
  }

  private static byte[] filled(int value) {
    byte[] bytes = new byte[PAGE];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @Test
  void trimIsRefusedUnderRegistrationAndRegisteringAnewReadsTheRightBytes() throws IOException {
    try (Region region = Region.map(budget, RegionOptions.ofSize(2 * UNIT))) {
      register(region);
      assertArrayEquals(filled(1), read(0, region, UNIT));
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> region.trim(UNIT, UNIT));
      assertTrue(e.getMessage().endsWith("registrations=1"), e.getMessage());
      assertEquals(1, region.segment().get(ValueLayout.JAVA_BYTE, UNIT));

      engine.unregister(region);
      region.trim(UNIT, UNIT);
      assertEquals(0, region.segment().get(ValueLayout.JAVA_BYTE, UNIT));
      register(region);
      assertArrayEquals(filled(2), read(1, region, UNIT));
      assertArrayEquals(filled(1), read(0, region, 2 * UNIT - PAGE));
      engine.unregister(region);
    }
  }

  /** Why it is refused: behind the region's back it can be done, and goes wrong without a word. */
  @Test
  void memoryTakenAwayUnderRegistrationIsNotWhatTheDeviceWrites() throws IOException {
    try (Region region = Region.map(budget, RegionOptions.ofSize(UNIT))) {
      register(region);
      LinuxMemory.discard(region.segment());
      assertArrayEquals(filled(0), read(0, region, 0));
      engine.unregister(region);
      assertArrayEquals(filled(1), read(0, region, 0));
    }
  }

  @Test
  void reservedRegionIsReadIntoOncePartsAndRegisteredOnceAllAreCommitted() throws IOException {
    try (Region region = Region.reserve(budget, RegionOptions.ofSize(2 * UNIT))) {
      assertTrue(region.commit(0, UNIT));
      assertArrayEquals(filled(1), read(0, region, 0));
      assertThrows(IllegalStateException.class, () -> read(0, region, UNIT));
      assertThrows(IllegalStateException.class, () -> engine.register(region));
      assertTrue(region.commit(UNIT, UNIT));
      register(region);
      assertArrayEquals(filled(2), read(1, region, UNIT));
      assertThrows(IllegalStateException.class, () -> region.decommit(UNIT, UNIT));
      engine.unregister(region);
      region.decommit(UNIT, UNIT);
      assertThrows(IllegalStateException.class, () -> read(0, region, UNIT));
    }
  }
}
