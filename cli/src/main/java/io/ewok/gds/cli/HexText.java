package io.ewok.gds.cli;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/** Bytes as hexdump -C shows them: offset, 16 bytes, their ASCII; lines like the last one as *. */
final class HexText {
  private static final int LINE_BYTES = 16;
  private static final int LINE_WIDTH = 3 * LINE_BYTES - 1;
  private static final HexFormat HEX = HexFormat.ofDelimiter(" ");

  private HexText() {}

  static String of(MemorySegment bytes) {
    StringBuilder text = new StringBuilder();
    boolean starred = false;
    for (long at = 0; at < bytes.byteSize(); at += LINE_BYTES) {
      long length = Math.min(LINE_BYTES, bytes.byteSize() - at);
      boolean same =
          at > 0
              && length == LINE_BYTES
              && MemorySegment.mismatch(bytes, at - LINE_BYTES, at, bytes, at, at + length) < 0;
      if (!same) {
        text.append("%08x  %s\n".formatted(at, line(bytes.asSlice(at, length))));
      } else if (!starred) {
        text.append("*\n");
      }
      starred = same;
    }
    return text.append("%08x\n".formatted(bytes.byteSize())).toString();
  }

  /** At most 16 bytes, without their offset. */
  static String line(MemorySegment bytes) {
    byte[] array = bytes.toArray(ValueLayout.JAVA_BYTE);
    StringBuilder ascii = new StringBuilder("|");
    for (byte value : array) {
      ascii.append(value >= ' ' && value <= '~' ? (char) value : '.');
    }
    String hex = HEX.formatHex(array);
    return hex + " ".repeat(LINE_WIDTH - hex.length()) + "  " + ascii.append('|');
  }
}
