package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.AtomicFile;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** One byte of a log is flipped, each in turn. */
final class LogRotTest {
  private static final LogOptions SMALL = new LogOptions(8 << 10, 4, 4 << 10);

  private final SplittableRandom random = new SplittableRandom(7);

  @Test
  void anyFlippedByteOfAClosedLogIsReportedOrHarmless() throws IOException {
    SimEngine engine = new SimEngine(1);
    writeThreeLives(engine).close();
    List<LogModel.Entry> whole = replay(engine.crash(1));
    assertEquals(11, whole.size());
    int reported = 0;
    for (long position : positions(engine)) {
      SimEngine rotten = engine.crash(1);
      flip(rotten, position);
      try {
        assertEquals(whole, replay(rotten), "position=" + position);
      } catch (CorruptFileException e) {
        reported++;
      }
    }
    // All that was appended, and all headers but that of the block which only says that the log was
    // closed.
    int reportedNow = reported;
    assertTrue(reported > 2500, () -> "reported=" + reportedNow);
  }

  @Test
  void aFlippedByteOfALogThatWasCutOffLosesAtMostTheLastBlock() throws IOException {
    SimEngine engine = new SimEngine(1);
    WriteAheadLog log = writeThreeLives(engine);
    long lastSynced = log.endLsn();
    LogModel.append(log, LogModel.content(random, 200));
    log.sync(log.endLsn());
    List<LogModel.Entry> whole = replay(engine.crash(1));
    assertEquals(12, whole.size());
    for (long position : positions(engine)) {
      SimEngine rotten = engine.crash(1);
      flip(rotten, position);
      try {
        List<LogModel.Entry> replayed = replay(rotten);
        boolean lost = replayed.size() < whole.size();
        assertEquals(lost ? whole.subList(0, 11) : whole, replayed, "position=" + position);
        assertTrue(!lost || position >= lastSynced, "position=" + position);
      } catch (CorruptFileException e) {
        assertTrue(position < lastSynced, "position=" + position);
      }
    }
  }

  @Test
  void aFlippedByteOfTheLogHeaderIsReported() throws IOException {
    SimEngine engine = new SimEngine(1);
    writeThreeLives(engine).close();
    List<LogModel.Entry> whole = replay(engine.crash(1));
    Path header = LogHeader.file(LogModel.DIRECTORY);
    int reported = 0;
    for (long offset = 0; offset < 128; offset++) {
      SimEngine rotten = engine.crash(1);
      rotten.flipBit(header, offset);
      try {
        assertEquals(whole, replay(rotten), "offset=" + offset);
      } catch (StorageException e) {
        reported++;
      }
    }
    assertTrue(reported >= LogHeader.BYTES, "reported=" + reported);
  }

  @Test
  void aSegmentOfAnotherLengthIsCorrupt() throws IOException {
    SimEngine engine = new SimEngine(1);
    writeThreeLives(engine).close();
    try (IoFile file =
        engine.open(SegmentRing.slotPath(LogModel.DIRECTORY, 1), OpenMode.READ_WRITE)) {
      file.truncate(SMALL.segmentBytes() - 512);
    }
    assertThrows(CorruptFileException.class, () -> replay(engine));
  }

  @Test
  void aHeaderOfANewerVersionIsNotTouched() throws IOException {
    SimEngine engine = new SimEngine(1);
    writeThreeLives(engine).close();
    AtomicFile.write(
        engine,
        LogHeader.file(LogModel.DIRECTORY),
        LogHeader.MAGIC,
        LogHeader.VERSION + 1,
        new byte[100]);
    assertThrows(UnsupportedFormatException.class, () -> replay(engine));
  }

  /**
   * Records of three incarnations, the first two cut off by power cuts within a block; one record
   * fills a segment.
   */
  private WriteAheadLog writeThreeLives(SimEngine engine) throws IOException {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    for (int i = 0; i < 4; i++) {
      LogModel.append(log, LogModel.content(random, 100));
    }
    log.sync(log.endLsn());
    log = LogModel.open(engine, SMALL); // the process died, the machine did not
    for (int i = 0; i < 3; i++) {
      LogModel.append(log, LogModel.content(random, 100));
    }
    log.sync(log.endLsn());
    log = LogModel.open(engine, SMALL);
    log.sync(LogModel.append(log, LogModel.content(random, 100)));
    LogModel.append(log, LogModel.content(random, 5000));
    LogModel.append(log, LogModel.content(random, 100));
    log.sync(LogModel.append(log, LogModel.content(random, 100)));
    return log;
  }

  /** Every byte of what was written, and one in 64 of what is only zeros. */
  private static List<Long> positions(SimEngine engine) throws IOException {
    List<Long> positions = new ArrayList<>();
    try (Region region = Region.map(LogModel.budget(), RegionOptions.ofSize(8 << 10))) {
      int zeros = 0;
      for (long position = 0; position < 4 * SMALL.segmentBytes(); position++) {
        long offset = position % SMALL.segmentBytes();
        if (offset == 0) {
          try (IoFile file = engine.open(path(position), OpenMode.READ_ONLY)) {
            file.readFully(0, region, 0, (int) SMALL.segmentBytes());
          }
        }
        zeros = region.segment().get(ValueLayout.JAVA_BYTE, offset) == 0 ? zeros + 1 : 0;
        if (zeros < 64 || zeros % 64 == 0) {
          positions.add(position);
        }
      }
    }
    return positions;
  }

  private static Path path(long position) {
    return SegmentRing.slotPath(LogModel.DIRECTORY, (int) (position / SMALL.segmentBytes()));
  }

  private static void flip(SimEngine engine, long position) throws IOException {
    engine.flipBit(path(position), position % SMALL.segmentBytes());
  }

  private static List<LogModel.Entry> replay(SimEngine engine) throws IOException {
    List<LogModel.Entry> replayed = new ArrayList<>();
    LogModel.open(engine, SMALL, replayed).close();
    return replayed;
  }
}
