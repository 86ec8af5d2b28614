package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class LogArchiveTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);

  private final SplittableRandom random = new SplittableRandom(1);
  private final TreeMap<Long, byte[]> copies = new TreeMap<>();
  private SimEngine engine = new SimEngine(1);
  private IOException refusal;

  private final LogOptions archived = SMALL.withArchive(this::copy);

  private void copy(long lsn, Path segment) throws IOException {
    if (refusal != null) {
      throw refusal;
    }
    try (Region region = Region.map(LogModel.budget(), RegionOptions.ofSize(16 << 10));
        IoFile file = engine.open(segment, OpenMode.READ_ONLY)) {
      file.readFully(0, region, 0, 16 << 10);
      byte[] bytes = region.segment().toArray(ValueLayout.JAVA_BYTE);
      byte[] before = copies.put(lsn, bytes);
      if (before != null) {
        assertArrayEquals(before, bytes, "a segment that comes again is the same");
      }
    }
  }

  @Test
  void theCopiesHoldEveryRecordThatWasTruncated() throws IOException {
    List<LogModel.Entry> appended = new ArrayList<>();
    LogWalk walk;
    long archivedEnd;
    try (WriteAheadLog log = LogModel.open(engine, archived)) {
      walk = log.source().walk(0);
      while (log.endLsn() < 3 * SMALL.segmentBytes() * SMALL.segmentCount()) {
        byte[] content = LogModel.content(random, 1 + random.nextInt(3000));
        appended.add(new LogModel.Entry(LogModel.append(log, content), ByteBuffer.wrap(content)));
        log.sync(log.endLsn());
        if (!log.hasRoomFor(6000)) {
          log.truncate(log.durableLsn());
        }
      }
      archivedEnd = copies.lastKey() + SMALL.segmentBytes();
      assertTrue(archivedEnd <= log.horizonLsn());
    }
    List<LogModel.Entry> walked = new ArrayList<>();
    while (walk.lsn() < archivedEnd) {
      byte[] bytes = new byte[walk.bytes()];
      long start = walk.lsn() - walk.lsn() % SMALL.segmentBytes();
      System.arraycopy(copies.get(start), (int) (walk.lsn() - start), bytes, 0, bytes.length);
      if (walk.feed(MemorySegment.ofArray(bytes)) == LogWalk.Step.RECORD) {
        walked.add(new LogModel.Entry(walk.endLsn(), ByteBuffer.wrap(bytes)));
      }
    }
    assertTrue(walked.size() > 20);
    assertEquals(appended.subList(0, walked.size()), walked);
  }

  @Test
  void aSegmentIsHandedOverWhenItIsFullAndDurableAndNotTwice() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, archived)) {
      fillSegments(log, 2);
      assertEquals(0, log.archive(), "not durable");
      log.sync(log.endLsn());
      assertEquals(2, log.archive());
      assertEquals(0, log.archive());
      assertEquals(List.of(0L, SMALL.segmentBytes()), List.copyOf(copies.keySet()));
      copies.clear();
      log.truncate(log.durableLsn());
      assertTrue(copies.isEmpty());
    }
  }

  @Test
  void theHorizonDoesNotPassWhatIsNotArchived() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, archived)) {
      fillSegments(log, 2);
      log.sync(log.endLsn());
      refusal = new IOException("no room for copies");
      assertSame(refusal, assertThrows(IOException.class, () -> log.truncate(log.durableLsn())));
      assertEquals(0, log.horizonLsn());
      log.truncate(SMALL.segmentBytes() - 1); // nothing of a segment goes with that
      assertThrows(LogFullException.class, () -> fillSegments(log, 4));
      refusal = null;
      log.sync(log.endLsn());
      log.truncate(log.durableLsn());
      fillSegments(log, 1);
    }
  }

  @Test
  void afterACrashWhatMayNotHaveBeenArchivedComesAgain() throws IOException {
    WriteAheadLog log = LogModel.open(engine, archived);
    fillSegments(log, 3);
    log.sync(log.endLsn());
    assertEquals(3, log.archive());
    log.truncate(SMALL.segmentBytes());
    engine = engine.crash(1);
    try (WriteAheadLog again = LogModel.open(engine, archived)) {
      assertEquals(2, again.archive());
    }
  }

  private void fillSegments(WriteAheadLog log, int segments) throws IOException {
    long end = log.endLsn() + segments * SMALL.segmentBytes();
    while (log.endLsn() < end) {
      LogModel.append(log, LogModel.content(random, 2000));
    }
  }
}
