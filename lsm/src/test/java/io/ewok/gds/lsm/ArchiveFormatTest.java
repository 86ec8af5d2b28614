package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What archives and marks of the log look like stays as it is. */
class ArchiveFormatTest {
  private static final Path DIRECTORY = Path.of("/archive");

  private final SimEngine engine = new SimEngine(1);

  private static String hex(LogMark mark) {
    return HexFormat.of().formatHex(mark.encode());
  }

  @Test
  void marksAreWhatTheyAlwaysWere() {
    String header = "0000000003000000";
    assertEquals(header + "01000000" + "00000000" + "0102000000000000", hex(new LogMark.Time(513)));
    assertEquals(header + "03000000" + "00000000" + "6f6e", hex(new LogMark.Barrier("on")));
    LogMark families =
        new LogMark.FamilyList(
            List.of(new LogMark.OfFamily(0, "default", ""), new LogMark.OfFamily(5, "a", "last")));
    assertEquals(
        header
            + ("02000000" + "02000000")
            + ("00000000" + "07000000" + "00000000" + "64656661756c74")
            + ("05000000" + "01000000" + "04000000" + "61" + "6c617374"),
        hex(families));
    for (LogMark mark : List.of(new LogMark.Time(-1), new LogMark.Barrier("ä"), families)) {
      MemorySegment record = MemorySegment.ofArray(mark.encode());
      assertEquals(null, BatchFormat.defect(record));
      assertTrue(BatchFormat.isMark(record));
      assertEquals(mark, LogMark.decode(record));
    }
  }

  /** No byte of one makes a decoder do anything but refuse, or read. */
  @Test
  void forgedMarksAreRefused() {
    byte[] sound =
        new LogMark.FamilyList(
                List.of(new LogMark.OfFamily(0, "default", ""), new LogMark.OfFamily(5, "a", "b")))
            .encode();
    for (int length = 0; length < sound.length; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(sound, length));
      assertThrows(IllegalArgumentException.class, () -> LogMark.decode(cut), "length=" + length);
    }
    SplittableRandom random = new SplittableRandom(1);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] forged = sound.clone();
      forged[random.nextInt(forged.length)] = (byte) random.nextInt();
      try {
        LogMark unused = LogMark.decode(MemorySegment.ofArray(forged));
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(refused > 10_000, "refused=" + refused);
  }

  @Test
  void fileIsWhatItAlwaysWas() throws Exception {
    engine.createDirectories(DIRECTORY);
    ArchiveDirectory directory = new ArchiveDirectory(engine, DIRECTORY);
    ArchivedLog file;
    try (ArchiveWriter writer = ArchiveWriter.open(engine, directory.incoming(), 0x0102, 8)) {
      writer.add(64, MemorySegment.ofArray(new LogMark.Time(1).encode()));
      file = writer.finish(DIRECTORY);
    }
    directory.add(file);
    assertEquals(
        "0000000000000102-0000000000000008-0000000000000040-7b6c0b759e09438d.archived",
        file.path().getFileName().toString());
    assertEquals(List.of(file), directory.files());
    assertEquals(file, ArchivedLog.of(file.path()).orElseThrow());
    assertEquals(4096, directory.verify(file, _ -> {}));
    assertFalse(ArchivedLog.of(DIRECTORY.resolve("incoming")).isPresent());
  }

  /** Records of all lengths, over the ends of blocks. */
  @Test
  void recordsComeBackAsTheyWere() throws Exception {
    engine.createDirectories(DIRECTORY);
    ArchiveDirectory directory = new ArchiveDirectory(engine, DIRECTORY);
    SplittableRandom random = new SplittableRandom(1);
    List<byte[]> records = new ArrayList<>();
    List<Long> ends = new ArrayList<>();
    long end = 0;
    ArchivedLog file;
    try (ArchiveWriter writer = ArchiveWriter.open(engine, directory.incoming(), 7, 0)) {
      for (int i = 0; i < 40; i++) {
        int length = random.nextInt(i % 10 == 0 ? 3 * ArchiveFormat.BLOCK_BYTES : 20_000);
        byte[] record =
            new LogMark.Barrier("x".repeat(length)).encode(); // a sound record of any length
        end += 2L * record.length + 8L * (1 + random.nextInt(5));
        end = (end + 7) & -8;
        writer.add(end, MemorySegment.ofArray(record));
        records.add(record);
        ends.add(end);
      }
      file = writer.finish(DIRECTORY);
    }
    directory.add(file);
    assertEquals(end, file.toLsn());
    try (ArchiveReader reader = ArchiveReader.open(engine, file, _ -> {})) {
      for (int i = 0; i < records.size(); i++) {
        assertTrue(reader.next());
        assertEquals(ends.get(i), reader.endLsn());
        assertArrayEquals(records.get(i), Fixtures.array(reader.record()));
      }
      assertFalse(reader.next());
    }
  }

  @Test
  void noteIsWhatItAlwaysWas() throws Exception {
    ArchiveNote note = new ArchiveNote(1, 2, 3, 4, 5, DIRECTORY);
    byte[] payload = note.encode();
    assertEquals(
        ("0100000000000000" + "0200000000000000" + "0300000000000000")
            + ("0400000000000000" + "0500000000000000" + "2f61726368697665"),
        HexFormat.of().formatHex(payload));
    assertEquals(note, ArchiveNote.decode(DIRECTORY, payload));
    for (int length = 0; length < payload.length - 7; length++) {
      byte[] cut = Arrays.copyOf(payload, length);
      assertThrows(CorruptFileException.class, () -> ArchiveNote.decode(DIRECTORY, cut));
    }
    ArchiveNote backward = new ArchiveNote(1, 5, 3, 4, 5, DIRECTORY);
    assertThrows(
        CorruptFileException.class, () -> ArchiveNote.decode(DIRECTORY, backward.encode()));
  }
}
