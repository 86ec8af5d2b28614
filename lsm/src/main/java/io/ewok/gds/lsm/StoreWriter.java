package io.ewok.gds.lsm;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.PoisonedFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.reactor.Gate;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.reactor.Monitor;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.wal.LogFullException;
import io.ewok.gds.wal.LogPlace;
import io.ewok.gds.wal.LogReader;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * The way of a write: it comes into the active memtable with the promise of room there ({@link
 * WriteRoom}), reserves its place in the log, is copied to both, and becomes visible when all
 * before it in the log are done; all of that beside other writes. Then it waits for the log, with
 * those who do at the same time, if it is to be durable.
 *
 * <p>A sequence number is a position in the log. The first operation of a record has the one behind
 * its start, the others follow; there is room for them, since each takes more bytes. So records are
 * in the log in the order in which they become visible, and there is one counter for both.
 *
 * <p>Threads: any.
 */
final class StoreWriter {
  private static final int SPINS = 64;
  private static final int YIELDS = 16;

  /** How long to wait before looking again whether the writes before this one are done. */
  private static final long LOOK_NANOS = 50_000;

  private final StoreFiles files;
  private final VersionSet versions;
  private final Families families;
  private final WriteAheadLog log;
  private final LogHolds holds;
  private final StoreCounters counters;
  private final WriteRoom room;
  private final SpaceReserve reserve;
  private final Background background;
  private final CommitOrder order;
  private final LogPump pump;

  /** Null if the log is not archived. */
  private final LogArchiver archiveOrNull;

  private final long batchBytesMax;
  private final long memtableBytes;

  // For pauses, which nobody ends: it keeps what a wait needs for the next one.
  private final Monitor looking = new Monitor();
  private final Monitor.Line looks = looking.newLine();

  /** Who commits a transaction from when he takes a place in the log until he is visible. */
  private final LongLock committing = new LongLock();

  /** Those who write are inside. */
  private final Gate writing = new Gate();

  /** Why nothing can be written any more, or null. */
  private volatile Throwable logFailure;

  private volatile boolean closing;

  StoreWriter(StoreParts parts) {
    this.files = parts.files;
    this.versions = parts.versions;
    this.families = parts.families;
    this.log = parts.log;
    this.holds = parts.holds;
    this.counters = parts.counters;
    this.order = versions.order();
    this.batchBytesMax = Math.min(parts.options.batchBytesMax(), log.recordBytesMax());
    this.memtableBytes = StoreMemory.memtableBytes(parts.options);
    this.room = new WriteRoom(parts, this::checkWritable);
    this.pump = new LogPump(parts);
    this.archiveOrNull = parts.archive;
    this.reserve = parts.reserve;
    this.background = parts.background;
  }

  /** For tests. */
  VersionSet versions() {
    return versions;
  }

  /** For those who hold writes up, and for tests. */
  WriteRoom room() {
    return room;
  }

  /** See {@link Store#put}. */
  void put(FamilyState family, MemorySegment key, MemorySegment value, WriteOptions options)
      throws IOException {
    writeOne(family, RecordKind.PUT, key, value, options);
  }

  /** See {@link Store#delete}. */
  void delete(FamilyState family, MemorySegment key, WriteOptions options) throws IOException {
    writeOne(family, RecordKind.DELETE, key, MemorySegment.NULL, options);
  }

  /** See {@link Store#singleDelete}. */
  void singleDelete(FamilyState family, MemorySegment key, WriteOptions options)
      throws IOException {
    writeOne(family, RecordKind.SINGLE_DELETE, key, MemorySegment.NULL, options);
  }

  /** See {@link Store#deleteRange}. */
  void deleteRange(FamilyState family, MemorySegment first, MemorySegment end, WriteOptions options)
      throws IOException {
    requireReadable(first);
    requireReadable(end);
    RangeDelete.requireRange(first, end);
    writeOne(family, RecordKind.RANGE_DELETE, first, end, options);
  }

  /** See {@link Store#merge}. */
  void merge(FamilyState family, MemorySegment key, MemorySegment operand, WriteOptions options)
      throws IOException {
    requireOperator(family);
    writeOne(family, RecordKind.OPERAND, key, operand, options);
  }

  /** Checks that a family has operands. */
  void requireOperator(FamilyState family) {
    if (!family.merging().hasOperator()) {
      throw new IllegalStateException(
          "the family was opened without a merge operator: path=%s family=%s"
              .formatted(files.directory(), family.name()));
    }
  }

