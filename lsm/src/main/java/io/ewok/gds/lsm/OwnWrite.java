package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One write of a transaction.
 *
 * @param of whose it is
 * @param keyOrNull what it writes; null if it deletes a range
 * @param number how many there were before it
 * @param kind see {@link io.ewok.gds.lsm.record.RecordKind}
 * @param memory what the value lies in, which this keeps alive
 * @param rangeKeyBytes length of the first key, which lies before the value, if it deletes a range
 * @param older the write to the same key before it, or null
 */
record OwnWrite(
    OwnFamily of,
    OwnKey keyOrNull,
    int number,
    int kind,
    MemorySegment memory,
    int rangeKeyBytes,
    long valueAddress,
    int valueBytes,
    OwnWrite older) {
  /** Copies its key, or the first one of the range that it deletes. */
  byte[] key() {
    long address = keyOrNull == null ? valueAddress - rangeKeyBytes : keyOrNull.address();
    int bytes = keyOrNull == null ? rangeKeyBytes : keyOrNull.lengthBytes();
    return Memory.view(address, bytes).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Copies its value, or the key that ends the range. */
  byte[] value() {
    return Memory.view(valueAddress, valueBytes).toArray(ValueLayout.JAVA_BYTE);
  }
}
