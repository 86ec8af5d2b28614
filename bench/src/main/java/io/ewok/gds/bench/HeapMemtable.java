package io.ewok.gds.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.ConcurrentSkipListMap;

/** The JDK's concurrent map in order, on the heap. */
final class HeapMemtable implements MemtableCandidate {
  private final MemtableRecords records;
  private final ConcurrentSkipListMap<byte[], byte[]> map =
      new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
  private final byte[][] keys;

  HeapMemtable(MemtableRecords records) {
    this.records = records;
    keys = new byte[records.count][];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = array(records.key(i));
    }
  }

  private static byte[] array(MemorySegment segment) {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  @Override
  public void insert(int record) {
    map.put(array(records.key(record)), array(records.value(record)));
  }

  @Override
  public int get(int record) {
    return map.get(keys[record])[0];
  }

  @Override
  public int seek(int record) {
    return map.ceilingEntry(keys[record]).getValue()[0];
  }

  @Override
  public int scan() {
    int count = 0;
    for (byte[] value : map.values()) {
      count += value.length > 0 ? 1 : 0;
    }
    return count;
  }

  @Override
  public void close() {
    map.clear();
  }
}
