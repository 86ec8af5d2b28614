package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.PoisonedFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;

/**
 * An append-only log of records that survives crashes, in a directory of its own.
 *
 * <p>Ownership: whoever opens the log closes it, before the engine and the budget's owner go. The
 * log owns its files and two buffers, which are charged to the budget. That no second process opens
 * the directory is the owner's duty ({@link IoEngine#lock}).
 *
 * <p>Threads: any, platform or virtual, for all methods. Memory that is given to append stays as it
 * is until that returns; if it is closed before, the log is poisoned.
 *
 * {@snippet :
 * long lsn = log.append(record); // NONE: survives nothing yet
 * log.commit(lsn, LogDurability.BUFFERED); // survives the process
 * log.sync(lsn); // SYNCED: survives a power cut
 * }
 *
 * <p>If its engine has keys ({@link IoEngine#keys}), all records that are appended from its opening
 * on are encrypted, each by itself; a tap gets them so. What was written before stays as it is.
 *
 * <p>Errors: {@link LogFullException} when the owner has to truncate first. After a failed write or
 * sync the log is poisoned, everything throws {@link PoisonedFileException}, and what was not
 * synced is in doubt: close it, open it again and see. {@link IllegalStateException} after close.
 */
public final class WriteAheadLog implements AutoCloseable {
  private final IoEngine engine;
  private final LogOptions options;
  private final Region region;
  private final SegmentRing ring;
  private final RecoveryReport recovery;
  private final LogHorizon horizon;
  private final LogWriter writer;
  private final LogAppender appender;

  private WriteAheadLog(
      IoEngine engine,
      Path directory,
      LogOptions options,
      LogHeader header,
      Region region,
      SegmentRing ring,
      LogKey keyOrNull,
      RecoveryReport recovery) {
    this.engine = engine;
    this.options = options;
    this.region = region;
    this.ring = ring;
    this.recovery = recovery;
    this.horizon = new LogHorizon(engine, directory, header);
    LogBuffers buffers = new LogBuffers(region, options.bufferBytes(), header, keyOrNull);
    this.writer = new LogWriter(directory, ring, header, horizon, buffers);
    this.appender = new LogAppender(directory, ring, buffers, writer);
  }

  /**
   * Opens the log in a directory, or creates it where there is none, and replays what it holds
   * after its horizon.
   *
   * @param options sizes; an existing log keeps its segments as they are
   * @param budget is charged {@link LogOptions#memoryBytes()}, and during recovery the size of a
   *     record that is larger
   * @param replay receives every record from the horizon on, in order, before this method returns
   * @throws io.ewok.gds.pagestore.CorruptFileException if something that was durable cannot be read
   *     and {@link LogOptions#recovery} does not say to go on, or the files do not belong together;
   *     nothing is changed
   * @throws io.ewok.gds.pagestore.UnsupportedFormatException if a newer version wrote it; nothing
   *     is changed
   * @throws io.ewok.gds.pagestore.UnknownKeyException if it is encrypted and the engine does not
   *     have the key; nothing is changed
   * @throws io.ewok.gds.pagestore.WrongKeyException if it has another key, or somebody has changed
   *     a record; nothing is changed
   * @throws io.ewok.gds.pagestore.OutOfSpaceException if a new log does not fit; nothing is left
   *     behind
   */
  public static WriteAheadLog open(
      IoEngine engine,
      Path directory,
      LogOptions options,
      MemoryBudget budget,
      RecordConsumer replay)
      throws IOException {
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(replay, "replay");
    engine.createDirectories(directory);
    Region region = Region.map(budget, options.region());
    try {
      if (!engine.exists(LogHeader.file(directory))) {
        LogCreation.create(engine, directory, options, 0, region);
      }
      LogHeader header = LogHeader.read(engine, directory);
      SegmentRing ring = SegmentRing.open(engine, directory, header);
      try {
        LogHeader recovered;
        RecoveryReport report;
        try (LogWindow window = new LogWindow(ring, region, budget)) {
          LogRecovery recovery = new LogRecovery(ring, header, window, options.recovery(), replay);
          recovered = recovery.run();
          report = recovery.report(recovered);
        }
        LogKey key = LogKey.createOrNull(engine, directory, recovered.incarnation());
        recovered.write(engine, directory);
        LogOptions actual =
            options
                .withBufferBytes((int) Math.min(options.bufferBytes(), header.segmentBytes()))
                .withSegmentBytes(header.segmentBytes())
                .withSegmentCount(header.segmentCount());
        engine.register(region);
        return new WriteAheadLog(engine, directory, actual, recovered, region, ring, key, report);
      } catch (Throwable e) {
        SegmentRing.closeAfter(ring, e);
        throw e;
      }
    } catch (Throwable e) {
      SegmentRing.closeAfter(region, e);
      throw e;
    }
  }

