package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class WriteAheadLogTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(1);

  @Test
  void recordsComeBackInOrderAfterClose() throws IOException {
    LogModel model = new LogModel();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      for (int length = 1; length < 200; length++) {
        model.append(log, random, length);
      }
    }
    model.closed();
    model.check(replay());
  }

  @Test
  void positionsOfRecordsGrowAndBoundWhatIsDurable() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      assertEquals(0, log.endLsn());
      long first = append(log, 10);
      long second = append(log, 10);
      assertTrue(0 < first && first < second);
      assertEquals(second, log.endLsn());
      assertEquals(0, log.durableLsn());
      log.sync(first);
      assertTrue(log.durableLsn() >= first);
      log.sync(second);
      assertEquals(second, log.durableLsn());
      assertThrows(IllegalArgumentException.class, () -> log.sync(second + 1));
    }
  }

  @Test
  void aRecordMayFillASegment() throws IOException {
    LogModel model = new LogModel();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      int max = (int) log.recordBytesMax();
      assertTrue(max > 2 * SMALL.bufferBytes() - 100, "larger than both buffers: max=" + max);
      model.append(log, random, 100);
      model.append(log, random, max);
      model.append(log, random, 100);
      assertThrows(IllegalArgumentException.class, () -> append(log, max + 1));
      assertThrows(IllegalArgumentException.class, () -> append(log, 0));
      model.sync(log);
    }
    model.check(replay());
  }

  @Test
  void placeThatCannotBeFilledBecomesAnotherRecordAndTheLogGoesOn() throws IOException {
    byte[] half = LogModel.content(random, 20);
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      try (LogPlace place = log.reserve(30)) {
        place.put(MemorySegment.ofArray(half));
        assertThrows(IllegalArgumentException.class, () -> place.put(MemorySegment.ofArray(half)));
        place.putInstead(0x0102);
        assertThrows(IllegalArgumentException.class, () -> place.putLong(1));
      }
      log.append(MemorySegment.ofArray(half));
    }
    byte[] instead = new byte[30];
    instead[0] = 2;
    instead[1] = 1;
    List<LogModel.Entry> replayed = replay();
    assertEquals(
        List.of(ByteBuffer.wrap(instead), ByteBuffer.wrap(half)),
        replayed.stream().map(LogModel.Entry::content).toList());
  }

  @Test
  void recordsOfAllKindsOfMemoryAreTaken() throws IOException {
    long[] words = new long[1500];
    words[1000] = 7;
    try (Arena arena = Arena.ofConfined();
        WriteAheadLog log = LogModel.open(engine, SMALL)) {
      MemorySegment large = arena.allocate(12000).copyFrom(MemorySegment.ofArray(words));
      log.append(large);
      log.append(MemorySegment.ofArray(words).asReadOnly());
      log.append(large.asSlice(0, 9));
    }
    List<LogModel.Entry> replayed = replay();
    assertEquals(3, replayed.size());
    assertEquals(replayed.get(0).content(), replayed.get(1).content());
    assertEquals(ByteBuffer.allocate(9), replayed.get(2).content());
  }

  @Test
  void truncationMakesTheRingEndless() throws IOException {
    LogModel model = new LogModel();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      while (log.endLsn() < 20 * SMALL.segmentBytes() * SMALL.segmentCount()) {
        model.append(log, random, 1 + random.nextInt(6000));
        model.sync(log);
        while (!log.hasRoomFor(6000)) {
          model.truncate(log, random);
        }
      }
    }
    model.closed();
    List<LogModel.Entry> replayed = replay();
    assertFalse(replayed.isEmpty());
    model.check(replayed);
    assertEquals(SMALL.segmentBytes() * SMALL.segmentCount() / 1024, engine.usedBytes() / 1024);
  }

  @Test
  void recordsBeforeTheHorizonAreNotReplayed() throws IOException {
    long kept;
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      append(log, 10);
      long horizon = append(log, 20);
      kept = append(log, 30);
      assertThrows(IllegalArgumentException.class, () -> log.truncate(horizon), "not durable");
      log.sync(kept);
      log.truncate(horizon);
      assertEquals(horizon, log.horizonLsn());
      assertThrows(IllegalArgumentException.class, () -> log.truncate(horizon - 1));
    }
    List<LogModel.Entry> replayed = replay();
    assertEquals(1, replayed.size());
    assertEquals(kept, replayed.getFirst().lsn());
  }

  @Test
  void aFullLogRefusesAndGoesOnAfterTruncation() throws IOException {
    LogModel model = new LogModel();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      while (log.hasRoomFor(3000)) {
        model.append(log, random, 3000);
      }
      long end = log.endLsn();
      assertThrows(LogFullException.class, () -> append(log, 3000));
      assertEquals(end, log.endLsn());
      model.sync(log);
      log.truncate(log.durableLsn());
      append(log, 3000);
    }
    assertEquals(1, replay().size());
  }

  @Test
  void aFullLogIsRecoveredFull() throws IOException {
    LogModel model = new LogModel();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      int max = (int) log.recordBytesMax();
      for (int i = 0; i < SMALL.segmentCount(); i++) {
        model.append(log, random, max);
      }
      assertEquals(0, log.spaceLeftBytes());
      assertFalse(log.hasRoomFor(1));
    }
    model.closed();
    List<LogModel.Entry> replayed = new ArrayList<>();
    try (WriteAheadLog log = LogModel.open(engine, SMALL, replayed)) {
      model.check(replayed);
      assertThrows(LogFullException.class, () -> append(log, 1));
      log.truncate(log.durableLsn());
      assertTrue(log.hasRoomFor(log.recordBytesMax()));
    }
  }

  @Test
  void aNewLogOnAFullDiskLeavesNothingAndCanBeTriedAgain() throws IOException {
    long needed = SMALL.segmentBytes() * SMALL.segmentCount();
    for (long capacity : new long[] {0, SMALL.segmentBytes() + 5, needed - 1, needed}) {
      SimEngine full = new SimEngine(2);
      full.setCapacityBytes(capacity);
      assertThrows(OutOfSpaceException.class, () -> LogModel.open(full, SMALL));
      assertEquals(0, full.usedBytes(), "capacity=" + capacity);
      full.setCapacityBytes(Long.MAX_VALUE);
      LogModel.open(full, SMALL).close();
    }
  }

  @Test
  void anExistingLogKeepsItsSegments() throws IOException {
    LogModel.open(engine, SMALL).close();
    try (WriteAheadLog log = LogModel.open(engine, LogOptions.defaults())) {
      assertEquals(new LogOptions(16 << 10, 4, 16 << 10), log.options());
    }
  }

  @Test
  void filesThatDoNotBelongTogetherAreCorrupt() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      log.sync(append(log, 10));
    }
    SimEngine headerless = engine.crash(1);
    headerless.delete(LogHeader.file(LogModel.DIRECTORY));
    assertThrows(CorruptFileException.class, () -> LogModel.open(headerless, SMALL));
    SimEngine incomplete = engine.crash(1);
    incomplete.delete(SegmentRing.slotPath(LogModel.DIRECTORY, 2));
    assertThrows(CorruptFileException.class, () -> LogModel.open(incomplete, SMALL));
  }

  @Test
  void aFailedSyncPoisonsTheLogUntilItIsOpenedAgain() throws IOException {
    LogModel model = new LogModel();
    WriteAheadLog log = LogModel.open(engine, SMALL);
    model.append(log, random, 100);
    model.sync(log);
    long durable = log.durableLsn();
    model.append(log, random, 100);
    engine.failNth(SimOperation.SYNC, 1, Errno.EIO);
    PoisonedFileException first =
        assertThrows(PoisonedFileException.class, () -> log.sync(log.endLsn()));
    assertInstanceOf(StorageException.class, first.getCause());
    assertThrows(PoisonedFileException.class, () -> log.sync(log.endLsn()));
    assertThrows(PoisonedFileException.class, () -> append(log, 10));
    assertThrows(PoisonedFileException.class, () -> log.truncate(durable));
    log.sync(durable); // that much is true
    assertEquals(durable, log.durableLsn());
    assertThrows(PoisonedFileException.class, log::close, "not all is durable");
    log.close();
    model.check(replay());
  }

  @Test
  void aFailedWriteInAppendPoisonsTheLog() throws IOException {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    append(log, 8000);
    engine.failNth(SimOperation.WRITE, 1, Errno.EIO);
    assertThrows(PoisonedFileException.class, () -> append(log, 1000));
    assertThrows(PoisonedFileException.class, () -> append(log, 1));
    assertThrows(PoisonedFileException.class, log::close, "not all is durable");
  }

  @Test
  void aConsumerThatGivesUpLeavesTheLogAsItWas() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      append(log, 10);
    }
    IOException failure = new IOException("enough");
    IOException thrown =
        assertThrows(
            IOException.class,
            () ->
                WriteAheadLog.open(
                    engine,
                    LogModel.DIRECTORY,
                    SMALL,
                    LogModel.budget(),
                    (lsn, record) -> {
                      throw failure;
                    }));
    assertSame(failure, thrown);
    assertEquals(1, replay().size());
  }

  @Test
  void useAfterCloseIsRefused() throws IOException {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    log.close();
    log.close();
    assertThrows(IllegalStateException.class, () -> append(log, 1));
    assertThrows(IllegalStateException.class, () -> log.truncate(0));
  }

  @Test
  void memoryIsTheBudgetsAndComesBack() throws IOException {
    MemoryBudget budget = MemoryBudget.root("small", SMALL.memoryBytes());
    WriteAheadLog log =
        WriteAheadLog.open(engine, LogModel.DIRECTORY, SMALL, budget, (lsn, record) -> {});
    assertEquals(SMALL.memoryBytes(), budget.usedBytes());
    log.append(MemorySegment.ofArray(new byte[(int) log.recordBytesMax()]));
    log.close();
    assertEquals(0, budget.usedBytes());
    MemoryBudget tight = MemoryBudget.root("tight", SMALL.memoryBytes() - 1);
    assertThrows(
        BudgetExceededException.class,
        () -> WriteAheadLog.open(engine, LogModel.DIRECTORY, SMALL, tight, (lsn, record) -> {}));
    assertEquals(0, tight.usedBytes());
    assertEquals(1, replay().size());
  }

  @Test
  void optionsOutsideTheirLimitsAreRefused() {
    for (long segmentBytes : new long[] {0, 4095, 4097, -4096, 2L << 30}) {
      assertThrows(IllegalArgumentException.class, () -> SMALL.withSegmentBytes(segmentBytes));
    }
    for (int bufferBytes : new int[] {0, 4097, 32 << 10}) {
      assertThrows(IllegalArgumentException.class, () -> SMALL.withBufferBytes(bufferBytes));
    }
    assertThrows(IllegalArgumentException.class, () -> SMALL.withSegmentCount(1));
  }

  @Test
  void statsCountGroups() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      append(log, 10);
      log.sync(append(log, 20));
      assertEquals(new LogStats(2, 30, 1, 4096, 1), log.stats());
    }
  }

  private long append(WriteAheadLog log, int length) throws IOException {
    return LogModel.append(log, LogModel.content(random, length));
  }

  private List<LogModel.Entry> replay() throws IOException {
    List<LogModel.Entry> replayed = new ArrayList<>();
    LogModel.open(engine, SMALL, replayed).close();
    return replayed;
  }

  @Test
  void logThatIsCreatedAtAPositionGoesOnFromThere() throws IOException {
    long segment = SMALL.segmentBytes();
    for (long lsn : new long[] {0, 1, 4095, 4096, segment - 1, segment, 7 * segment + 5000}) {
      SimEngine fresh = new SimEngine(lsn);
      long begin = WriteAheadLog.create(fresh, LogModel.DIRECTORY, SMALL, lsn, LogModel.budget());
      assertTrue(begin >= lsn && begin < lsn + segment);
      assertThrows(
          CorruptFileException.class,
          () -> WriteAheadLog.create(fresh, LogModel.DIRECTORY, SMALL, lsn, LogModel.budget()));
      SimEngine after = fresh.crash(lsn); // it is durable
      List<Long> ends = new ArrayList<>();
      for (int life = 0; life < 4; life++) {
        List<LogModel.Entry> replayed = new ArrayList<>();
        try (WriteAheadLog log = LogModel.open(after, SMALL, replayed)) {
          assertEquals(ends, replayed.stream().map(LogModel.Entry::lsn).toList());
          assertEquals(begin, log.horizonLsn());
          assertTrue(log.endLsn() >= (ends.isEmpty() ? begin : ends.getLast()));
          ends.add(append(log, 100));
          assertTrue(ends.getLast() > begin);
        }
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> WriteAheadLog.create(engine, LogModel.DIRECTORY, SMALL, -1, LogModel.budget()));
  }
}
