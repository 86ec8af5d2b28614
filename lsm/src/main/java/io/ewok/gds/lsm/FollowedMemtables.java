package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.wal.WriteAheadLog;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.IntPredicate;

/**
 * What a follower has of the log in memory: the records behind the horizon of one manifest, no
 * others, in two memtables at most.
 *
 * <p>Ownership: whoever made it releases it. Threads: confined to one at a time; what it has given
 * to a version is read by any.
 */
final class FollowedMemtables {
  private final MemtableSpace space;
  private final Path log;
  private Memtable active;
  private Memtable frozenOrNull;

  /**
   * Makes one without records.
   *
   * @param log named in errors
   * @throws IllegalStateException if all memtables there may be are in use
   */
  FollowedMemtables(MemtableSpace space, Path log) {
    this.space = space;
    this.log = log;
    this.active = create();
  }

  private Memtable create() {
    Memtable created = space.tryCreate();
    if (created == null) {
      throw new IllegalStateException(
          "cursors and pinned values keep the memory of what the store was, close or refresh them"
              + " first: memtables="
              + StoreOptions.MEMTABLES_MAX);
    }
    return created;
  }

  Memtable active() {
    return active;
  }

  Memtable frozenOrNull() {
    return frozenOrNull;
  }

  /**
   * Adds a batch of the log, unless there is no room for it.
   *
   * @param manifest says which families there are; operations of others are passed over
   * @param whenFrozen told after another memtable has become the active one, before it has records
   * @return whether it was added
   */
  boolean tryAdd(Manifest manifest, long endLsn, MemorySegment batch, Runnable whenFrozen)
      throws CorruptFileException {
    LoggedBatch.requireSound(log, endLsn, batch, manifest.nextFamily());
    IntPredicate isThere = id -> manifest.family(id) != null;
    long sizeBytes = BatchFormat.memtableBytes(batch);
    if (!active.tryEnter(sizeBytes, batch, isThere)) {
      if (frozenOrNull != null) {
        return false;
      }
      Memtable next = create();
      frozenOrNull = active;
      active = next;
      whenFrozen.run();
      if (!active.tryEnter(sizeBytes, batch, isThere)) {
        return false;
      }
    }
    active.insert(batch, WriteAheadLog.startLsn(endLsn, batch.byteSize()) + 1);
    active.exit();
    active.setEnd(endLsn, endLsn);
    return true;
  }

  /** Leaves the memtables. */
  void release() {
    active.release();
    if (frozenOrNull != null) {
      frozenOrNull.release();
    }
  }
}
