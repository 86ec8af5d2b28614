package io.ewok.gds.lsm;

import io.ewok.gds.lsm.cache.RecordCache;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.KeyRanges;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.reactor.Monitor;
import java.io.IOException;
import java.lang.System.Logger;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * The current {@link Version}, those that readers still use, the open cursors and snapshots.
 *
 * <p>Threads: any. Readers retain the current version without a lock. Nothing else is locked, no
 * I/O is done and no memory is freed under its lock.
 */
final class VersionSet {
  private static final Logger LOGGER = System.getLogger(VersionSet.class.getName());

  private final Monitor lock = new Monitor();
  private final Monitor.Line drained = lock.newLine();
  private final Monitor.Line readersReleased = lock.newLine();

  // Guarded by lock.
  private final Set<StoreCursor> cursors = new LinkedHashSet<>();
  private final Set<Snapshot> snapshots = new LinkedHashSet<>();
  private PinnedValue firstPinned;
  private int snapshotHolds;
  private int cursorHolds;

  /** Who has them: the background thread. */
  private Thread holder;

  private Runnable toTellOrNull;
  private int live;

  private final Families families;
  private final ReadContexts contexts;

  /** Written under the lock. Null after close. Partner of the write in install: retain. */
  private volatile Version current;

  private final CommitOrder order;
  private final RecordCache recordCacheOrNull;
  private final WriteWatch watch = new WriteWatch(this::sequence);

  /**
   * Starts with a first version, which it takes over.
   *
   * @param recordCacheOrNull what gets ask before tables, if there is one
   */
  VersionSet(Version first, long sequence, Families families, RecordCache recordCacheOrNull) {
    this.families = families;
    this.recordCacheOrNull = recordCacheOrNull;
    this.contexts = new ReadContexts(this);
    this.current = first;
    this.order = new CommitOrder(sequence);
    live = 1;
  }

  /**
   * Retains the current version for a reader, which calls {@link #release}.
   *
   * @throws IllegalStateException if the store is closed
   */
  Version retain() {
    while (true) {
      Version version = current;
      if (version == null) {
        throw closed();
      }
      if (version.tryRetain()) {
        return version;
      }
      // It was replaced, and all its readers have left, since it was read. The next one is there.
    }
  }

  void release(Version version) {
    if (version.release()) {
      lock.lock();
      try {
        live--;
        drained.wakeAll();
      } finally {
        lock.unlock();
      }
    }
  }

  static IllegalStateException closed() {
    return new IllegalStateException("the store is closed");
  }

  /** The current version, for comparison only; null after close. */
  Version currentOrNull() {
    return current;
  }

  /** Those that there are. */
  Families families() {
    return families;
  }

  /** Contexts for gets. */
  ReadContexts contexts() {
    return contexts;
  }

  /** What gets ask before tables, or null. */
  RecordCache recordCacheOrNull() {
    return recordCacheOrNull;
  }

  /**
   * The {@link Version#tablesNumber} that the next change of tables will have. For who makes these
   * changes.
   */
  long nextTablesNumber() {
    return current.tablesNumber() + 1;
  }

  /** The newest sequence that readers may see. */
  long sequence() {
    return order.visible();
  }

  /** Where readers wait for writes. */
  WriteWatch watch() {
    return watch;
  }

  /** By which writes become visible. */
  CommitOrder order() {
    return order;
  }

  /** The memtable that takes writes; the set keeps it alive. */
  Memtable active() {
    return current.active();
  }

  /** The memtable that is to be flushed, or null. To be compared with, not to be read. */
  Memtable frozen() {
    Version version = current;
    return version == null ? null : version.frozen();
  }

  /** Whether a memtable is to be flushed. */
  boolean hasFrozen() {
    return frozen() != null;
  }

  /** Replaces the memtables: {@code active} takes writes, the one before it is frozen. */
  void rotate(Memtable active) {
    install(
        before -> new Version(before.tablesNumber(), active, before.active(), before.families()));
  }

  /**
   * Replaces the frozen memtable by its tables, by family, which become the newest of level 0 of
   * each.
   */
  void flushed(Map<Integer, List<Table>> tables) {
    install(
        before -> {
          SortedMap<Integer, Levels> families = new TreeMap<>(before.families());
          tables.forEach(
              (family, of) -> {
                // Those that are merged away, one day, take what they hide along, but not from
                // caches.
                boolean isChanged = before.frozen().hasRangeDeletes(family);
                families.compute(
                    family,
                    (_, levels) -> {
                      Levels next = levels.withNewest(of);
                      return isChanged ? next.withChangedNumber(next(before)) : next;
                    });
              });
          return new Version(next(before), before.active(), null, families);
        });
  }

