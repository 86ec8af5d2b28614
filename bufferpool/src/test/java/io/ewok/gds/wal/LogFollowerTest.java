package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Who reads a log by its files sees what was written, in order, and never a hole. */
class LogFollowerTest {
  private static final Path DIRECTORY = Path.of("/log");
  private static final int SEGMENT_BYTES = 64 << 10;
  private static final LogOptions OPTIONS = new LogOptions(SEGMENT_BYTES, 3, 16 << 10);

  private final MemoryBudget budget = MemoryBudget.root("test", 4 << 20);
  private final SimEngine engine = new SimEngine(1);

  /** What was appended, by position. */
  private final Map<Long, Long> appended = new LinkedHashMap<>();

  private WriteAheadLog open() throws IOException {
    return WriteAheadLog.open(engine, DIRECTORY, OPTIONS, budget, (_, _) -> {});
  }

  private LogFollower follower() throws IOException {
    return LogFollower.open(engine, DIRECTORY, 16 << 10, budget);
  }

  /** Appends a record that begins with a number. */
  private long append(WriteAheadLog log, long number, int bytes, LogDurability level)
      throws IOException {
    MemorySegment record = MemorySegment.ofArray(new byte[bytes]);
    record.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, number);
    long lsn = log.append(record, level);
    appended.put(lsn, number);
    return lsn;
  }

  /** Reads on and returns the numbers, which are to be what was appended there. */
  private List<Long> numbers(LogFollower follower) throws IOException {
    List<Long> numbers = new ArrayList<>();
    assertTrue(
        follower.follow(
            (end, record) -> {
              long number = record.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
              assertEquals(appended.get(end), number);
              numbers.add(number);
              return true;
            }));
    return numbers;
  }

  @Test
  void whatIsWrittenIsReadInOrderAcrossLapsAndLives() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    long next = 0;
    long expected = 0;
    WriteAheadLog log = open();
    LogFollower follower = follower();
    for (int round = 0; round < 400; round++) {
      for (int i = random.nextInt(5); i > 0; i--) {
        append(log, next++, 8 + random.nextInt(6_000), LogDurability.BUFFERED);
      }
      if (random.nextInt(30) == 0) {
        log.close();
        log = open();
      }
      for (long number : numbers(follower)) {
        assertEquals(expected++, number);
      }
      assertEquals(next, expected, "all that is written");
      if (random.nextInt(4) == 0 || log.spaceLeftBytes() < 2 * SEGMENT_BYTES) {
        log.sync(log.endLsn());
        log.truncate(log.durableLsn());
      }
    }
    assertTrue(log.endLsn() > 5L * 3 * SEGMENT_BYTES, "laps");
    assertTrue(log.recovery().horizonLsn() > 0, "lives");
    follower.close();
    log.close();
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void recordThatIsNotTakenComesAgain() throws Exception {
    try (WriteAheadLog log = open();
        LogFollower follower = follower()) {
      for (long i = 0; i < 10; i++) {
        append(log, i, 700, LogDurability.NONE);
      }
      log.sync(log.endLsn());
      long[] left = {4};
      assertFalse(follower.follow((_, _) -> left[0]-- > 0));
      assertEquals(List.of(4L, 5L, 6L, 7L, 8L, 9L), numbers(follower));
      assertEquals(log.endLsn(), follower.lsn());
      assertEquals(List.of(), numbers(follower));
    }
  }

  @Test
  void whoIsTooSlowIsToldAndMayGoElsewhere() throws Exception {
    try (WriteAheadLog log = open();
        LogFollower follower = follower()) {
      long number = 0;
      append(log, number++, 100, LogDurability.SYNCED);
      assertEquals(1, numbers(follower).size());
      while (log.endLsn() < 7L * SEGMENT_BYTES) {
        append(log, number++, 5_000, LogDurability.SYNCED);
        log.truncate(log.durableLsn());
      }
      assertThrows(LogTruncatedException.class, () -> numbers(follower));
      long horizon = log.horizonLsn();
      follower.seek(horizon);
      append(log, number, 5_000, LogDurability.SYNCED);
      assertEquals(List.of(number), numbers(follower));
    }
  }

  /** The segment is used anew while it is read: what validates no more is not the log's end. */
  @Test
  void segmentThatIsUsedAnewMeanwhileIsNotTheEnd() throws Exception {
    try (WriteAheadLog log = open();
        LogFollower follower = follower()) {
      for (long i = 0; log.endLsn() < SEGMENT_BYTES; i++) {
        append(log, i, 3_000, LogDurability.SYNCED);
      }
      boolean[] isLapped = {false};
      assertThrows(
          LogTruncatedException.class,
          () ->
              follower.follow(
                  (_, _) -> {
                    if (!isLapped[0]) {
                      isLapped[0] = true;
                      while (log.endLsn() < 5L * SEGMENT_BYTES) {
                        append(log, 100, 3_000, LogDurability.SYNCED);
                        log.truncate(log.durableLsn());
                      }
                    }
                    return true;
                  }));
      assertTrue(isLapped[0] && follower.lsn() < SEGMENT_BYTES);
    }
  }

  @Test
  void whatWasReadAndIsGoneInTheNextLifeIsTold() throws Exception {
    WriteAheadLog log = open();
    append(log, 0, 100, LogDurability.SYNCED);
    try (LogFollower follower = follower()) {
      byte[] before = bytes();
      for (long i = 1; i < 5; i++) {
        append(log, i, 3_000, LogDurability.BUFFERED);
      }
      assertEquals(5, numbers(follower).size());
      log.close();
      setBytes(before); // as if the device had lost what was not synced
      try (WriteAheadLog again = open()) {
        StorageException e = assertThrows(StorageException.class, () -> numbers(follower));
        assertTrue(e.getMessage().contains("recovered without"), e.getMessage());
        follower.seek(again.horizonLsn());
        appended.keySet().removeIf(lsn -> lsn > again.recovery().endLsn());
        append(again, 7, 100, LogDurability.BUFFERED);
        assertEquals(List.of(0L, 7L), numbers(follower));
      }
    }
  }

  @Test
  void damageOfWhatWasDurableIsNotTheEnd() throws Exception {
    try (WriteAheadLog log = open()) {
      for (long i = 0; i < 8; i++) {
        append(log, i, 3_000, LogDurability.SYNCED); // one block each
      }
      long[] good = {3};
      try (LogFollower follower = follower();
          LogFollower behind = follower()) {
        assertFalse(behind.follow((_, _) -> good[0]-- > 0));
        for (long offset : new long[] {4 * 4096 + 20, 4 * 4096 + 500}) { // header and record
          engine.flipBit(segment(), offset);
          CorruptFileException e =
              assertThrows(CorruptFileException.class, () -> follower.follow((_, _) -> true));
          assertEquals(segment(), e.path());
          follower.seek(0);
          assertThrows(CorruptFileException.class, () -> behind.follow((_, _) -> true));
          engine.flipBit(segment(), offset);
        }
        assertEquals(8, numbers(follower).size());
        engine.flipBit(segment(), 7 * 4096 + 500); // nothing says that this was durable
        follower.seek(0);
        assertEquals(7, numbers(follower).size());
      }
    }
  }

  private static Path segment() {
    return DIRECTORY.resolve("segment-00000.log");
  }

  private byte[] bytes() throws IOException {
    try (IoFile file = engine.open(segment(), OpenMode.READ_ONLY);
        Region region = Region.map(budget, RegionOptions.ofSize(SEGMENT_BYTES))) {
      file.readFully(0, region, 0, SEGMENT_BYTES);
      return region.segment().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private void setBytes(byte[] bytes) throws IOException {
    try (IoFile file = engine.open(segment(), OpenMode.READ_WRITE);
        Region region = Region.map(budget, RegionOptions.ofSize(SEGMENT_BYTES))) {
      MemorySegment.copy(bytes, 0, region.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
      file.write(0, region, 0, SEGMENT_BYTES);
      file.sync();
    }
  }
}