  private void writeOne(
      FamilyState family, int kind, MemorySegment key, MemorySegment value, WriteOptions options)
      throws IOException {
    long keyBytes = key.byteSize();
    long valueBytes = value.byteSize();
    Objects.requireNonNull(options, "options");
    requireMayWait();
    Keys.requireLength(keyBytes);
    long sizeBytes = BatchFormat.operationSizeBytes(keyBytes, valueBytes);
    requireBatchBytes(WriteBatch.BATCH_OVERHEAD_BYTES + sizeBytes);
    requireReadable(key);
    requireReadable(value);
    family.requireThere();
    requireRoom(RecordKind.hasValue(kind));
    long recordBytes = BatchFormat.recordBytes(keyBytes, valueBytes);
    if (!family.isMain()) {
      recordBytes += BatchFormat.OPERATION_HEADER_BYTES;
    }
    if (recordBytes > log.reserveBytesMax()) {
      writeRecord(batchOfOne(family, kind, key, value), options);
      return;
    }
    enter();
    try {
      while (true) {
        Memtable memtable = room.enter(sizeBytes, family.id(), null, options);
        LogPlace place = reserve(memtable, sizeBytes, recordBytes, null);
        if (place != null) {
          long end = commitOne(memtable, place, family.id(), kind, key, value);
          finish(end, recordBytes, 1, keyBytes + valueBytes, options);
          return;
        }
        room.makeInLog(memtable, recordBytes, options);
      }
    } finally {
      writing.exit();
    }
  }

  private static WriteBatch batchOfOne(
      FamilyState family, int kind, MemorySegment key, MemorySegment value) {
    WriteBatch batch = new WriteBatch();
    return kind == RecordKind.RANGE_DELETE
        ? batch.addRange(family, key, value)
        : batch.add(family, kind, key, value);
  }

  /** See {@link Store#write}. */
  void write(WriteBatch batch, WriteOptions options) throws IOException {
    requireWritable(batch, options);
    requireRoom(batch.hasValues());
    writeRecord(batch, options);
  }

  /** Values are taken if the store's reserve of room is whole, or can be. */
  private void requireRoom(boolean hasValues) throws IOException {
    if (hasValues
        && reserve.isGivenUp()
        && !background.run(reserve::tryTake, "the reserve cannot be taken")) {
      throw reserve.refusal();
    }
  }

  /** See {@link Store#redo}. */
  void redo(WriteBatch batch, WriteOptions options) throws IOException {
    requireWritableWhateverItsSize(batch, options);
    if (batch.count() > 0
        && (batch.memtableBytes() > memtableRoomBytes(batch.families().size())
            || batch.record().byteSize() > log.recordBytesMax())) {
      throw new StorageException(
          "a batch is larger than a memtable or the log has room for, open the store with larger"
              + " ones: logBatchBytesMax=%d memtableBytes=%d sizeBytes=%d"
                  .formatted(log.recordBytesMax(), memtableBytes, batch.sizeBytes()),
          files.directory());
    }
    writeRecord(batch, options);
  }

  /** What an empty memtable has for the operations of a batch, of so many families. */
  private long memtableRoomBytes(int familyCount) {
    return memtableBytes
        - Memtable.overheadBytes(memtableBytes)
        - (long) familyCount * Memtable.FAMILY_BYTES;
  }

  private void requireWritable(WriteBatch batch, WriteOptions options) {
    requireBatchBytes(batch.sizeBytes());
    requireWritableWhateverItsSize(batch, options);
  }

  private void requireWritableWhateverItsSize(WriteBatch batch, WriteOptions options) {
    Objects.requireNonNull(options, "options");
    requireMayWait();
    for (FamilyState family : batch.families()) {
      if (!families.isOwn(family)) {
        throw new IllegalArgumentException(
            "a batch has a family of another store: name=" + family.name());
      }
      family.requireThere();
    }
    if (batch.hasOperands()) {
      requireOperator(families.main());
    }
    batch.familiesWithOperands().forEach(this::requireOperator);
  }

