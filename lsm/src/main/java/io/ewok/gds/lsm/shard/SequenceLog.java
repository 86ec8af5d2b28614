package io.ewok.gds.lsm.shard;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.wal.LogFullException;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * What epochs write that write to several shards, in the order of their numbers, until all shards
 * have it durably.
 *
 * <p>Threads: confined to one at a time.
 */
final class SequenceLog implements AutoCloseable {
  private static final int BUFFER_BYTES_MAX = 1 << 20;

  /** What opening does with an epoch. */
  @FunctionalInterface
  interface Replay {
    void accept(SequenceFormat.Content epoch) throws IOException;
  }

  private final WriteAheadLog log;

  private SequenceLog(WriteAheadLog log) {
    this.log = log;
  }

  /**
   * Opens the log, or creates it.
   *
   * @param shards how many there are
   * @param replay gets the epochs that may be missing in shards, in order
   */
  static SequenceLog open(
      IoEngine engine,
      Path directory,
      StoreOptions options,
      int shards,
      MemoryBudget budget,
      Replay replay)
      throws IOException {
    return new SequenceLog(
        WriteAheadLog.open(
            engine,
            directory,
            sizes(options),
            budget,
            (lsn, record) ->
                replay.accept(
                    SequenceFormat.decode(directory, lsn, record.asByteBuffer(), shards))));
  }

  private static LogOptions sizes(StoreOptions options) {
    int bufferBytes = (int) Math.min(options.logSegmentBytes(), BUFFER_BYTES_MAX);
    return new LogOptions(options.logSegmentBytes(), options.logSegmentCount(), bufferBytes)
        .withRecovery(options.recovery())
        .withHugePages(options.memory().hugePages())
        .withPlacement(options.memory().buffers());
  }

  /** The memory of the log, and of the largest record while it is replayed. */
  static long memoryBytes(StoreOptions options) {
    return sizes(options).memoryBytes() + options.logSegmentBytes();
  }

  /** The most bytes that a record may have. */
  long recordBytesMax() {
    return log.recordBytesMax();
  }

  /**
   * Appends an epoch; it is durable on return.
   *
   * @return false if the log is full: nothing was appended
   */
  boolean append(SequenceFormat.Content epoch) throws IOException {
    long end;
    try {
      end = log.append(MemorySegment.ofArray(SequenceFormat.encode(epoch)));
    } catch (LogFullException e) {
      return false;
    }
    log.sync(end);
    return true;
  }

  /** Forgets all epochs: all shards have them durably. */
  void clear() throws IOException {
    log.sync(log.endLsn());
    log.truncate(log.endLsn());
  }

  @Override
  public void close() throws IOException {
    log.close();
  }
}
