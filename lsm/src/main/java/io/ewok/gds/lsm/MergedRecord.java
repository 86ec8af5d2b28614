package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordLocation;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/**
 * A record that a cursor made of operands: copies of its own of key and value, so that it stays
 * when the sources of the cursor go.
 *
 * <p>Threads: confined to one at a time, but for views of its memory.
 */
final class MergedRecord implements RecordLocation {
  private final SearchKey key = new SearchKey();
  private final OperandMerger merger;
  private long stamp;

  /*
   * The two questions below are asked so that the compiler has two kinds of sources to tell apart at the other call:
   * with three kinds of records at one it would not see what the views of a user are made of, and leave them on the heap.
   */

  /** Where the key of a record lies, whether it was made or is in a source. */
  static MemorySegment keyMemory(RecordLocation record) {
    return record instanceof MergedRecord merged
        ? merged.keyMemory()
        : ((RecordSource) record).keyMemory();
  }

  /** The same of the value. */
  static MemorySegment valueMemory(RecordLocation record) {
    return record instanceof MergedRecord merged
        ? merged.valueMemory()
        : ((RecordSource) record).valueMemory();
  }

  MergedRecord(Merging merging) {
    merger = new OperandMerger(merging);
  }

  /** Begins to collect the versions of a key. */
  OperandMerger begin(long newestStamp, long floor, long keyAddress, int keyBytes) {
    stamp = RecordKind.stamp(RecordKind.sequence(newestStamp), RecordKind.PUT);
    key.set(keyAddress, keyBytes);
    merger.begin(floor);
    return merger;
  }

  SearchKey key() {
    return key;
  }

  /** Makes the value of what was collected. */
  void end() throws MergeFailedException {
    merger.merge(key);
  }

  @Override
  public long stamp() {
    return stamp;
  }

  @Override
  public long keyAddress() {
    return key.address();
  }

  @Override
  public int keyBytes() {
    return key.lengthBytes();
  }

  @Override
  public long valueAddress() {
    return merger.result().address();
  }

  @Override
  public int valueBytes() {
    return merger.result().lengthBytes();
  }

  @Override
  public MemorySegment keyMemory() {
    return key.segment().asReadOnly();
  }

  @Override
  public MemorySegment valueMemory() {
    return merger.result().memory();
  }
}
