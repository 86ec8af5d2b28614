package io.ewok.gds.wal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Receives the records of a log when it is opened, oldest first, on the opening thread. */
@FunctionalInterface
public interface RecordConsumer {
  /**
   * Takes one record.
   *
   * @param lsn the position just after the record, as {@link WriteAheadLog#append(MemorySegment)}
   *     returned it
   * @param record the record, read-only and valid during the call only
   * @throws IOException to give up: the log is not opened and stays as it was
   */
  void accept(long lsn, MemorySegment record) throws IOException;
}
