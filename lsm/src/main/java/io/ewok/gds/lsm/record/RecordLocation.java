package io.ewok.gds.lsm.record;

import java.lang.foreign.MemorySegment;

/** Where a record lies. Addresses are right until whatever is on the record moves. */
public interface RecordLocation {
  long stamp();

  long keyAddress();

  int keyBytes();

  long valueAddress();

  int valueBytes();

  /** The memory that the key lies in, for the user: read-only, and unusable once it is freed. */
  MemorySegment keyMemory();

  /** The same of the value. */
  MemorySegment valueMemory();
}
