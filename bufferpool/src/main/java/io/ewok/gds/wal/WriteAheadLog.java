package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Monitor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * An append-only log of records that survives crashes, in a directory of its own.
 *
 * <p>Ownership: whoever opens the log closes it, before the engine and the budget's owner go. The
 * log owns its files and two buffers, which are charged to the budget. That no second process opens
 * the directory is the owner's duty ({@link IoEngine#lock}).
 *
 * <p>Threads: any, platform or virtual, for all methods.
 *
 * {@snippet :
 * long lsn = log.append(record); // BUFFERED: survives nothing yet
 * log.sync(lsn); // SYNCED: survives a power cut
 * }
 *
 * <p>Errors: {@link LogFullException} when the owner has to truncate first. After a failed write or
 * sync the log is poisoned, everything throws {@link PoisonedFileException}, and what was not
 * synced is in doubt: close it, open it again and see. {@link IllegalStateException} after close.
 */
public final class WriteAheadLog implements AutoCloseable {
  /*
   * Two buffers: `active` is filled under the lock, `spare` belongs to the thread that has the turn
   * to write (`writer`), and so does the ring. Taking the turn seals the active buffer and swaps
   * the two, so appenders go on while the device works. Everything before `endLsn` is in a sealed
   * block or the active one; everything sealed before a turn with sync is durable when it ends.
   */

  private final IoEngine engine;
  private final Path directory;
  private final LogOptions options;
  private final Region region;
  private final SegmentRing ring;

  private final Monitor lock = new Monitor();
  private final Monitor.Line turnEnded = lock.newLine();
  private final Monitor.Line grown = lock.newLine();
  private final LogSource source;

  // Guarded by lock; the volatile ones are read by any thread.
  private final RecordChecksum checksum = new RecordChecksum();
  private BlockBuffer active;
  private BlockBuffer spare;
  private long nextLsn;
  private volatile long endLsn;
  private volatile long writtenLsn;

  /** Where the block after the last one written starts. */
  private long writtenNextLsn;

  private volatile long durableLsn;
  private volatile boolean closed;
  private volatile Throwable poison;

  /** Who has the turn, or null. */
  private Thread writer;

  private boolean appended;
  private long records;
  private long recordBytes;
  private long blocks;
  private long bytesWritten;
  private long syncs;

  // Guarded by headerLock, which is taken before lock; the volatile one is read by any thread.
  private final LongLock headerLock = new LongLock();
  private LogHeader header;
  private volatile long horizonLsn;
  private final long incarnation;

  private WriteAheadLog(
      IoEngine engine,
      Path directory,
      LogOptions options,
      LogHeader header,
      Region region,
      SegmentRing ring) {
    this.engine = engine;
    this.directory = directory;
    this.options = options;
    this.header = header;
    this.incarnation = header.incarnation();
    this.region = region;
    this.ring = ring;
    this.active = new BlockBuffer(region, 0, options.bufferBytes());
    this.spare = new BlockBuffer(region, options.bufferBytes(), options.bufferBytes());
    this.nextLsn = header.startLsn();
    this.endLsn = header.cutLsn();
    this.writtenLsn = header.cutLsn();
    this.writtenNextLsn = header.startLsn();
    this.durableLsn = header.cutLsn();
    this.source = new LogSource(this, ring, header, lock, grown);
    this.horizonLsn = header.horizonLsn();
  }

