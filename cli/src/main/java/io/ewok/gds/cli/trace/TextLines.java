package io.ewok.gds.cli.trace;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * The lines of a text, one at a time. A line ends with a newline, with or without a carriage return
 * before it; the last may end with the text. Confined to one thread.
 */
final class TextLines {
  /** Longer than any line of a trace, so that what is no text is refused before it fills memory. */
  private static final int LINE_BYTES_MAX = 4096;

  private static final int SHOWN_CHARS = 60;

  private final InputStream in;
  private final String name;
  private final byte[] line = new byte[LINE_BYTES_MAX];
  private long number;

  TextLines(InputStream in, String name) {
    this.in = new BufferedInputStream(in, 1 << 16);
    this.name = name;
  }

  /** The next line without its end, and without blanks around it; null after the last. */
  String next() throws IOException {
    int length = 0;
    number++;
    int read = in.read();
    if (read < 0) {
      return null;
    }
    for (; read >= 0 && read != '\n'; read = in.read()) {
      if (length == line.length) {
        throw malformed("a line is too long", text(length));
      }
      line[length++] = (byte) read;
    }
    return text(length);
  }

  /** An exception that shows the line that was read last. */
  TraceFormatException malformed(String what, String text) {
    return malformed(name, what, number, text);
  }

  static TraceFormatException malformed(String name, String what, long line, String text) {
    String shown = text.length() <= SHOWN_CHARS ? text : text.substring(0, SHOWN_CHARS) + "...";
    return new TraceFormatException(
        "%s: %s: line=%d text='%s'".formatted(name, what, line, shown.replaceAll("[^ -~]", "?")));
  }

  private String text(int length) {
    return new String(line, 0, length, StandardCharsets.ISO_8859_1).strip();
  }
}
