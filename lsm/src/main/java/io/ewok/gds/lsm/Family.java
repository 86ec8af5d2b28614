package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/**
 * Keys of their own in a {@link Store}, with options of their own ({@link TreeOptions}): a column
 * family. All families of a store share its log, its memtables and its pool. So a {@link
 * WriteBatch} may change several of them, and is applied as a whole or not at all; a {@link
 * Snapshot} is of one time in all of them; and one that is seldom written holds nothing back.
 *
 * <p>A store is a family itself, its default one, which is there from the beginning and cannot be
 * dropped. Others are created ({@link Store#createFamily}) and dropped ({@link Store#dropFamily})
 * while it is open.
 *
 * {@snippet :
 * Family accounts = store.createFamily("accounts", TreeOptions.defaults().withMergeOperator(sum));
 * Family journal = store.createFamily("journal", TreeOptions.defaults().withTtl(Duration.ofDays(90)));
 * store.write(
 *     new WriteBatch().merge(accounts, from, minus).merge(accounts, to, plus).put(journal, number, entry),
 *     Durability.SYNCED);
 * }
 *
 * <p>Ownership: none; it is closed with its store. Threads: any.
 *
 * <p>The price of a family: about 3 KiB of each memtable in which there is something of it, and at
 * each flush of that a table, however little it has. Little tables are merged with each other until
 * they are worth rewriting older ones. Some dozens are well served with the default sizes, hundreds
 * that are all written at the same time with larger memtables.
 *
 * <p>Errors: as of the {@link Store}; and {@link IllegalStateException} once the family is dropped.
 */
public sealed class Family extends ReadView permits Store {
  /** The name of the default family. */
  public static final String DEFAULT_NAME = "default";

  /** The longest name, in bytes of UTF-8. The shortest has one. */
  public static final int NAME_BYTES_MAX = FamilyEdit.NAME_BYTES_MAX;

  private final StoreParts parts;
  private final FamilyState family;
  private final VersionSet versions;
  private final StoreWriter writer;
  private final Background background;

  Family(StoreParts parts, StoreWriter writer, FamilyState family) {
    super(parts.versions, parts.counters, family);
    this.parts = parts;
    this.family = family;
    this.versions = parts.versions;
    this.writer = writer;
    this.background = parts.background;
  }

  /** Returns its name. */
  public final String name() {
    return family.name();
  }

  /** Returns its number, which no other family of the store ever has; 0 is the default one. */
  public final int id() {
    return family.id();
  }

  // ---- writing

  /**
   * Sets the value of a key.
   *
   * @throws IOException see the type; the write may or may not survive then, never in part
   */
  public final void put(byte[] key, byte[] value, Durability durability) throws IOException {
    put(MemorySegment.ofArray(key), MemorySegment.ofArray(value), durability);
  }

  /** As {@link #put(byte[], byte[], Durability)}; both segments are copied. */
  public final void put(MemorySegment key, MemorySegment value, Durability durability)
      throws IOException {
    writer.put(family, key, value, WriteOptions.of(durability));
  }

  /**
   * As {@link #put(byte[], byte[], Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public final void put(MemorySegment key, MemorySegment value, WriteOptions options)
      throws IOException {
    writer.put(family, key, value, options);
  }

  /**
   * Removes a key; it need not exist.
   *
   * @throws IOException as for a put
   */
  public final void delete(byte[] key, Durability durability) throws IOException {
    delete(MemorySegment.ofArray(key), durability);
  }

  /** As {@link #delete(byte[], Durability)}; the segment is copied. */
  public final void delete(MemorySegment key, Durability durability) throws IOException {
    writer.delete(family, key, WriteOptions.of(durability));
  }

  /**
   * As {@link #delete(byte[], Durability)}, with all options.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public final void delete(MemorySegment key, WriteOptions options) throws IOException {
    writer.delete(family, key, options);
  }

  /**
   * Removes a key that was put only once since it was removed last, or never: an entry of a queue,
   * say. For readers it is a delete in every case. But it looks for the put that it belongs to, and
   * both go with the flush or compaction in which they meet, while a delete stays until it has come
   * down to the deepest level that may have the key. If there are more puts beneath it, or the
   * filters that say that there are none are not in memory, it stays as long as a delete does.
   *
   * @throws IOException as for a put
   */
  public final void singleDelete(byte[] key, Durability durability) throws IOException {
    singleDelete(MemorySegment.ofArray(key), WriteOptions.of(durability));
  }

