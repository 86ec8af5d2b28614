package io.ewok.gds.lsm.values;

import java.util.Arrays;
import java.util.function.LongPredicate;

/**
 * How much of which value files the records of one table refer to. What tables refer to of a file
 * is alive, the rest of it is garbage: so nobody has to keep account of that.
 *
 * <p>Immutable. Threads: any.
 */
public final class ValueReferences {
  /** Those of a table that has all its values itself. */
  public static final ValueReferences NONE = new ValueReferences(new long[0], new long[0]);

  /** Ascending. */
  private final long[] files;

  private final long[] bytes;

  private ValueReferences(long[] files, long[] bytes) {
    this.files = files;
    this.bytes = bytes;
  }

  public boolean isEmpty() {
    return files.length == 0;
  }

  /** How many files there are. */
  public int count() {
    return files.length;
  }

  /** The number of one of them; they ascend. */
  public long file(int at) {
    return files[at];
  }

  /** What is referred to of one of them: entries, in bytes. */
  public long bytes(int at) {
    return bytes[at];
  }

  /** What is referred to of all of them, in bytes. */
  public long allBytes() {
    return Arrays.stream(bytes).sum();
  }

  /** What is referred to of some of them, in bytes. */
  public long bytesOf(LongPredicate some) {
    long sum = 0;
    for (int i = 0; i < files.length; i++) {
      if (some.test(files[i])) {
        sum += bytes[i];
      }
    }
    return sum;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ValueReferences that
        && Arrays.equals(files, that.files)
        && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(files) + Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "files=" + Arrays.toString(files) + " bytes=" + Arrays.toString(bytes);
  }

  /** Counts the references of a table while it is written. Threads: confined to one. */
  public static final class Counter {
    private static final int COUNT_MIN = 8;

    private long[] files = new long[COUNT_MIN];
    private long[] bytes = new long[COUNT_MIN];
    private int count;

    /** Where the last one was: the next is often there too. */
    private int last;

    /** Forgets what was counted. */
    public void clear() {
      count = 0;
    }

    public boolean isEmpty() {
      return count == 0;
    }

    /** Counts bytes of a file. */
    public void add(long file, long entryBytes) {
      if (last >= count || files[last] != file) {
        last = Arrays.binarySearch(files, 0, count, file);
        if (last < 0) {
          last = -last - 1;
          insert(last, file);
        }
      }
      bytes[last] += entryBytes;
    }

    private void insert(int at, long file) {
      if (count == files.length) {
        files = Arrays.copyOf(files, 2 * count);
        bytes = Arrays.copyOf(bytes, 2 * count);
      }
      System.arraycopy(files, at, files, at + 1, count - at);
      System.arraycopy(bytes, at, bytes, at + 1, count - at);
      files[at] = file;
      bytes[at] = 0;
      count++;
    }

    /** What was counted. */
    public ValueReferences references() {
      return count == 0
          ? NONE
          : new ValueReferences(Arrays.copyOf(files, count), Arrays.copyOf(bytes, count));
    }
  }
}
