package io.ewok.gds.wal;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Keeps copies of a log's segments. It gets each segment when it is full and durable, oldest first,
 * before the segment may be written anew.
 *
 * <p>Called by {@link WriteAheadLog#archive} and {@link WriteAheadLog#truncate}, on their threads,
 * one at a time. It must not call the log.
 */
@FunctionalInterface
public interface SegmentArchive {
  /**
   * Makes a copy that is durable when this returns. A segment comes again after a crash, or when
   * the log was closed in between, until the log was truncated behind it: a copy is named by its
   * position, and may be there already.
   *
   * @param lsn where the segment starts in the stream
   * @param segment its file, in the log's engine; nobody changes it before this returns
   * @throws IOException to give up for now: nothing was truncated, and the segment comes again
   */
  void archive(long lsn, Path segment) throws IOException;
}