  /**
   * Creates a log without records in a directory that has none, to be opened later: for a copy of
   * what an owner has of the records of another log up to a position. Durable on return.
   *
   * @param options sizes
   * @param lsn the records of the new log come behind this position
   * @param budget is charged {@link LogOptions#bufferBytes} meanwhile
   * @return where the log begins and has its horizon: at the first segment from the position on,
   *     since a segment is read from its start
   * @throws IllegalArgumentException if the position is negative
   * @throws CorruptFileException if there is a log, or part of one
   * @throws io.ewok.gds.pagestore.OutOfSpaceException if it does not fit; nothing is left behind
   */
  public static long create(
      IoEngine engine, Path directory, LogOptions options, long lsn, MemoryBudget budget)
      throws IOException {
    Objects.requireNonNull(options, "options");
    if (lsn < 0) {
      throw new IllegalArgumentException("a log begins at a position: lsn=" + lsn);
    }
    engine.createDirectories(directory);
    if (engine.exists(LogHeader.file(directory))) {
      throw new CorruptFileException(LogHeader.file(directory), 0, "no log here", "a log");
    }
    long segments = lsn / options.segmentBytes() + (lsn % options.segmentBytes() == 0 ? 0 : 1);
    long begin = segments * options.segmentBytes();
    try (Region region = Region.map(budget, RegionOptions.ofSize(options.bufferBytes()))) {
      LogCreation.create(engine, directory, options, begin, region);
    }
    return begin;
  }

  /**
   * Appends a record. It becomes durable with the next {@link #sync} of this position or a later
   * one, or with {@link #close}; a crash before that may lose it and those after it.
   *
   * @param record 1 to {@link #recordBytesMax} bytes, copied before this method returns
   * @return the position just after the record
   * @throws LogFullException if the log has to be truncated first; nothing was appended
   * @throws IllegalArgumentException if the record is empty or too large; nothing was appended
   * @throws PoisonedFileException if a write or sync failed, now or earlier
   */
  public long append(MemorySegment record) throws IOException {
    requireLength(record.byteSize());
    return appender.append(record);
  }

  /**
   * Reserves the place of a record, as {@link #append(MemorySegment)} does, for the caller to fill.
   * Places follow each other in the order in which they are reserved, by whomever.
   *
   * @param recordBytes 1 to {@link #reserveBytesMax}
   * @return the place, to be closed soon: writers wait for it
   * @throws IOException as {@link #append(MemorySegment)}; nothing was reserved
   */
  public LogPlace reserve(long recordBytes) throws IOException {
    requireLength(recordBytes);
    if (recordBytes > reserveBytesMax()) {
      throw new IllegalArgumentException(
          "a place has at most " + reserveBytesMax() + " bytes: recordBytes=" + recordBytes);
    }
    return appender.reserve(recordBytes);
  }

  /** Bytes of content of the largest record that is put together in memory. */
  public long reserveBytesMax() {
    return appender.reserveBytesMax();
  }

  /**
   * Appends a record that is too large for {@link #reserve}.
   *
   * @return its place, which is not to be filled but to be closed
   * @throws IOException as {@link #append(MemorySegment)}
   */
  public LogPlace appendLarge(MemorySegment record) throws IOException {
    requireLength(record.byteSize());
    byte unused = record.get(ValueLayout.JAVA_BYTE, 0); // may this thread read it?
    return appender.appendLarge(record);
  }

  /** Where a record starts that was replayed: its {@link LogPlace#startLsn}. */
  public static long startLsn(long endLsn, long recordBytes) {
    return endLsn - LogFormat.recordExtent(recordBytes);
  }

  /**
   * Appends a record and returns when it has come so far: {@link #append(MemorySegment)} and {@link
   * #commit}.
   *
   * @throws PoisonedFileException as they do; the record may have been appended
   */
  public long append(MemorySegment record, LogDurability level) throws IOException {
    long lsn = append(record);
    commit(lsn, level);
    return lsn;
  }

