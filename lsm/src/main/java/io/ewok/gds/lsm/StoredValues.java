package io.ewok.gds.lsm;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFormat;
import io.ewok.gds.lsm.values.ValueSource;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;

/**
 * Reads values that lie in value files, one at a time, for who writes records again. They go
 * through the pool, and leave it first.
 *
 * <p>Threads: confined to one at a time.
 */
final class StoredValues {
  private final ValueSource files;
  private final Fix fix = new Fix().withPriority(Priority.LOW);
  private long address;
  private int lengthBytes;

  /** Of these files, which stay open for as long as a value of them is read. */
  StoredValues(ValueSource files) {
    this.files = files;
  }

  /**
   * Reads the value of a key. It is there until {@link #letGo}.
   *
   * @param reference its address
   */
  void read(SearchKey key, long reference) throws IOException {
    letGo();
    ValueFile file = files.findOrNull(ValueFormat.file(reference));
    if (file == null) {
      throw new IllegalStateException(
          "a record refers to a value file that is not open: file=" + ValueFormat.file(reference));
    }
    try {
      file.fix(reference, key.address(), key.lengthBytes(), fix);
    } catch (IllegalArgumentException e) {
      throw new StorageException(
          "a value does not fit into the pool, open the store with a larger one: offset=%d bytes=%d"
              .formatted(ValueFormat.offset(reference), ValueFormat.entryBytes(reference)),
          file.path(),
          e);
    }
    address = ValueFile.valueAddress(fix, key.lengthBytes());
    lengthBytes = ValueFormat.valueBytes(reference);
  }

  /** Where the value lies. */
  long address() {
    return address;
  }

  /** Its length in bytes. */
  int lengthBytes() {
    return lengthBytes;
  }

  /** Lets go of the value, if there is one. */
  void letGo() {
    fix.unfix();
  }
}
