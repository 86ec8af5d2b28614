package io.ewok.gds.buffers.eviction;

import java.util.Arrays;

/**
 * Which keys were asked for, in their order. Keys are numbered by first appearance, so that a
 * simulation works on plain arrays. Takes 4 bytes of heap for a reference, and up to 40 for a key
 * while it is built.
 *
 * <p>Threads: immutable; its builder is confined to one.
 *
 * {@snippet :
 * var builder = new ReferenceTrace.Builder();
 * builder.add(4711);
 * ReferenceTrace trace = builder.build();
 * }
 */
public final class ReferenceTrace {
  private final int[] ids;
  private final int length;
  private final int distinct;

  private ReferenceTrace(int[] ids, int length, int distinct) {
    this.ids = ids;
    this.length = length;
    this.distinct = distinct;
  }

  /** How many references there are. */
  public int length() {
    return length;
  }

  /** How many different keys there are. */
  public int distinct() {
    return distinct;
  }

  /**
   * The number of the key that was asked for.
   *
   * @param position from 0 to the length - 1
   * @return from 0 to the number of different keys - 1; the first key has 0
   */
  public int id(int position) {
    return ids[position];
  }

  /** Takes references in their order. */
  public static final class Builder {
    /** What one array can hold. */
    private static final int LENGTH_MAX = Integer.MAX_VALUE - 8;

    private static final int TABLE_MAX = 1 << 30;

    private int[] ids = new int[1024];
    private int length;

    // An open hash table: the number of the key + 1, zero where there is none.
    private long[] keys = new long[1024];
    private int[] numbers = new int[1024];
    private int distinct;

    /** A builder of an empty trace. */
    public Builder() {}

    /** How many references it has. */
    public int length() {
      return length;
    }

    /** How many more references it can take. */
    public int room() {
      return LENGTH_MAX - length;
    }

    /**
     * Adds a reference.
     *
     * @throws IllegalStateException if there is no {@link #room}
     */
    public void add(long key) {
      if (length == ids.length) {
        grow();
      }
      ids[length++] = number(key);
    }

    /** The trace; the builder must not be used after that. */
    public ReferenceTrace build() {
      keys = null;
      numbers = null;
      return new ReferenceTrace(ids, length, distinct);
    }

    private void grow() {
      if (length == LENGTH_MAX) {
        throw new IllegalStateException("a trace has at most 2^31 references: length=" + length);
      }
      ids = Arrays.copyOf(ids, (int) Math.min(LENGTH_MAX, 2L * length));
    }

    private int number(long key) {
      int at = place(key);
      if (numbers[at] == 0) {
        if (distinct > keys.length / 2 && keys.length < TABLE_MAX) {
          rehash();
          at = place(key);
        }
        keys[at] = key;
        numbers[at] = ++distinct;
      }
      return numbers[at] - 1;
    }

    private int place(long key) {
      int mask = keys.length - 1;
      int at = (int) Hashing.mix(key) & mask;
      while (numbers[at] != 0 && keys[at] != key) {
        at = (at + 1) & mask;
      }
      return at;
    }

    private void rehash() {
      long[] oldKeys = keys;
      int[] oldNumbers = numbers;
      keys = new long[2 * oldKeys.length];
      numbers = new int[2 * oldKeys.length];
      for (int i = 0; i < oldKeys.length; i++) {
        if (oldNumbers[i] != 0) {
          int at = place(oldKeys[i]);
          keys[at] = oldKeys[i];
          numbers[at] = oldNumbers[i];
        }
      }
    }
  }
}
