package io.ewok.gds.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** Records as {@link RecordFormat#TSV} says, byte by byte. */
final class TsvReader implements EntryReader {
  private final String inputName;
  private final InputStream in;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private long lineNumber;
  private long consumed;

  TsvReader(String inputName, InputStream in) {
    this.inputName = inputName;
    this.in = in;
  }

  @Override
  public Entry next() throws IOException {
    line.reset();
    int one = in.read();
    if (one < 0) {
      return null;
    }
    lineNumber++;
    int tab = -1;
    for (; one >= 0 && one != '\n'; one = in.read()) {
      if (one == '\t') {
        if (tab >= 0) {
          throw failure("more than one tab");
        }
        tab = line.size();
      }
      line.write(one);
    }
    byte[] text = line.toByteArray();
    consumed += text.length + 1L;
    if (tab < 0) {
      throw failure("no tab between key and value");
    }
    byte[] key = TsvText.unescapeOrNull(text, 0, tab);
    byte[] value = TsvText.unescapeOrNull(text, tab + 1, text.length);
    if (key == null || value == null) {
      throw failure("a backslash before something else than t, n, r or a backslash");
    }
    return new Entry(key, value);
  }

  private CommandFailure failure(String what) {
    return CommandFailure.failed(
        "%s: not a record, there is %s: line=%d".formatted(inputName, what, lineNumber));
  }

  @Override
  public long consumedBytes() {
    return consumed;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
