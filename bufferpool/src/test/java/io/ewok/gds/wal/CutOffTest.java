package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.RecoveryReport.Dropped;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a recovery has cut off stays cut off, for SALVAGE too, as long as anything shows that it
 * was; and what came after the cut is not lost with it.
 */
final class CutOffTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);

  /** Content that fits no block of the first segment but its first. */
  private static final int LARGE = 13_000;

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<LogModel.Entry> appended = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(RecoveryMode.class)
  void recordsBehindTheLastCutDoNotComeBackWithoutAnythingAfterThem(RecoveryMode mode)
      throws IOException {
    cutWithinABlock().close();
    assertReplayed(mode, 0);
  }

  @ParameterizedTest
  @EnumSource(RecoveryMode.class)
  void recordsBehindTheLastCutDoNotComeBackWhenTheyCanBeReadAgain(RecoveryMode mode)
      throws IOException {
    cutWithinABlock().close();
    rot(appended.get(0).lsn() + 20); // back to what it was
    assertReplayed(mode, 0);
  }

  @Test
  void salvageGoesOnBehindTheLastCutWhereTheFirstBlockAfterItIsDamaged() throws IOException {
    WriteAheadLog log = cutWithinABlock();
    append(log);
    append(log);
    log.close();
    rot(4096 + 20);
    assertThrows(CorruptFileException.class, () -> assertReplayed(RecoveryMode.TOLERATE_TAIL));
    RecoveryReport report = assertReplayed(RecoveryMode.SALVAGE, 0, 4);
    Dropped damaged = new Dropped(appended.get(0).lsn(), appended.get(3).lsn(), true);
    assertEquals(List.of(damaged), report.dropped());
  }

  @Test
  void salvageGoesOnBehindAnEarlierCutWhereTheFirstBlockAfterItIsWhole() throws IOException {
    WriteAheadLog log = cutWithinABlock();
    append(log);
    append(log);
    log.close();
    open(RecoveryMode.TOLERATE_TAIL, new ArrayList<>()).close(); // the header names its cut now
    assertReplayed(RecoveryMode.SALVAGE, 0, 3, 4);
    rot(8192 + 20);
    assertReplayed(RecoveryMode.SALVAGE, 0, 3);
  }

  @Test
  void aBlockOfWhichALaterLifeKnowsThatTheLogEndedBeforeItIsNotSalvaged() throws IOException {
    WriteAheadLog log = cutBeforeABlockThatArrived();
    log.sync(append(log, LARGE)); // in the next segment: a block without records fills this one
    log.close();
    open(RecoveryMode.STRICT, new ArrayList<>()).close();
    assertReplayed(RecoveryMode.SALVAGE, 0, 3);
    rot(4096 + 20);
    RecoveryReport report = assertReplayed(RecoveryMode.SALVAGE, 0, 3);
    assertEquals(1, report.dropped().size());
  }

  @Test
  void aBlockOfWhichTheHeaderKnowsThatTheLogEndedBeforeItIsNotSalvaged() throws IOException {
    WriteAheadLog log = cutBeforeABlockThatArrived();
    log.sync(append(log, LARGE));
    log.close();
    rot(SMALL.segmentBytes() + 20);
    open(RecoveryMode.POINT_IN_TIME, new ArrayList<>()).close();
    assertReplayed(RecoveryMode.STRICT, 0);
    rot(4096 + 20);
    assertReplayed(RecoveryMode.SALVAGE, 0);
  }

  @Test
  void aBlockOfAnEarlierLifeThatNobodyCutOffIsSalvaged() throws IOException {
    for (int life = 0; life < 3; life++) {
      try (WriteAheadLog log = open(RecoveryMode.STRICT, new ArrayList<>())) {
        append(log);
        append(log);
      }
    }
    int blocksALife = 3; // the last says that the log was closed
    rot(20);
    assertReplayed(RecoveryMode.SALVAGE, 1, 2, 3, 4, 5);
    rot(blocksALife * 4096 + 20);
    assertReplayed(RecoveryMode.SALVAGE, 1, 3, 4, 5);
  }

  @Test
  void aBrokenLengthBehindACutCostsItsBlockOnly() throws IOException {
    WriteAheadLog log = cutWithinABlock();
    append(log);
    append(log);
    log.close();
    open(RecoveryMode.STRICT, new ArrayList<>()).close();
    rot(4096 + LogFormat.BLOCK_HEADER_BYTES + 3);
    assertReplayed(RecoveryMode.SALVAGE, 0, 4);
  }

  @Test
  void whatOnlyTheHeaderKnowsToBeDurableIsMissedWhenItIsDamaged() throws IOException {
    try (WriteAheadLog log = open(RecoveryMode.STRICT, new ArrayList<>())) {
      long unused = append(log, 100);
      log.sync(append(log, 100));
      SimEngine left = engine.crash(1);
      LogModel.open(left, SMALL).close(); // nothing was appended, so nothing is written
      left.flipBit(SegmentRing.slotPath(LogModel.DIRECTORY, 0), appended.get(0).lsn() + 20);
      assertThrows(CorruptFileException.class, () -> LogModel.open(left, SMALL).close());
    }
  }

  @Test
  void aSalvagedLogGivesNoPositionTwice() throws IOException {
    try (WriteAheadLog log = open(RecoveryMode.STRICT, new ArrayList<>())) {
      append(log);
      append(log);
    }
    long end;
    try (WriteAheadLog log = open(RecoveryMode.STRICT, new ArrayList<>())) {
      end = log.endLsn();
    }
    rot(4096 + 20);
    rot(8192 + 20); // that which says that the log was closed
    try (WriteAheadLog log = open(RecoveryMode.SALVAGE, new ArrayList<>())) {
      assertEquals(end, log.endLsn());
      assertTrue(log.append(MemorySegment.ofArray(new byte[1])) > end);
    }
    assertThrows(CorruptFileException.class, () -> assertReplayed(RecoveryMode.TOLERATE_TAIL));
  }

  /** Three records in one block, of which the second is damaged when the log is cut. */
  private WriteAheadLog cutWithinABlock() throws IOException {
    try (WriteAheadLog log = open(RecoveryMode.STRICT, new ArrayList<>())) {
      for (int i = 0; i < 3; i++) {
        long unused = append(log, 100 + i);
      }
    }
    rot(appended.get(0).lsn() + 20);
    return open(RecoveryMode.POINT_IN_TIME, new ArrayList<>());
  }

  /** Three blocks, of which the second and third were not synced, and the second did not arrive. */
  private WriteAheadLog cutBeforeABlockThatArrived() throws IOException {
    WriteAheadLog log = open(RecoveryMode.STRICT, new ArrayList<>());
    log.sync(append(log, 100));
    log.commit(append(log, 100), LogDurability.BUFFERED);
    log.commit(append(log, 100), LogDurability.BUFFERED);
    rot(4096 + 20); // the process ends here, without a close
    List<LogModel.Entry> replayed = new ArrayList<>();
    WriteAheadLog next = open(RecoveryMode.TOLERATE_TAIL, replayed);
    assertEquals(appended.subList(0, 1), replayed);
    return next;
  }

  /** A block of its own. */
  private void append(WriteAheadLog log) throws IOException {
    log.sync(append(log, 100));
  }

  private long append(WriteAheadLog log, int bytes) throws IOException {
    byte[] content = LogModel.content(random, bytes);
    long lsn = LogModel.append(log, content);
    appended.add(new LogModel.Entry(lsn, ByteBuffer.wrap(content)));
    return lsn;
  }

  private void rot(long position) throws IOException {
    Path segment =
        SegmentRing.slotPath(LogModel.DIRECTORY, (int) (position / SMALL.segmentBytes()));
    engine.flipBit(segment, position % SMALL.segmentBytes());
  }

  private WriteAheadLog open(RecoveryMode mode, List<LogModel.Entry> replayed) throws IOException {
    return LogModel.open(engine, SMALL.withRecovery(mode), replayed);
  }

  /** Opens a copy. */
  private RecoveryReport assertReplayed(RecoveryMode mode, int... expected) throws IOException {
    List<LogModel.Entry> replayed = new ArrayList<>();
    SimEngine copy = engine.crash(1);
    try (WriteAheadLog log = LogModel.open(copy, SMALL.withRecovery(mode), replayed)) {
      assertEquals(IntStream.of(expected).mapToObj(appended::get).toList(), replayed);
      return log.recovery();
    }
  }
}