  /**
   * Opens the log in a directory, or creates it where there is none, and replays what it holds
   * after its horizon.
   *
   * @param options sizes; an existing log keeps its segments as they are
   * @param budget is charged {@link LogOptions#memoryBytes()}, and during recovery the size of a
   *     record that is larger
   * @param replay receives every record from the horizon on, in order, before this method returns
   * @throws io.ewok.gds.pagestore.CorruptFileException if something that was durable cannot be
   *     read, or the files do not belong together; nothing is changed
   * @throws io.ewok.gds.pagestore.UnsupportedFormatException if a newer version wrote it; nothing
   *     is changed
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
    Region region = Region.map(budget, RegionOptions.ofSize(options.memoryBytes()));
    try {
      if (!engine.exists(LogHeader.file(directory))) {
        LogCreation.create(engine, directory, options, region);
      }
      LogHeader header = LogHeader.read(engine, directory);
      SegmentRing ring = SegmentRing.open(engine, directory, header);
      try {
        LogHeader recovered = LogRecovery.recover(ring, header, region, budget, replay);
        recovered.write(engine, directory);
        LogOptions actual =
            options
                .withBufferBytes((int) Math.min(options.bufferBytes(), header.segmentBytes()))
                .withSegmentBytes(header.segmentBytes())
                .withSegmentCount(header.segmentCount());
        engine.register(region);
        return new WriteAheadLog(engine, directory, actual, recovered, region, ring);
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
    long length = record.byteSize();
    requireLength(length);
    long extent = LogFormat.recordExtent(length);
    lock.lock();
    try {
      while (true) {
        checkUsable();
        if (endOfBlockWith(extent) > limitLsn()) {
          throw new LogFullException(directory, length, spaceLeftBytes(), horizonLsn);
        }
        boolean joins = active.isOpen() && active.fits(extent, ring.segmentEnd(nextLsn - 1));
        boolean large = LogFormat.BLOCK_HEADER_BYTES + extent > options.bufferBytes();
        boolean padding = !active.isOpen() && blockStart(nextLsn, extent) != nextLsn;
        if (joins || (!active.isOpen() && !padding && !large)) {
          if (!joins) {
            active.open(nextLsn, endLsn);
          }
          active.append(record, incarnation, checksum);
          nextLsn = active.nextLsn();
          return appended(active.endLsn(), length);
        }
        if (writer != null) {
          awaitTurn();
          continue; // everything may have changed
        }
        if (active.isOpen()) {
          takeTurn(false, null);
        } else if (padding) {
          active.open(nextLsn, endLsn);
          active.pad(ring.segmentEnd(nextLsn) - nextLsn);
          nextLsn = active.nextLsn();
          endLsn = active.endLsn();
          takeTurn(false, null); // before anyone could put a record into it
        } else {
          return appendLarge(record);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns when everything before a position is durable: {@link #commit} with SYNCED.
   *
   * @param lsn as {@link #append} returned it; at most {@link #endLsn}
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
   * @param lsn as {@link #append} returned it; at most {@link #endLsn}
   * @throws IllegalArgumentException if nothing was appended there yet
   * @throws PoisonedFileException if a write or sync failed, now or earlier, unless the position
   *     had come so far before that
   */
  public void commit(long lsn, LogDurability level) throws IOException {
    if (lsn <= source.endLsn(level)) {
      return;
    }
    lock.lock();
    try {
      if (lsn > endLsn) {
        throw new IllegalArgumentException(
            "no record ends there yet: endLsn=" + endLsn + " lsn=" + lsn);
      }
      while (lsn > source.endLsn(level)) {
        checkUsable();
        if (writer != null) {
          awaitTurn();
        } else {
          takeTurn(level == LogDurability.SYNCED, null);
        }
      }
    } finally {
      lock.unlock();
    }
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
    headerLock.lock();
    try {
      checkUsable();
      if (lsn < horizonLsn || lsn > durableLsn) {
        throw new IllegalArgumentException(
            "outside of the durable log: horizonLsn=%d durableLsn=%d lsn=%d"
                .formatted(horizonLsn, durableLsn, lsn));
      }
      LogHeader next = header.withHorizon(lsn);
      next.write(engine, directory);
      header = next;
      horizonLsn = lsn;
    } finally {
      headerLock.unlock();
    }
  }

  /** Everything before this position is durable. Never falls. */
  public long durableLsn() {
    return durableLsn;
  }

