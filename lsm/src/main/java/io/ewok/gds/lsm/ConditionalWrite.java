package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.wal.LogPlace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A write that happens if nothing that it stands on was written before: the commit of a {@link
 * Transaction}.
 *
 * <p>Threads: confined to one; used once.
 */
final class ConditionalWrite {
  /*
   * A transaction is valid if nothing that it stands on was written before its own place in the log: places are the order
   * in which writes become visible. So it takes a place, waits until all before it is visible, looks, and then fills
   * the place, or if there is a conflict makes it void. Plain writes need not know of that. What was written long ago
   * is looked for before; with a place it looks into the active memtable alone, whose writers cannot leave it before.
   *
   *   outside          all up to what is visible then, if that is not only in the active memtable; may read
   *   in the memtable  all up to what is visible then: most conflicts take no place
   *   with a place     the rest
   *
   * Those before it wait for nothing but their turn to run, and the device that writes a large record: not for who fills
   * a place, but perhaps for a free AppendSlots, of which there are few. So one at a time waits with a place, and that
   * is also the order in which transactions could become visible at best.
   */
  private final StoreWriter writer;
  private final VersionSet versions;
  private final WriteRoom room;
  private final WriteBatch batch;
  private final MemorySegment record;
  private final CommitCheck check;
  private final WriteOptions options;

  /** Where it ends when the log has no room for it. */
  private static final long NO_PLACE = -1;

  // Of the present try.
  private Memtable memtable;

  /** Whether it is in the memtable, and has written nothing. */
  private boolean inside;

  private Conflict conflict;
  private boolean written;
  private long endLsn;

  ConditionalWrite(
      StoreWriter writer,
      VersionSet versions,
      WriteRoom room,
      WriteBatch batch,
      CommitCheck check,
      WriteOptions options) {
    this.writer = writer;
    this.versions = versions;
    this.room = room;
    this.batch = batch;
    this.record = batch.record();
    this.check = check;
    this.options = options;
  }

  /** Where it ends in the log. */
  long endLsn() {
    return endLsn;
  }

  /** Looks for conflicts up to a sequence number that is visible already. */
  static Conflict find(VersionSet versions, CommitCheck check, long upTo) throws IOException {
    Version version = versions.retain();
    try {
      return check.inVersion(version, upTo);
    } finally {
      versions.release(version);
    }
  }

  /**
   * Writes, as far as that it is visible.
   *
   * @return a conflict, or null if it is written
   */
  Conflict run() throws IOException {
    long checked = check.since();
    while (!written && conflict == null) {
      if (checked < room.activeStartLsn()) {
        // As a snapshot would: records that are being ingested have a number, and are not there
        // yet.
        checked = versions.snapshotSequence();
        conflict = find(versions, check, checked);
        if (conflict != null) {
          return conflict;
        }
      }
      memtable =
          room.enter(
              batch.memtableBytes(), Manifest.MAIN, batch.hasMarks() ? record : null, options);
      inside = true;
      try {
        // If that has begun meanwhile, what came before it has to be looked for once more.
        if (checked >= room.activeStartLsn()) {
          lookAndWrite();
        }
      } finally {
        leave();
      }
      if (endLsn == NO_PLACE) {
        endLsn = 0;
        room.makeInLog(memtable, record.byteSize(), options);
      }
    }
    return conflict;
  }

  private void leave() {
    if (inside) {
      inside = false;
      memtable.leaveUnused(batch.memtableBytes());
    }
  }

  private void lookAndWrite() throws IOException {
    long checked = versions.sequence();
    conflict = check.inMemtable(memtable, 0, checked);
    if (conflict != null) {
      return;
    }
    writer.committing().lock();
    try {
      inside = false; // who gets no place has left
      LogPlace place = writer.reserve(memtable, batch.memtableBytes(), record.byteSize(), record);
      if (place == null) {
        endLsn = NO_PLACE;
        return;
      }
      inside = true;
      fill(place, checked);
    } finally {
      writer.committing().unlock();
    }
  }

  /**
   * Fills a place, or makes it void.
   *
   * @param checked what is not newer than this is known
   */
  private void fill(LogPlace reserved, long checked) throws IOException {
    long first = reserved.startLsn() + 1;
    long startLsn = reserved.previousEndLsn();
    endLsn = reserved.endLsn();
    RuntimeException failed = null;
    try {
      try (LogPlace place = reserved) {
        try {
          writer.awaitVisible(startLsn);
          conflict = startLsn == checked ? null : check.inMemtable(memtable, checked, startLsn);
          if (conflict == null) {
            conflict = check.held(); // those before it are known
          }
          if (conflict == null) {
            place.put(record);
            written = true;
          }
        } catch (RuntimeException e) {
          failed = e;
        }
        if (!written) {
          place.putInstead(BatchFormat.voidHeader());
        }
      }
      if (written) {
        memtable.insert(record, first);
      }
      writer.publish(startLsn, endLsn);
    } catch (IOException | RuntimeException | Error e) {
      writer.fail(e);
      throw e;
    } finally {
      if (written) {
        inside = false;
        memtable.exit();
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
