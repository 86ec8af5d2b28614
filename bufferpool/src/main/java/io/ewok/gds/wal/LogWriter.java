package io.ewok.gds.wal;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.reactor.Monitor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/**
 * Brings blocks to the device, in turns: whoever needs that first does it for all who appended
 * before, and those who come meanwhile are served together by the next.
 *
 * <p>Threads: any.
 */
final class LogWriter {
  /*
   * Blocks are opened and sealed with the lock; nobody waits for the device with it. Taking the
   * turn seals the open block, so appenders go on in the other one while the device works. Who has
   * the turn (`writer`) owns the sealed block, the ring and `writesThrough`. All blocks before the
   * one that is open are written when nobody has the turn; everything that was written before a
   * turn with sync, or in it, is durable when it ends.
   *
   * Who waits for the device stands in one of two lines: those whose records the turn covers, and those who came later,
   * whom the next one will cover. A turn with sync serves the first line and hands over to one of the second, so that a
   * thread wakes up once for each of its commits. Nobody keeps the turn for him: who comes first takes it, and he stands
   * in line again. Whoever is woken so and goes without having looked wakes the others.
   */

  private final Path directory;
  private final SegmentRing ring;
  private final LogHorizon horizon;
  private final LogBuffers buffers;
  private final long startLsn;
  private final LogSource source;
  final BlockBuffer.BlockSink sink = this::writeAndShow;

  final Monitor lock = new Monitor();
  private final Monitor.Line turnEnded = lock.newLine();
  private final Monitor.Line grown = lock.newLine();

  // Guarded by lock; the volatile ones are read by any thread.
  /**
   * Those whose records are in the block of this turn, or before. Nobody while nobody has the turn.
   */
  private Monitor.Line covered = lock.newLine();

  /** Those whose records came later. */
  private Monitor.Line uncovered = lock.newLine();

  /** What is durable after this turn, if it is with sync. */
  private long turnLsn;

  private volatile long writtenLsn;

  /** Where the block after the last one written starts. */
  private long writtenNextLsn;

  private volatile long durableLsn;
  private volatile boolean closed;
  private volatile Throwable poison;

  /** Who has the turn, or null. */
  private Thread writer;

  private long blocks;
  private long bytesWritten;
  private long syncs;

  /** Whether the writes of this turn are durable when they end. His whose turn it is. */
  private boolean writesThrough;

  LogWriter(
      Path directory, SegmentRing ring, LogHeader header, LogHorizon horizon, LogBuffers buffers) {
    this.directory = directory;
    this.ring = ring;
    this.horizon = horizon;
    this.buffers = buffers;
    this.startLsn = header.cutLsn();
    this.writtenLsn = header.cutLsn();
    this.writtenNextLsn = header.startLsn();
    this.durableLsn = header.cutLsn();
    this.source = new LogSource(this, ring, header);
  }

  LogSource source() {
    return source;
  }

  long endLsn() {
    return buffers.endLsn();
  }

  long writtenLsn() {
    return writtenLsn;
  }

  long durableLsn() {
    return durableLsn;
  }

  long horizonLsn() {
    return horizon.lsn();
  }

  /** No block ends after this: the ring's first segment is that of the horizon. */
  long limitLsn() {
    return ring.segmentStart(horizonLsn()) + ring.capacityBytes();
  }

  /** The end of what has come so far. */
  long endLsn(LogDurability level) {
    return switch (level) {
      case NONE -> endLsn();
      case BUFFERED -> writtenLsn;
      case SYNCED -> durableLsn;
    };
  }

  // ---- commit

