package io.ewok.gds.lsm.shard;

import io.ewok.gds.lsm.record.Keys;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which shard a key is of. It is chosen when a store is created and stays.
 *
 * <table>
 * <caption>The choice</caption>
 * <tr><th></th><th>{@link #hash}</th><th>{@link #ranges}</th></tr>
 * <tr><td>load</td><td>even, whatever the keys are</td><td>as even as the split keys are well
 * chosen</td></tr>
 * <tr><td>keys near each other</td><td>on all shards</td><td>mostly on the same one: batches of them
 * are cheap</td></tr>
 * <tr><td>scan</td><td>asks all shards, and merges</td><td>asks one after the other</td></tr>
 * </table>
 *
 * <p>Immutable; equal if it partitions alike.
 */
public final class Partitioning {
  private static final Partitioning HASH = new Partitioning(null);

  /** The first keys of the shards but the first; null by hash. Never changed. */
  private final byte[][] splitsOrNull;

  private Partitioning(byte[][] splitsOrNull) {
    this.splitsOrNull = splitsOrNull;
  }

  /**
   * By the hash of the key: with {@code h} what {@code io.ewok.gds.lsm.record.KeyHash} makes of it,
   * the shard of n is the upper half of the 128-bit product of n and {@code h * 0xD6E8FEB86659FD93}
   * (mod 2^64), both unsigned. The factor makes the shard independent of the bits that filters and
   * tables in memory take from {@code h}.
   */
  public static Partitioning hash() {
    return HASH;
  }

  /**
   * By ranges of keys: the first shard has what is before the first split key, each other one what
   * begins with its split key.
   *
   * @param splits in ascending order, one less than there are shards; copied. They are on the
   *     device as they are, also where the store is encrypted
   * @throws IllegalArgumentException if they do not ascend, or one is empty or too long
   */
  public static Partitioning ranges(List<byte[]> splits) {
    byte[][] copies = splits.stream().map(byte[]::clone).toArray(byte[][]::new);
    for (int i = 0; i < copies.length; i++) {
      Keys.requireLength(copies[i].length);
      byte[] before = i == 0 ? new byte[0] : copies[i - 1];
      if (Arrays.compareUnsigned(before, copies[i]) >= 0) {
        throw new IllegalArgumentException(
            "split keys are not empty and ascend: splits[" + i + "]=" + Arrays.toString(copies[i]));
      }
    }
    return new Partitioning(copies);
  }

  /** Returns whether it is by hash. */
  public boolean isHash() {
    return splitsOrNull == null;
  }

  /** Returns copies of the split keys; none by hash. */
  public List<byte[]> splits() {
    return isHash() ? List.of() : Stream.of(splitsOrNull).map(byte[]::clone).toList();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Partitioning that && Arrays.deepEquals(splitsOrNull, that.splitsOrNull);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(splitsOrNull);
  }

  @Override
  public String toString() {
    return isHash() ? "hash" : "ranges" + Arrays.deepToString(splitsOrNull);
  }
}
