package io.ewok.gds.wal;

import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The way through the bytes of a log from record to record. It says which bytes it wants to see
 * next and is given them; where they come from is its user's business. Recovery, {@link LogReader}
 * and caches of log pages all go this way.
 *
 * <p>It follows a chain: each block says where the content before it ends. Where a recovery cut a
 * block short, the next incarnation's first block (or, before it was written, the log header) names
 * the very position of the cut, so that a record that rotted there later is not taken for one.
 *
 * <p>Ownership: holds no memory; what it was fed it does not keep. Threads: one at a time.
 *
 * {@snippet :
 * LogWalk walk = source.walk(lsn);
 * while (walk.lsn() + walk.bytes() <= source.writtenLsn()) {
 *   MemorySegment bytes = fetch(walk.lsn(), walk.bytes()); // they lie in one segment
 *   switch (walk.feed(bytes)) {
 *     case RECORD -> take(bytes, walk.endLsn());
 *     case MORE -> {}
 *     case END -> throw damaged(); // or the log has reused the segment meanwhile
 *   }
 * }
 * }
 *
 * <p>Errors: {@link UnsupportedFormatException} from a block that a newer version wrote.
 */
public final class LogWalk {
  /** What the bytes were. */
  public enum Step {
    /** Something on the way: go on. */
    MORE,
    /** The content of a record, whole and valid. */
    RECORD,
    /** Not what the log has here: nothing follows. */
    END
  }

  private enum Wanted {
    BLOCK,
    RECORD_HEADER,
    CONTENT,
    NOTHING
  }

  private final SegmentRing ring;
  private final LogHeader header;
  private final long fromLsn;
  private final RecordChecksum checksum = new RecordChecksum();

  private Wanted wanted = Wanted.BLOCK;
  private long nextLsn;
  private long endLsn;
  private long incarnation;
  private boolean chained;

  // Of the block we are in.
  private BlockHeader block;
  private long offset;
  private int length;
  private int expectedChecksum;

  // Of the record that was come to last.
  private BlockHeader recordBlock;
  private long recordLsn;

  /** Of the record that was opened last; null if none was. */
  private LogKey key;

  /** Whether the end is at a record that has a length that makes sense, but not the content. */
  private boolean brokenContent;

  private LogWalk(
      SegmentRing ring,
      LogHeader header,
      long fromLsn,
      long nextLsn,
      long endLsn,
      boolean chained) {
    this.ring = ring;
    this.header = header;
    this.fromLsn = fromLsn;
    this.nextLsn = nextLsn;
    this.endLsn = endLsn;
    this.chained = chained;
  }

  /**
   * Starts at a segment, or behind the last recovery's cut if nothing before it is wanted.
   *
   * @param fromLsn records that end here or before are passed over
   * @param firstLsn where the first segment starts that may be read
   */
  static LogWalk from(SegmentRing ring, LogHeader header, long fromLsn, long firstLsn) {
    long start = Math.max(firstLsn, ring.segmentStart(fromLsn));
    if (start == header.startLsn() || (fromLsn >= header.cutLsn() && start < header.startLsn())) {
      return behind(ring, header, fromLsn, header.cutLsn(), header.startLsn());
    }
    return new LogWalk(ring, header, fromLsn, start, start, false);
  }

  /**
   * Starts between two blocks.
   *
   * @param endLsn where the content ends of that before
   * @param nextLsn where that after starts
   */
  static LogWalk behind(
      SegmentRing ring, LogHeader header, long fromLsn, long endLsn, long nextLsn) {
    return new LogWalk(ring, header, fromLsn, nextLsn, endLsn, true);
  }

  /** Where the bytes start that are wanted next. */
  public long lsn() {
    return switch (wanted) {
      case BLOCK, NOTHING -> nextLsn;
      case RECORD_HEADER -> block.lsn() + offset;
      case CONTENT -> block.lsn() + offset + LogFormat.RECORD_HEADER_BYTES;
    };
  }

