package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.lock.LockOwner;
import io.ewok.gds.lsm.lock.LockTable;
import io.ewok.gds.lsm.record.KeyRanges;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Reads and writes of a store, in any of its families, that take effect together at one moment, or
 * not at all, as {@link Isolation} says. Nobody else sees its writes before the commit.
 *
 * <p>By default it is optimistic: it reads the store as it was when it began, holds nobody up and
 * waits for nobody. The commit finds out whether anybody has written meanwhile what it stands on,
 * be it a transaction or a plain write, and throws a {@link ConflictException} then. {@link
 * Transactions#run} tries again.
 *
 * <p>With {@link TransactionOptions#withLocks} it locks keys until its end: alone those that it
 * writes or reads for update, and if it is serializable, shared with others those that it reads;
 * others that lock wait. Serializable, it reads each key as it is when it is locked: so those that
 * lock never fail for each other's keys, but may wait in a circle, which one of them is told by a
 * {@link DeadlockException}. The commit looks for conflicts as well: ranges are not locked, and
 * plain writes and optimistic transactions do not ask for locks.
 *
 * <p>A family is named with each call; the store itself is its default family.
 *
 * {@snippet :
 * try (Transaction transaction = store.transactions().begin(TransactionOptions.defaults())) {
 *   byte[] seats = transaction.get(store, flight);
 *   transaction.put(store, flight, oneLess(seats));
 *   transaction.put(bookings, passenger, flight);
 *   transaction.commit(Durability.SYNCED);
 * }
 * }
 *
 * <p>Ownership: whoever began it closes it, which rolls it back unless it was committed. Until then
 * it keeps what was overwritten since it began, as a {@link Snapshot} does. What it writes and what
 * it has read is kept in memory outside of the heap that the collector frees, and is not charged to
 * the store's budget: its writes count {@link StoreOptions#batchBytesMax} at most, what it has read
 * the bytes of the keys. A commit that has scanned goes through that part of its ranges which was
 * written lately.
 *
 * <p>Threads: one at a time, with its cursors; it may be handed over. The thread of a reactor
 * itself does not commit; its fibers do.
 *
 * <p>Errors: as those of the {@link Store}; {@link IllegalStateException} when it has ended; {@link
 * IllegalArgumentException} for families of another store, and for writes that are too many, which
 * leaves it as it was. After an {@link IOException} from a commit other than a {@link
 * TransactionRetryException}, it may or may not have been written, as with a put.
 */
public final class Transaction implements AutoCloseable {

  private enum State {
    OPEN,
    COMMITTED,
    PREPARED,
    ROLLED_BACK
  }

  private final Transactions transactions;
  private final StoreParts parts;
  private final StoreWriter writer;
  private final boolean serializable;
  private final long number;

  /** Null if it is optimistic. */
  private final TransactionLocks locks;

  /**
   * What it has read at: one, unless it locks and is serializable. All of them stay open, so that
   * what was overwritten since is not dropped unnoticed.
   */
  private final List<Snapshot> snapshots = new ArrayList<>();

  private final UseGuard guard = new UseGuard("a transaction");

  /** Given back at the end, when nobody is inside any more. */
  private final TransactionMemory memory;

  // Of that.
  private final OwnWrites own;
  private final OwnReads ownReads;
  private final ReadSet reads;
  private final SearchKey wanted;

  private final CommitCheck check;
  private final TransactionCursors cursors = new TransactionCursors();

  /** In the order in which they were made; those behind one that was gone back to are gone. */
  private final List<Savepoint> savepoints = new ArrayList<>();

  private State state = State.OPEN;

  /** Where a transaction was, to go back to. */
  public static final class Savepoint {
    private final OwnWrites.Mark mark;

    private Savepoint(OwnWrites.Mark mark) {
      this.mark = mark;
    }
  }

  Transaction(
      Transactions transactions,
      StoreParts parts,
      StoreWriter writer,
      TransactionOptions options,
      LockTable locksOrNull,
      long number) {
    this.parts = parts;
    this.writer = writer;
    this.number = number;
    this.serializable = options.isolation() == Isolation.SERIALIZABLE;
    this.locks =
        locksOrNull == null
            ? null
            : new TransactionLocks(
                locksOrNull, number, options.lockTimeoutOrNull(), parts.files.directory());
    this.transactions = transactions;
    snapshots.add(parts.versions.openSnapshot(parts.counters));
    this.memory = transactions.takeMemory();
    this.own = memory.own;
    this.ownReads = new OwnReads(own);
    this.reads = memory.reads;
    this.wanted = memory.wanted;
    this.check =
        new CommitCheck(
            reads, memory.checked, () -> transactions.preparedOnes().heldAgainst(own, owner()));
  }

  /** Returns a number by which errors name it, which no other one of the open store has. */
  public long number() {
    return number;
  }

  private FamilyState requireUsable(Family in) {
    if (state != State.OPEN) {
      throw new IllegalStateException("the transaction has ended: state=" + state);
    }
    FamilyState family = in.family();
    if (!parts.families.isOwn(family)) {
      throw new IllegalArgumentException("the family is of another store: name=" + family.name());
    }
    family.requireThere();
    return family;
  }

  /** Returns the sequence number of the newest write of others that it may have read. */
  public long sequence() {
    guard.enter();
    try {
      return snapshots.getLast().sequence();
    } finally {
      guard.exit();
    }
  }

  /** What it reads now. */
  private Snapshot snapshot() {
    Snapshot last = snapshots.getLast();
    if (locks != null && serializable && last.sequence() < parts.versions.sequence()) {
      snapshots.add(parts.versions.openSnapshot(parts.counters));
    }
    return snapshots.getLast();
  }

  // ---- locks

  /** Locks the key that is looked for or written. */
  private void lock(FamilyState family, boolean exclusive) throws IOException {
    if (locks != null) {
      TransactionRetryException failure = locks.lock(family, wanted, exclusive);
      if (failure != null) {
        rollBack();
        throw failure;
      }
    }
  }

  private LockOwner owner() {
    return locks == null ? null : locks.owner();
  }

  /** Fails now if the commit would: what was locked was written since it is read. */
  private void requireUnchanged(FamilyState family) throws IOException {
    ReadSet one = new ReadSet();
    one.add(family, wanted, snapshot().sequence());
    Conflict conflict = writer.find(new CommitCheck(one, memory.checked));
    if (conflict != null) {
      rollBack();
      throw new ConflictException(conflict, parts.files.directory());
    }
  }

  // ---- reading

  /** Returns a copy of the value of a key, or null if it has none. */
  public byte[] get(Family in, byte[] key) throws IOException {
    return get(in, key, false);
  }

  /**
   * Copies the value of a key to the beginning of a segment, if it is large enough.
   *
   * @return the length of the value in bytes, or {@link ReadView#NOT_FOUND}; if that is more than
   *     the segment has, nothing is copied
   */
  public int get(Family in, MemorySegment key, MemorySegment into) throws IOException {
    return get(in, key, into, false);
  }

  /**
   * As {@link #get(Family, byte[])}, of a key that is going to be written or that a decision stands
   * on: at either level the commit fails if somebody else has written it since.
   */
  public byte[] getForUpdate(Family in, byte[] key) throws IOException {
    return get(in, key, true);
  }

  /** As {@link #get(Family, MemorySegment, MemorySegment)}, see {@link #getForUpdate}. */
  public int getForUpdate(Family in, MemorySegment key, MemorySegment into) throws IOException {
    return get(in, key, into, true);
  }

  private byte[] get(Family in, byte[] key, boolean forUpdate) throws IOException {
    guard.enter();
    try {
      FamilyState family = requireUsable(in);
      note(family, MemorySegment.ofArray(key), forUpdate);
      return switch (look(in, family)) {
        case HERE, ON_STORE ->
            Memory.view(ownReads.address(), ownReads.lengthBytes()).toArray(JAVA_BYTE);
        case NOWHERE -> null;
        case IN_STORE -> view(in).get(key);
      };
    } finally {
      guard.exit();
    }
  }

  private int get(Family in, MemorySegment key, MemorySegment into, boolean forUpdate)
      throws IOException {
    Objects.requireNonNull(into, "into");
    guard.enter();
    try {
      FamilyState family = requireUsable(in);
      note(family, key, forUpdate);
      return switch (look(in, family)) {
        case HERE, ON_STORE -> {
          if (ownReads.lengthBytes() <= into.byteSize()) {
            Memory.copyTo(ownReads.address(), into, 0, ownReads.lengthBytes());
          }
          yield ownReads.lengthBytes();
        }
        case NOWHERE -> ReadView.NOT_FOUND;
        case IN_STORE -> view(in).get(key, into);
      };
    } finally {
      guard.exit();
    }
  }

  /** Begins to read a key. */
  private void note(FamilyState family, MemorySegment key, boolean forUpdate) throws IOException {
    Keys.requireLength(key.byteSize());
    wanted.set(key);
    if (forUpdate) {
      noteForUpdate(family);
    }
  }

  private void noteForUpdate(FamilyState family) throws IOException {
    lock(family, true);
    if (locks != null && !serializable) {
      requireUnchanged(family);
    }
    reads.add(family, wanted, snapshot().sequence());
  }

  /** What it reads; after what is read was locked and noted. */
  private ReadView view(Family in) {
    Snapshot last = snapshots.getLast();
    return in.family().isMain() ? last : last.family(in);
  }

  /** Looks for the value of a key among its own writes, and makes it of operands. */
  private OwnReads.Where look(Family in, FamilyState family) throws IOException {
    OwnReads.Where where = ownReads.look(family, wanted);
    if (where == OwnReads.Where.IN_STORE || where == OwnReads.Where.ON_STORE) {
      noteInStore(family);
    }
    if (where == OwnReads.Where.ON_STORE) {
      ownReads.mergeOn(view(in), wanted);
    }
    return where;
  }

  /** What it has to ask the store for is noted. */
  private void noteInStore(FamilyState family) throws IOException {
    if (serializable) {
      lock(family, false);
      reads.add(family, wanted, snapshot().sequence());
    }
  }

  /** Returns a cursor on all records of a family, see {@link #cursor(Family, CursorOptions)}. */
  public StoreCursor cursor(Family in) throws IOException {
    return cursor(in, CursorOptions.defaults());
  }

  /**
   * Returns a cursor on some records of a family, as the transaction reads them, with what it has
   * written so far; {@link StoreCursor#refresh} shows later writes, too. It is not on a record yet,
   * and ends with the transaction at the latest. What it is moved over counts as read, also where
   * there is nothing, and what its filter rejects.
   */
  public StoreCursor cursor(Family in, CursorOptions options) throws IOException {
    return cursor(in, options, null);
  }

  /**
   * Returns a cursor on the records of a family in some ranges, which reads ahead; otherwise as
   * {@link #cursor(Family, CursorOptions)}.
   *
   * @throws IllegalArgumentException also if the options have bounds of their own
   */
  public RangesCursor cursor(Family in, ScanRanges ranges, CursorOptions options)
      throws IOException {
    KeyRanges copied = ranges.copy();
    CursorOptions bounds = RangesCursor.bounds(copied, options);
    return new RangesCursor(cursor(in, bounds, copied), copied);
  }

  private StoreCursor cursor(Family in, CursorOptions options, KeyRanges rangesOrNull)
      throws IOException {
    guard.enter();
    try {
      FamilyState family = requireUsable(in);
      Objects.requireNonNull(options, "options");
      ScanTrack track =
          serializable
              ? new ScanTrack(reads, family, options.lowerKeyOrNull(), options.upperKeyOrNull())
              : null;
      Snapshot unused = snapshot();
      CursorOverlay overlay = new CursorOverlay(guard, own, family, track);
      StoreCursor cursor =
          parts.versions.openCursor(view(in), options, rangesOrNull, null, overlay);
      cursors.add(cursor, overlay);
      return cursor;
    } finally {
      guard.exit();
    }
  }

  // ---- writing

  /** Sets the value of a key; both are copied. */
  public void put(Family in, byte[] key, byte[] value) throws IOException {
    put(in, MemorySegment.ofArray(key), MemorySegment.ofArray(value));
  }

  /** As {@link #put(Family, byte[], byte[])}. */
  public void put(Family in, MemorySegment key, MemorySegment value) throws IOException {
    write(in, RecordKind.PUT, key, Objects.requireNonNull(value, "value"));
  }

  /** Removes a key, which need not exist. */
  public void delete(Family in, byte[] key) throws IOException {
    delete(in, MemorySegment.ofArray(key));
  }

  /** As {@link #delete(Family, byte[])}. */
  public void delete(Family in, MemorySegment key) throws IOException {
    write(in, RecordKind.DELETE, key, MemorySegment.NULL);
  }

  /** Removes a key that was put only once, see {@link Family#singleDelete}. */
  public void singleDelete(Family in, MemorySegment key) throws IOException {
    write(in, RecordKind.SINGLE_DELETE, key, MemorySegment.NULL);
  }

  /** Changes the value of a key by an operand, see {@link Family#merge}; both are copied. */
  public void merge(Family in, byte[] key, byte[] operand) throws IOException {
    merge(in, MemorySegment.ofArray(key), MemorySegment.ofArray(operand));
  }

  /**
   * As {@link #merge(Family, byte[], byte[])}. It reads nothing: serializable transactions that
   * only merge do not meet each other.
   *
   * @throws IllegalStateException also if the family has no operator
   */
  public void merge(Family in, MemorySegment key, MemorySegment operand) throws IOException {
    writer.requireOperator(requireUsable(in));
    write(in, RecordKind.OPERAND, key, Objects.requireNonNull(operand, "operand"));
  }

  /**
   * Removes all keys from one, inclusive, to another, exclusive; see {@link Family#deleteRange}.
   */
  public void deleteRange(Family in, byte[] first, byte[] end) throws IOException {
    deleteRange(in, MemorySegment.ofArray(first), MemorySegment.ofArray(end));
  }

  /**
   * As {@link #deleteRange(Family, byte[], byte[])}.
   *
   * @throws IllegalArgumentException also if there can be no key in the range
   */
  public void deleteRange(Family in, MemorySegment first, MemorySegment end) throws IOException {
    guard.enter();
    try {
      FamilyState family = requireUsable(in);
      RangeDelete.requireRange(first, end);
      own.add(family, RecordKind.RANGE_DELETE, first, end);
      if (!serializable) {
        SearchKey from = new SearchKey().set(first);
        SearchKey to = new SearchKey().set(end);
        reads.add(new KeyRange(family, from, to, false, snapshot().sequence()));
      }
    } finally {
      guard.exit();
    }
  }

  private void write(Family in, int kind, MemorySegment key, MemorySegment value)
      throws IOException {
    guard.enter();
    try {
      FamilyState family = requireUsable(in);
      Keys.requireLength(key.byteSize());
      wanted.set(key);
      if (!serializable) {
        noteForUpdate(family);
      } else {
        lock(family, true);
      }
      own.add(family, kind, key, value);
    } finally {
      guard.exit();
    }
  }

  /** Returns how many writes it has made. */
  public int writeCount() {
    guard.enter();
    try {
      requireOpen();
      return own.count();
    } finally {
      guard.exit();
    }
  }

  // ---- going back

  /** Returns where it is, for {@link #rollbackTo}. */
  public Savepoint savepoint() {
    guard.enter();
    try {
      requireOpen();
      savepoints.add(new Savepoint(own.mark()));
      return savepoints.getLast();
    } finally {
      guard.exit();
    }
  }

  /**
   * Takes back all writes since a savepoint; what was read stays read. Cursors that have seen such
   * writes end; the savepoint may be used again, later ones may not.
   *
   * @throws IllegalArgumentException if the savepoint is of another transaction, or of a time that
   *     was rolled back
   */
  public void rollbackTo(Savepoint savepoint) {
    guard.enter();
    try {
      requireOpen();
      int at = savepoints.indexOf(savepoint);
      if (at < 0) {
        throw new IllegalArgumentException(
            "the savepoint is of another transaction, or was rolled back: savepoints="
                + savepoints.size());
      }
      savepoints.subList(at + 1, savepoints.size()).clear();
      cursors.endBehind(savepoint.mark.count());
      own.reset(savepoint.mark);
    } finally {
      guard.exit();
    }
  }

  private void requireOpen() {
    if (state != State.OPEN) {
      throw new IllegalStateException("the transaction has ended: state=" + state);
    }
  }

  // ---- ending

  /**
   * Commits: all it has written is visible when this returns, and as durable as wanted. One that is
   * optimistic and has written nothing has only read, which was right when it began; it does not
   * fail.
   *
   * @throws ConflictException if somebody has written what it stands on; it is rolled back
   */
  public void commit(Durability durability) throws IOException {
    commit(WriteOptions.of(durability));
  }

  /**
   * As {@link #commit(Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may; it stays as it was,
   *     but for its cursors, and may be committed later
   */
  public void commit(WriteOptions options) throws IOException {
    guard.enter();
    try {
      requireOpen();
      Objects.requireNonNull(options, "options");
      StoreWriter.requireMayWait();
      cursors.endAll("the transaction is committed");
      Conflict conflict = null;
      State after = State.ROLLED_BACK;
      try {
        if (own.count() > 0) {
          conflict = writer.writeIf(own.batch(), check, options);
        } else if (snapshots.size() > 1) {
          conflict = writer.find(check); // it has read at several times
        }
        after = conflict == null ? State.COMMITTED : State.ROLLED_BACK;
      } catch (WriteStalledException e) {
        after = State.OPEN;
        throw e;
      } finally {
        if (after != State.OPEN) {
          end(after);
        }
      }
      if (conflict != null) {
        throw new ConflictException(conflict, parts.files.directory());
      }
    } finally {
      guard.exit();
    }
  }

  /**
   * Prepares it, the first of two phases: when this returns, it can be committed whatever happens,
   * also after a crash, and it is up to the {@link PreparedTransaction} whether it is. The
   * transaction itself has ended. Its keys stay locked until that is decided.
   *
   * <p>Only one that locks can be prepared, and that has not scanned or deleted ranges, which are
   * not locked.
   *
   * @param name 1 to {@link Transactions#NAME_BYTES_MAX} bytes in UTF-8, which no other prepared
   *     transaction has
   * @throws ConflictException if somebody has written what it stands on; it is rolled back
   * @throws IllegalStateException also if it cannot be prepared; it stays as it was, but for its
   *     cursors
   * @throws IllegalArgumentException if the name is in use or not possible, or what it has read and
   *     written is more than {@link StoreOptions#batchBytesMax} allows; likewise
   */
  public PreparedTransaction prepare(String name) throws IOException {
    guard.enter();
    try {
      requireOpen();
      StoreWriter.requireMayWait();
      if (locks == null) {
        throw new IllegalStateException("one that does not lock cannot be prepared: name=" + name);
      }
      cursors.endAll("the transaction is prepared");
      if (!reads.ranges().isEmpty() || own.hasRanges()) {
        throw new IllegalStateException(
            "one that has scanned or deleted ranges cannot be prepared: name=" + name);
      }
      if (own.count() == 0) {
        throw new IllegalStateException("there is nothing to be committed: name=" + name);
      }
      PreparedFormat.Content content =
          PreparedFormat.decode(
              PreparedFormat.encode(new PreparedFormat.Content(keys(), own.batch().record())));
      PreparedTransaction[] prepared = {null};
      State after = State.ROLLED_BACK;
      Conflict conflict = null;
      try {
        conflict =
            transactions
                .preparedOnes()
                .prepare(name, content, owner(), check, made -> prepared[0] = made);
        after = conflict == null ? State.PREPARED : State.ROLLED_BACK;
      } catch (IllegalArgumentException e) {
        after = State.OPEN;
        throw e;
      } finally {
        if (after != State.OPEN) {
          end(after);
        }
      }
      if (conflict != null) {
        throw new ConflictException(conflict, parts.files.directory());
      }
      return prepared[0];
    } finally {
      guard.exit();
    }
  }

  /** The keys that have to stay locked: what was read, and what was written. */
  private List<PreparedFormat.Key> keys() {
    List<PreparedFormat.Key> keys = new ArrayList<>();
    SearchKey key = new SearchKey();
    for (long at = reads.firstOffset(); at < reads.endOffset(); at = reads.next(at)) {
      byte[] bytes = KeyRange.bytes(reads.key(at, key).segment());
      keys.add(new PreparedFormat.Key(reads.family(at).id(), bytes, false));
    }
    for (OwnWrite write : own.all()) {
      keys.add(new PreparedFormat.Key(write.of().family().id(), write.key(), true));
    }
    return keys;
  }

  /** Forgets all it has written, and ends it. */
  public void rollback() {
    guard.enter();
    try {
      requireOpen();
      rollBack();
    } finally {
      guard.exit();
    }
  }

  /** Rolls it back, unless it has ended. */
  @Override
  public void close() {
    guard.enter();
    try {
      if (state == State.OPEN) {
        rollBack();
      }
    } finally {
      guard.exit();
    }
  }

  private void rollBack() {
    cursors.endAll("the transaction is rolled back");
    end(State.ROLLED_BACK);
  }

  private void end(State how) {
    state = how;
    snapshots.forEach(Snapshot::close);
    transactions.giveBack(memory);
    if (locks != null && how != State.PREPARED) { // else they are those of what was prepared
      locks.release();
    }
  }
}
