package io.ewok.gds.buffers.redo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class RedoTest {
  private static final int PAGES = 30;

  /** A store with a log that was not checkpointed, as a power cut leaves it. */
  private static SimEngine cutOff(int changes, long seed) throws IOException {
    SimEngine engine = new SimEngine(seed);
    RedoFixture.create(engine);
    SplittableRandom random = new SplittableRandom(seed);
    try (RedoFixture store = RedoFixture.open(engine);
        Change change = store.newChange()) {
      List<Long> pages = new ArrayList<>();
      for (int i = 0; i < changes; i++) {
        for (int part = 0; part < 3; part++) {
          boolean create = pages.size() < PAGES;
          ChangedPage page =
              create
                  ? change.create(store.file)
                  : change.fix(store.file, pages.get(random.nextInt(PAGES)));
          if (create) {
            pages.add(page.number());
          }
          RedoFixture.add(page, 32 + 8 * random.nextInt(10), random.nextInt());
        }
        long unused = change.commit();
      }
      store.log.sync(store.log.endLsn());
      return engine.crash(seed);
    }
  }

  private static List<byte[]> pages(RedoFixture store) throws IOException {
    List<byte[]> pages = new ArrayList<>();
    try (Fix fix = new Fix()) {
      for (long page = 1; page < store.pages().pageCount(); page++) {
        store.pages().fixShared(page, fix);
        pages.add(fix.segment().toArray(ValueLayout.JAVA_BYTE));
        fix.unfix();
      }
    }
    return pages;
  }

  @Test
  void manyLanesMakeTheSamePagesAsOne() throws IOException {
    for (long seed = 0; seed < 5; seed++) {
      SimEngine left = cutOff(60, seed);
      List<byte[]> expected;
      try (RedoFixture store = RedoFixture.open(left.crash(seed))) {
        expected = pages(store);
      }
      assertEquals(PAGES, expected.size());
      for (int lanes : new int[] {2, 5, 16}) {
        try (RedoFixture store = RedoFixture.open(left.crash(seed), RedoFixture::redo, lanes)) {
          assertArrayEquals(expected.toArray(), pages(store).toArray(), "seed=" + seed);
        }
      }
    }
  }

  @Test
  void failureInALaneIsReportedAndRedoCanBeBegunAgain() throws IOException {
    SimEngine engine = cutOff(60, 3);
    byte[][] expected;
    try (RedoFixture store = RedoFixture.open(engine.crash(3))) {
      expected = pages(store).toArray(byte[][]::new);
    }
    for (int lanes : new int[] {1, 4}) {
      int[] left = {40};
      PageRedo failing =
          (code, page, arguments) -> {
            int unused = lanes == 1 ? --left[0] : 0;
            long sum = page.get(RedoFormat.LONG, 32);
            RedoFixture.redo(code, page, arguments);
            if (lanes == 1 ? left[0] == 0 : sum != 0) {
              throw new IndexOutOfBoundsException("left=" + left[0]);
            }
          };
      CorruptFileException failure =
          assertThrows(
              CorruptFileException.class, () -> RedoFixture.open(engine, failing, lanes).close());
      assertTrue(failure.getMessage().contains("as it was before the change at lsn"));
    }
    try (RedoFixture store = RedoFixture.open(engine)) {
      assertArrayEquals(expected, pages(store).toArray());
    }
  }

  @Test
  void pageThatWasNeverWrittenAndNeverCreatedIsCorrupt() throws IOException {
    SimEngine engine = new SimEngine(1);
    RedoFixture.create(engine);
    try (RedoFixture store = RedoFixture.open(engine);
        Change change = store.newChange()) {
      try (Fix fix = new Fix()) {
        long unused = store.pages().create(fix); // no part of a change
      }
      RedoFixture.add(change.fix(store.file, 1), 64, 1);
      store.log.sync(change.commit());
      SimEngine left = engine.crash(1);
      assertThrows(CorruptFileException.class, () -> RedoFixture.open(left).close());
    }
  }

  @Test
  void pageWithAChangeThatTheLogHasLostIsRefused() throws IOException {
    SimEngine engine = new SimEngine(1);
    RedoFixture.create(engine);
    try (RedoFixture store = RedoFixture.open(engine);
        Change change = store.newChange()) {
      ChangedPage page = change.create(store.file);
      long number = page.number();
      RedoFixture.add(page, 64, 1);
      store.log.sync(change.commit());
      SimEngine early = engine.crash(1);
      RedoFixture.add(change.fix(store.file, number), 64, 2);
      long lsn = change.commit();
      store.manager.flush();
      for (int lanes : new int[] {1, 4}) {
        SimEngine left = engine.crash(1);
        copyLog(early, left);
        CorruptFileException refused =
            assertThrows(
                CorruptFileException.class,
                () -> RedoFixture.open(left, RedoFixture::redo, lanes).close());
        assertTrue(refused.getMessage().contains("with a change at lsn " + lsn), refused::toString);
        copyLog(engine.crash(1), left);
        try (RedoFixture whole = RedoFixture.open(left, RedoFixture::redo, lanes)) {
          assertEquals(3, whole.read(number, 64));
        }
      }
    }
  }

  /** Puts the files of one machine's log in the place of another's. */
  private static void copyLog(SimEngine from, SimEngine to) throws IOException {
    try (Region region = Region.map(RedoFixture.budget(), RegionOptions.ofSize(1 << 20))) {
      for (Path path : from.list(Path.of("/log"))) {
        to.delete(path);
        try (IoFile source = from.open(path, OpenMode.READ_ONLY);
            IoFile target = to.open(path, OpenMode.CREATE_NEW)) {
          int length = (int) source.sizeBytes();
          source.readFully(0, region, 0, length);
          target.write(0, region, 0, length);
        }
      }
    }
  }

  @Test
  void logOfAFileThatWasNotNamedIsRefused() throws IOException {
    RedoReplay replay = new RedoReplay(Map.of(), PageRedo.NONE, 1);
    RedoBuffer record = new RedoBuffer();
    RedoFormat.startRecord(record);
    RedoFormat.addPart(record, 5, 1, MemorySegment.NULL);
    assertThrows(IllegalArgumentException.class, () -> replay.accept(100, record.content()));
  }

  @Test
  void recordsThatAreNoChangesAreRefused() throws IOException {
    SimEngine engine = new SimEngine(1);
    RedoFixture.create(engine);
    try (RedoFixture store = RedoFixture.open(engine);
        Change change = store.newChange()) {
      long unusedPage = change.create(store.file).number();
      long unused = change.commit();
      Map<Integer, LoggedFile> files = Map.of(RedoFixture.ID, store.file);
      SplittableRandom random = new SplittableRandom(1);
      RedoBuffer sound = new RedoBuffer();
      RedoFormat.startRecord(sound);
      RedoBuffer operations = new RedoBuffer();
      int at = RedoFormat.addOperation(operations, RedoFixture.ADD, 12);
      operations.segment().asSlice(at, 12).copyFrom(RedoFixture.arguments(64, 1));
      RedoFormat.addPart(sound, RedoFixture.ID, 1, operations.content());
      long lsn = store.log.endLsn();
      for (int i = 0; i < 2000; i++) {
        byte[] bytes = sound.content().toArray(ValueLayout.JAVA_BYTE);
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        int length = random.nextBoolean() ? bytes.length : random.nextInt(bytes.length);
        MemorySegment record = MemorySegment.ofArray(bytes).asSlice(0, length);
        try (RedoReplay replay = new RedoReplay(files, RedoFixture::redo, 1)) {
          replay.accept(lsn, record);
        } catch (IOException | IllegalArgumentException e) {
          assertTrue(e.getMessage().contains("="), e::toString);
        }
      }
    }
  }

  /** The bytes that this version wrote are read by every later one. */
  @Test
  void recordIsAsTheFormatSays() {
    RedoBuffer operations = new RedoBuffer();
    int unused = RedoFormat.addOperation(operations, RedoFormat.MAKE_EMPTY, 0);
    int at = RedoFormat.addOperation(operations, 9, 2);
    operations.segment().set(ValueLayout.JAVA_BYTE, at, (byte) 0xAA);
    operations.segment().set(ValueLayout.JAVA_BYTE, at + 1L, (byte) 0xBB);
    RedoBuffer record = new RedoBuffer();
    RedoFormat.startRecord(record);
    RedoFormat.addPart(record, 0x01020304, 0x1122334455667788L, operations.content());
    assertEquals(
        "01000000" + "04030201" + "0a000000" + "8877665544332211" + "000000ff" + "02000009aabb",
        HexFormat.of().formatHex(record.content().toArray(ValueLayout.JAVA_BYTE)));
  }
}
