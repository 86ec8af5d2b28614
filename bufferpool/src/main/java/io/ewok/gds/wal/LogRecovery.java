package io.ewok.gds.wal;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Walks a log from the segment of its horizon to its end and replays the records.
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
  private final LogWalk walk;
  private final long limitLsn;

  LogRecovery(SegmentRing ring, LogHeader header, LogWindow window, RecordConsumer replay) {
    this.ring = ring;
    this.header = header;
    this.window = window;
    this.replay = replay;
    long firstLsn = ring.segmentStart(header.horizonLsn());
    this.walk = LogWalk.from(ring, header, header.horizonLsn(), firstLsn);
    this.limitLsn = firstLsn + ring.capacityBytes();
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
    return walk.endLsn();
  }

  /** Where the next block may be written; known after {@link #run}. */
  long nextLsn() {
    return walk.nextLsn();
  }

  void run() throws IOException {
    boolean more = true;
    while (more && walk.lsn() < limitLsn) {
      MemorySegment bytes = window.at(walk.lsn(), walk.bytes());
      switch (walk.feed(bytes)) {
        case MORE -> {}
        case RECORD -> replay.accept(walk.endLsn(), bytes);
        case END -> more = false;
      }
    }
    boolean lost = walk.endLsn() < header.horizonLsn() || walk.endLsn() < header.cutLsn();
    if (lost || walk.nextLsn() < header.startLsn()) {
      throw corrupt("log content that was durable");
    }
    checkNothingDurableFollows();
  }

  private void checkNothingDurableFollows() throws IOException {
    for (long lsn = walk.nextLsn(); lsn < limitLsn; lsn += LogFormat.BLOCK_ALIGNMENT) {
      BlockHeader block = ring.blockIn(window.at(lsn, LogFormat.BLOCK_HEADER_BYTES), lsn);
      if (block != null
          && block.incarnation() == header.incarnation()
          && block.durableLsn() > walk.endLsn()) {
        throw corrupt("a record that was durable when position " + lsn + " was written");
      }
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
