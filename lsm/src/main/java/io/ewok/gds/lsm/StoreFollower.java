package io.ewok.gds.lsm;

import io.ewok.gds.allocator.BudgetExceededException;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.wal.LogFollower;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * Follows a store in its directory that somebody else may have open: the manifest, the tables that
 * it names, and the log behind its horizon. Nothing is written there, and nothing locked.
 *
 * <p>Threads: confined to one at a time; readers of {@link StoreParts#versions} are any.
 */
final class StoreFollower {
  /*
   * The writer makes an edit of the manifest durable before it deletes the tables that the edit removes, before it uses
   * the log anew that the edit's tables have, and before it writes to a family that the edit creates. So whatever is
   * not found as the manifest says was changed with a manifest that is there by now: it is read again, and all is tried
   * with that. If it is still the same, something is wrong with the store.
   *
   * A record that is in a memtable and in a table would be merged twice, if it is an operand. So whenever the horizon
   * has moved, the log behind it is read into new memtables; else what is new in the log is added to those there are.
   */
  private static final int TRIES_MAX = 1000;

  private static final long WINDOW_BYTES_MAX = 256 << 10;

  private final StoreParts parts;
  private final IoEngine engine;
  private final StoreFiles files;
  private final StoreOptions options;
  private FollowedTables tables;
  private LogFollower log;

  /** As it was read, and what it says. */
  private byte[] manifestBytes = {};

  private Manifest manifest = Manifest.EMPTY;

  /** Null before the first version. */
  private FollowedMemtables memtables;

  /** Whether the log is not where the memtables end. */
  private boolean lostPlace = true;

  private StoreFollower(StoreParts parts) {
    this.parts = parts;
    this.engine = parts.engine;
    this.files = parts.files;
    this.options = parts.options;
  }

  /**
   * Opens all parts that reading takes. After an exception the caller closes those that are open.
   */
  static StoreFollower open(StoreParts parts) throws IOException {
    StoreFollower follower = new StoreFollower(parts);
    follower.openParts();
    follower.refresh();
    parts.closeLater(parts.versions::close);
    return follower;
  }

  private void openParts() throws IOException {
    if (!engine.exists(files.manifest())) {
      throw new NotAStoreException("there is no store", files.directory());
    }
    parts.space =
        new MemtableSpace(
            parts.memory.memtables(),
            StoreMemory.memtable(options),
            StoreOptions.MEMTABLES_MAX,
            () -> {});
    parts.closeLater(parts.space::close);
    parts.closeLater(this::releaseMemtables);
    parts.buffers =
        new BufferManager(engine, parts.memory.pool(), StoreMemory.bufferOptions(options));
    parts.closeLater(parts.buffers::close);
    tables = new FollowedTables(files, parts.buffers);
    parts.closeLater(
        () -> {
          tables.releaseAll();
          tables.closeUnused();
        });
    parts.closeLater(this::closeLog);
  }

  private void releaseMemtables() {
    if (memtables != null) {
      memtables.release();
      memtables = null;
    }
  }

  private void closeLog() throws IOException {
    if (log != null) {
      log.close();
      log = null;
    }
  }

  /** Goes on to what the store is now. After an exception readers see what they saw before. */
  void refresh() throws IOException {
    tables.closeUnused();
    byte[] failed = null;
    StorageException failure = null;
    for (int tries = 0; tries < TRIES_MAX; tries++) {
      byte[] found = ManifestLog.read(engine, files.manifest());
      if (failed != null && Arrays.equals(failed, found)) {
        throw failure;
      }
      try {
        follow(found);
        return;
      } catch (StorageException e) {
        failed = found;
        failure = e;
      }
    }
    throw new StorageException(
        "the store changes faster than it can be read: tries=" + TRIES_MAX,
        files.directory(),
        failure);
  }

  private void follow(byte[] found) throws IOException {
    boolean isSame = Arrays.equals(manifestBytes, found);
    Manifest next = isSame ? manifest : ManifestLog.parse(engine, files.manifest(), found);
    requireNext(next);
    if (log == null) {
      log = LogFollower.open(engine, files.log(), windowBytes(), parts.memory.log());
    }
    try {
      if (lostPlace || next.horizonLsn() > manifest.horizonLsn()) {
        readAnew(next);
      } else {
        readOn(next, isSame);
      }
    } catch (BudgetExceededException e) {
      throw new StorageException(
          "the log holds a batch too large for this memory, open the store with larger sizes:"
              + " memoryBytes="
              + options.memoryBytes(),
          files.log(),
          e);
    }
    manifest = next;
    manifestBytes = found;
  }

  private long windowBytes() {
    return Math.min(WINDOW_BYTES_MAX, StoreMemory.logOptions(options).bufferBytes());
  }

  private void requireNext(Manifest next) throws IOException {
    if (!next.created()) {
      throw new NotAStoreException(
          "the creation of the store has not come to its end", files.directory());
    }
    if (next.nextNumber() < manifest.nextNumber()
        || next.horizonLsn() < manifest.horizonLsn()
        || next.nextFamily() < manifest.nextFamily()) {
      throw new StorageException(
          "the store in this directory is another one now, or was set back: horizonLsn=%d before=%d"
              .formatted(next.horizonLsn(), manifest.horizonLsn()),
          files.directory());
    }
    for (FamilyManifest family : next.all()) {
      Merging.requireOperator(options, family, files.directory());
    }
  }

  /** Reads the log from a horizon on into new memtables. */
  private void readAnew(Manifest next) throws IOException {
    lostPlace = true;
    SortedMap<Integer, Levels> levels = tables.open(next);
    FollowedMemtables fresh = new FollowedMemtables(parts.space, files.log());
    boolean isUsed = false;
    try {
      log.seek(next.horizonLsn());
      readLog(next, fresh, () -> {});
      publish(next, fresh, levels);
      isUsed = true;
    } finally {
      if (!isUsed) {
        fresh.release();
      }
    }
    FollowedMemtables before = memtables;
    memtables = fresh;
    if (before != null) {
      before.release();
    }
    tables.keepOnly(next);
    lostPlace = false;
  }

  /** Adds what is new in the log to the memtables. */
  private void readOn(Manifest next, boolean isSame) throws IOException {
    readLog(next, memtables, () -> parts.versions.rotate(memtables.active()));
    if (isSame) {
      publishTimes(next, log.lsn());
      parts.versions.order().setVisible(log.lsn());
    } else {
      publish(next, memtables, tables.open(next));
      tables.keepOnly(next);
    }
  }

  private void readLog(Manifest next, FollowedMemtables into, Runnable whenFrozen)
      throws IOException {
    boolean all =
        log.follow(
            (long endLsn, MemorySegment record) -> into.tryAdd(next, endLsn, record, whenFrozen));
    if (!all) {
      throw new StorageException(
          "the log holds more than two memtables, open the store with larger ones:"
              + " memtableBytes="
              + options.memtableBytes(),
          files.log());
    }
    if (parts.versions != null && log.lsn() < parts.versions.sequence()) {
      throw new StorageException(
          "the log ends before what was read of it: lsn=%d before=%d"
              .formatted(log.lsn(), parts.versions.sequence()),
          files.log());
    }
  }

  // ---- what readers see

  private void publish(Manifest next, FollowedMemtables read, SortedMap<Integer, Levels> levels) {
    addFamilies(next);
    // Before the version: its tables have lost what readers with less would have to see.
    publishTimes(next, log.lsn());
    if (parts.versions == null) {
      parts.versions =
          new VersionSet(
              new Version(read.active(), read.frozenOrNull(), levels),
              log.lsn(),
              parts.families,
              null);
    } else {
      parts.versions.order().setVisible(log.lsn());
      parts.versions.replace(read.active(), read.frozenOrNull(), levels);
    }
    dropFamilies(next);
  }

  private void addFamilies(Manifest next) {
    for (FamilyManifest family : next.all()) {
      if (parts.families != null && parts.families.find(family.id()) != null) {
        continue;
      }
      TreeOptions tree = options.tree(family.name());
      FamilyState state =
          new FamilyState(family.id(), family.name(), Merging.of(options, tree, files.directory()))
              .withExpiration(new Expiration(tree::ttl, parts.clock, WriteTimes.NONE));
      if (parts.families == null) {
        parts.families = new Families(state);
      } else {
        parts.families.add(state);
      }
    }
  }

  private void publishTimes(Manifest next, long endLsn) {
    for (FamilyManifest family : next.all()) {
      Expiration expiration = parts.families.find(family.id()).expiration();
      expiration.goOn(family.writeTimes().upTo(endLsn));
      expiration.advance(endLsn);
    }
  }

  private void dropFamilies(Manifest next) {
    List<FamilyState> known = new ArrayList<>(parts.families.all());
    for (FamilyState family : known) {
      if (next.family(family.id()) == null) {
        family.setDropped(true);
        parts.families.remove(family);
      }
    }
  }
}
