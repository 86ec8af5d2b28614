package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The bytes here were written by version 1 and must be readable for ever. */
final class LogFormatTest {
  private static final HexFormat HEX = HexFormat.of();

  /** A block at 0 of incarnation 2 with the records "hello" and "a log". */
  private static final String FIRST_BLOCK =
      "47444c42af92041f010000002000000000000000000000000200000000000000"
          + "0000000000000000000000000000000000100000000000000000000000000000"
          + "05000000e715effb68656c6c6f000000050000001211f25d61206c6f67000000";

  /** The block after it. */
  private static final String SECOND_BLOCK =
      "47444c42d4130abf010000001000000000100000000000000200000000000000"
          + "6000000000000000600000000000000000100000000000000000000000000000"
          + "01000000ba7299732100000000000000";

  private static final String LOG_HEADER =
      "0020000000000000020000000000000003000000000000000020000000000000"
          + "50100000000000006000000000000000";

  @Test
  void aLogWritesTheGoldenBytes() throws IOException {
    SimEngine engine = new SimEngine(1);
    LogOptions options = new LogOptions(8192, 2, 4096);
    try (WriteAheadLog log = LogModel.open(engine, options)) {
      append(log, "hello");
      log.sync(append(log, "a log"));
      assertEquals(FIRST_BLOCK, read(engine, 0, 96));
      log.sync(append(log, "!"));
      assertEquals(SECOND_BLOCK, read(engine, 4096, 80));
    }
  }

  @Test
  void theGoldenLogHeaderIsReadAndWritten() throws IOException {
    LogHeader header = new LogHeader(8192, 2, 3, 8192, 4176, 96);
    assertEquals(LogHeader.BYTES, header.encode().length);
    assertEquals(LOG_HEADER, HEX.formatHex(header.encode()));
    assertEquals(header, LogHeader.decode(Path.of("f"), HEX.parseHex(LOG_HEADER)));
  }

  @Test
  void impossibleLogHeadersAreCorrupt() {
    LogHeader[] impossible = {
      new LogHeader(8192, 1, 1, 0, 0, 0),
      new LogHeader(8191, 2, 1, 0, 0, 0),
      new LogHeader(1L << 40, 2, 1, 0, 0, 0),
      new LogHeader(8192, 2, 0, 0, 0, 0),
      new LogHeader(8192, 2, 1, 100, 0, 0),
      new LogHeader(8192, 2, 1, 4096, 5000, 0),
      new LogHeader(8192, 2, 1, 0, 0, -1),
    };
    for (LogHeader header : impossible) {
      assertThrows(
          CorruptFileException.class,
          () -> LogHeader.decode(Path.of("f"), header.encode()),
          header::toString);
    }
    assertThrows(CorruptFileException.class, () -> LogHeader.decode(Path.of("f"), new byte[47]));
  }

  @Test
  void blockHeadersComeBackAndAnyFlippedBitIsFound() {
    MemorySegment memory = MemorySegment.ofArray(new byte[LogFormat.BLOCK_HEADER_BYTES]);
    memory.fill((byte) 0xFF);
    BlockHeader header = new BlockHeader(1L << 40, 7, 8192, 5000, 12345, 54321);
    LogFormat.writeHeader(memory, new HeaderChecksum(), header);
    assertTrue(LogFormat.isHeader(memory));
    assertEquals(header, LogFormat.readHeader(memory));
    assertEquals("00".repeat(12), HEX.formatHex(bytes(memory.asSlice(52))));
    for (long bit = 0; bit < memory.byteSize() * 8; bit++) {
      flip(memory, bit);
      assertFalse(LogFormat.isHeader(memory), "bit=" + bit);
      flip(memory, bit);
    }
  }

  @Test
  void extentsAreAligned() {
    assertEquals(16, LogFormat.recordExtent(1));
    assertEquals(16, LogFormat.recordExtent(8));
    assertEquals(24, LogFormat.recordExtent(9));
    assertEquals(4096, LogFormat.blockExtent(4096 - 64));
    assertEquals(8192, LogFormat.blockExtent(4096 - 63));
  }

  private static void flip(MemorySegment memory, long bit) {
    byte old = memory.get(ValueLayout.JAVA_BYTE, bit / 8);
    memory.set(ValueLayout.JAVA_BYTE, bit / 8, (byte) (old ^ 1 << bit % 8));
  }

  private static long append(WriteAheadLog log, String text) throws IOException {
    return LogModel.append(log, text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String read(SimEngine engine, long offset, int length) throws IOException {
    Path path = SegmentRing.slotPath(LogModel.DIRECTORY, 0);
    try (Region region = Region.map(LogModel.budget(), RegionOptions.ofSize(4096));
        IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      file.readFully(offset, region, 0, 4096);
      return HEX.formatHex(bytes(region.segment().asSlice(0, length)));
    }
  }

  private static byte[] bytes(MemorySegment memory) {
    return memory.toArray(ValueLayout.JAVA_BYTE);
  }
}
