package io.ewok.gds.cli;

import java.io.ByteArrayOutputStream;

/** Bytes between tabs and newlines, see {@link RecordFormat#TSV}. */
final class TsvText {
  private static final byte[] RAW = {'\t', '\n', '\r', '\\'};
  private static final byte[] ESCAPED = {'t', 'n', 'r', '\\'};

  private TsvText() {}

  /** Appends bytes so that neither a tab nor a newline is among them. */
  static void escape(byte[] bytes, ByteArrayOutputStream to) {
    for (byte one : bytes) {
      int at = indexOf(RAW, one);
      if (at >= 0) {
        to.write('\\');
        to.write(ESCAPED[at]);
      } else {
        to.write(one);
      }
    }
  }

  /** Returns what was escaped, or null if a backslash stands before anything else. */
  static byte[] unescapeOrNull(byte[] text, int from, int to) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(to - from);
    int next = from;
    while (next < to) {
      byte one = text[next++];
      if (one == '\\') {
        int at = next < to ? indexOf(ESCAPED, text[next++]) : -1;
        if (at < 0) {
          return null;
        }
        one = RAW[at];
      }
      bytes.write(one);
    }
    return bytes.toByteArray();
  }

  private static int indexOf(byte[] bytes, byte wanted) {
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == wanted) {
        return i;
      }
    }
    return -1;
  }
}