  /** See {@link WriteAheadLog#commit}. */
  void commit(long lsn, LogDurability level) throws IOException {
    if (lsn <= endLsn(level)) {
      return;
    }
    lock.lock();
    try {
      if (lsn > endLsn()) {
        throw new IllegalArgumentException(
            "no record ends there yet: endLsn=%d lsn=%d".formatted(endLsn(), lsn));
      }
      while (lsn > endLsn(level)) {
        checkUsable();
        if (writer == null) {
          takeTurn(level, null);
        } else if (level == LogDurability.BUFFERED) {
          requireNotWriter();
          grown.await(); // comes before the sync of the same turn
        } else {
          awaitSync(lsn);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void awaitSync(long lsn) {
    requireNotWriter();
    boolean awoke = false;
    try {
      (lsn <= turnLsn ? covered : uncovered).await();
      awoke = true;
    } finally {
      if (!awoke) {
        uncovered.wakeAll();
      }
    }
  }

  /** See {@link LogSource#awaitBeyond}. */
  boolean awaitBeyond(long lsn, LogDurability level, long timeoutNanos) throws IOException {
    long start = System.nanoTime();
    lock.lock();
    try {
      while (endLsn(level) <= lsn) {
        checkUsable();
        long left = timeoutNanos - (System.nanoTime() - start);
        if (left <= 0 || !grown.await(left)) {
          return endLsn(level) > lsn;
        }
      }
      return true;
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

  LogStats stats() {
    lock.lock();
    try {
      return new LogStats(buffers.records(), buffers.recordBytes(), blocks, bytesWritten, syncs);
    } finally {
      lock.unlock();
    }
  }

  // ---- close

  /** Lets nobody in any more. Returns false if the log was closed before. */
  boolean close() {
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      requireNotWriter();
      closed = true;
      grown.wakeAll();
      uncovered.wakeAll();
      while (writer != null) {
        awaitTurn();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** After {@link #close}: makes the rest durable. */
  void writeRest() throws IOException {
    lock.lock();
    try {
      if (poison != null) {
        if (endLsn() > durableLsn) {
          throw new PoisonedFileException(directory, poison);
        }
        return;
      }
      boolean appended = buffers.isOpen() || endLsn() > startLsn;
      if (!appended) {
        return;
      }
      takeTurn(LogDurability.SYNCED, null);
      if (buffers.nextLsn() < limitLsn()) {
        // This block says that all before it is durable: rot there will be told from a torn write.
        BlockHeader last = buffers.skip(LogFormat.BLOCK_ALIGNMENT, 0, durableLsn);
        takeTurn(LogDurability.SYNCED, spare -> spare.writeEmpty(sink, last));
      }
    } finally {
      lock.unlock();
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

  // ---- turns

  /** Whether somebody has the turn. With the lock. */
  boolean isWriting() {
    return writer != null;
  }

  /** Waits for the end of a turn; gives the lock up meanwhile. */
  void awaitTurn() {
    requireNotWriter();
    turnEnded.await();
  }

  private void requireNotWriter() {
    if (writer == Thread.currentThread()) {
      throw new IllegalStateException(
          "this thread writes the log already, further down its stack: directory=" + directory);
    }
  }

  /** What the thread whose turn it is writes instead of the open block. */
  interface OwnBlock {
    int write(BlockBuffer spare) throws IOException;
  }

  /**
   * Writes the open block, if there is one, or else what it is given; then makes all that was
   * written durable, if asked. Called with the lock while nobody has the turn; gives the lock up
   * meanwhile.
   */
  void takeTurn(LogDurability level, OwnBlock ownOrNull) throws IOException {
    boolean sealing = buffers.isOpen();
    assert !sealing || ownOrNull == null;
    long sealed = 0;
    if (sealing) {
      sealed = buffers.seal();
    }
    BlockBuffer spare = buffers.spare();
    long target = buffers.endLsn();
    long next = buffers.nextLsn();
    long durable = durableLsn;
    boolean durably = level == LogDurability.SYNCED;
    Monitor.Line served = uncovered;
    uncovered = covered;
    covered = served;
    turnLsn = target;
    writer = Thread.currentThread();
    lock.unlock();
    int written = 0;
    int synced = 0;
    Throwable failure = null;
    try {
      // In one step, if nothing else has to become durable.
      writesThrough = durably && sealing && ring.isSynced();
      if (sealing) {
        written = buffers.write(sealed, durable, sink);
      } else if (ownOrNull != null) {
        written = ownOrNull.write(spare);
      }
      publishWritten(target, next);
      synced = writesThrough ? 1 : durably ? ring.sync() : 0;
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
    covered.wakeAll();
    if (durably && failure == null) {
      uncovered.wakeFirst();
    } else {
      uncovered.wakeAll();
    }
    if (failure != null) {
      poison = failure;
      if (buffers.isOpen()) {
        long unused = buffers.seal(); // whoever appends finds out here
      }
      throw new PoisonedFileException(directory, failure);
    }
    if (durably) {
      durableLsn = target;
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

  private void writeAndShow(long lsn, Region region, long regionOffset, int bytes)
      throws IOException {
    ring.write(lsn, region, regionOffset, bytes, writesThrough);
    source.show(lsn, region, regionOffset, bytes);
  }
}
