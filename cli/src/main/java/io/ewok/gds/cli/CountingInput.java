package io.ewok.gds.cli;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Counts the bytes that were taken from a stream; confined to one thread. */
final class CountingInput extends FilterInputStream {
  private long count;

  CountingInput(InputStream in) {
    super(in);
  }

  long count() {
    return count;
  }

  @Override
  public int read() throws IOException {
    int oneByte = in.read();
    if (oneByte >= 0) {
      count++;
    }
    return oneByte;
  }

  @Override
  public int read(byte[] bytes, int offset, int lengthBytes) throws IOException {
    int read = in.read(bytes, offset, lengthBytes);
    count += Math.max(0, read);
    return read;
  }
}
