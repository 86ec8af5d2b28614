package io.ewok.gds.lsm.values;

import java.util.Arrays;
import java.util.List;

/** Value files that are open, and stay so until they are released. */
public final class OpenValueFiles implements ValueSource {
  /** Ascending. */
  private final long[] numbers;

  private final ValueFile[] files;

  /**
   * Takes files over.
   *
   * @param retained by the caller, for this; ordered by number
   */
  public OpenValueFiles(List<ValueFile> retained) {
    numbers = retained.stream().mapToLong(file -> file.meta().number()).toArray();
    files = retained.toArray(ValueFile[]::new);
  }

  @Override
  public ValueFile findOrNull(long number) {
    int at = Arrays.binarySearch(numbers, number);
    return at < 0 ? null : files[at];
  }

  @Override
  public void release() {
    for (ValueFile file : files) {
      file.release();
    }
  }
}