  private void writeRecord(WriteBatch batch, WriteOptions options) throws IOException {
    enter();
    try {
      checkWritable();
      if (batch.count() == 0) {
        commit(log.endLsn(), options);
        return;
      }
      MemorySegment record = batch.record();
      long sizeBytes = batch.memtableBytes();
      MemorySegment withFamilies = batch.hasMarks() ? record : null;
      while (true) {
        Memtable memtable = room.enter(sizeBytes, Manifest.MAIN, withFamilies, options);
        LogPlace place = reserve(memtable, sizeBytes, record.byteSize(), record);
        if (place != null) {
          long end = commitBatch(memtable, place, record);
          finish(end, record.byteSize(), batch.count(), batch.userBytes(), options);
          return;
        }
        room.makeInLog(memtable, record.byteSize(), options);
      }
    } finally {
      writing.exit();
    }
  }

  /**
   * Writes a batch if the check finds nothing that was written up to its place in the log.
   *
   * @param batch with something in it
   * @return what it has found; null if the batch is written
   */
  Conflict writeIf(WriteBatch batch, CommitCheck check, WriteOptions options) throws IOException {
    requireWritable(batch, options);
    requireRoom(batch.hasValues());
    if (batch.record().byteSize() > log.reserveBytesMax()) {
      throw new IllegalArgumentException(
          "a transaction is encoded in at most %d bytes here: encodedBytes=%d"
              .formatted(log.reserveBytesMax(), batch.record().byteSize()));
    }
    enter();
    try {
      ConditionalWrite write = new ConditionalWrite(this, versions, room, batch, check, options);
      Conflict found = write.run();
      if (found == null) {
        finish(
            write.endLsn(), batch.record().byteSize(), batch.count(), batch.userBytes(), options);
      }
      return found;
    } finally {
      writing.exit();
    }
  }

  /**
   * Looks whether the check finds anything that is visible now.
   *
   * @return what it has found, or null
   */
  Conflict find(CommitCheck check) throws IOException {
    return ConditionalWrite.find(versions, check, versions.snapshotSequence());
  }

  /** Waits until all writes before a position are visible. */
  void awaitVisible(long position) throws PoisonedFileException {
    for (int tries = 0; order.visible() < position; tries++) {
      if (logFailure != null) {
        throw new PoisonedFileException(files.log(), logFailure);
      }
      pause(tries);
    }
  }

  /**
   * Checks that a batch is not too large to be written.
   *
   * @throws IllegalArgumentException if it is
   */
  void requireFits(WriteBatch batch) {
    requireBatchBytes(batch.sizeBytes());
  }

  /** Lets nobody write any more: those behind a write that failed would wait for ever. */
  void fail(Throwable e) {
    logFailure = e;
  }

  /** Who commits a transaction holds it. */
  LongLock committing() {
    return committing;
  }

  /** The most that a batch counts, see {@link WriteBatch#sizeBytes}. */
  long batchBytesMax() {
    return batchBytesMax;
  }

  /**
   * Keeps the store from being closed until {@link #exit}.
   *
   * @throws IllegalStateException if it is closed, or about to be
   */
  void enter() {
    if (closing || !writing.tryEnter()) {
      throw VersionSet.closed();
    }
  }

  /** After {@link #enter}. */
  void exit() {
    writing.exit();
  }

  /** Ends what takes long, when somebody waits to close the store. */
  void requireOpen() {
    if (closing) {
      throw VersionSet.closed();
    }
  }

  /**
   * A wait on the thread of a reactor itself lets other tasks run on top of it. One of those that
   * waited for the one below would never end.
   */
  static void requireMayWait() {
    if (!Thread.currentThread().isVirtual() && Reactor.current() != null) {
      throw new IllegalStateException(
          "a store is written and closed by fibers and threads that may wait: thread="
              + Thread.currentThread().getName());
    }
  }

  private void requireBatchBytes(long sizeBytes) {
    if (sizeBytes > batchBytesMax || sizeBytes < 0) {
      throw new IllegalArgumentException(
          "a batch with its overheads has at most %d bytes: sizeBytes=%d"
              .formatted(batchBytesMax, sizeBytes));
    }
  }

  /** What cannot be read is found out before there is a place in the log for it. */
  private static void requireReadable(MemorySegment bytes) {
    if (!bytes.scope().isAlive()) {
      throw new IllegalStateException("the memory of a key or value was freed");
    }
    if (!bytes.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException("the memory of a key or value is that of another thread");
    }
  }

