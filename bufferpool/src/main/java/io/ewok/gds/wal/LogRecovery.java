package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Walks a log from the segment of its horizon to its end and replays the records.
 *
 * <p>The walk follows a chain: each block says where the content before it ends. Where a recovery
 * cut a block short, the next incarnation's first block (or, before it was written, the log header)
 * names the very position of the cut, so that a record that rotted there later is not taken for
 * one.
 *
 * <p>At the first block or record that does not validate, everything further on is searched for a
 * block of the current incarnation that was written when this position was known to be durable. If
 * there is one, or if the log header says that content lay beyond, something acknowledged is gone:
 * corruption. Otherwise this is the end; blocks behind it were never acknowledged, and reached the
 * device before their predecessors.
 */
final class LogRecovery {
  private final SegmentRing ring;
  private final LogHeader header;
  private final LogWindow window;
  private final RecordConsumer replay;
  private final RecordChecksum checksum = new RecordChecksum();

  private final long limitLsn;
  private long nextLsn;
  private long endLsn;
  private long incarnation;

  LogRecovery(SegmentRing ring, LogHeader header, LogWindow window, RecordConsumer replay) {
    this.ring = ring;
    this.header = header;
    this.window = window;
    this.replay = replay;
    this.nextLsn = ring.segmentStart(header.horizonLsn());
    this.limitLsn = nextLsn + ring.capacityBytes();
  }

  /**
   * Replays a log.
   *
   * @return the header under which it goes on
   */
  static LogHeader recover(
      SegmentRing ring, LogHeader header, Region region, MemoryBudget budget, RecordConsumer replay)
      throws IOException {
    try (LogWindow window = new LogWindow(ring, region, budget)) {
      // Whoever replays may write pages with these positions, and the new header calls them
      // durable.
      ring.sync();
      LogRecovery recovery = new LogRecovery(ring, header, window, replay);
      recovery.run();
      return header.recovered(recovery.nextLsn(), recovery.endLsn());
    }
  }

  /** The position after the last record; known after {@link #run}. */
  long endLsn() {
    return endLsn;
  }

  /** Where the next block may be written; known after {@link #run}. */
  long nextLsn() {
    return nextLsn;
  }

  void run() throws IOException {
    // The first block's predecessor is no longer there to be checked, but the header remembers a
    // cut.
    boolean chained = false;
    endLsn = nextLsn;
    if (nextLsn == header.startLsn()) {
      endLsn = header.cutLsn();
      chained = true;
    }
    while (nextLsn < limitLsn) {
      BlockHeader block = blockAt(nextLsn);
      if (block == null || !follows(block, chained)) {
        break;
      }
      chained = true;
      incarnation = block.incarnation();
      if (!replayBlock(block) && !resumesAfterCut()) {
        break;
      }
    }
    boolean lost = endLsn < header.horizonLsn() || endLsn < header.cutLsn();
    if (lost || nextLsn < header.startLsn()) {
      throw corrupt("log content that was durable");
    }
    checkNothingDurableFollows();
  }

  /** Replays a block's records; false if one does not validate, in which case the end is there. */
  private boolean replayBlock(BlockHeader block) throws IOException {
    MemorySegment bytes =
        window.at(block.lsn(), LogFormat.blockExtent(block.payloadBytes())).asReadOnly();
    long offset = LogFormat.BLOCK_HEADER_BYTES;
    long end = offset + block.payloadBytes();
    while (offset < end) {
      long lsn = block.lsn() + offset;
      boolean cutHere = lsn == header.cutLsn() && lsn < header.startLsn();
      int length = cutHere ? 0 : validRecord(bytes, block, offset, end);
      if (length == 0) {
        endLsn = lsn;
        nextLsn = LogFormat.alignToBlock(lsn);
        return false;
      }
      long next = offset + LogFormat.recordExtent(length);
      if (block.lsn() + next > header.horizonLsn()) {
        replay.accept(
            block.lsn() + next, bytes.asSlice(offset + LogFormat.RECORD_HEADER_BYTES, length));
      }
      offset = next;
    }
    endLsn = block.endLsn();
    nextLsn = block.nextLsn();
    return true;
  }

  /** The length of the record at an offset of a block, zero if it is no record. */
  private int validRecord(MemorySegment bytes, BlockHeader block, long offset, long end) {
    if (offset + LogFormat.RECORD_HEADER_BYTES > end) {
      return 0;
    }
    int length = LogFormat.recordLength(bytes, offset);
    if (length <= 0 || offset + LogFormat.recordExtent(length) > end) {
      return 0;
    }
    MemorySegment content = bytes.asSlice(offset + LogFormat.RECORD_HEADER_BYTES, length);
    int expected = checksum.of(block.lsn() + offset, block.incarnation(), content.asByteBuffer());
    return expected == LogFormat.recordChecksum(bytes, offset) ? length : 0;
  }

  /**
   * Whether a block was cut short at the end found by an earlier recovery, and the log goes on
   * behind it.
   */
  private boolean resumesAfterCut() throws IOException {
    if (endLsn == header.cutLsn() && nextLsn == header.startLsn()) {
      return true;
    }
    if (nextLsn >= header.startLsn()) {
      return false;
    }
    BlockHeader next = blockAt(nextLsn);
    return next != null && next.incarnation() > incarnation && follows(next, true);
  }

  private boolean follows(BlockHeader block, boolean chained) {
    boolean current = block.lsn() >= header.startLsn();
    boolean admissible =
        current
            ? block.incarnation() == header.incarnation()
            : block.incarnation() >= incarnation && block.incarnation() < header.incarnation();
    return admissible && (!chained || block.previousEndLsn() == endLsn);
  }

  /** The block that starts here, if there is one that makes sense here. */
  private BlockHeader blockAt(long lsn) throws IOException {
    MemorySegment bytes = window.at(lsn, LogFormat.BLOCK_HEADER_BYTES);
    if (!LogFormat.isHeader(bytes)) {
      return null;
    }
    BlockHeader block = LogFormat.readHeader(bytes);
    if (block.lsn() != lsn) {
      return null; // of an earlier lap
    }
    if (LogFormat.version(bytes) != LogFormat.VERSION) {
      throw new UnsupportedFormatException(
          ring.path(lsn), LogFormat.version(bytes), LogFormat.VERSION);
    }
    long left = ring.segmentEnd(lsn) - lsn;
    boolean extentFits =
        block.payloadBytes() >= 0
            && block.extentBytes() <= left
            && (block.extentBytes() == LogFormat.blockExtent(block.payloadBytes())
                || (block.payloadBytes() == 0 && block.extentBytes() == left));
    return extentFits ? block : null;
  }

  private void checkNothingDurableFollows() throws IOException {
    for (long lsn = nextLsn; lsn < limitLsn; lsn += LogFormat.BLOCK_ALIGNMENT) {
      BlockHeader block = blockAt(lsn);
      if (block != null
          && block.incarnation() == header.incarnation()
          && block.durableLsn() > endLsn) {
        throw corrupt("a record that was durable when position " + lsn + " was written");
      }
    }
  }

  private CorruptFileException corrupt(String expected) {
    // Content may end on the last byte of one segment, and be missing from the first of the next.
    return new CorruptFileException(
        ring.path(endLsn), ring.offset(endLsn), expected, "no valid record, lsn=" + endLsn);
  }
}
