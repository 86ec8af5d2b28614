package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.UnknownKeyException;
import io.ewok.gds.pagestore.WrongKeyException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Logs whose records are encrypted. */
final class LogSealTest {
  private static final LogOptions SMALL = new LogOptions(16 << 10, 4, 8 << 10);
  private static final int CONTENT_OFFSET = LogFormat.RECORD_HEADER_BYTES;

  private final Keys keys = new Keys();
  private final SimEngine engine = new SimEngine(1, SimOptions.defaults().withKeys(keys));
  private final SplittableRandom random = new SplittableRandom(1);

  private static final class Keys implements KeySource {
    int current = 1;
    int filling;
    boolean known = true;
    boolean plain = true;

    @Override
    public boolean readsPlain() {
      return plain;
    }

    @Override
    public int currentId() {
      return current;
    }

    @Override
    public byte[] key(int id) {
      byte[] key = new byte[KEY_BYTES];
      Arrays.fill(key, (byte) (id + filling));
      return known ? key : null;
    }
  }

  private static byte[] segment(IoEngine engine, int slot) throws IOException {
    try (IoFile file =
            engine.open(SegmentRing.slotPath(LogModel.DIRECTORY, slot), OpenMode.READ_ONLY);
        Region region =
            Region.map(
                MemoryBudget.root("test", SMALL.segmentBytes()),
                RegionOptions.ofSize(SMALL.segmentBytes()))) {
      file.readFully(0, region, 0, (int) SMALL.segmentBytes());
      return region.segment().toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private List<LogModel.Entry> replay() throws IOException {
    List<LogModel.Entry> replayed = new ArrayList<>();
    LogModel.open(engine, SMALL, replayed).close();
    return replayed;
  }

  @Test
  void recordsOfAllLengthsComeBackAndNoneIsInTheFilesAsItWas() throws IOException {
    LogOptions options = SMALL.withSegmentCount(9);
    LogModel model = new LogModel();
    byte[] marked = "nobody reads this".repeat(3).getBytes(StandardCharsets.ISO_8859_1);
    try (WriteAheadLog log = LogModel.open(engine, options)) {
      for (int length = 1; length < 200; length++) {
        model.append(log, random, length);
      }
      model.append(log, random, (int) log.reserveBytesMax());
      model.append(log, random, (int) log.reserveBytesMax() + 1);
      model.append(log, random, (int) log.recordBytesMax());
      assertThrows(
          IllegalArgumentException.class,
          () -> LogModel.append(log, new byte[(int) log.recordBytesMax() + 1]));
      long unused = LogModel.append(log, marked);
    }
    for (int slot = 0; slot < options.segmentCount(); slot++) {
      String text = new String(segment(engine, slot), StandardCharsets.ISO_8859_1);
      assertFalse(text.contains("nobody reads this"));
    }
    List<LogModel.Entry> replayed = replay();
    assertEquals(ByteBuffer.wrap(marked), replayed.removeLast().content());
    model.closed();
    model.check(replayed);
  }

  @Test
  void positionsOfWhatIsAppendedAreThoseOfTheReplay() throws IOException {
    List<Long> starts = new ArrayList<>();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      for (int length = 1; length < 40; length++) {
        try (LogPlace place = log.reserve(length)) {
          place.put(MemorySegment.ofArray(new byte[length]));
          starts.add(place.startLsn());
        }
      }
    }
    List<Long> replayed = new ArrayList<>();
    for (LogModel.Entry entry : replay()) {
      replayed.add(WriteAheadLog.startLsn(entry.lsn(), entry.content().remaining()));
    }
    assertEquals(starts, replayed);
  }

  /** The nonce is the position, so each life needs a key of its own. */
  @Test
  void livesThatWriteTheSameToTheSamePlaceWriteOtherBytes() throws IOException {
    byte[] record = new byte[100];
    LogModel.open(engine, SMALL).close();
    List<byte[]> written = new ArrayList<>();
    long at = -1;
    for (int i = 0; i < 3; i++) {
      SimEngine twin = engine.crash(5);
      try (WriteAheadLog log = LogModel.open(twin, SMALL)) {
        long end = LogModel.append(log, record);
        log.sync(end);
        assertTrue(at < 0 || at == WriteAheadLog.startLsn(end, record.length));
        at = WriteAheadLog.startLsn(end, record.length);
      }
      int from = (int) at + CONTENT_OFFSET;
      written.add(Arrays.copyOfRange(segment(twin, 0), from, from + record.length));
    }
    for (int i = 0; i < 3; i++) {
      for (int j = 0; j < i; j++) {
        assertFalse(Arrays.equals(written.get(i), written.get(j)));
      }
    }
  }

  @Test
  void recordsOfOneLifeThatAreTheSameAreOtherBytes() throws IOException {
    byte[] record = new byte[96];
    List<Long> starts = new ArrayList<>();
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      for (int i = 0; i < 2; i++) {
        starts.add(WriteAheadLog.startLsn(LogModel.append(log, record), record.length));
      }
    }
    byte[] segment = segment(engine, 0);
    List<byte[]> sealed = new ArrayList<>();
    for (long start : starts) {
      int from = (int) start + CONTENT_OFFSET;
      sealed.add(Arrays.copyOfRange(segment, from, from + record.length));
    }
    assertFalse(Arrays.equals(sealed.get(0), sealed.get(1)));
    assertFalse(Arrays.equals(sealed.get(0), record));
  }

