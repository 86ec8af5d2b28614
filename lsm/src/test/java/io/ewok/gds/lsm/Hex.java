package io.ewok.gds.lsm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Golden files as text: lines of offset and 16 bytes, lines of zeros only left out, size last. */
public final class Hex {
  private static final int LINE_BYTES = 16;

  private Hex() {}

  public static String dump(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (int offset = 0; offset < bytes.length; offset += LINE_BYTES) {
      int end = Math.min(offset + LINE_BYTES, bytes.length);
      String line = HexFormat.of().formatHex(bytes, offset, end);
      if (!line.matches("0*")) {
        text.append(String.format(Locale.ROOT, "%08x %s\n", offset, line));
      }
    }
    return text.append(String.format(Locale.ROOT, "%08x\n", bytes.length)).toString();
  }

  public static byte[] parse(String dump) {
    List<String> lines = dump.strip().lines().toList();
    ByteBuffer bytes = ByteBuffer.allocate(Integer.parseInt(lines.getLast(), 16));
    for (String line : lines.subList(0, lines.size() - 1)) {
      int space = line.indexOf(' ');
      bytes.put(
          Integer.parseInt(line.substring(0, space), 16),
          HexFormat.of().parseHex(line.substring(space + 1)));
    }
    return bytes.array();
  }

  public static String resource(String name) throws IOException {
    try (InputStream in = Hex.class.getResourceAsStream(name)) {
      return in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