  /** Everything before this position was written, and is what readers may see. Never falls. */
  long writtenLsn() {
    return writtenLsn;
  }

  /** The bytes of this log, for those who read while it grows. */
  public LogSource source() {
    return source;
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
    return new LogReader(source, ring, fromLsn, level, budget);
  }

  /** The end of what was appended. */
  public long endLsn() {
    return endLsn;
  }

  /** What lies before this position is not replayed. */
  public long horizonLsn() {
    return horizonLsn;
  }

  /** Bytes of content of the largest record. */
  public long recordBytesMax() {
    return ring.segmentBytes() - LogFormat.BLOCK_HEADER_BYTES - LogFormat.RECORD_HEADER_BYTES;
  }

  /**
   * Bytes of the ring that are free. Headers, the rest of each block's last 4096 bytes, and the
   * rest of a segment into which a record does not fit come out of them too; {@link #hasRoomFor} is
   * exact.
   */
  public long spaceLeftBytes() {
    lock.lock();
    try {
      return Math.max(0, limitLsn() - nextLsn);
    } finally {
      lock.unlock();
    }
  }

  /** Whether a record of so many bytes could be appended now without {@link LogFullException}. */
  public boolean hasRoomFor(long recordBytes) {
    requireLength(recordBytes);
    lock.lock();
    try {
      return endOfBlockWith(LogFormat.recordExtent(recordBytes)) <= limitLsn();
    } finally {
      lock.unlock();
    }
  }

  /** The sizes in force: those of the files where the log existed before. */
  public LogOptions options() {
    return options;
  }