  /**
   * Returns when everything before a position is durable: {@link #commit} with SYNCED.
   *
   * @param lsn as {@link #append(MemorySegment)} returned it; at most {@link #endLsn}
   * @throws IllegalArgumentException if nothing was appended there yet
   * @throws PoisonedFileException if a write or sync failed, now or earlier, unless the position
   *     was durable before that
   */
  public void sync(long lsn) throws IOException {
    commit(lsn, LogDurability.SYNCED);
  }

  /**
   * Returns when everything before a position has come so far. The first to come writes for all who
   * appended before; those who come while it writes are served together by the next.
   *
   * @param lsn as {@link #append(MemorySegment)} returned it; at most {@link #endLsn}
   * @throws IllegalArgumentException if nothing was appended there yet
   * @throws PoisonedFileException if a write or sync failed, now or earlier, unless the position
   *     had come so far before that
   */
  public void commit(long lsn, LogDurability level) throws IOException {
    writer.commit(lsn, level);
  }

  /**
   * Tells the log that nothing before a position is needed: it will not be replayed, and segments
   * wholly before it are used again. Durable on return.
   *
   * @param lsn at least {@link #horizonLsn}, at most {@link #durableLsn}
   * @throws IllegalArgumentException if the position is outside these bounds
   * @throws IOException if the log header could not be replaced; the horizon is the old one, and
   *     this may be tried again
   */
  public void truncate(long lsn) throws IOException {
    horizon.lock();
    try {
      writer.checkUsable();
      horizon.move(lsn, writer.durableLsn());
    } finally {
      horizon.unlock();
    }
  }

  /** Everything before this position is durable. Never falls. */
  public long durableLsn() {
    return writer.durableLsn();
  }

  /** The end of what was appended. Never falls. */
  public long endLsn() {
    return writer.endLsn();
  }

  /** What lies before this position is not replayed. */
  public long horizonLsn() {
    return horizon.lsn();
  }

  /** The bytes of this log, for those who read while it grows. */
  public LogSource source() {
    return writer.source();
  }

  /**
   * Reads the records that end after a position.
   *
   * @param fromLsn as for {@link LogSource#walk}
   * @param level how far a record has come when it is read: BUFFERED or SYNCED
   * @param budget is charged 64 KiB until the reader is closed, and what a larger record takes
   * @throws IllegalArgumentException if the position is outside of the log, or the level is NONE
   */
  public LogReader reader(long fromLsn, LogDurability level, MemoryBudget budget) {
    if (level == LogDurability.NONE) {
      throw new IllegalArgumentException("what is read was written: level=" + level);
    }
    return new LogReader(source(), ring, fromLsn, level, budget);
  }

  /** Bytes of content of the largest record. */
  public long recordBytesMax() {
    return ring.segmentBytes()
        - LogFormat.BLOCK_HEADER_BYTES
        - LogFormat.RECORD_HEADER_BYTES
        - appender.tagBytes();
  }

  /**
   * Bytes of the ring that are free. Headers, the rest of each block's last 4096 bytes, and the
   * rest of a segment into which a record does not fit come out of them too; {@link #hasRoomFor} is
   * exact.
   */
  public long spaceLeftBytes() {
    return appender.spaceLeftBytes();
  }

  /**
   * Whether a record of so many bytes could be appended now without {@link LogFullException}, if
   * nobody else appends meanwhile.
   */
  public boolean hasRoomFor(long recordBytes) {
    requireLength(recordBytes);
    return appender.hasRoomFor(recordBytes);
  }

  /** The sizes in force: those of the files where the log existed before. */
  public LogOptions options() {
    return options;
  }

  /** What was found when the log was opened. */
  public RecoveryReport recovery() {
    return recovery;
  }

  /** The counters. */
  public LogStats stats() {
    return writer.stats();
  }

  private void requireLength(long length) {
    if (length < 1 || length > recordBytesMax()) {
      throw new IllegalArgumentException(
          "a record has 1 to " + recordBytesMax() + " bytes: recordBytes=" + length);
    }
  }

  /**
   * Makes what was appended durable and gives back files and memory. Twice does nothing.
   *
   * @throws IOException if the rest could not be made durable; files and memory are given back all
   *     the same
   */
  @Override
  public void close() throws IOException {
    horizon.lock(); // lets a truncation finish
    try {
      if (writer.close()) {
        try (region;
            ring) {
          engine.unregister(region);
          writer.writeRest();
        }
      }
    } finally {
      horizon.unlock();
    }
  }
}
