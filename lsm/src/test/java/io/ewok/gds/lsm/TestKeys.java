package io.ewok.gds.lsm;

import io.ewok.gds.pagestore.KeySource;
import java.util.Arrays;

/** As many keys as wanted, numbered from 1, of which one is current. */
final class TestKeys implements KeySource {
  private final int count;
  private volatile int current;

  /** The keys below are forgotten. */
  private volatile int oldest = 1;

  private volatile boolean readsPlain = true;

  /** So many keys, the first current. */
  TestKeys(int count) {
    this(count, 1);
  }

  TestKeys(int count, int current) {
    this.count = count;
    this.current = current;
  }

  /** Makes the next key current; behind the last comes a time without encryption. */
  void rotate() {
    current = (current + 1) % (count + 1);
  }

  /** Makes the next key current, and after the last the first. */
  void rotateKeys() {
    current = current % count + 1;
  }

  /** From here on nothing is read that is not encrypted. */
  void readNothingPlain() {
    readsPlain = false;
  }

  void readPlain() {
    readsPlain = true;
  }

  @Override
  public boolean readsPlain() {
    return readsPlain;
  }

  void use(int id) {
    current = id;
  }

  void forgetBefore(int id) {
    oldest = id;
  }

  @Override
  public int currentId() {
    return current;
  }

  @Override
  public byte[] key(int id) {
    if (id < oldest || id > count) {
      return null;
    }
    byte[] key = new byte[KEY_BYTES];
    Arrays.fill(key, (byte) id);
    return key;
  }
}
