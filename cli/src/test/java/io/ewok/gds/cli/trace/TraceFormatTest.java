package io.ewok.gds.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceFormatTest {
  private static final String HEADER = "version,time,op,size,lbn\n";

  private final List<String> requests = new ArrayList<>();

  @Test
  void arcLineIsFirstBlockAndCount() throws IOException {
    read(TraceFormat.ARC, "230027 8 0 0\n 5\t64  0 1\r\n\n9223372036854775000 7 x\n0 0");
    assertEquals(List.of("230027+8", "5+64", "9223372036854775000+7", "0+0"), requests);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "7",
        "7,8,0,0",
        "-1 8 0 0",
        "1 -8 0 0",
        "1.5 8 0 0",
        "1 9223372036854775808 0 0",
        "9223372036854775807 1 0 0"
      })
  void malformedArcLineIsNamed(String line) {
    TraceFormatException e = malformed(TraceFormat.ARC, "1 2 3 4\n\n" + line + "\n1 2 3 4\n");
    assertTrue(e.getMessage().startsWith("the trace: "), e.getMessage());
    assertTrue(e.getMessage().endsWith("line=3 text='" + line + "'"), e.getMessage());
    assertEquals(List.of("1+2"), requests);
  }

  @Test
  void csvColumnsAreFoundByTheHeader() throws IOException {
    read(TraceFormat.CSV, HEADER + "1,5633898,2a,512,42932745\n1,5633898,28,6656,40409911\n");
    read(TraceFormat.CSV, "lbn,\"size\"\r\n7,513\r\n\r\n8,0\r\n");
    assertEquals(List.of("42932745+1", "40409911+13", "7+2", "8+0"), requests);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1,2,2a,512", "1,2,2a,,5", "1,2,2a,512,-5", "1,2,2a,0x200,5"})
  void malformedCsvRecordIsNamed(String line) {
    String message = malformed(TraceFormat.CSV, HEADER + "1,2,28,512,9\n" + line).getMessage();
    assertTrue(message.endsWith("line=3 text='" + line + "'"), message);
    assertEquals(List.of("9+1"), requests);
  }

  @Test
  void csvNeedsItsHeader() {
    assertTrue(malformed(TraceFormat.CSV, "1,2,28,512,9\n").getMessage().contains("header"));
  }

  @Test
  void unendedQuoteIsNoCsv() {
    malformed(TraceFormat.CSV, HEADER + "1,2,\"28,512,9\n" + "x".repeat(20_000_000));
  }

  @Test
  void keysSkipWhatIsNoNumber() throws IOException {
    long skipped =
        read(TraceFormat.KEYS, "12\n*\n -3 \r\n+4\n\n0x10\n1.5\n18446744073709551615\n007");
    assertEquals(List.of("12+1", "-3+1", "4+1", "-1+1", "7+1"), requests);
    assertEquals(4, skipped);
  }

  @ParameterizedTest
  @ValueSource(strings = {"18446744073709551616", "-9223372036854775809"})
  void keyOfMoreThan64BitsIsRefused(String line) {
    String message = malformed(TraceFormat.KEYS, "1\n" + line + "\n").getMessage();
    assertTrue(message.contains("64 bits") && message.contains("line=2"), message);
  }

  @Test
  void binaryKeysAreUnsignedAndInTheirOrder() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8).putInt(1).putInt(0xFFFF_FFFE);
    read(TraceFormat.U32BE, bytes.array());
    bytes.clear().order(ByteOrder.LITTLE_ENDIAN).putInt(1).putInt(0xFFFF_FFFE);
    read(TraceFormat.U32LE, bytes.array());
    bytes.clear().order(ByteOrder.BIG_ENDIAN).putLong(0x0102030405060708L);
    read(TraceFormat.U64BE, bytes.array());
    assertEquals(
        List.of("1+1", "4294967294+1", "1+1", "4294967294+1", "72623859790382856+1"), requests);
  }

  @Test
  void binaryKeysOfSeveralBuffersAreAllRead() throws IOException {
    int count = 50_000;
    ByteBuffer bytes = ByteBuffer.allocate(count * Long.BYTES);
    for (long key = 0; key < count; key++) {
      bytes.putLong(key);
    }
    // As a pipe gives it, in pieces that are no multiple of a key.
    InputStream pieces =
        new FilterInputStream(new ByteArrayInputStream(bytes.array())) {
          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            return super.read(into, offset, Math.min(length, 777));
          }
        };
    TraceFormat.U64BE.read(pieces, "the trace", this::take);
    assertEquals(count, requests.size());
    assertEquals(count - 1 + "+1", requests.getLast());
  }

  @ParameterizedTest
  @EnumSource(names = {"U32LE", "U32BE", "U64BE"})
  void cutOffKeyIsRefused(TraceFormat format) {
    TraceFormatException e =
        assertThrows(TraceFormatException.class, () -> read(format, new byte[27]));
    assertTrue(e.getMessage().contains("bytes=27"), e.getMessage());
  }

  @ParameterizedTest
  @EnumSource
  void emptyTraceHasNoRequests(TraceFormat format) throws IOException {
    assertEquals(0, read(format, new byte[0]));
    assertEquals(List.of(), requests);
  }

  @ParameterizedTest
  @EnumSource(names = {"ARC", "KEYS"})
  void whatIsNoTextIsRefusedBeforeItFillsMemory(TraceFormat format) {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 0;
          }
        };
    TraceFormatException e =
        assertThrows(
            TraceFormatException.class, () -> format.read(endless, "the trace", this::take));
    assertTrue(e.getMessage().contains("line=1"), e.getMessage());
  }

  private long read(TraceFormat format, String text) throws IOException {
    return read(format, text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private long read(TraceFormat format, byte[] bytes) throws IOException {
    return format.read(new ByteArrayInputStream(bytes), "the trace", this::take);
  }

  private TraceFormatException malformed(TraceFormat format, String text) {
    return assertThrows(TraceFormatException.class, () -> read(format, text));
  }

  private void take(long first, long count) {
    requests.add(first + "+" + count);
  }
}
