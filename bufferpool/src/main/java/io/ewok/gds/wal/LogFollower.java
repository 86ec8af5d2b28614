package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Reads a log by its files alone, while another process may have it open and append to it: up to
 * what has been written, and on from there as often as it is asked. It changes nothing, holds
 * nothing back, and the writer does not know of it.
 *
 * <p>A record is believed by its position and the log's incarnation, as a recovery does it: so it
 * is nothing that a segment held on an earlier lap, and none is passed over. What the writer has
 * written is read before it is durable; a crash of the machine may lose it, a crash of the writer
 * does not. If the writer comes back without something that was read here, reading on is refused.
 *
 * <p>Ownership: whoever opened it closes it, before the engine. It has the files open and a window
 * of memory, charged to the budget, and more while it passes a record that is larger.
 *
 * <p>Threads: one at a time.
 *
 * {@snippet :
 * try (LogFollower log = LogFollower.open(engine, directory, windowBytes, budget)) {
 *   log.seek(lsn);
 *   while (running) {
 *     boolean all = log.follow((end, record) -> take(record));
 *     Thread.sleep(100);
 *   }
 * }
 * }
 *
 * <p>Errors: {@link LogTruncatedException} if what comes next was truncated; {@link
 * CorruptFileException} if something that was durable cannot be read.
 */
public final class LogFollower implements AutoCloseable {
  /** Takes records. */
  @FunctionalInterface
  public interface Taker {
    /**
     * Takes a record, or leaves it: then it is the next one again.
     *
     * @param endLsn the position just after it
     * @param record its content, valid during the call
     */
    boolean take(long endLsn, MemorySegment record) throws IOException;
  }

  /** There is no such position. */
  private static final long NONE = -1;

  private final IoEngine engine;
  private final Path directory;
  private final MemoryBudget budget;
  private final SegmentRing ring;
  private final Region region;

  private LogHeader header;

  /** Where the last record ends that was taken, or a position that was given instead. */
  private long lsn;

  /** Where the last record ends that was taken since; 0 if none was. */
  private long takenLsn;

  // The block in which reading goes on, if it is known, and where the content before it ends.
  private long blockLsn = NONE;
  private long previousEndLsn;

  /** Whether all that is behind the end was looked through in this life of the log. */
  private boolean lookedBehind;

  private LogFollower(
      IoEngine engine,
      Path directory,
      MemoryBudget budget,
      SegmentRing ring,
      Region region,
      LogHeader header) {
    this.engine = engine;
    this.directory = directory;
    this.budget = budget;
    this.ring = ring;
    this.region = region;
    this.header = header;
    this.lsn = header.horizonLsn();
  }

  /**
   * Opens the files of a log, which exists.
   *
   * @param windowBytes how much is read at once, a multiple of 4096
   * @param budget is charged that until close, and what a larger record takes
   * @throws CorruptFileException if the files do not belong together
   * @throws io.ewok.gds.pagestore.UnsupportedFormatException if a newer version wrote it
   */
  public static LogFollower open(
      IoEngine engine, Path directory, long windowBytes, MemoryBudget budget) throws IOException {
    LogHeader header = LogHeader.read(engine, directory);
    SegmentRing ring = SegmentRing.openReadOnly(engine, directory, header);
    try {
      Region region = Region.map(budget, RegionOptions.ofSize(windowBytes));
      return new LogFollower(engine, directory, budget, ring, region, header);
    } catch (RuntimeException | Error e) {
      SegmentRing.closeAfter(ring, e);
      throw e;
    }
  }

  /** The position after the last record that was taken. */
  public long lsn() {
    return lsn;
  }

  /**
   * Goes to a position: the next record is the first one that ends behind it.
   *
   * @param toLsn where a record ends, or one ended that is truncated
   */
  public void seek(long toLsn) {
    lsn = toLsn;
    takenLsn = 0; // what was taken before is not asked for any more
    blockLsn = NONE;
  }