  /** The counters. */
  public LogStats stats() {
    lock.lock();
    try {
      return new LogStats(records, recordBytes, blocks, bytesWritten, syncs);
    } finally {
      lock.unlock();
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
    headerLock.lock(); // lets a truncation finish
    try {
      if (awaitLastTurn()) {
        end();
      }
    } finally {
      headerLock.unlock();
    }
  }

  /** Lets nobody in any more. Returns false if the log was closed before. */
  private boolean awaitLastTurn() {
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      requireNotWriter();
      closed = true;
      grown.wakeAll();
      while (writer != null) {
        awaitTurn();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void end() throws IOException {
    try (region;
        ring) {
      engine.unregister(region);
      lock.lock();
      try {
        if (poison != null) {
          if (endLsn > durableLsn) {
            throw new PoisonedFileException(directory, poison);
          }
        } else if (appended) {
          takeTurn(true, null);
          if (nextLsn < limitLsn()) {
            // This block says that all before it is durable: rot there will be told from a torn
            // write.
            active.open(nextLsn, endLsn);
            takeTurn(true, null);
          }
        }
      } finally {
        lock.unlock();
      }
    }
  }

  private void publishWritten(long lsn, long next) {
    lock.lock();
    try {
      writtenLsn = lsn;
      writtenNextLsn = next;
      grown.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /** The block after a position, where that is the end of what is written; else -1. */
  long blockAfter(long lsn) {
    lock.lock();
    try {
      return lsn == writtenLsn ? writtenNextLsn : -1;
    } finally {
      lock.unlock();
    }
  }

  /** Does something while nobody writes. */
  long betweenTurns(LongSupplier action) {
    lock.lock();
    try {
      while (writer != null) {
        awaitTurn();
      }
      return action.getAsLong();
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the end of a turn; gives the lock up meanwhile. */
  private void awaitTurn() {
    requireNotWriter();
    turnEnded.await();
  }

  private void requireNotWriter() {
    if (writer == Thread.currentThread()) {
      throw new IllegalStateException(
          "this thread writes the log already, further down its stack: directory=" + directory);
    }
  }

  private void requireLength(long length) {
    if (length < 1 || length > recordBytesMax()) {
      throw new IllegalArgumentException(
          "a record has 1 to " + recordBytesMax() + " bytes: recordBytes=" + length);
    }
  }

  void checkUsable() throws PoisonedFileException {
    if (closed) {
      throw new IllegalStateException("the log is closed: directory=" + directory);
    }
    if (poison != null) {
      throw new PoisonedFileException(directory, poison);
    }
  }

  /** No block ends after this: the ring's first segment is that of the horizon. */
  private long limitLsn() {
    return ring.segmentStart(horizonLsn) + ring.capacityBytes();
  }

  private long endOfBlockWith(long recordExtent) {
    if (active.isOpen() && active.fits(recordExtent, ring.segmentEnd(nextLsn - 1))) {
      return LogFormat.alignToBlock(active.endLsn() + recordExtent);
    }
    return blockStart(nextLsn, recordExtent) + LogFormat.blockExtent(recordExtent);
  }

  /**
   * Where a new block with this record starts: here, or if it would cross a segment's end behind
   * that.
   */
  private long blockStart(long lsn, long recordExtent) {
    long end = ring.segmentEnd(lsn);
    return lsn + LogFormat.BLOCK_HEADER_BYTES + recordExtent <= end ? lsn : end;
  }

  private long appended(long lsn, long length) {
    endLsn = lsn;
    appended = true;
    records++;
    recordBytes += length;
    return lsn;
  }

  /**
   * Gives the record a block of its own, which is written while others go on appending behind it.
   */
  private long appendLarge(MemorySegment record) throws IOException {
    long lsn = nextLsn;
    long extent = LogFormat.recordExtent(record.byteSize());
    BlockHeader block =
        new BlockHeader(
            lsn,
            incarnation,
            (int) LogFormat.blockExtent(extent),
            (int) extent,
            durableLsn,
            endLsn);
    int crc = checksum.of(lsn + LogFormat.BLOCK_HEADER_BYTES, incarnation, bytesOf(record));
    nextLsn = block.nextLsn();
    long end = appended(block.endLsn(), record.byteSize());
    takeTurn(
        false,
        buffer -> {
          buffer.writeLarge(ring, source, block, record, crc);
          return block.extentBytes();
        });
    return end;
  }

  private static ByteBuffer bytesOf(MemorySegment record) {
    boolean viewable = record.isNative() || record.heapBase().orElse(null) instanceof byte[];
    return viewable
        ? record.asByteBuffer()
        : ByteBuffer.wrap(record.toArray(ValueLayout.JAVA_BYTE));
  }

  /** What the thread whose turn it is writes instead of the active block. */
  private interface TurnWrite {
    int write(BlockBuffer buffer) throws IOException;
  }

  /**
   * Writes the active block, if it is open, or else what it is given; then makes all that was
   * written durable, if asked. Called with the lock while nobody has the turn; gives the lock up
   * meanwhile.
   */
  private void takeTurn(boolean durable, TurnWrite large) throws IOException {
    TurnWrite write = large;
    if (active.isOpen()) {
      assert large == null;
      active.seal(incarnation, durableLsn);
      BlockBuffer sealed = active;
      active = spare;
      spare = sealed;
      write = buffer -> buffer.write(ring, source);
    }
    long target = endLsn;
    long next = nextLsn;
    writer = Thread.currentThread();
    lock.unlock();
    int written = 0;
    int synced = 0;
    Throwable failure = null;
    try {
      written = write == null ? 0 : write.write(spare);
      publishWritten(target, next);
      synced = durable ? ring.sync() : 0;
    } catch (Throwable e) {
      failure = e; // whatever it was: nobody knows what is on the device now
    }
    lock.lock();
    writer = null;
    blocks += written > 0 ? 1 : 0;
    bytesWritten += written;
    syncs += synced;
    turnEnded.wakeAll();
    grown.wakeAll();
    if (failure != null) {
      poison = failure;
      throw new PoisonedFileException(directory, failure);
    }
    if (durable) {
      durableLsn = target;
    }
  }
}
