package io.ewok.gds.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A whole input in the heap, sorted by key as a store sorts (bytes, unsigned), to check a store
 * against. Of a key that occurs several times the last value holds.
 *
 * <p>Immutable, so any thread; the arrays it hands out are its own and must not be changed.
 */
final class DataSet {
  private final byte[][] keys;
  private final byte[][] values;
  private final long dataBytes;

  private DataSet(byte[][] keys, byte[][] values) {
    this.keys = keys;
    this.values = values;
    long bytes = 0;
    for (int index = 0; index < keys.length; index++) {
      bytes += keys[index].length + values[index].length;
    }
    this.dataBytes = bytes;
  }

  /** Reads the input to its end; the caller closes it. */
  static DataSet read(EntryReader reader) throws IOException {
    TreeMap<byte[], byte[]> sorted = new TreeMap<>(Arrays::compareUnsigned);
    for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
      sorted.put(entry.key(), entry.value());
    }
    return of(sorted);
  }

  /**
   * This data set, followed by as many copies of it as are asked for, each with its number and a
   * colon before its keys.
   */
  DataSet withCopies(int copies) {
    TreeMap<byte[], byte[]> sorted = new TreeMap<>(Arrays::compareUnsigned);
    for (int index = 0; index < keys.length; index++) {
      sorted.put(keys[index], values[index]);
    }
    for (int copy = 1; copy <= copies; copy++) {
      byte[] prefix = (copy + ":").getBytes(StandardCharsets.US_ASCII);
      for (int index = 0; index < keys.length; index++) {
        byte[] key = Arrays.copyOf(prefix, prefix.length + keys[index].length);
        System.arraycopy(keys[index], 0, key, prefix.length, keys[index].length);
        sorted.put(key, values[index]);
      }
    }
    return of(sorted);
  }

  private static DataSet of(SortedMap<byte[], byte[]> sorted) {
    byte[][] keys = new byte[sorted.size()][];
    byte[][] values = new byte[sorted.size()][];
    int index = 0;
    for (Map.Entry<byte[], byte[]> entry : sorted.entrySet()) {
      keys[index] = entry.getKey();
      values[index++] = entry.getValue();
    }
    return new DataSet(keys, values);
  }

  int count() {
    return keys.length;
  }

  /** Bytes of all keys and values. */
  long dataBytes() {
    return dataBytes;
  }

  /** The key at a position in key order. */
  byte[] key(int index) {
    return keys[index];
  }

  byte[] value(int index) {
    return values[index];
  }

  /** The position of a key, negative when it is not one of the data set. */
  int find(byte[] key) {
    return Arrays.binarySearch(keys, key, Arrays::compareUnsigned);
  }

  /** All positions in an order that depends on the seed alone. */
  int[] shuffled(long seed) {
    int[] order = new int[keys.length];
    Arrays.setAll(order, index -> index);
    SplittableRandom random = new SplittableRandom(seed);
    for (int last = order.length - 1; last > 0; last--) {
      int other = random.nextInt(last + 1);
      int moved = order[last];
      order[last] = order[other];
      order[other] = moved;
    }
    return order;
  }
}