  @Test
  void aRecordThatSomebodyHasChangedIsRefusedThoughItsChecksumIsRight() throws IOException {
    long end;
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      end = LogModel.append(log, new byte[80]);
    }
    long header = WriteAheadLog.startLsn(end, 80) - LogKey.TAG_BYTES;
    int content = (int) header + CONTENT_OFFSET;
    int length = LogKey.TAG_BYTES + 80;
    for (int flipped : List.of(0, LogKey.TAG_BYTES - 1, LogKey.TAG_BYTES, length - 1)) {
      SimEngine forged = engine.crash(3);
      byte[] segment = segment(forged, 0);
      segment[content + flipped] ^= 1;
      long incarnation = ByteBuffer.wrap(segment).order(ByteOrder.LITTLE_ENDIAN).getLong(24);
      int crc =
          new RecordChecksum().of(header, incarnation, ByteBuffer.wrap(segment, content, length));
      ByteBuffer.wrap(segment).order(ByteOrder.LITTLE_ENDIAN).putInt((int) header + 4, crc);
      write(forged, segment);
      WrongKeyException e =
          assertThrows(WrongKeyException.class, () -> LogModel.open(forged, SMALL), "" + flipped);
      assertEquals(1, e.keyId());
    }
    assertArrayEquals(new byte[80], replay().getFirst().content().array());
  }

  private static void write(IoEngine engine, byte[] segment) throws IOException {
    try (IoFile file =
            engine.open(SegmentRing.slotPath(LogModel.DIRECTORY, 0), OpenMode.READ_WRITE);
        Region region =
            Region.map(
                MemoryBudget.root("test", segment.length), RegionOptions.ofSize(segment.length))) {
      region.segment().copyFrom(MemorySegment.ofArray(segment));
      file.write(0, region, 0, segment.length);
    }
  }

  @Test
  void keysChangeFromOpeningToOpening() throws IOException {
    LogModel model = new LogModel();
    for (int id : List.of(1, 2, KeySource.NOT_ENCRYPTED, 3)) {
      keys.current = id;
      try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
        model.append(log, random, 50);
        model.append(log, random, 500);
      }
    }
    model.closed();
    model.check(replay());
  }

  @Test
  void withoutTheKeyNothingIsReadAndNothingChanged() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      long unused = LogModel.append(log, new byte[20]);
    }
    byte[] before = segment(engine, 0);
    keys.known = false;
    assertThrows(UnknownKeyException.class, this::replay);
    keys.known = true;
    keys.filling = 7;
    assertThrows(WrongKeyException.class, this::replay);
    keys.filling = 0;
    assertArrayEquals(before, segment(engine, 0));
    assertEquals(1, replay().size());
  }

  @Test
  void aReaderAndAFollowerSeeWhatWasAppended() throws IOException {
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      byte[] record = LogModel.content(random, 300);
      log.sync(LogModel.append(log, record));
      log.sync(LogModel.append(log, record));
      List<ByteBuffer> seen = new ArrayList<>();
      try (LogReader reader = log.reader(0, LogDurability.SYNCED, LogModel.budget())) {
        while (reader.next((_, bytes) -> seen.add(copy(bytes)))) {
          // all there are
        }
      }
      try (LogFollower follower =
          LogFollower.open(engine, LogModel.DIRECTORY, 16 << 10, LogModel.budget())) {
        assertTrue(follower.follow((_, bytes) -> seen.add(copy(bytes))));
      }
      assertEquals(4, seen.size());
      seen.forEach(bytes -> assertEquals(ByteBuffer.wrap(record), bytes));
    }
  }

  private static ByteBuffer copy(MemorySegment bytes) {
    return ByteBuffer.wrap(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  /** Also where two lives have drawn the same salt. */
  @Test
  void eachLifeHasAKeyOfItsOwn() throws IOException {
    long bytes = LogKey.TAG_BYTES + 40;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sealed = arena.allocate(bytes);
      logKey(5, 7).seal(64, sealed);
      MemorySegment again = arena.allocate(bytes).copyFrom(sealed);
      assertArrayEquals(
          new byte[40],
          logKey(5, 7).open(64, again, LogModel.DIRECTORY).toArray(ValueLayout.JAVA_BYTE));
      for (LogKey other : List.of(logKey(6, 7), logKey(5, 8))) {
        MemorySegment copy = arena.allocate(bytes).copyFrom(sealed);
        assertThrows(
            WrongKeyException.class, () -> other.open(64, copy, LogModel.DIRECTORY).byteSize());
      }
    }
  }

  private LogKey logKey(long incarnation, long salt) throws IOException {
    BlockHeader block = new BlockHeader(0, incarnation, 4096, 100, 0, 0, 1, salt);
    return LogKey.ofOrNull(keys, block, LogModel.DIRECTORY);
  }

  @Test
  void whereAllIsEncryptedNobodyReadsARecordThatIsNot() throws IOException {
    keys.current = KeySource.NOT_ENCRYPTED;
    long plainEnd;
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      plainEnd = LogModel.append(log, new byte[30]);
      log.sync(plainEnd);
      keys.plain = false;
      try (LogReader reader = log.reader(0, LogDurability.SYNCED, LogModel.budget())) {
        assertThrows(
            PlainFileException.class, () -> reader.next((_, bytes) -> fail(bytes.toString())));
      }
    }
    byte[] before = segment(engine, 0);
    assertThrows(PlainFileException.class, this::replay);
    try (LogFollower follower =
        LogFollower.open(engine, LogModel.DIRECTORY, 16 << 10, LogModel.budget())) {
      assertThrows(
          PlainFileException.class, () -> follower.follow((_, bytes) -> fail(bytes.toString())));
    }
    assertArrayEquals(before, segment(engine, 0));
    keys.current = 1;
    keys.plain = true;
    try (WriteAheadLog log = LogModel.open(engine, SMALL)) {
      long unused = LogModel.append(log, new byte[31]);
      log.truncate(plainEnd);
    }
    keys.plain = false; // what nobody needs any more may stay as it is
    List<LogModel.Entry> replayed = replay();
    assertEquals(1, replayed.size());
    assertEquals(31, replayed.getFirst().content().remaining());
  }

  /** The JDK refuses to seal twice at one place: here somebody has done it before. */
  @Test
  @Timeout(20)
  void aRecordThatCannotBeSealedPoisonsTheLogAndNobodyWaitsForIt() throws IOException {
    WriteAheadLog log = LogModel.open(engine, SMALL);
    try (Arena arena = Arena.ofConfined()) {
      log.sync(LogModel.append(log, new byte[40]));
      BlockHeader block = LogFormat.readHeader(MemorySegment.ofArray(segment(engine, 0)));
      LogKey same = LogKey.ofOrNull(keys, block, LogModel.DIRECTORY);
      long lsn = block.nextLsn() + LogFormat.BLOCK_HEADER_BYTES;
      same.seal(lsn, arena.allocate(LogKey.TAG_BYTES + 40));
      assertThrows(IllegalStateException.class, () -> LogModel.append(log, new byte[40]));
      assertThrows(PoisonedFileException.class, () -> log.sync(log.endLsn()));
    } finally {
      assertThrows(PoisonedFileException.class, log::close);
    }
    assertEquals(1, replay().size());
  }
}