  /**
   * As {@link #singleDelete(byte[], Durability)}, with all options; the segment is copied.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public final void singleDelete(MemorySegment key, WriteOptions options) throws IOException {
    writer.singleDelete(family, key, options);
  }

  /**
   * Removes all keys from one, inclusive, to another, exclusive; there need not be any. It costs as
   * much as one delete, however many keys there are, and reads of what it has removed do not look
   * at it: tables that lie in the range as a whole are dropped unread.
   *
   * <p>A range delete stays until all that it hides is gone, and takes some hundred bytes of the
   * heap for so long: for few keys deletes are better.
   *
   * @throws IllegalArgumentException also if there can be no key in the range, since {@code end} is
   *     not behind {@code first}
   * @throws IOException as for a put
   */
  public final void deleteRange(byte[] first, byte[] end, Durability durability)
      throws IOException {
    deleteRange(
        MemorySegment.ofArray(first), MemorySegment.ofArray(end), WriteOptions.of(durability));
  }

  /**
   * As {@link #deleteRange(byte[], byte[], Durability)}, with all options; both segments are
   * copied.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public final void deleteRange(MemorySegment first, MemorySegment end, WriteOptions options)
      throws IOException {
    writer.deleteRange(family, first, end, options);
  }

  /**
   * Changes the value of a key by an operand, without reading it: what reads see is made of both by
   * the {@link MergeOperator} of {@link TreeOptions#mergeOperator}. A key without a value has one
   * afterwards.
   *
   * @param operand of 0 to {@link StoreOptions#valueBytesMax} bytes
   * @throws IllegalStateException also if the family has no operator
   * @throws IOException as for a put
   */
  public final void merge(byte[] key, byte[] operand, Durability durability) throws IOException {
    merge(MemorySegment.ofArray(key), MemorySegment.ofArray(operand), WriteOptions.of(durability));
  }

  /**
   * As {@link #merge(byte[], byte[], Durability)}, with all options; both segments are copied.
   *
   * @throws WriteStalledException if it would have to wait longer than it may
   */
  public final void merge(MemorySegment key, MemorySegment operand, WriteOptions options)
      throws IOException {
    writer.merge(family, key, operand, options);
  }

  /**
   * Begins to bring many records into this family at once, in the order of their keys: faster than
   * by batches, and written once.
   *
   * @throws IllegalStateException if the store is closed or the family dropped
   */
  public final SortedIngest ingest() {
    return new SortedIngest(parts, writer, family);
  }

  /**
   * Ingests the files that {@link StoreTableWriter}s have written: all of them or none, with one
   * sequence number. They are read and checked, and stay as they are.
   *
   * @param files in the order of their keys; none has a key that another one has, or that lies
   *     between two of another one
   * @return the sequence number of all records
   * @throws io.ewok.gds.pagestore.StorageException if one is something else, damaged or not in
   *     order, or the options of the store do not allow values so large; nothing has changed
   * @throws IOException if that fails, see {@link SortedIngest#commit}
   */
  public final long ingest(List<Path> files) throws IOException {
    try (SortedIngest ingest = ingest()) {
      for (Path file : files) {
        ingest.addTable(file);
      }
      return ingest.commit();
    }
  }

  // ---- reading

  @Override
  final long expiryFloor() {
    return family.expiration().floor();
  }

  @Override
  final long visibleSequence() {
    return versions.sequence();
  }

  /**
   * Returns a cursor that goes on when there is more behind its end. It is before the first record.
   *
   * @throws IllegalStateException if the store is closed
   */
  public final TailingCursor tail(CursorOptions options) {
    return new TailingCursor(cursor(options), versions);
  }

  // ---- maintenance

  /**
   * Flushes the store, then compacts all tables of this family down to the deepest level, without
   * shadowed records and deletes, but for what open cursors see.
   *
   * @throws IOException if that fails; nothing is lost, and it may be tried again
   */
  public final void compact() throws IOException {
    family.requireThere();
    writer.flush();
    background.compact(family, null, null);
  }

  /**
   * As {@link #compact()}, for the tables with keys from {@code firstKey} to {@code lastKey}, both
   * inclusive.
   *
   * @throws IOException as {@link #compact()}
   */
  public final void compact(MemorySegment firstKey, MemorySegment lastKey) throws IOException {
    family.requireThere();
    MemorySegment first = Keys.copy(firstKey);
    MemorySegment last = Keys.copy(lastKey);
    writer.flush();
    background.compact(family, first, last);
  }
}
