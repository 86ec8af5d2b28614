package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class AtomicFileFormatTest {
  @Test
  void offsetsFollowTheTable() {
    assertEquals(0, AtomicFileFormat.MAGIC_OFFSET);
    assertEquals(4, AtomicFileFormat.VERSION_OFFSET);
    assertEquals(8, AtomicFileFormat.LENGTH_OFFSET);
    assertEquals(12, AtomicFileFormat.CHECKSUM_OFFSET);
    assertEquals(16, AtomicFileFormat.HEADER_BYTES);
  }

  /** What was written once stays readable: these bytes never change for version 1. */
  @Test
  void encodingIsGolden() {
    byte[] file = new byte[16 + 5];
    AtomicFileFormat.encode(
        MemorySegment.ofArray(file), 0x47445341, 3, "hello".getBytes(StandardCharsets.US_ASCII));
    assertEquals(
        "41534447" + "03000000" + "05000000" + "f61f292a" + "68656c6c6f",
        HexFormat.of().formatHex(file));
  }
}
