package io.ewok.gds.lsm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyRanges;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * A batch that is read through before it is written: its gets and cursors show the store as it
 * would be then. Nobody else sees what is in it, and nobody is kept from writing meanwhile.
 *
 * <p>It is a {@link WriteBatch} with an index, for who makes up many changes that depend on each
 * other and has no need of a {@link Transaction}: reads are of the store as it is at that moment,
 * nothing is locked, and {@link #write} looks for no conflict.
 *
 * {@snippet :
 * IndexedBatch batch = store.indexedBatch();
 * batch.put(store, key, value);
 * byte[] found = batch.get(store, key); // the value
 * byte[] other = batch.get(store, another); // from the store
 * batch.write(Durability.SYNCED);
 * }
 *
 * <p>Ownership: there is nothing to close but its cursors, which end when it is written or cleared.
 * Its memory lies outside of the heap, with some hundred bytes on the heap for each write, is freed
 * by the collector, and is not charged to the store's budget: writes count {@link
 * StoreOptions#batchBytesMax} at most.
 *
 * <p>Threads: one at a time, with its cursors; it may be handed over.
 *
 * <p>Errors: as those of the {@link Store}; {@link IllegalArgumentException} also for families of
 * another store, and for writes that are too many; it stays as it was then.
 */
public final class IndexedBatch {
  private final StoreParts parts;
  private final StoreWriter writer;
  private final UseGuard guard = new UseGuard("an indexed batch");
  private final OwnWrites own;
  private final OwnReads reads;
  private final TransactionCursors cursors = new TransactionCursors();
  private final SearchKey wanted = new SearchKey();

  IndexedBatch(StoreParts parts, StoreWriter writer) {
    this.parts = parts;
    this.writer = writer;
    this.own = new OwnWrites(writer.batchBytesMax());
    this.reads = new OwnReads(own);
  }

  private FamilyState requireUsable(Family in) {
    FamilyState family = in.family();
    if (!parts.families.isOwn(family)) {
      throw new IllegalArgumentException("the family is of another store: name=" + family.name());
    }
    family.requireThere();
    return family;
  }

  // ---- adding

  /** Adds a put; key and value are copied. */
  public IndexedBatch put(Family in, byte[] key, byte[] value) {
    return put(in, MemorySegment.ofArray(key), MemorySegment.ofArray(value));
  }

  /** As {@link #put(Family, byte[], byte[])}. */
  public IndexedBatch put(Family in, MemorySegment key, MemorySegment value) {
    return add(in, RecordKind.PUT, key, Objects.requireNonNull(value, "value"));
  }

  /** Adds a delete; the key need not exist. */
  public IndexedBatch delete(Family in, byte[] key) {
    return delete(in, MemorySegment.ofArray(key));
  }

  /** As {@link #delete(Family, byte[])}. */
  public IndexedBatch delete(Family in, MemorySegment key) {
    return add(in, RecordKind.DELETE, key, MemorySegment.NULL);
  }

  /** Adds a delete of a key that was put only once, see {@link Family#singleDelete}. */
  public IndexedBatch singleDelete(Family in, MemorySegment key) {
    return add(in, RecordKind.SINGLE_DELETE, key, MemorySegment.NULL);
  }

  /** Adds an operand, see {@link Family#merge}; both are copied. */
  public IndexedBatch merge(Family in, byte[] key, byte[] operand) {
    return merge(in, MemorySegment.ofArray(key), MemorySegment.ofArray(operand));
  }

  /**
   * As {@link #merge(Family, byte[], byte[])}.
   *
   * @throws IllegalStateException also if the family has no operator
   */
  public IndexedBatch merge(Family in, MemorySegment key, MemorySegment operand) {
    writer.requireOperator(requireUsable(in));
    return add(in, RecordKind.OPERAND, key, Objects.requireNonNull(operand, "operand"));
  }

  /** Adds a delete of all keys from one, inclusive, to another, exclusive. */
  public IndexedBatch deleteRange(Family in, byte[] first, byte[] end) {
    return deleteRange(in, MemorySegment.ofArray(first), MemorySegment.ofArray(end));
  }

  /**
   * As {@link #deleteRange(Family, byte[], byte[])}.
   *
   * @throws IllegalArgumentException also if there can be no key in the range
   */
  public IndexedBatch deleteRange(Family in, MemorySegment first, MemorySegment end) {
    RangeDelete.requireRange(first, end);
    return add(in, RecordKind.RANGE_DELETE, first, end);
  }

  private IndexedBatch add(Family in, int kind, MemorySegment key, MemorySegment value) {
    guard.enter();
    try {
      own.add(requireUsable(in), kind, key, value);
      return this;
    } finally {
      guard.exit();
    }
  }

  /** Returns how many writes are in it. */
  public int count() {
    guard.enter();
    try {
      return own.count();
    } finally {
      guard.exit();
    }
  }

  // ---- reading

  /** Returns a copy of the value that a key would have, or null if it would have none. */
  public byte[] get(Family in, byte[] key) throws IOException {
    guard.enter();
    try {
      return switch (look(in, MemorySegment.ofArray(key))) {
        case HERE, ON_STORE -> Memory.view(reads.address(), reads.lengthBytes()).toArray(JAVA_BYTE);
        case NOWHERE -> null;
        case IN_STORE -> in.get(key);
      };
    } finally {
      guard.exit();
    }
  }

  /**
   * Copies the value that a key would have to the beginning of a segment, if it is large enough.
   *
   * @return the length of the value in bytes, or {@link ReadView#NOT_FOUND}; if that is more than
   *     the segment has, nothing is copied
   */
  public int get(Family in, MemorySegment key, MemorySegment into) throws IOException {
    Objects.requireNonNull(into, "into");
    guard.enter();
    try {
      return switch (look(in, key)) {
        case HERE, ON_STORE -> {
          if (reads.lengthBytes() <= into.byteSize()) {
            Memory.copyTo(reads.address(), into, 0, reads.lengthBytes());
          }
          yield reads.lengthBytes();
        }
        case NOWHERE -> ReadView.NOT_FOUND;
        case IN_STORE -> in.get(key, into);
      };
    } finally {
      guard.exit();
    }
  }

  /** Looks for the value of a key among the writes, and makes it of operands. */
  private OwnReads.Where look(Family in, MemorySegment key) throws IOException {
    FamilyState family = requireUsable(in);
    Keys.requireLength(key.byteSize());
    wanted.set(key);
    OwnReads.Where where = reads.look(family, wanted);
    if (where == OwnReads.Where.ON_STORE) {
      reads.mergeOn(in, wanted);
    }
    return where;
  }

  /**
   * Returns a cursor on some records of a family as they would be, with what is in the batch so
   * far; {@link StoreCursor#refresh} shows what was added later, and the store as it is then. It is
   * not on a record yet.
   */
  public StoreCursor cursor(Family in, CursorOptions options) {
    return cursor(in, Objects.requireNonNull(options, "options"), null);
  }

  /**
   * The same of the records in some ranges, see {@link ReadView#cursor(ScanRanges, CursorOptions)}.
   *
   * @throws IllegalArgumentException also if the options have bounds of their own
   */
  public RangesCursor cursor(Family in, ScanRanges ranges, CursorOptions options) {
    KeyRanges copied = ranges.copy();
    CursorOptions bounds = RangesCursor.bounds(copied, options);
    return new RangesCursor(cursor(in, bounds, copied), copied);
  }

  private StoreCursor cursor(Family in, CursorOptions options, KeyRanges rangesOrNull) {
    guard.enter();
    try {
      CursorOverlay overlay = new CursorOverlay(guard, own, requireUsable(in), null);
      StoreCursor cursor = parts.versions.openCursor(in, options, rangesOrNull, null, overlay);
      cursors.add(cursor, overlay);
      return cursor;
    } finally {
      guard.exit();
    }
  }

  // ---- ending

  /**
   * Writes all of it or nothing, also after a crash, as {@link Store#write(WriteBatch, Durability)}
   * does; it is empty then. After an exception it is as it was, but for its cursors.
   */
  public void write(Durability durability) throws IOException {
    write(WriteOptions.of(durability));
  }

  /**
   * As {@link #write(Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public void write(WriteOptions options) throws IOException {
    guard.enter();
    try {
      cursors.endAll("the indexed batch is written");
      writer.write(own.batch(), options);
      own.clear();
    } finally {
      guard.exit();
    }
  }

  /** Takes all away that was added, and ends its cursors. */
  public void clear() {
    guard.enter();
    try {
      cursors.endAll("the indexed batch is cleared");
      own.clear();
    } finally {
      guard.exit();
    }
  }
}