  /**
   * Replaces tables of a family, or moves them to another level.
   *
   * @param isFiltered whether a filter may have removed or changed newest values
   */
  void compacted(int family, Set<Table> removed, int level, List<Table> added, boolean isFiltered) {
    install(
        before ->
            with(
                before,
                family,
                levels -> {
                  Levels next = levels.withReplaced(removed, level, added);
                  return isFiltered ? next.withChangedNumber(next(before)) : next;
                }));
  }

  /** Adds tables of a family, by level; on level 0 they are the newest. */
  void added(int family, SortedMap<Integer, List<Table>> added) {
    install(
        before ->
            with(
                before,
                family,
                levels -> {
                  Levels more = levels;
                  for (Map.Entry<Integer, List<Table>> each : added.entrySet()) {
                    more =
                        each.getKey() == 0
                            ? more.withNewest(each.getValue())
                            : more.withReplaced(Set.of(), each.getKey(), each.getValue());
                  }
                  return more.withChangedNumber(next(before));
                }));
  }

  /** Takes tables of a family away that nothing replaces. */
  void dropped(int family, Set<Table> removed) {
    install(
        before ->
            with(
                before, family, levels -> levels.without(removed).withChangedNumber(next(before))));
  }

  /**
   * Replaces all there is, as a follower does. What readers of it may see is to be published
   * before: with less they would miss what was merged away.
   */
  void replace(Memtable active, Memtable frozenOrNull, SortedMap<Integer, Levels> families) {
    install(before -> new Version(next(before), active, frozenOrNull, families));
  }

  /** Adds a family with its tables, each alive during the call. */
  void familyCreated(int family, Levels levels) {
    install(before -> with(before, family, _ -> levels));
  }

  /** Has the snapshots that there are show of a clone what they show of its family. */
  void familyCloned(int from, int clone) {
    lock.lock();
    try {
      snapshots.forEach(snapshot -> snapshot.familyCloned(from, clone));
    } finally {
      lock.unlock();
    }
  }

  /** Takes a family away. Who has a cursor on it keeps what that needs. */
  void familyDropped(int family) {
    install(before -> with(before, family, _ -> null));
  }

  private static long next(Version before) {
    return before.tablesNumber() + 1;
  }

  private static Version with(Version before, int family, UnaryOperator<Levels> change) {
    SortedMap<Integer, Levels> families = new TreeMap<>(before.families());
    families.compute(family, (_, levels) -> change.apply(levels));
    return new Version(next(before), before.active(), before.frozen(), families);
  }

  private void install(UnaryOperator<Version> change) {
    Version before;
    lock.lock();
    try {
      before = current;
      Version next = change.apply(before);
      live++;
      current = next;
    } finally {
      lock.unlock();
    }
    release(before);
    contexts.sweep();
  }

  /** Makes a snapshot of what readers may see now. */
  Snapshot openSnapshot(StoreCounters counters) {
    lock.lock();
    try {
      awaitSnapshotsReleased();
      if (current == null) {
        throw closed();
      }
      Snapshot snapshot = new Snapshot(this, counters, families, sequence());
      snapshots.add(snapshot);
      return snapshot;
    } finally {
      lock.unlock();
    }
  }

  /** The sequence at which a snapshot would be opened now; waits as one would. */
  long snapshotSequence() {
    lock.lock();
    try {
      awaitSnapshotsReleased();
      return sequence();
    } finally {
      lock.unlock();
    }
  }

  private void awaitSnapshotsReleased() {
    while (snapshotHolds > 0) {
      requireNotHolder();
      readersReleased.await();
    }
  }

