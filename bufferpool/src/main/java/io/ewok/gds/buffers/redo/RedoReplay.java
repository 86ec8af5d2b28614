package io.ewok.gds.buffers.redo;

import io.ewok.gds.wal.RecordConsumer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * Takes the records of a log apart and deals their parts out, the parts of a page always to the
 * same lane.
 *
 * <p>Threads: one.
 */
final class RedoReplay implements RecordConsumer, AutoCloseable {
  private final Map<Integer, LoggedFile> files;
  private final RedoLane[] lanes;

  RedoReplay(Map<Integer, LoggedFile> files, PageRedo redo, int laneCount) {
    this.files = files;
    this.lanes = new RedoLane[laneCount];
    for (int i = 0; i < laneCount; i++) {
      lanes[i] = new RedoLane(files, redo);
    }
  }

  @Override
  public void accept(long lsn, MemorySegment record) throws IOException {
    if (record.byteSize() < RedoFormat.HEADER_BYTES
        || record.get(RedoFormat.INT, 0) != RedoFormat.VERSION) {
      throw unreadable(lsn);
    }
    long at = RedoFormat.HEADER_BYTES;
    while (at < record.byteSize()) {
      long left = record.byteSize() - at - RedoFormat.PART_HEADER_BYTES;
      if (left < 0) {
        throw unreadable(lsn);
      }
      int length = record.get(RedoFormat.INT, at + RedoFormat.PART_LENGTH);
      if (length < 0 || length > left) {
        throw unreadable(lsn);
      }
      deal(lsn, record.asSlice(at, RedoFormat.PART_HEADER_BYTES + length));
      at += RedoFormat.PART_HEADER_BYTES + length;
    }
  }

  private void deal(long lsn, MemorySegment part) throws IOException {
    int file = part.get(RedoFormat.INT, RedoFormat.PART_FILE);
    long page = part.get(RedoFormat.LONG, RedoFormat.PART_PAGE);
    if (!files.containsKey(file)) {
      throw new IllegalArgumentException(
          "the log has changes of a file that was not named: lsn=%d id=%d".formatted(lsn, file));
    }
    if (lanes.length == 1) {
      lanes[0].redo(lsn, part);
    } else {
      long hash = (page + file * 31L) * 0x9E3779B97F4A7C15L;
      RedoLane lane = lanes[(int) ((hash >>> Integer.SIZE) % lanes.length)];
      lane.requireNoFailure();
      lane.put(lsn, part);
    }
  }

  private static IOException unreadable(long lsn) {
    return new IOException("the log's record is no change of pages: lsn=" + lsn);
  }

  /**
   * Returns when everything is redone.
   *
   * @param endLsn where the log ends: no page may have a later change
   */
  void finish(long endLsn) throws IOException {
    for (RedoLane lane : lanes) {
      lane.end();
    }
    close();
    for (RedoLane lane : lanes) {
      lane.requireNoFailure();
      lane.requireLogged(endLsn);
    }
  }

  /** Returns when no lane is at work any more, whether all is redone or not. */
  @Override
  public void close() {
    for (RedoLane lane : lanes) {
      lane.stop();
    }
    for (RedoLane lane : lanes) {
      lane.awaitEnd();
    }
  }
}
