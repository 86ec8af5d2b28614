package io.ewok.gds.wal;

import java.lang.foreign.MemorySegment;

/**
 * Is shown what is written to a log, as it lies in the segments, so that those who read behind the
 * writer need no disk. See {@link LogSource#addTap}.
 */
@FunctionalInterface
public interface LogTap {
  /**
   * Takes bytes that were written just now. They are not durable yet, and {@link
   * LogSource#writtenLsn} does not cover them before all taps have seen them.
   *
   * <p>Called by the thread that writes the log, one at a time: whoever waits for the log waits for
   * this, too. It calls nothing of the log. What it throws goes to the thread's uncaught exception
   * handler and changes nothing.
   *
   * @param lsn where the bytes lie: a multiple of 4096, higher from call to call. What is left out
   *     in between is the unused end of a segment, to which no {@link LogWalk} leads
   * @param bytes a multiple of 4096 of them, in one segment, read-only and valid during the call
   *     only
   */
  void written(long lsn, MemorySegment bytes);
}