  /**
   * Returns the place in the log for a write that has come in, or null if there is none now.
   *
   * @param recordOrNull the record, if it may be too large for a place to be filled
   */
  LogPlace reserve(Memtable memtable, long sizeBytes, long recordBytes, MemorySegment recordOrNull)
      throws IOException {
    LogPlace place = null;
    try {
      place =
          recordBytes > log.reserveBytesMax()
              ? log.appendLarge(recordOrNull)
              : log.reserve(recordBytes);
    } catch (LogFullException e) {
      return null; // It has room again after a flush.
    } catch (IOException | RuntimeException | Error e) {
      logFailure = e;
      throw e;
    } finally {
      if (place == null) {
        memtable.leaveUnused(sizeBytes);
      }
    }
    return place;
  }

  private long commitOne(
      Memtable memtable,
      LogPlace reserved,
      int family,
      int kind,
      MemorySegment key,
      MemorySegment value) {
    int marks = family == Manifest.MAIN ? 0 : 1;
    long sequence = reserved.startLsn() + 1 + marks;
    long end = reserved.endLsn();
    long start = reserved.previousEndLsn();
    RuntimeException gone = null;
    try {
      long entry = Memtable.NONE;
      try (LogPlace place = reserved) {
        try {
          place.putLong(BatchFormat.header(1 + marks));
          if (marks > 0) {
            place.putLong(BatchFormat.familyMark(family));
          }
          place.putLong(BatchFormat.operationHeader(kind, key.byteSize(), value.byteSize()));
          if (kind == RecordKind.RANGE_DELETE) {
            entry = memtable.copy(RecordKind.stamp(sequence, kind), key, value);
            putRange(place, memtable, entry);
          } else {
            place.put(key);
            place.put(value);
            entry = memtable.copy(RecordKind.stamp(sequence, kind), key, value);
          }
        } catch (RuntimeException e) {
          gone = e; // The caller's memory was freed or changed under our hands.
          place.putInstead(BatchFormat.voidHeader());
        }
      }
      if (gone == null) {
        memtable.add(family, entry);
      }
      publish(start, end);
    } catch (RuntimeException | Error e) {
      // The log and the memtable may differ now. Only a recovery makes them equal again.
      logFailure = e;
      throw e;
    } finally {
      memtable.exit();
    }
    if (gone != null) {
      throw gone;
    }
    return end;
  }

  /** Of the copy: what is in the log is in order, whatever the caller does meanwhile. */
  private static void putRange(LogPlace place, Memtable memtable, long entry) {
    if (!memtable.isRange(entry)) {
      throw RangeDelete.noRange(EntryFormat.keyBytes(entry), EntryFormat.valueBytes(entry));
    }
    // Key and value lie side by side in both.
    long bytes = (long) EntryFormat.keyBytes(entry) + EntryFormat.valueBytes(entry);
    place.put(memtable.readOnly(), memtable.offset(EntryFormat.keyAddress(entry)), bytes);
  }

  private long commitBatch(Memtable memtable, LogPlace reserved, MemorySegment record) {
    long first = reserved.startLsn() + 1;
    long end = reserved.endLsn();
    long start = reserved.previousEndLsn();
    try {
      try (LogPlace place = reserved) {
        if (!place.isWritten()) {
          place.put(record);
        }
      }
      memtable.insert(record, first);
      publish(start, end);
    } catch (RuntimeException | Error e) {
      logFailure = e;
      throw e;
    } finally {
      memtable.exit();
    }
    return end;
  }

  /**
   * Freezes the active memtable behind a sequence number that no write has: greater than those of
   * all writes that are in it, and less than those of all that come.
   *
   * @param what has that number, and is not in the log: there a barrier says so if it is archived
   * @return the number, or -1 if that cannot be now: after a flush it can
   */
  long freezeBehindNumber(String what) throws IOException {
    long[] taken = {-1};
    boolean unused = room.tryFreeze(() -> taken[0] = takeNumber(what));
    if (taken[0] >= 0 && archiveOrNull != null) {
      archiveOrNull.marked(taken[0]);
      archiveOrNull.passed(taken[0]);
    }
    return taken[0];
  }

  /** A void record, or a barrier, has the place. Returns -1 if the log is full. */
  private long takeNumber(String what) throws IOException {
    byte[] barrier = archiveOrNull == null ? null : new LogMark.Barrier(what).encode();
    long start;
    long end;
    try (LogPlace place =
        log.reserve(barrier == null ? BatchFormat.HEADER_BYTES : barrier.length)) {
      start = place.previousEndLsn();
      end = place.endLsn();
      if (barrier == null) {
        place.putLong(BatchFormat.voidHeader());
      } else {
        place.put(MemorySegment.ofArray(barrier));
      }
    } catch (LogFullException e) {
      return -1;
    } catch (IOException | RuntimeException | Error e) {
      logFailure = e;
      throw e;
    }
    publish(start, end);
    return end;
  }

