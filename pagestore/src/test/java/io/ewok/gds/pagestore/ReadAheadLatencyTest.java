package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimLatency;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What reading ahead is worth, and costs, on a device that takes its time. */
class ReadAheadLatencyTest {
  private static final int PAGE = 512;
  private static final int PAGES = 1000;
  private static final int FRAMES = 32;

  /** What the reader takes for a page. */
  private static final long WORK = 50_000;

  private static final long LATENCY = 400_000;

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(1 << 20));
  private SimEngine engine;
  private PageFile file;

  @AfterEach
  void close() {
    if (engine != null) {
      engine.close();
    }
    region.close();
  }

  private static SimLatency steady(long nanos) {
    return new SimLatency(nanos, nanos, 0, 0);
  }

  private void open(SimLatency latency) throws IOException {
    if (engine != null) {
      engine.close();
    }
    engine = new SimEngine(9, SimOptions.defaults().withLatency(latency));
    file =
        new PageFile(
            engine.open(Path.of("/pages"), OpenMode.CREATE_NEW), PAGE, new PageFileOptions(PAGE));
    file.ensureCapacity(PAGES);
    for (int page = 0; page < PAGES; page++) {
      region.segment().set(ValueLayout.JAVA_LONG, 0, page);
      file.write(page, region, 0);
    }
  }

  private ReadAhead reader() {
    return new ReadAhead(engine, file, region, 0, ReadAheadOptions.defaults().withFrames(FRAMES));
  }

  private void read(ReadAhead reader, long page) throws IOException {
    MemorySegment memory = reader.page(page);
    assertEquals(page, memory.get(ValueLayout.JAVA_LONG, 0));
    engine.clock().advance(WORK);
    assertEquals(page, memory.get(ValueLayout.JAVA_LONG, 0), "valid until the next call");
  }

  /** Reads a stream from one end to the other; returns the virtual time it took. */
  private long scan(ReadAhead reader, int stride) throws IOException {
    long start = engine.clock().getAsLong();
    for (long page = stride > 0 ? 0 : PAGES - 1; page >= 0 && page < PAGES; page += stride) {
      read(reader, page);
    }
    return engine.clock().getAsLong() - start;
  }

  @Test
  void streamsHideTheLatencyOfTheDevice() throws IOException {
    for (int stride : new int[] {1, -1, 3, -5}) {
      open(steady(LATENCY));
      try (ReadAhead reader = reader()) {
        long took = scan(reader, stride);
        long pages = (PAGES - 1L) / Math.abs(stride) + 1;
        // Three reads until it is a stream, and one at each doubling of the distance.
        long least = pages * WORK;
        assertTrue(
            took <= least + 8 * LATENCY,
            "stride=%d took=%d least=%d".formatted(stride, took, least));
        assertTrue(reader.waits() <= 8, "waits=" + reader.waits());
        assertEquals(0, reader.unusedPages());
      }
    }
  }

  @Test
  void distanceIsWhatTheDeviceNeedsAndNoMoreThanTheFrames() throws IOException {
    long[] latencies = {WORK / 2, 8 * WORK, 1000 * WORK};
    int[] distances = new int[latencies.length];
    for (int i = 0; i < latencies.length; i++) {
      open(steady(latencies[i]));
      try (ReadAhead reader = reader()) {
        scan(reader, 1);
        distances[i] = reader.distancePages();
      }
    }
    assertTrue(distances[0] <= 4, "a device faster than the reader: " + distances[0]);
    assertTrue(distances[1] >= 8, "one eight pages slower: " + distances[1]);
    assertEquals(FRAMES, distances[2], "one that no memory is enough for");
  }

  @Test
  void scatteredPagesCostTheDeviceNothingMore() throws IOException {
    open(new SimLatency(50_000, 150_000, 0.05, 10_000_000));
    long seed = 45;
    SplittableRandom random = new SplittableRandom(seed);
    long before = engine.stats().reads();
    try (ReadAhead reader = reader()) {
      for (int i = 0; i < 500; i++) {
        read(reader, i % 2 == 0 ? random.nextInt(0, 300) : random.nextInt(600, PAGES));
      }
    }
    assertEquals(500, engine.stats().reads() - before, "seed=" + seed);
  }

  /** A reader that turns away again and again reads less and less in vain. */
  @Test
  void shortStreamsAreReadLessFarAhead() throws IOException {
    open(steady(LATENCY));
    try (ReadAhead reader = reader()) {
      scan(reader, 1);
      assertTrue(reader.distancePages() >= 8);
      int streams = 50;
      for (int stream = 0; stream < streams; stream++) {
        long first = stream % 2 == 0 ? 10L * stream : 990 - 10L * stream;
        for (long page = first; page < first + 4; page++) {
          read(reader, page);
        }
      }
      assertTrue(reader.distancePages() <= 4, "distance=" + reader.distancePages());
      assertTrue(reader.unusedPages() <= FRAMES + 9 * streams, "unused=" + reader.unusedPages());
    }
  }

  @Test
  void turningAwayTakesBackWhatACapHoldsBack() throws IOException {
    open(steady(LATENCY));
    engine.setThrottle(ThrottleOptions.UNLIMITED.withRead(IoRate.parse("100")));
    try (ReadAhead reader = reader()) {
      for (long page = 0; page < 300; page += 3) {
        read(reader, page);
      }
      int waiting = engine.stats(WorkClass.FOREGROUND).waiting();
      assertTrue(waiting > 8, "waiting=" + waiting);
      IoRequest last = new IoRequest().prepareRead(file.file(), 0, region, 1 << 19, PAGE);
      engine.submit(last);
      read(reader, 900);
      assertTrue(last.isDone(), "it was next, and the page came after it");
      assertEquals(0, engine.stats(WorkClass.FOREGROUND).waiting());
      assertTrue(reader.unusedPages() >= waiting, "unused=" + reader.unusedPages());
    }
  }

  /** Streams that begin and break off anywhere, with transfers that overtake each other. */
  @Test
  void pagesAreRightWhateverTheOrderInWhichTransfersEnd() throws IOException {
    for (long seed = 0; seed < 10; seed++) {
      open(new SimLatency(10_000, 500_000, 0.1, 20_000_000));
      SplittableRandom random = new SplittableRandom(seed);
      try (ReadAhead reader = reader()) {
        for (int stream = 0; stream < 40; stream++) {
          int stride = random.nextInt(-3, 4);
          long page = random.nextInt(PAGES);
          for (int i = 0; i < 30 && page >= 0 && page < PAGES; i++, page += stride) {
            read(reader, page);
          }
        }
      }
      assertFalse(engine.clock().step(), "close waits for all: seed=" + seed);
    }
  }
}
