package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.RecoveryReport.Dropped;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RecoveryModeTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);

  /** Where the records of the second block start, in a log of small ones. */
  private static final long SECOND_LSN = 4096 + LogFormat.BLOCK_HEADER_BYTES;

  private final SimEngine engine = new SimEngine(1);
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<LogModel.Entry> appended = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(RecoveryMode.class)
  void aLogThatWasClosedIsWholeInEveryMode(RecoveryMode mode) throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      append(log, 3, LogDurability.SYNCED);
      append(log, 2, LogDurability.NONE);
    }
    RecoveryReport report = reopen(mode, appended);
    assertEquals(new RecoveryReport(mode, 5, 0, report.endLsn(), List.of()), report);
    assertFalse(report.hasLost());
  }

  @Test
  void aHoleInWhatWasNeverDurableIsTheEndOfTheLogButForStrictAndSalvage() throws IOException {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    append(log, 1, LogDurability.SYNCED);
    append(log, 1, LogDurability.BUFFERED);
    append(log, 1, LogDurability.BUFFERED);
    keepAll(); // by chance, when the machine dies
    rot(4096 + 100);
    Dropped tail = new Dropped(SECOND_LSN, appended.get(2).lsn(), false);
    SimEngine left = engine.crash(1);
    assertThrows(CorruptFileException.class, () -> open(left, RecoveryMode.STRICT));
    assertEquals(List.of(tail), reopen(RecoveryMode.TOLERATE_TAIL, 0).dropped());
    assertEquals(List.of(tail), reopen(RecoveryMode.POINT_IN_TIME, 0).dropped());
    Dropped hole = new Dropped(SECOND_LSN, appended.get(1).lsn(), false);
    assertEquals(List.of(hole), reopen(RecoveryMode.SALVAGE, 0, 2).dropped());
  }

  @Test
  void damageIsAnErrorUnlessAModeGoesOn() throws IOException {
    writeThreeSyncedBlocks();
    rot(4096 + 100);
    assertThrows(CorruptFileException.class, () -> reopen(RecoveryMode.STRICT));
    assertThrows(CorruptFileException.class, () -> reopen(RecoveryMode.TOLERATE_TAIL));
    RecoveryReport cut = reopen(RecoveryMode.POINT_IN_TIME, 0);
    assertEquals(SECOND_LSN, cut.endLsn());
    assertTrue(cut.hasLost());
    assertEquals(SECOND_LSN, cut.dropped().getFirst().fromLsn());
    assertTrue(cut.dropped().getFirst().toLsn() >= appended.get(2).lsn(), cut::toString);
    RecoveryReport saved = reopen(RecoveryMode.SALVAGE, 0, 2);
    Dropped hole = new Dropped(SECOND_LSN, appended.get(1).lsn(), true);
    assertEquals(List.of(hole), saved.dropped());
  }

  @Test
  void aLogCutAtAPointInTimeGoesOnThereForEveryMode() throws IOException {
    writeThreeSyncedBlocks();
    rot(4096 + 100);
    try (WriteAheadLog log = open(engine, RecoveryMode.POINT_IN_TIME)) {
      appended.subList(1, 3).clear();
      append(log, 1, LogDurability.SYNCED);
    }
    reopen(RecoveryMode.STRICT, 0, 1);
  }

  @Test
  void aSalvagedLogIsRefusedUntilItIsTruncatedBehindTheDamage() throws IOException {
    writeThreeSyncedBlocks();
    rot(4096 + 100);
    SimEngine cut;
    try (WriteAheadLog log = open(engine, RecoveryMode.SALVAGE)) {
      append(log, 1, LogDurability.SYNCED);
      cut = engine.crash(1);
    }
    assertThrows(CorruptFileException.class, () -> open(cut, RecoveryMode.TOLERATE_TAIL));
    reopen(RecoveryMode.SALVAGE, 0, 2, 3);
    try (WriteAheadLog log = open(engine, RecoveryMode.SALVAGE)) {
      log.truncate(log.durableLsn());
      append(log, 1, LogDurability.SYNCED);
    }
    reopen(RecoveryMode.STRICT, 4);
  }

  @Test
  void aDamagedHorizonIsOvercomeByTheTolerant() throws IOException {
    for (RecoveryMode mode : List.of(RecoveryMode.POINT_IN_TIME, RecoveryMode.SALVAGE)) {
      SimEngine fresh = new SimEngine(2);
      appended.clear();
      try (WriteAheadLog log = LogModel.open(fresh, SMALL)) {
        append(log, 3, LogDurability.SYNCED);
        log.truncate(appended.get(2).lsn());
      }
      for (int block = 0; block < 4; block++) {
        fresh.flipBit(SegmentRing.slotPath(LogModel.DIRECTORY, 0), block * 4096L + 20);
      }
      assertThrows(CorruptFileException.class, () -> open(fresh, RecoveryMode.TOLERATE_TAIL));
      try (WriteAheadLog log = open(fresh, mode)) {
        assertEquals(0, log.recovery().records());
        assertTrue(log.endLsn() >= log.horizonLsn());
        append(log, 1, LogDurability.SYNCED);
        log.truncate(log.durableLsn());
        append(log, 1, LogDurability.SYNCED);
      }
      List<LogModel.Entry> replayed = new ArrayList<>();
      open(fresh, RecoveryMode.STRICT, replayed).close();
      assertEquals(appended.subList(4, 5), replayed);
    }
  }

  @Test
  void oneRottenRecordIsSkippedWithinItsBlock() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      append(log, 4, LogDurability.NONE);
    }
    rot(appended.get(1).lsn() + 20);
    Dropped one = new Dropped(appended.get(1).lsn(), appended.get(2).lsn(), true);
    assertEquals(List.of(one), reopen(RecoveryMode.SALVAGE, 0, 1, 3).dropped());
    assertEquals(2, reopen(RecoveryMode.POINT_IN_TIME, 0, 1).records());
  }

  @Test
  void recordsThatARecoveryCutOffAreNotSalvagedThoughNothingSaysSoAnyMore() throws IOException {
    append(LogModel.open(engine, SMALL), 3, LogDurability.BUFFERED);
    keepAll();
    rot(appended.get(0).lsn() + 20); // to the next life a torn write
    append(open(engine, RecoveryMode.TOLERATE_TAIL), 1, LogDurability.SYNCED);
    try (WriteAheadLog log = open(engine, RecoveryMode.TOLERATE_TAIL)) {
      append(log, 1, LogDurability.SYNCED);
    }
    assertEquals(3, reopen(RecoveryMode.STRICT, 0, 3, 4).records());
    rot(4096 + 20);
    assertTrue(reopen(RecoveryMode.SALVAGE, 0, 4).hasLost());
  }

  @Test
  void anyFlippedByteCostsAPointInTimeASuffixAndSalvageNoMoreThanItsBlock() throws IOException {
    for (int life = 0; life < 3; life++) {
      WriteAheadLog log = LogModel.open(engine, SMALL);
      append(log, 3, LogDurability.NONE);
      append(log, 2, LogDurability.SYNCED);
      if (life == 2) {
        log.close();
      }
    }
    SimEngine whole = engine.crash(1);
    for (long offset = 0; offset < 4 * 4096; offset += 7) {
      for (RecoveryMode mode : List.of(RecoveryMode.POINT_IN_TIME, RecoveryMode.SALVAGE)) {
        SimEngine rotten = whole.crash(1);
        rotten.flipBit(
            SegmentRing.slotPath(LogModel.DIRECTORY, (int) (offset / SMALL.segmentBytes())),
            offset % SMALL.segmentBytes());
        List<LogModel.Entry> replayed = new ArrayList<>();
        WriteAheadLog log = open(rotten, mode, replayed);
        String where = "mode=%s offset=%d".formatted(mode, offset);
        checkAgainstReport(log.recovery(), replayed, where);
        if (mode == RecoveryMode.POINT_IN_TIME) {
          assertEquals(appended.subList(0, replayed.size()), replayed, where);
        } else {
          assertTrue(replayed.size() >= appended.size() - 5, where);
        }
      }
    }
  }

  /** Every record was replayed, or lies in what the report names. */
  private void checkAgainstReport(
      RecoveryReport report, List<LogModel.Entry> replayed, String where) {
    assertEquals(replayed.size(), report.records(), where);
    int next = 0;
    for (LogModel.Entry entry : appended) {
      if (next < replayed.size() && replayed.get(next).equals(entry)) {
        next++;
      } else {
        assertTrue(
            report.dropped().stream()
                .anyMatch(d -> d.fromLsn() < entry.lsn() && entry.lsn() <= d.toLsn()),
            () -> where + " lsn=" + entry.lsn() + " " + report);
      }
    }
    assertEquals(replayed.size(), next, where + ": something nobody appended");
  }

  @Test
  void powerCutsLoseNothingAcknowledgedInAnyMode() throws IOException {
    int refused = 0;
    for (long seed = 0; seed < 150; seed++) {
      SplittableRandom chance = new SplittableRandom(seed);
      SimEngine sim = new SimEngine(seed);
      appended.clear();
      WriteAheadLog log = LogModel.open(sim, SMALL);
      int acknowledged = 0;
      for (int i = 0; i < 8; i++) {
        LogDurability level = List.of(LogDurability.values()).get(chance.nextInt(3));
        append(log, 1, level);
        acknowledged = level == LogDurability.SYNCED ? appended.size() : acknowledged;
      }
      long cut = chance.nextLong();
      List<LogModel.Entry> tolerant = replay(sim.crash(cut), RecoveryMode.TOLERATE_TAIL);
      String where = "seed=" + seed;
      assertTrue(tolerant.size() >= acknowledged, where);
      assertEquals(appended.subList(0, tolerant.size()), tolerant, where);
      assertEquals(tolerant, replay(sim.crash(cut), RecoveryMode.POINT_IN_TIME), where);
      List<LogModel.Entry> saved = replay(sim.crash(cut), RecoveryMode.SALVAGE);
      assertEquals(tolerant, saved.subList(0, tolerant.size()), where);
      assertTrue(appended.containsAll(saved), where);
      try {
        assertEquals(tolerant, replay(sim.crash(cut), RecoveryMode.STRICT), where);
      } catch (CorruptFileException e) {
        refused++;
      }
    }
    int refusals = refused;
    assertTrue(refused > 0 && refused < 150, () -> "refused=" + refusals);
  }

  private static List<LogModel.Entry> replay(SimEngine sim, RecoveryMode mode) throws IOException {
    List<LogModel.Entry> replayed = new ArrayList<>();
    WriteAheadLog log = open(sim, mode, replayed);
    assertFalse(log.recovery().hasLost());
    return replayed;
  }

  private void writeThreeSyncedBlocks() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      for (int i = 0; i < 3; i++) {
        append(log, 1, LogDurability.SYNCED);
      }
    }
  }

  private void append(WriteAheadLog log, int count, LogDurability level) throws IOException {
    for (int i = 0; i < count; i++) {
      byte[] content = LogModel.content(random, 50 + random.nextInt(200));
      appended.add(new LogModel.Entry(LogModel.append(log, content), ByteBuffer.wrap(content)));
    }
    log.commit(log.endLsn(), level);
  }

  /** Makes everything durable, without the log's knowledge. */
  private void keepAll() throws IOException {
    Path segment = SegmentRing.slotPath(LogModel.DIRECTORY, 0);
    try (IoFile file = engine.open(segment, OpenMode.READ_WRITE)) {
      file.sync();
    }
  }

  private void rot(long position) throws IOException {
    engine.flipBit(SegmentRing.slotPath(LogModel.DIRECTORY, 0), position);
  }

  /** Opens a copy; what is replayed must be those of the appended records. */
  private RecoveryReport reopen(RecoveryMode mode, int... expected) throws IOException {
    List<LogModel.Entry> entries = new ArrayList<>();
    for (int index : expected) {
      entries.add(appended.get(index));
    }
    return reopen(mode, entries);
  }

  private RecoveryReport reopen(RecoveryMode mode, List<LogModel.Entry> expected)
      throws IOException {
    List<LogModel.Entry> replayed = new ArrayList<>();
    try (WriteAheadLog log = open(engine.crash(1), mode, replayed)) {
      assertEquals(expected, replayed);
      return log.recovery();
    }
  }

  private static WriteAheadLog open(SimEngine sim, RecoveryMode mode) throws IOException {
    return open(sim, mode, new ArrayList<>());
  }

  private static WriteAheadLog open(SimEngine sim, RecoveryMode mode, List<LogModel.Entry> replayed)
      throws IOException {
    return LogModel.open(sim, SMALL.withRecovery(mode), replayed);
  }
}
