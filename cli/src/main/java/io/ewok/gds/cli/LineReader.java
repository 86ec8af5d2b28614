package io.ewok.gds.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * Plain lines: the whole line is the key, its number (from 1) the value. A line ends with a
 * newline, with or without a carriage return before it; empty lines are counted and skipped.
 *
 * <p>Lines are decoded as ISO 8859-1, where each byte is one character, and encoded again the same
 * way: the key is what stands in the file, byte by byte, in whatever encoding it is.
 */
final class LineReader implements EntryReader {
  private final CountingInput counter;
  private final BufferedReader lines;
  private long lineNumber;

  LineReader(InputStream in) {
    this.counter = new CountingInput(in);
    this.lines = new BufferedReader(new InputStreamReader(counter, StandardCharsets.ISO_8859_1));
  }

  @Override
  public Entry next() throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      lineNumber++;
      if (!line.isEmpty()) {
        return new Entry(
            line.getBytes(StandardCharsets.ISO_8859_1),
            Long.toString(lineNumber).getBytes(StandardCharsets.ISO_8859_1));
      }
    }
    return null;
  }

  @Override
  public long consumedBytes() {
    return counter.count();
  }

  @Override
  public void close() throws IOException {
    lines.close();
  }
}