  /**
   * Writes a mark, see {@link LogMark}, if there is room for it now. It has a place between writes
   * as a write has, and waits for nothing.
   *
   * @param mark asked when the mark has its place: all before that has been written by then
   * @return where it ends; -1 if there is no room in the log, or for another writer in the memtable
   */
  long tryMark(long recordBytes, Supplier<MemorySegment> mark) throws IOException {
    enter();
    try {
      checkWritable();
      Memtable memtable = room.tryEnter();
      if (memtable == null) {
        return -1;
      }
      MemorySegment largeOrNull = recordBytes > log.reserveBytesMax() ? mark.get() : null;
      LogPlace place = reserve(memtable, 0, recordBytes, largeOrNull);
      return place == null ? -1 : commitMark(memtable, place, mark);
    } finally {
      writing.exit();
    }
  }

  private long commitMark(Memtable memtable, LogPlace reserved, Supplier<MemorySegment> mark) {
    long end = reserved.endLsn();
    long start = reserved.previousEndLsn();
    try {
      try (LogPlace place = reserved) {
        if (!place.isWritten()) {
          place.put(mark.get());
        }
      }
      publish(start, end);
    } catch (RuntimeException | Error e) {
      logFailure = e;
      throw e;
    } finally {
      memtable.exit();
    }
    return end;
  }

  /** Whether nobody has begun to close it. */
  boolean isOpen() {
    return !closing;
  }

  void publish(long start, long end) {
    for (int tries = 0; !order.tryPublish(start, end) && logFailure == null; tries++) {
      pause(tries);
    }
    versions.watch().published();
  }

  /** Ends a write outside of the memtable: waits until it is durable, and visible. */
  private void finish(
      long end, long recordBytes, int operations, long userBytes, WriteOptions options)
      throws IOException {
    counters.operations.add(operations);
    counters.userBytes.add(userBytes);
    if (options.durability() == Durability.NONE) {
      pump.passed(end - recordBytes, end);
    }
    if (archiveOrNull != null) {
      archiveOrNull.passed(end);
    }
    commit(end, options);
    awaitVisible(end);
  }

  private void commit(long end, WriteOptions options) throws IOException {
    if (options.durability() == Durability.NONE) {
      return;
    }
    try {
      log.commit(end, options.durability().inLog);
    } catch (IOException | RuntimeException | Error e) {
      logFailure = e;
      throw e;
    }
  }

  /** Those before this one have all that they need, and only have to be let run. */
  @SuppressWarnings("ThreadPriorityCheck")
  private void pause(int tries) {
    if (tries < SPINS) {
      Thread.onSpinWait();
    } else if (tries < SPINS + YIELDS) {
      Thread.yield();
    } else {
      looking.lock();
      try {
        boolean unused = looks.await(LOOK_NANOS);
      } finally {
        looking.unlock();
      }
    }
  }

  private void checkWritable() throws PoisonedFileException {
    if (closing) {
      throw VersionSet.closed();
    }
    if (logFailure != null) {
      throw new PoisonedFileException(files.log(), logFailure);
    }
  }

  /** See {@link Store#flush}. */
  void flush() throws IOException {
    requireMayWait();
    enter();
    try {
      checkWritable();
      room.flush();
    } finally {
      writing.exit();
    }
  }

  /** See {@link Store#changes(long, ChangesOptions, MemoryBudget)}. */
  StoreChanges changes(long sequence, ChangesOptions options, MemoryBudget budget)
      throws IOException {
    enter();
    LogHolds.Hold hold = null;
    StoreChanges changes = null;
    try {
      if (options.holdBytesMax() > 0) {
        hold = holds.open(sequence, options.holdBytesMax());
      }
      LogReader reader = log.reader(sequence, options.durability().inLog, budget);
      changes = new StoreChanges(reader, files.log(), families, hold);
      return changes;
    } catch (IllegalArgumentException e) {
      if (sequence < log.source().oldestLsn()) {
        throw log.source().lost(sequence, "writes");
      }
      throw e;
    } finally {
      if (changes == null && hold != null) {
        hold.close();
      }
      writing.exit();
    }
  }

  /**
   * Lets no more writes in, ends the waits of those that are stalled with an exception, and waits
   * for those that sync.
   */
  void close() {
    closing = true;
    room.close();
    boolean unused = writing.close();
    pump.close();
  }
}
