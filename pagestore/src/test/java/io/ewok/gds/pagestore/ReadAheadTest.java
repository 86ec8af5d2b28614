package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReadAheadTest {
  private static final int PAGE = 512;
  private static final int PAGES = 1000;

  /** Where the frames begin: what lies before and after them is watched. */
  private static final long FRAMES_AT = 8 * PAGE;

  private static final byte UNTOUCHED = 0x5a;

  private final SimEngine engine = new SimEngine(1);
  private final SlowEngine slow = new SlowEngine(engine);
  private final MemoryBudget budget = MemoryBudget.root("test", 8 << 20);
  private Region region;
  private PageFile file;

  @BeforeEach
  void writePages() throws IOException {
    region = Region.map(budget, RegionOptions.ofSize(1 << 20));
    file =
        new PageFile(
            engine.open(Path.of("/pages"), OpenMode.CREATE_NEW), PAGE, new PageFileOptions(PAGE));
    file.ensureCapacity(PAGES);
    for (int page = 0; page < PAGES; page++) {
      region.segment().set(ValueLayout.JAVA_LONG, 0, page);
      file.write(page, region, 0);
    }
    region.segment().fill(UNTOUCHED);
  }

  @AfterEach
  void close() {
    slow.close();
    engine.close();
    region.close();
  }

  private ReadAhead reader(IoEngine engine, int frames) {
    return new ReadAhead(
        engine, file, region, FRAMES_AT, ReadAheadOptions.defaults().withFrames(frames));
  }

  private static void assertPage(long page, MemorySegment memory, String where) {
    assertEquals(PAGE, memory.byteSize(), where);
    assertEquals(page, memory.get(ValueLayout.JAVA_LONG, 0), where);
  }

  @Test
  void streamsAreReadAheadWhateverTheStride() throws IOException {
    for (int stride : new int[] {1, -1, 2, -7, 64}) {
      try (ReadAhead reader = reader(slow.engine(), 16)) {
        long page = stride > 0 ? 0 : PAGES - 1;
        int count = 0;
        for (; page >= 0 && page < PAGES; page += stride) {
          assertPage(page, reader.page(page), "stride=" + stride);
          count++;
        }
        assertTrue(reader.waits() <= 6 + count / 7, "waits=" + reader.waits() + " of " + count);
        assertEquals(0, reader.unusedPages(), "stride=" + stride);
      }
    }
  }

  @Test
  void neighboursComeInLargeTransfers() throws IOException {
    try (ReadAhead reader = reader(slow.engine(), 64)) {
      for (int page = 0; page < PAGES; page++) {
        reader.page(page);
      }
      assertTrue(slow.submitted() <= 20 + PAGES / 16, "submitted=" + slow.submitted());
    }
  }

  @Test
  void distanceGrowsWhileTheReaderWaitsUpToTheFrames() throws IOException {
    try (ReadAhead reader = reader(slow.engine(), 16)) {
      assertEquals(2, reader.distancePages());
      for (int page = 0; page < PAGES; page++) {
        reader.page(page);
      }
      assertEquals(16, reader.distancePages());
    }
  }

  @Test
  void distanceStaysWhereTheDeviceIsFastEnough() throws IOException {
    try (ReadAhead reader = reader(engine, 16)) {
      for (int page = 0; page < PAGES; page++) {
        assertPage(page, reader.page(page), "fast");
      }
      assertEquals(2, reader.distancePages());
      assertEquals(3, reader.waits(), "until it is known for a stream");
    }
  }

  /** Reads on from page 0 until the device has something to do. */
  private void readUntilPending(ReadAhead reader) throws IOException {
    for (int page = 0; page < 50 || slow.pending().isEmpty(); page++) {
      reader.page(page);
    }
  }

  @Test
  void turningAwayCancelsAndReadsLessFarNextTime() throws IOException {
    try (ReadAhead reader = reader(slow.engine(), 16)) {
      readUntilPending(reader);
      int distance = reader.distancePages();
      int pending = slow.pending().size();
      int cancelled = slow.cancelled();
      assertPage(900, reader.page(900), "after turning away");
      assertEquals(cancelled + pending, slow.cancelled());
      assertTrue(reader.unusedPages() > 0);
      assertEquals(distance / 2, reader.distancePages());
    }
  }

  @Test
  void turningAwayDoesNotWaitForWhatCannotBeCancelled() throws IOException {
    slow.refuseToCancel();
    try (ReadAhead reader = reader(slow.engine(), 64)) {
      readUntilPending(reader);
      IoRequest turnedFrom = slow.pending().getFirst();
      for (int page = 900; page < 903; page++) {
        assertPage(page, reader.page(page), "after turning away");
      }
      assertTrue(slow.pending().contains(turnedFrom));
    }
  }

  @Test
  void scatteredPagesReadNothingAhead() throws IOException {
    long seed = 43;
    SplittableRandom random = new SplittableRandom(seed);
    try (ReadAhead reader = reader(slow.engine(), 16)) {
      for (int i = 0; i < 500; i++) {
        long page = i % 2 == 0 ? random.nextInt(0, 300) : random.nextInt(600, PAGES);
        assertPage(page, reader.page(page), "seed=" + seed);
      }
      assertEquals(0, slow.submitted());
    }
  }

  /** Streams that begin and break off anywhere: pages are right, frames are never shared. */
  @Test
  void framesAreBoundedAndNeverReusedBeforeTheirTransferHasEnded() throws IOException {
    slow.refuseToCancel();
    for (int frames : new int[] {2, 3, 5, 16}) {
      long seed = 44L + frames;
      SplittableRandom random = new SplittableRandom(seed);
      try (ReadAhead reader = reader(slow.engine(), frames)) {
        for (int stream = 0; stream < 60; stream++) {
          int stride = random.nextInt(-3, 4);
          long page = random.nextInt(PAGES);
          for (int i = 0; i < 30 && page >= 0 && page < PAGES; i++, page += stride) {
            String where = "seed=%d stream=%d page=%d".formatted(seed, stream, page);
            MemorySegment memory = reader.page(page);
            assertPage(page, memory, where);
            assertFramesApart(memory, frames, where);
            if (random.nextInt(4) == 0) {
              slow.performAll();
              assertPage(page, memory, where + " after the device has moved");
            }
          }
        }
      }
      assertTrue(slow.pending().isEmpty(), "close waits");
    }
    for (long at = 0; at < region.sizeBytes(); at += PAGE) {
      if (at < FRAMES_AT || at >= FRAMES_AT + 16 * PAGE) {
        assertEquals(UNTOUCHED, region.segment().get(ValueLayout.JAVA_BYTE, at), "at=" + at);
      }
    }
  }

  private void assertFramesApart(MemorySegment current, int frames, String where) {
    boolean[] taken = new boolean[frames];
    taken[(int) ((current.address() - region.address() - FRAMES_AT) / PAGE)] = true;
    for (IoRequest request : slow.pending()) {
      int first = (int) ((request.regionOffset() - FRAMES_AT) / PAGE);
      for (int frame = first; frame < first + request.length() / PAGE; frame++) {
        assertTrue(!taken[frame], () -> where + " twice in use, frame " + request);
        taken[frame] = true;
      }
    }
  }

  @Test
  void failedPageShowsOnlyWhenItIsAskedFor() throws IOException {
    try (ReadAhead reader = reader(engine, 4)) {
      reader.page(0);
      reader.page(1);
      engine.failNth(SimOperation.READ, 2, Errno.EIO); // the first one read ahead
      assertPage(2, reader.page(2), "the page itself is well");
      engine.failNth(SimOperation.READ, 1, Errno.EIO);
      assertThrows(StorageException.class, () -> reader.page(3));
      assertPage(3, reader.page(3), "tried again");
      assertPage(4, reader.page(4), "and on");
    }
  }

  @Test
  void pagesOutsideOfTheFileAreRefused() throws IOException {
    try (ReadAhead reader = reader(engine, 4)) {
      assertThrows(IllegalArgumentException.class, () -> reader.page(-1));
      assertThrows(IllegalArgumentException.class, () -> reader.page(PAGES));
      assertPage(PAGES - 1, reader.page(PAGES - 1), "the last one");
    }
    assertThrows(
        IndexOutOfBoundsException.class,
        () ->
            new ReadAhead(
                engine, file, region, region.sizeBytes() - PAGE, ReadAheadOptions.defaults()));
  }

  @Test
  void memoryCannotBeWritten() throws IOException {
    try (ReadAhead reader = reader(engine, 4)) {
      MemorySegment memory = reader.page(0);
      assertThrows(
          IllegalArgumentException.class, () -> memory.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
    }
  }
}