  /** The newest sequence that an open snapshot sees; -1 if there is none. */
  long newestSnapshot() {
    lock.lock();
    try {
      return snapshots.stream().mapToLong(Snapshot::sequence).max().orElse(-1);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets those who open a snapshot wait until {@link #releaseSnapshots}: what they would see may
   * change in between. The background thread may do so several times, one within the other.
   */
  void holdSnapshots() {
    lock.lock();
    try {
      snapshotHolds++;
      holder = Thread.currentThread();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The same, if no snapshot is open that sees something newer than {@code sequence}.
   *
   * @return whether it was done, and is to be released
   */
  boolean tryHoldSnapshots(long sequence) {
    lock.lock();
    try {
      boolean isHeld = newestSnapshot() <= sequence;
      if (isHeld) {
        holdSnapshots();
      }
      return isHeld;
    } finally {
      lock.unlock();
    }
  }

  /** The newest sequence that an open snapshot or cursor sees; -1 if there is none. */
  long newestReader() {
    lock.lock();
    try {
      return Math.max(
          newestSnapshot(), cursors.stream().mapToLong(StoreCursor::sequence).max().orElse(-1));
    } finally {
      lock.unlock();
    }
  }

  void releaseSnapshots() {
    lock.lock();
    try {
      snapshotHolds--;
      readersReleased.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  /** As {@link #tryHoldSnapshots}, for cursors too, until {@link #releaseReaders}. */
  boolean tryHoldReaders(long sequence) {
    lock.lock();
    try {
      boolean isHeld = newestReader() <= sequence;
      if (isHeld) {
        holdSnapshots();
        cursorHolds++;
      }
      return isHeld;
    } finally {
      lock.unlock();
    }
  }

  void releaseReaders() {
    lock.lock();
    try {
      snapshotHolds--;
      cursorHolds--;
      readersReleased.wakeAll();
    } finally {
      lock.unlock();
    }
  }

  void snapshotClosed(Snapshot snapshot) {
    Runnable told;
    lock.lock();
    try {
      snapshots.remove(snapshot);
      told = takeToTell();
    } finally {
      lock.unlock();
    }
    told.run();
  }

  /**
   * Says who is told, once and without the lock, when the next snapshot or cursor is closed, or a
   * cursor refreshed: what they have kept may go.
   */
  void tellWhenReaderLeaves(Runnable toTell) {
    lock.lock();
    try {
      toTellOrNull = toTell;
    } finally {
      lock.unlock();
    }
  }

  private Runnable takeToTell() {
    Runnable told = toTellOrNull;
    toTellOrNull = null;
    return told == null ? () -> {} : told;
  }

  /**
   * Remembers a value that is being pinned, to end it when the store closes.
   *
   * @throws IllegalStateException if the store is closed
   */
  void pinned(PinnedValue value) {
    lock.lock();
    try {
      if (current == null) {
        throw closed();
      }
      value.after = firstPinned;
      if (firstPinned != null) {
        firstPinned.before = value;
      }
      firstPinned = value;
    } finally {
      lock.unlock();
    }
  }

  void unpinned(PinnedValue value) {
    lock.lock();
    try {
      if (value.before == null) {
        firstPinned = value.after;
      } else {
        value.before.after = value.after;
      }
      if (value.after != null) {
        value.after.before = value.before;
      }
      value.before = null;
      value.after = null;
    } finally {
      lock.unlock();
    }
  }

  private PinnedValue firstPinned() {
    lock.lock();
    try {
      return firstPinned;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The sequences that readers of a family may still ask for, ascending, the newest that they may
   * see among them. Whoever asks from now on asks for that one or a later one. So a record may go
   * if between it and the next newer one of its key there is none of these: {@code record <= s <
   * newer}.
   */
  long[] liveSequences(FamilyState family) {
    lock.lock();
    try {
      return LongStream.concat(
              LongStream.of(sequence()),
              LongStream.concat(
                  snapshots.stream().mapToLong(Snapshot::sequence),
                  cursors.stream()
                      .filter(cursor -> cursor.family() == family)
                      .mapToLong(StoreCursor::sequence)))
          .sorted()
          .distinct()
          .toArray();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes a cursor on the current version as of what a view sees now.
   *
   * @param explainerOrNull takes notes of its moves
   */
  StoreCursor openCursor(ReadView view, CursorOptions options, ScanExplainer explainerOrNull) {
    return openCursor(view, options, null, explainerOrNull, null);
  }

  /**
   * The same for a transaction, or for ranges.
   *
   * @param rangesOrNull what it goes over within its bounds
   * @param overlayOrNull what the transaction lays over the cursor
   */
  StoreCursor openCursor(
      ReadView view,
      CursorOptions options,
      KeyRanges rangesOrNull,
      ScanExplainer explainerOrNull,
      CursorOverlay overlayOrNull) {
    lock.lock();
    try {
      awaitCursorsReleased();
      // Version and sequence belong together: with the lock, neither a rotation nor a merge comes
      // between.
      Version version = retain();
      try {
        view.family().requireThere();
        long at = view.visibleSequence();
        StoreCursor cursor =
            new StoreCursor(
                this,
                view,
                version,
                at,
                view.expiryFloor(),
                options,
                rangesOrNull,
                explainerOrNull,
                overlayOrNull);
        cursors.add(cursor);
        return cursor;
      } finally {
        // The current version has the set itself as a user, so this is not the last one.
        version.release();
      }
    } finally {
      lock.unlock();
    }
  }

  private void awaitCursorsReleased() {
    while (cursorHolds > 0) {
      requireNotHolder();
      readersReleased.await();
    }
  }

  /** It would wait for itself: it is in a filter or operator, which must not call the store. */
  private void requireNotHolder() {
    if (Thread.currentThread() == holder) {
      throw new IllegalStateException(
          "a filter or operator that the store calls cannot read the store: thread="
              + holder.getName());
    }
  }

  /** Moves a cursor to the current version as of what a view sees now; see {@code renew}. */
  RecordSource[] refreshCursor(StoreCursor cursor, ReadView view) {
    RecordSource[] replaced;
    Runnable told;
    lock.lock();
    try {
      awaitCursorsReleased();
      if (current == null) {
        throw closed();
      }
      view.family().requireThere();
      replaced = cursor.renew(current, view.visibleSequence(), view.expiryFloor());
      told = takeToTell();
    } finally {
      lock.unlock();
    }
    told.run();
    return replaced;
  }

  /**
   * Where readers of a family draw the line between what has expired and what has not. What is
   * below the lowest has for all of them, and will have after a crash. Whoever asks from now on
   * draws it where it is drawn now, or later.
   *
   * @param durable what the manifest says of the family
   */
  ExpiryBounds expiryBounds(FamilyState family, FamilyManifest durable) {
    lock.lock();
    try {
      return new ExpiryBounds(
          LongStream.concat(
              LongStream.of(family.expiration().floor(), durable.writeTimes().expiryFloor()),
              LongStream.concat(
                  snapshots.stream().mapToLong(snapshot -> snapshot.expiryFloor(family.id())),
                  cursors.stream()
                      .filter(cursor -> cursor.family() == family)
                      .mapToLong(StoreCursor::expiryFloor))),
          family.expiration().laterFloors());
    } finally {
      lock.unlock();
    }
  }

  /** Whether a cursor on a family is open. */
  boolean hasCursorOn(FamilyState family) {
    return openCursors().stream().anyMatch(cursor -> cursor.family() == family);
  }

  void cursorClosed(StoreCursor cursor) {
    Runnable told;
    lock.lock();
    try {
      cursors.remove(cursor);
      told = takeToTell();
    } finally {
      lock.unlock();
    }
    told.run();
  }

  List<StoreCursor> openCursors() {
    lock.lock();
    try {
      return List.copyOf(cursors);
    } finally {
      lock.unlock();
    }
  }

  /** Whether a thread is in a cursor's filter: it must not wait for that to end. */
  boolean isInFilter(Thread thread) {
    return openCursors().stream().anyMatch(cursor -> cursor.isInFilter(thread));
  }

  /** Makes cursors let go of memtables whose records can be had from tables now. */
  void moveCursors() {
    for (StoreCursor cursor : openCursors()) {
      try {
        cursor.tryLeaveMemtables();
      } catch (IOException | RuntimeException e) {
        // Not lost: the cursor stays where it was, and its next move meets the same failure.
        LOGGER.log(Logger.Level.WARNING, "a cursor cannot leave memory", e);
      }
    }
  }

  /** The oldest sequence that a reader of a family may still ask for. */
  long oldestSequence(FamilyState family) {
    return liveSequences(family)[0];
  }

  /**
   * Lets no more readers in, makes the cursors unusable, and waits for the gets that are running.
   * What readers used is released when this returns.
   */
  void close() {
    Version last;
    List<StoreCursor> open;
    lock.lock();
    try {
      if (current == null) {
        return;
      }
      last = current;
      current = null;
      open = List.copyOf(cursors);
    } finally {
      lock.unlock();
    }
    release(last);
    watch.close();
    contexts.sweep();
    open.forEach(StoreCursor::storeCloses);
    for (PinnedValue value = firstPinned(); value != null; value = firstPinned()) {
      value.close();
    }
    lock.lock();
    try {
      while (live > 0) {
        drained.await();
      }
    } finally {
      lock.unlock();
    }
  }
}
