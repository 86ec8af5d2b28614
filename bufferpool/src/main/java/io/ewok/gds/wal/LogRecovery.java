package io.ewok.gds.wal;

import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Walks a log from the segment of its horizon to its end and replays the records.
 *
 * <p>At the first block or record that does not validate, everything further on is searched for a
 * block of the current incarnation that was written when this position was known to be durable. If
 * there is one, or if the log header says that content lay beyond, something acknowledged is gone:
 * damage. Otherwise this is the end; blocks behind it were never acknowledged, and reached the
 * device before their predecessors. What follows from that is the mode's.
 */
final class LogRecovery {
  private final SegmentRing ring;
  private final LogHeader header;
  private final LogWindow window;
  private final RecoveryMode mode;
  private final RecordConsumer replay;
  private final LogWalk walk;
  private final long limitLsn;

  private long records;

  /** From where to where something is missing. */
  private final List<long[]> missing = new ArrayList<>();

  /** Content before this was durable, as far as anything says so. */
  private long knownDurableLsn;

  LogRecovery(
      SegmentRing ring,
      LogHeader header,
      LogWindow window,
      RecoveryMode mode,
      RecordConsumer replay) {
    this.ring = ring;
    this.header = header;
    this.window = window;
    this.mode = mode;
    this.replay = replay;
    long firstLsn = ring.segmentStart(header.horizonLsn());
    this.walk = LogWalk.from(ring, header, header.horizonLsn(), firstLsn);
    this.limitLsn = firstLsn + ring.capacityBytes();
    this.knownDurableLsn = Math.max(header.cutLsn(), header.horizonLsn());
  }

  /**
   * Replays the log.
   *
   * @return the header under which it goes on
   */
  LogHeader run() throws IOException {
    // Whoever replays may write pages with these positions, and the new header calls them durable.
    ring.sync();
    walkOn();
    while (mode == RecoveryMode.SALVAGE && (skipsRecord() || resumesAtBlock())) {
      walkOn();
    }
    long end = walk.endLsn();
    long next = walk.nextLsn();
    long seen = lookBehindTheEnd();
    boolean damaged = end < knownDurableLsn || next < header.startLsn();
    boolean tolerant = mode == RecoveryMode.POINT_IN_TIME || mode == RecoveryMode.SALVAGE;
    if (damaged && !tolerant) {
      throw corrupt("log content that was durable");
    }
    if (seen > end && mode == RecoveryMode.STRICT) {
      throw corrupt("the end of the log as it was last written");
    }
    addMissing(end, damaged ? Math.max(seen, knownDurableLsn) : seen);
    return headerAfter(end, next);
  }

  /** What is needed starts at the horizon, and what was salvaged is not written over. */
  private LogHeader headerAfter(long end, long next) {
    long horizon = header.horizonLsn();
    next = Math.max(next, LogFormat.alignToBlock(horizon));
    end = Math.max(end, horizon);
    if (mode == RecoveryMode.SALVAGE) {
      next = Math.max(next, header.startLsn());
      end = Math.max(end, header.cutLsn());
    }
    return header.recovered(next, end);
  }

  /** Known after {@link #run}. */
  RecoveryReport report(LogHeader after) {
    List<RecoveryReport.Dropped> dropped = new ArrayList<>();
    for (long[] range : missing) {
      dropped.add(new RecoveryReport.Dropped(range[0], range[1], range[0] < knownDurableLsn));
    }
    return new RecoveryReport(mode, records, header.horizonLsn(), after.cutLsn(), dropped);
  }

  private void walkOn() throws IOException {
    while (walk.lsn() < limitLsn) {
      MemorySegment bytes = window.at(walk.lsn(), walk.bytes());
      switch (walk.feed(bytes)) {
        case MORE -> {}
        case RECORD -> {
          records++;
          replay.accept(walk.endLsn(), window.content(walk, bytes));
        }
        case END -> {
          return;
        }
      }
    }
  }

  /** Goes on behind a record that does not validate, if its length makes sense. */
  private boolean skipsRecord() throws IOException {
    long from = walk.endLsn();
    if (mayBeCutThere()) {
      return false;
    }
    long to = walk.skipRecord();
    addMissing(from, to);
    return to > from;
  }

  /**
   * Whether a recovery may have cut the log where the walk has ended, so that what follows in the
   * same block was never part of it. The first block of the next life, or the header, would say
   * where it was cut; unless that block is damaged, too.
   */
  private boolean mayBeCutThere() throws IOException {
    BlockHeader block = walk.block();
    if (block == null || block.lsn() >= header.startLsn()) {
      return false; // no recovery since
    }
    long cut = header.cutLsn();
    for (long lsn = walk.nextLsn(); lsn < header.startLsn(); lsn += LogFormat.BLOCK_ALIGNMENT) {
      BlockHeader later = blockAt(lsn);
      if (later != null && walk.admits(later) && !isCutOff(later)) {
        if (later.incarnation() == block.incarnation()) {
          return false;
        }
        cut = later.previousEndLsn();
        break;
      }
    }
    boolean cutLaterInBlock = walk.endLsn() < cut && cut <= block.endLsn();
    return !cutLaterInBlock;
  }

  /** Goes on at the next block that may be part of the log. */
  private boolean resumesAtBlock() throws IOException {
    for (long lsn = walk.nextLsn(); lsn < limitLsn; lsn += LogFormat.BLOCK_ALIGNMENT) {
      BlockHeader block = blockAt(lsn);
      if (block != null && walk.admits(block) && !isCutOff(block)) {
        addMissing(walk.endLsn(), block.previousEndLsn());
        walk.resumeAt(block);
        return true;
      }
    }
    return false;
  }

  /** Whether a later life knows that the log ended before this block. */
  private boolean isCutOff(BlockHeader block) throws IOException {
    for (long lsn = block.lsn(); lsn < header.startLsn(); lsn += LogFormat.BLOCK_ALIGNMENT) {
      BlockHeader later = blockAt(lsn);
      if (later != null
          && later.incarnation() > block.incarnation()
          && later.incarnation() < header.incarnation()) {
        return later.previousEndLsn() <= block.lsn();
      }
    }
    return block.lsn() < header.startLsn() && header.cutLsn() <= block.lsn();
  }

  /** Returns where the last of what was appended ends, as far as anything shows. */
  private long lookBehindTheEnd() throws IOException {
    long seen = walk.brokenBlockEndLsn();
    for (long lsn = walk.nextLsn(); lsn < limitLsn; lsn += LogFormat.BLOCK_ALIGNMENT) {
      BlockHeader block = blockAt(lsn);
      if (block != null && block.incarnation() == header.incarnation()) {
        knownDurableLsn = Math.max(knownDurableLsn, block.durableLsn());
        seen = Math.max(seen, block.endLsn());
      }
    }
    knownDurableLsn = Math.max(knownDurableLsn, walk.durableLsn());
    return seen;
  }

  private BlockHeader blockAt(long lsn) throws IOException {
    return ring.blockIn(window.at(lsn, LogFormat.BLOCK_HEADER_BYTES), lsn);
  }

  private void addMissing(long from, long to) {
    if (to <= from) {
      return;
    }
    if (!missing.isEmpty() && missing.getLast()[1] == from) {
      missing.getLast()[1] = to;
    } else {
      missing.add(new long[] {from, to});
    }
  }

  private CorruptFileException corrupt(String expected) {
    // Content may end on the last byte of one segment, and be missing from the first of the next.
    return new CorruptFileException(
        ring.path(walk.endLsn()),
        ring.offset(walk.endLsn()),
        expected,
        "no valid record, lsn=" + walk.endLsn());
  }
}
