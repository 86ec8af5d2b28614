package io.ewok.gds.lsm.sst;

import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.util.Arrays;

/**
 * Goes through the entries of a block, forward; see {@link SstFormat} for their form.
 *
 * <p>Confined to one thread; the block's bytes are only read.
 */
final class BlockCursor {
  private static final int FORM_BITS =
      SstFormat.HASH_INDEX_BIT | SstFormat.UNIFORM_KEYS_BIT | SstFormat.SEPARATE_VALUES_BIT;

  /** The entries alone, from position 0 of the block on. */
  private final ByteReader entries;

  private final boolean lengthless;
  private final boolean separate;

  /** Where values end that are apart from keys, and the restarts start. */
  private final int restartsStart;

  private final int restartsEnd;
  private int nextRestart;
  private int nextValue;

  private byte[] key = new byte[64];
  private int keyBytes;
  private boolean shared;
  private int valueStart;
  private int valueBytes;

  /**
   * Stands before the first entry.
   *
   * @param block its whole content, from position 0 on
   * @param lengthless whether values have no length, as in an index: the caller then reads each
   *     from {@link #value} before it goes on
   */
  BlockCursor(ByteReader block, boolean lengthless) throws IOException {
    byte[] bytes = block.bytes();
    int end = before(block, block.limit(), Integer.BYTES);
    int packed = (int) SstFormat.U32.get(bytes, end);
    this.lengthless = lengthless;
    separate = (packed & SstFormat.SEPARATE_VALUES_BIT) != 0;
    if ((packed & ~(FORM_BITS | SstFormat.RESTART_COUNT_MASK)) != 0 || (separate && lengthless)) {
      throw block.unsupported(
          "a block has a form that is not read here: form=%#x".formatted(packed));
    }
    int values = -1;
    if (separate) {
      end = before(block, end, Integer.BYTES);
      values = (int) SstFormat.U32.get(bytes, end);
    }
    if ((packed & SstFormat.HASH_INDEX_BIT) != 0) {
      end = before(block, end, Short.BYTES);
      end = before(block, end, (short) SstFormat.U16.get(bytes, end) & 0xFFFF);
    }
    restartsEnd = end;
    restartsStart =
        before(block, end, (long) (packed & SstFormat.RESTART_COUNT_MASK) * Integer.BYTES);
    if (separate && (values < 0 || values > restartsStart)) {
      throw block.corrupt("values within the block", values);
    }
    nextRestart = restartsStart;
    nextValue = separate ? values : restartsStart;
    entries = block.to(nextValue);
  }

  private static int before(ByteReader block, int end, long bytes) throws CorruptFileException {
    if (bytes > end) {
      throw block.corrupt(bytes + " bytes before the end of a block", end);
    }
    return (int) (end - bytes);
  }

  /** Moves to the next entry; false at the end. */
  boolean next() throws IOException {
    if (entries.remaining() == 0) {
      return false;
    }
    int start = entries.position();
    int sharedBytes = entries.length();
    int otherBytes = entries.length();
    valueBytes = lengthless ? 0 : entries.length();
    if (separate && isRestart(start)) {
      entries.length(); // The place of the value: behind its predecessor, as those of all others.
    }
    readKey(sharedBytes, otherBytes);
    if (!separate) {
      valueStart = entries.take(valueBytes);
    } else {
      valueStart = nextValue;
      if (valueBytes > restartsStart - nextValue) {
        throw entries.corrupt("a value within the block", valueBytes);
      }
      nextValue += valueBytes;
    }
    return true;
  }

  private void readKey(int sharedBytes, int otherBytes) throws IOException {
    if (sharedBytes > keyBytes) {
      throw entries.corrupt("a key that shares at most " + keyBytes + " bytes", sharedBytes);
    }
    int from = entries.take(otherBytes);
    long length = (long) sharedBytes + otherBytes;
    if (length > SstFormat.INTERNAL_KEY_BYTES_MAX) {
      throw entries.unsupported("a key is longer than a store takes: bytes=" + length);
    }
    keyBytes = (int) length;
    if (keyBytes > key.length) {
      key = Arrays.copyOf(key, Math.max(keyBytes, 2 * key.length));
    }
    System.arraycopy(entries.bytes(), from, key, sharedBytes, otherBytes);
    shared = sharedBytes > 0;
  }

  private boolean isRestart(int position) {
    if (nextRestart == restartsEnd
        || (int) SstFormat.U32.get(entries.bytes(), nextRestart) != position) {
      return false;
    }
    nextRestart += Integer.BYTES;
    return true;
  }

  /** Whether the key has a part of its predecessor. */
  boolean isShared() {
    return shared;
  }

  /** The key, in an array that is longer, and changes with the next move. */
  byte[] key() {
    return key;
  }

  int keyBytes() {
    return keyBytes;
  }

  byte[] copyKey() {
    return Arrays.copyOf(key, keyBytes);
  }

  byte[] copyValue() {
    return Arrays.copyOfRange(entries.bytes(), valueStart, valueStart + valueBytes);
  }

  /** What reads the value; where values have no length, it has to be read to its end. */
  ByteReader value() {
    return lengthless ? entries : entries.range(valueStart, valueStart + valueBytes);
  }

  int valueOffset() {
    return valueStart;
  }

  /** What does not fit in the entry, besides its form. */
  CorruptFileException corrupt(Object expected, Object actual) {
    return entries.corrupt(expected, actual);
  }
}