  /**
   * Reads up to the end of what is written, or to a record that is not taken.
   *
   * @return whether it came to the end
   * @throws LogTruncatedException if the segment in which the next record would be may be used anew
   * @throws CorruptFileException if something that was durable cannot be read
   * @throws StorageException if the log was opened by a writer without what was read here, or is
   *     another one
   */
  public boolean follow(Taker taker) throws IOException {
    long wanted = NONE;
    while (true) {
      enter(LogHeader.read(engine, directory));
      LogWalk walk = walk();
      try (LogWindow window = new LogWindow(ring, region, budget)) {
        if (!walkOn(walk, window, taker)) {
          return false;
        }
        // Read again, after the end was seen: it was none if the segment is used anew by now.
        LogHeader now = LogHeader.read(engine, directory);
        if (now.incarnation() != header.incarnation()) {
          wanted = NONE;
          continue;
        }
        requireThere(now, walk.endLsn());
        long known = knownDurable(now, walk);
        if (walk.endLsn() >= (wanted == NONE ? known : wanted)) {
          lookedBehind = true;
          return true;
        }
        if (wanted != NONE) {
          throw new CorruptFileException(
              ring.path(walk.endLsn()),
              ring.offset(walk.endLsn()),
              "log content that was durable",
              "no valid record, lsn=" + walk.endLsn());
        }
        // It was written meanwhile, or is damaged: the second time it would have to be there.
        wanted = known;
      }
    }
  }

  /** Goes on under the header that there is now. */
  private void enter(LogHeader found) throws StorageException {
    if (found.segmentBytes() != header.segmentBytes()
        || found.segmentCount() != header.segmentCount()
        || found.incarnation() < header.incarnation()) {
      throw new StorageException("the log in this directory is another one now", directory);
    }
    if (found.incarnation() > header.incarnation()) {
      blockLsn = NONE;
      lookedBehind = false;
      if (takenLsn > found.cutLsn() && takenLsn > found.horizonLsn()) {
        throw new StorageException(
            "the log was recovered without records that were read here: lsn=%d cutLsn=%d"
                .formatted(takenLsn, found.cutLsn()),
            directory);
      }
    }
    header = found;
    requireThere(found, lsn);
  }

  private void requireThere(LogHeader now, long position) throws LogTruncatedException {
    long oldest = ring.segmentStart(now.horizonLsn());
    if (position < oldest) {
      throw new LogTruncatedException(ring.path(position), position, oldest);
    }
  }

  private LogWalk walk() {
    return blockLsn == NONE
        ? LogWalk.from(ring, header, lsn, ring.segmentStart(header.horizonLsn()))
        : LogWalk.behind(ring, header, lsn, previousEndLsn, blockLsn);
  }

  /** Returns false if a record was not taken. */
  private boolean walkOn(LogWalk walk, LogWindow window, Taker taker) throws IOException {
    long limit = ring.segmentStart(header.horizonLsn()) + ring.capacityBytes();
    while (walk.lsn() < limit) {
      if (walk.isAtBlock() && (walk.block() != null || blockLsn != NONE)) {
        blockLsn = walk.nextLsn();
        previousEndLsn = walk.endLsn();
      }
      MemorySegment bytes = window.at(walk.lsn(), walk.bytes());
      switch (walk.feed(bytes)) {
        case MORE -> {}
        case RECORD -> {
          if (!taker.take(walk.endLsn(), window.content(walk, bytes))) {
            return false;
          }
          lsn = walk.endLsn();
          takenLsn = lsn;
        }
        case END -> {
          return true;
        }
      }
    }
    return true;
  }

  /** Up to where something says that the log was durable. */
  private long knownDurable(LogHeader now, LogWalk walk) throws IOException {
    long known = Math.max(lsn, Math.max(now.cutLsn(), now.horizonLsn()));
    if (walk.nextLsn() < now.startLsn()) {
      known = Math.max(known, now.startLsn());
    }
    // All that there is once; later what is read at once, for that is done again and again.
    long from = walk.nextLsn();
    long limit = ring.segmentStart(now.horizonLsn()) + ring.capacityBytes();
    long to = lookedBehind ? Math.min(limit, from + region.sizeBytes()) : limit;
    try (LogWindow window = new LogWindow(ring, region, budget)) {
      for (long at = from; at < to; at += LogFormat.BLOCK_ALIGNMENT) {
        BlockHeader block = ring.blockIn(window.at(at, LogFormat.BLOCK_HEADER_BYTES), at);
        if (block != null && block.incarnation() == now.incarnation()) {
          known = Math.max(known, block.durableLsn());
        }
      }
    }
    return known;
  }

  /** Closes the files and gives the memory back. */
  @Override
  public void close() throws IOException {
    try (region) {
      ring.close();
    }
  }
}