  /** How many bytes are wanted next. */
  public int bytes() {
    return switch (wanted) {
      case BLOCK -> LogFormat.BLOCK_HEADER_BYTES;
      case RECORD_HEADER -> LogFormat.RECORD_HEADER_BYTES;
      case CONTENT -> length;
      case NOTHING -> 0;
    };
  }

  /** Whether the bytes that are wanted next are a record's content. */
  public boolean isAtContent() {
    return wanted == Wanted.CONTENT;
  }

  /**
   * Where the content ends that was walked so far: after {@link Step#RECORD} the position just
   * after that record, as {@link WriteAheadLog#append(MemorySegment)} returned it.
   */
  public long endLsn() {
    return endLsn;
  }

  /** Whether the bytes that are wanted next are a block's header. */
  boolean isAtBlock() {
    return wanted == Wanted.BLOCK;
  }

  /** Where the next block starts, or would start. */
  long nextLsn() {
    return nextLsn;
  }

  /** What was known to be durable when the last block was written that was come to. */
  long durableLsn() {
    return block == null ? 0 : block.durableLsn();
  }

  /** At the end: where the block's content should have ended in which it is; 0 if in none. */
  long brokenBlockEndLsn() {
    boolean inBlock = block != null && block.lsn() >= header.startLsn() && endLsn < block.endLsn();
    return inBlock ? block.endLsn() : 0;
  }

  /** The block that was come to last, or null. */
  BlockHeader block() {
    return block;
  }

  /**
   * At the end: goes on behind a record whose content does not validate.
   *
   * @return where, or -1 if there is no such record here
   */
  long skipRecord() {
    if (wanted != Wanted.NOTHING || !brokenContent) {
      return -1;
    }
    brokenContent = false;
    offset += LogFormat.recordExtent(length);
    long lsn = block.lsn() + offset;
    Step unused = nextInBlock();
    return lsn;
  }

  /** Goes on at a block, whatever came before. */
  void resumeAt(BlockHeader next) {
    chained = false;
    nextLsn = next.lsn();
    wanted = Wanted.BLOCK;
  }

  /**
   * Takes the bytes that were wanted.
   *
   * @param bytes those from {@link #lsn} on, {@link #bytes} of them
   * @return what they were; END stays END
   * @throws PlainFileException if they are a record that is not encrypted, and such are not to be
   *     read
   */
  public Step feed(MemorySegment bytes) throws IOException {
    if (bytes.byteSize() != bytes()) {
      throw new IllegalArgumentException(
          "other bytes are wanted: bytes=%d byteSize=%d".formatted(bytes(), bytes.byteSize()));
    }
    return switch (wanted) {
      case BLOCK -> enter(blockIn(bytes));
      case RECORD_HEADER -> recordHeader(bytes);
      case CONTENT -> content(checksum.of(block.lsn() + offset, block.incarnation(), bytes));
      case NOTHING -> Step.END;
    };
  }

  /**
   * Takes the content that was wanted, as {@link #feed} does, and makes no garbage.
   *
   * @param bytes {@link #bytes} remain in it, and are consumed
   * @throws IllegalStateException if no content is wanted
   * @throws PlainFileException as {@link #feed}
   */
  public Step feedContent(ByteBuffer bytes) throws StorageException {
    if (wanted != Wanted.CONTENT || bytes.remaining() != length) {
      throw new IllegalStateException(
          "other bytes are wanted: bytes=%d remaining=%d".formatted(bytes(), bytes.remaining()));
    }
    return content(checksum.of(block.lsn() + offset, block.incarnation(), bytes));
  }

