package io.ewok.gds.cli.trace;

import java.io.IOException;
import java.util.StringTokenizer;

/** {@link TraceFormat#ARC}. Empty lines are skipped. */
final class BlockLines {
  private BlockLines() {}

  static void read(TextLines lines, RequestConsumer consumer) throws IOException {
    for (String line = lines.next(); line != null; line = lines.next()) {
      if (line.isEmpty()) {
        continue;
      }
      StringTokenizer words = new StringTokenizer(line);
      long first = word(lines, line, words);
      long count = word(lines, line, words);
      if (first + count < 0) {
        throw lines.malformed("the request ends beyond the last block there can be", line);
      }
      consumer.request(first, count);
    }
  }

  private static long word(TextLines lines, String line, StringTokenizer words)
      throws TraceFormatException {
    long number = words.hasMoreTokens() ? Numbers.parseOrMinusOne(words.nextToken()) : -1;
    if (number < 0) {
      throw lines.malformed("not 'first block, number of blocks, ...' separated by blanks", line);
    }
    return number;
  }
}
