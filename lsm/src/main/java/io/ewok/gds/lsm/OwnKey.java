package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.SearchKey;
import java.lang.foreign.MemorySegment;

/**
 * A key that a transaction has written, between its neighbours in the order of keys, and what was
 * written to it.
 *
 * <p>Threads: confined to one at a time, as all of a transaction.
 */
final class OwnKey implements Comparable<OwnKey> {
  private long head;
  private long address;
  private int lengthBytes;

  /** What the key lies in, which this keeps alive; null in one that only looks for others. */
  private MemorySegment memory;

  OwnKey previous;
  OwnKey next;

  /** The last write to it. */
  OwnWrite newest;

  /** Becomes a key that lies in this memory. */
  OwnKey set(MemorySegment in, long keyAddress, int keyBytes) {
    memory = in;
    address = keyAddress;
    lengthBytes = keyBytes;
    head = SearchKey.head(keyAddress, keyBytes);
    return this;
  }

  long address() {
    return address;
  }

  int lengthBytes() {
    return lengthBytes;
  }

  MemorySegment memory() {
    return memory;
  }

  /** The last write to it before a number, or null. */
  OwnWrite newestBefore(int number) {
    OwnWrite write = newest;
    while (write != null && write.number() >= number) {
      write = write.older();
    }
    return write;
  }

  /** In the order of keys. */
  @Override
  public int compareTo(OwnKey other) {
    return head != other.head
        ? Long.compareUnsigned(head, other.head)
        : Memory.compareUnsigned(address, lengthBytes, other.address, other.lengthBytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OwnKey key && compareTo(key) == 0;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(head);
  }
}
