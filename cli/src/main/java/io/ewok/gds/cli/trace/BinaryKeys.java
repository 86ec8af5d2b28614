package io.ewok.gds.cli.trace;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@link TraceFormat#U32LE} and its like. */
final class BinaryKeys {
  private static final int BUFFER_BYTES = 1 << 16;

  private BinaryKeys() {}

  static void read(
      InputStream in, String name, int keyBytes, ByteOrder order, RequestConsumer consumer)
      throws IOException {
    byte[] bytes = new byte[BUFFER_BYTES];
    ByteBuffer keys = ByteBuffer.wrap(bytes).order(order);
    long total = 0;
    int length;
    do {
      length = in.readNBytes(bytes, 0, bytes.length);
      for (int at = 0; at + keyBytes <= length; at += keyBytes) {
        long key = keyBytes == Integer.BYTES ? keys.getInt(at) & 0xFFFF_FFFFL : keys.getLong(at);
        consumer.request(key, 1);
      }
      total += length;
    } while (length == bytes.length);
    if (total % keyBytes != 0) {
      throw new TraceFormatException(
          "%s: the last key is cut off: bytes=%d keyBytes=%d".formatted(name, total, keyBytes));
    }
  }
}