  private Step enter(BlockHeader next) {
    if (next == null || !follows(next)) {
      return end();
    }
    chained = true;
    incarnation = next.incarnation();
    block = next;
    brokenContent = false;
    offset = LogFormat.BLOCK_HEADER_BYTES;
    // No recovery has cut a block of this life, so that nothing needs to be looked at in one.
    if (block.endLsn() <= fromLsn && block.lsn() >= header.startLsn()) {
      offset += block.payloadBytes();
    }
    return nextInBlock();
  }

  private Step nextInBlock() {
    if (offset == LogFormat.BLOCK_HEADER_BYTES + block.payloadBytes()) {
      endLsn = block.endLsn();
      nextLsn = block.nextLsn();
      wanted = Wanted.BLOCK;
      return Step.MORE;
    }
    long lsn = block.lsn() + offset;
    boolean cutHere = lsn == header.cutLsn() && lsn < header.startLsn();
    if (cutHere || offset + LogFormat.RECORD_HEADER_BYTES > payloadEnd()) {
      return broken();
    }
    wanted = Wanted.RECORD_HEADER;
    return Step.MORE;
  }

  private Step recordHeader(MemorySegment bytes) {
    length = LogFormat.recordLength(bytes, 0);
    expectedChecksum = LogFormat.recordChecksum(bytes, 0);
    if (length <= 0 || offset + LogFormat.recordExtent(length) > payloadEnd()) {
      return broken();
    }
    wanted = Wanted.CONTENT;
    return Step.MORE;
  }

  /**
   * Whether the content of the record that was come to last is sealed, so that it is to be opened.
   */
  public boolean isSealed() {
    return recordBlock != null && recordBlock.keyId() != 0;
  }

  /**
   * Opens the record that was come to last.
   *
   * @param bytes its content, in memory of the caller's: it is opened where it is
   * @return what was appended
   */
  MemorySegment open(KeySource keys, MemorySegment bytes, Path path) throws IOException {
    if (key == null || !key.isOf(recordBlock)) {
      key = LogKey.ofOrNull(keys, recordBlock, path);
    }
    return key.open(recordLsn, bytes, path);
  }

  private Step content(int recordChecksum) throws StorageException {
    if (recordChecksum != expectedChecksum) {
      brokenContent = true;
      return broken();
    }
    recordBlock = block;
    recordLsn = block.lsn() + offset;
    offset += LogFormat.recordExtent(length);
    endLsn = block.lsn() + offset;
    Step unused = nextInBlock(); // whatever follows, this was a record
    if (endLsn <= fromLsn) {
      return Step.MORE;
    }
    if (!isSealed() && !ring.keys().readsPlain()) {
      throw new PlainFileException(ring.path(recordLsn));
    }
    return Step.RECORD;
  }

  /**
   * The log ends here, unless a recovery has found its end here before, and it went on: then the
   * next block says so, which one of the same life cannot.
   */
  private Step broken() {
    endLsn = block.lsn() + offset;
    nextLsn = LogFormat.alignToBlock(endLsn);
    boolean atLastCut = endLsn == header.cutLsn() && nextLsn == header.startLsn();
    if (nextLsn >= header.startLsn() && !atLastCut) {
      return end();
    }
    wanted = Wanted.BLOCK;
    return Step.MORE;
  }

  private Step end() {
    wanted = Wanted.NOTHING;
    return Step.END;
  }

  private long payloadEnd() {
    return LogFormat.BLOCK_HEADER_BYTES + (long) block.payloadBytes();
  }

  private boolean follows(BlockHeader next) {
    return admits(next) && (!chained || next.previousEndLsn() == endLsn);
  }

  /** Whether a block is of a life that may have written it there, after what was walked so far. */
  boolean admits(BlockHeader next) {
    return next.lsn() >= header.startLsn()
        ? next.incarnation() == header.incarnation()
        : next.incarnation() >= incarnation && next.incarnation() < header.incarnation();
  }

  private BlockHeader blockIn(MemorySegment bytes) throws UnsupportedFormatException {
    return ring.blockIn(bytes, nextLsn);
  }
}
