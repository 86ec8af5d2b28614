package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.JournalFormat.Entry;
import io.ewok.gds.buffers.JournalFormat.Shape;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The golden bytes were computed by another program. */
final class JournalFormatTest {
  private static final Path FILE = Path.of("pages.journal");
  private static final long FILE_ID = 0x0123_4567_89AB_CDEFL;
  private static final Shape SHAPE = new Shape(4096, 1 << 20, FILE_ID);
  private static final int BATCH_BYTES = 72;

  private final MemorySegment block = MemorySegment.ofArray(new byte[4096]);

  @Test
  void theFirstBlockIsGoldenAndAFlippedBitIsFound() throws StorageException {
    JournalFormat.writeShape(block, SHAPE);
    assertEquals(
        "4744534a4f55524e01000000001000000000100000000000efcdab8967452301" + "3a9c009f",
        hex(JournalFormat.FILE_BYTES));
    assertEquals(SHAPE, JournalFormat.readShape(block, FILE));
    for (long bit = 0; bit < JournalFormat.FILE_BYTES * 8; bit++) {
      flip(bit);
      assertThrows(CorruptFileException.class, () -> JournalFormat.readShape(block, FILE));
      flip(bit);
    }
  }

  @Test
  void aBatchIsGoldenAndAFlippedBitIsFound() {
    Entry first = new Entry(8192, 4096, 0x1111_1111, 0x2222_2222);
    Entry second = new Entry(12288, 4096, 0x3333_3333, 0x4444_4444);
    JournalFormat.writeEntry(block, 0, first);
    JournalFormat.writeEntry(block, 1, second);
    JournalFormat.sealBatch(block, FILE_ID, 7, 3, 2);
    assertEquals(
        "4744534a02000000efcdab896745230107000000000000000300"
            + "0000f00639e70020000000000000001000001111111122222222"
            + "0030000000000000001000003333333344444444",
        hex(BATCH_BYTES));
    assertEquals(7, JournalFormat.epoch(block, FILE_ID, 3));
    assertEquals(2, JournalFormat.count(block));
    assertEquals(first, JournalFormat.entry(block, 0));
    assertEquals(second, JournalFormat.entry(block, 1));
    assertEquals(0, JournalFormat.epoch(block, FILE_ID, 2), "of another place");
    assertEquals(0, JournalFormat.epoch(block, FILE_ID + 1, 3), "of another file");
    for (long bit = 0; bit < BATCH_BYTES * 8; bit++) {
      flip(bit);
      assertEquals(0, JournalFormat.epoch(block, FILE_ID, 3), "bit=" + bit);
      flip(bit);
    }
  }

  @Test
  void sizesThatCannotBeAreRefused() {
    Shape[] shapes = {
      new Shape(2048, 1 << 20, 1),
      new Shape(5000, 1 << 20, 1),
      new Shape(4096, 0, 1),
      new Shape(4096, 5000, 1),
      new Shape(4096, -4096, 1),
      new Shape(4096, 1L << 40, 1)
    };
    for (Shape shape : shapes) {
      JournalFormat.writeShape(block, shape);
      assertThrows(CorruptFileException.class, () -> JournalFormat.readShape(block, FILE));
    }
  }

  @Test
  void aBatchHasRoomForItsEntries() {
    int max = JournalFormat.entriesMax(4096);
    assertTrue(max >= 200, "max=" + max);
    JournalFormat.writeEntry(block, max - 1, new Entry(1, 2, 3, 4));
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> JournalFormat.writeEntry(block, max, new Entry(1, 2, 3, 4)));
  }

  private String hex(int bytes) {
    return HexFormat.of().formatHex(block.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE));
  }

  private void flip(long bit) {
    byte old = block.get(ValueLayout.JAVA_BYTE, bit / 8);
    block.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (old ^ 1 << bit % 8));
  }
}
