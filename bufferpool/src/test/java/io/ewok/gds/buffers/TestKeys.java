package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.KeySource;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Keys of any number, of which one is current. */
public final class TestKeys implements KeySource {
  /** The number of the current one, or {@link #NOT_ENCRYPTED}. */
  public volatile int current;

  /** The keys below are forgotten. */
  volatile int oldest = 1;

  /** What is in all keys. */
  volatile int filling;

  volatile boolean readsPlain = true;

  /** Keys of which this one is current. */
  public TestKeys(int current) {
    this.current = current;
  }

  @Override
  public int currentId() {
    return current;
  }

  @Override
  public byte[] key(int id) {
    if (id < oldest) {
      return null;
    }
    byte[] key = new byte[KEY_BYTES];
    Arrays.fill(key, (byte) filling);
    ByteBuffer.wrap(key).putInt(id);
    return key;
  }

  @Override
  public boolean readsPlain() {
    return readsPlain;
  }
}
