package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordLocation;
import java.lang.foreign.MemorySegment;

/**
 * The record that a {@link CursorFilter} is asked about, where it lies. The views that this makes
 * leave nothing on the heap where the compiler sees that they are not kept: it sees that in a
 * filter that does not hand them on, however many filters there are.
 *
 * <p>Ownership: the cursor's, which has one of them for all its records. Afterwards it throws
 * {@link IllegalStateException} or shows another record, and so may segments that were kept; none
 * reads memory that was given back. Threads: that of the filter.
 */
public final class RecordView {
  /*
   * Only numbers and the segments that they lie in: whoever keeps a view looks at no memory without a check.
   */
  private RecordLocation source;
  private long keyAddress;
  private int keyBytes;
  private long valueAddress;
  private int valueBytes;

  RecordView() {}

  /** Shows the record that lies there. */
  void show(RecordLocation of, long keyAddress, int keyBytes, long valueAddress, int valueBytes) {
    if (source != of) { // collectors make a reference that is stored costly
      source = of;
    }
    this.keyAddress = keyAddress;
    this.keyBytes = keyBytes;
    this.valueAddress = valueAddress;
    this.valueBytes = valueBytes;
  }

  /** Shows nothing until the next record. */
  void end() {
    source = null;
  }

  /** Returns the key, read-only. */
  public MemorySegment key() {
    return slice(MergedRecord.keyMemory(shown()), keyAddress, keyBytes);
  }

  /** Returns the value, read-only. */
  public MemorySegment value() {
    return slice(MergedRecord.valueMemory(shown()), valueAddress, valueBytes);
  }

  /** Returns the length of the key in bytes. */
  public int keyBytes() {
    return keyBytes;
  }

  /** Returns the length of the value in bytes. */
  public int valueBytes() {
    return valueBytes;
  }

  private RecordLocation shown() {
    RecordLocation shown = source;
    if (shown == null) {
      throw new IllegalStateException("the record is gone: a filter has it while it is asked");
    }
    return shown;
  }

  private static MemorySegment slice(MemorySegment memory, long address, int lengthBytes) {
    long offset = address - memory.address();
    if (offset < 0 || lengthBytes < 0 || lengthBytes > memory.byteSize() - offset) {
      throw new IllegalStateException("the record is gone: it is another thread's by now");
    }
    return memory.asSlice(offset, lengthBytes);
  }
}
