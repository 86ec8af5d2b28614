package io.ewok.gds.wal.cache;

import java.lang.foreign.MemorySegment;

/**
 * What a reader checks in the records of a log beyond the log's own checksum.
 *
 * <p>Threads: any.
 */
@FunctionalInterface
public interface PayloadCheck {
  /** The log's own checksum is enough. */
  PayloadCheck NONE = record -> true;

  /** Whether a record is what its writer meant. */
  boolean isValid(MemorySegment record);
}
