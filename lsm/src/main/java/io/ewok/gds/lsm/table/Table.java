package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BlockPrefetch;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.VersionConsumer;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFormat;
import io.ewok.gds.lsm.values.ValueSource;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.KeySource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * An open table. Blocks are read through the pool; nothing else of the table is in memory but what
 * the manifest says of it, and its range deletes.
 *
 * <p>Ownership: counted by {@link #references}. When the last user has left, the table is handed to
 * whoever closes, and if it was replaced deletes, its file: that may take time, and readers should
 * not pay for it.
 *
 * <p>Threads: any.
 */
public final class Table {
  public final References references = new References();
  private final TableMeta meta;
  private final Path path;
  private final LoadedBlockFile file;
  private final TableLoader loader;
  private final TableProperties properties;
  private final long rootOffset;
  private final int rootStoredBytes;
  private final int rootBytes;
  private final long boundsOffset;
  private final int boundsStoredBytes;
  private final int boundsBytes;
  private final int version;
  private final long poolBytes;
  private final ValueSource values;
  private final Consumer<Table> whenUnused;

  /** Null until they are read, or if there are none. */
  private volatile RangeDeletes ranges;

  /** Not less than that of any record; none is known to be less until range deletes are read. */
  private volatile long lastRecordSequence;

  /** Of keys that users may look at: unusable once the table is closed, as its blocks are. */
  private final Arena keyMemory = Arena.ofShared();

  private final Queue<KeyBuffer> keyBuffers = new ConcurrentLinkedQueue<>();
  private final TableIndex index;
  private volatile boolean replaced;

  private Table(
      TableMeta meta,
      TableBlocks blocks,
      long footer,
      long poolBytes,
      BlockHints hints,
      ValueSource values,
      Consumer<Table> whenUnused) {
    this.meta = meta;
    this.path = blocks.file.path();
    this.file = blocks.file;
    this.loader = blocks.loader;
    this.properties = TableProperties.read(footer);
    this.rootOffset = TableFormat.handleOffset(footer + TableFormat.ROOT_OFFSET);
    this.rootStoredBytes = TableFormat.handleStoredBytes(footer + TableFormat.ROOT_OFFSET);
    this.rootBytes = TableFormat.handleLengthBytes(footer + TableFormat.ROOT_OFFSET);
    this.boundsOffset = TableFormat.handleOffset(footer + TableFormat.BOUNDS_OFFSET);
    this.boundsStoredBytes = TableFormat.handleStoredBytes(footer + TableFormat.BOUNDS_OFFSET);
    this.boundsBytes = TableFormat.handleLengthBytes(footer + TableFormat.BOUNDS_OFFSET);
    this.version = Memory.getInt(footer + TableFormat.VERSION_OFFSET);
    this.lastRecordSequence = meta.lastSequence();
    this.poolBytes = poolBytes;
    this.values = values;
    this.index = new TableIndex(this, hints);
    this.whenUnused = whenUnused;
  }

  /**
   * Opens a table and checks its footer against the manifest.
   *
   * @param whenUnused called once, on the thread of the last user
   * @throws NotReadableHereException if it is compressed and the library for that is missing
   * @throws io.ewok.gds.pagestore.UnknownKeyException if it is encrypted, and the key is not among
   *     those of the engine
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one there
   * @throws io.ewok.gds.pagestore.PlainFileException if it is not encrypted, and should be
   */
  public static Table open(
      BufferManager buffers, Path path, TableMeta meta, Consumer<Table> whenUnused)
      throws IOException {
    return open(buffers, path, meta, ValueSource.NONE, whenUnused);
  }

  /**
   * The same of one with references.
   *
   * @param values the table's from then on; if this fails still the caller's
   */
  public static Table open(
      BufferManager buffers,
      Path path,
      TableMeta meta,
      ValueSource values,
      Consumer<Table> whenUnused)
      throws IOException {
    TableBlocks blocks = TableBlocks.open(buffers, path, meta.fileNumber());
    return open(buffers, blocks, meta, new BlockHints(buffers), values, whenUnused);
  }

  /**
   * The same with blocks that were opened before, which are closed if this fails, and hints that
   * the tables of a pool share.
   */
  public static Table open(
      BufferManager buffers,
      TableBlocks blocks,
      TableMeta meta,
      BlockHints hints,
      ValueSource values,
      Consumer<Table> whenUnused)
      throws IOException {
    LoadedBlockFile file = blocks.file;
    Path path = file.path();
    try (Fix fix = new Fix()) {
      if (file.sizeBytes() != meta.sizeBytes()) {
        throw new CorruptFileException(
            path, 0, meta.sizeBytes() + " bytes", file.sizeBytes() + " bytes");
      }
      long footerOffset = TableFormat.footerOffset(meta.sizeBytes());
      file.fix(footerOffset, TableFormat.FOOTER_STORED_BYTES, TableFormat.FOOTER_BYTES, fix);
      long footer = fix.address();
      TableFooter.check(path, footerOffset, footer, meta);
      useFooter(path, blocks.loader, footer, meta.sizeBytes());
      blocks.loader.use(TableKey.readOrNull(buffers.keys(), file, footer, meta.sizeBytes()));
      blocks.loader.addSequence(meta.addedSequence());
      long poolBytes = buffers.options().poolBytes();
      return new Table(meta, blocks, footer, poolBytes, hints, values, whenUnused);
    } catch (IOException | RuntimeException | Error e) {
      try {
        blocks.close();
      } catch (IOException | RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  /** Lets a loader make what the footer, which is sound, says of a file of this length. */
  static void useFooter(Path path, TableLoader loader, long footer, long fileBytes)
      throws NotReadableHereException {
    int number = Memory.getByte(footer + TableFormat.ASKED_COMPRESSION_OFFSET);
    try {
      loader.use(BlockCodec.shared(BlockCodec.compression(number)), number, fileBytes);
    } catch (IllegalStateException e) {
      throw new NotReadableHereException("the table is compressed; " + e.getMessage(), path, e);
    }
  }

  /**
   * The place in a run of the first table that may have a key. It shares its last key with the
   * next, at most.
   */
  public static int firstNotBefore(List<Table> run, SearchKey key) {
    int low = 0;
    int high = run.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (key.compareTo(run.get(middle).meta().lastKey()) > 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  public TableMeta meta() {
    return meta;
  }

  /** The length of the pool that its blocks are read through, in bytes. */
  public long poolBytes() {
    return poolBytes;
  }

  /** What the table says of itself. */
  public TableProperties properties() {
    return properties;
  }

  public Path path() {
    return path;
  }

  /** Number of the master key that the table is encrypted with; 0 if it is not. */
  public int keyId() {
    FileKey key = loader.keyOrNull();
    return key == null ? KeySource.NOT_ENCRYPTED : key.id();
  }

  /** Whether the table has range deletes. */
  public boolean hasRangeDeletes() {
    return TableFormat.hasRanges(version);
  }

  /**
   * Returns the range deletes, or null if there are none. They are read when this is called first:
   * by who opens the table, so that those who read records need not.
   *
   * @throws CorruptFileException if they are damaged, or are not such as the table may have
   */
  public RangeDeletes readRangeDeletes() throws IOException {
    if (hasRangeDeletes() && ranges == null) {
      ranges = RangeDeletes.ofOrNull(readRanges());
    }
    return ranges;
  }

  /** The same once they have been read; null before. */
  public RangeDeletes rangeDeletesOrNull() {
    return ranges;
  }

  /**
   * The greatest sequence number of the records, range deletes not included: below that of a range
   * delete, all records of keys that this covers are hidden, and there is nothing to be looked for.
   * Where range deletes are not read yet, or the file does not say it, no less than that number.
   */
  public long lastRecordSequence() {
    return lastRecordSequence;
  }

  private List<RangeDelete> readRanges() throws IOException {
    List<RangeDelete> found = new ArrayList<>();
    long newestRecord = meta.lastSequence();
    try (Fix fix = new Fix().withPriority(Priority.LOW)) {
      fix(boundsOffset, boundsStoredBytes, boundsBytes, TableFormat.TYPE_BOUNDS, fix);
      BlockView bounds = new BlockView();
      bounds.attach(fix.address());
      int expectedBytes = TableFormat.rangesValueBytes(version);
      if (bounds.valueBytes(0) != expectedBytes) {
        throw new CorruptFileException(
            path,
            boundsOffset,
            expectedBytes + " bytes on range deletes",
            bounds.valueBytes(0) + " bytes");
      }
      long value = bounds.valueAddress(0);
      if (TableFormat.knowsNewestRecord(version)) {
        long stored = Memory.getLong(value + TableFormat.NEWEST_RECORD_OFFSET);
        newestRecord = stored + meta.addedSequence();
        if (stored < 0
            || newestRecord < meta.firstSequence()
            || newestRecord > meta.lastSequence()) {
          throw new CorruptFileException(
              path, boundsOffset, "a newest record as the manifest has it", newestRecord);
        }
      }
      long count = Memory.getLong(value + TableFormat.RANGE_COUNT_OFFSET);
      long offset = TableFormat.handleOffset(value);
      int storedBytes = TableFormat.handleStoredBytes(value);
      int lengthBytes = TableFormat.handleLengthBytes(value);
      while (storedBytes != 0) {
        fix.unfix();
        fix(offset, storedBytes, lengthBytes, TableFormat.TYPE_RANGES, fix);
        RangesBlock.read(fix.address(), found);
        long before = fix.address() + TableFormat.RANGES_BEFORE_OFFSET;
        storedBytes = TableFormat.handleStoredBytes(before);
        lengthBytes = TableFormat.handleLengthBytes(before);
        // Blocks lead to those before them, or else there would be no end.
        if (storedBytes != 0 && TableFormat.handleOffset(before) >= offset) {
          throw new CorruptFileException(path, offset, "a block before", "another one");
        }
        offset = TableFormat.handleOffset(before);
      }
      if (found.size() != count) {
        throw new CorruptFileException(
            path, boundsOffset, count + " range deletes", found.size() + " of them");
      }
    }
    for (RangeDelete delete : found) {
      if (Keys.compare(delete.first(), meta.firstKey()) < 0
          || Keys.compare(delete.end(), meta.lastKey()) > 0
          || delete.sequence() < meta.firstSequence()
          || delete.sequence() > meta.lastSequence()) {
        throw new CorruptFileException(
            path, boundsOffset, "range deletes inside of the table's bounds", delete);
      }
    }
    lastRecordSequence = newestRecord;
    return found;
  }

  /** Takes memory for keys of this table, or of others that are retained as long. */
  KeyBuffer takeKeyBuffer() {
    KeyBuffer free = keyBuffers.poll();
    return free == null ? new KeyBuffer(keyMemory) : free;
  }

  /** Gives that back. */
  void giveKeyBuffer(KeyBuffer buffer) {
    keyBuffers.add(buffer);
  }

  /** Fixes the root of the index. */
  void fixRoot(Fix into) throws IOException {
    fix(rootOffset, rootStoredBytes, rootBytes, TableFormat.TYPE_ROOT, into);
  }

  /** The same, perhaps optimistically. */
  void fixRoot(boolean latched, Fix into) throws IOException {
    fix(rootOffset, rootStoredBytes, rootBytes, TableFormat.TYPE_ROOT, latched, into);
  }

  /** Fixes a partition of the index, found by the address of its handle. */
  void fixIndex(long handle, Fix into) throws IOException {
    fix(handle, TableFormat.TYPE_INDEX, into);
  }

  /** Fixes a data block, found by the address of its handle. */
  void fixData(long handle, Fix into) throws IOException {
    fix(handle, TableFormat.TYPE_DATA, into);
  }

  /**
   * Adds a block, found by the address of its handle, to those that are to be read, unless it is in
   * the pool. Returns whether it was added.
   */
  boolean addTo(BlockPrefetch prefetch, long handle) {
    return addTo(
        prefetch,
        TableFormat.handleOffset(handle),
        TableFormat.handleStoredBytes(handle),
        TableFormat.handleLengthBytes(handle));
  }

  /** The same of the root of the index. */
  void addRootTo(BlockPrefetch prefetch) {
    boolean unused = addTo(prefetch, rootOffset, rootStoredBytes, rootBytes);
  }

  private boolean addTo(BlockPrefetch prefetch, long offset, int storedBytes, int lengthBytes) {
    boolean mayBe =
        offset >= 0
            && storedBytes > 0
            && lengthBytes > 0
            && offset <= meta.sizeBytes() - storedBytes;
    // Or else who comes to the block will say so.
    return mayBe && prefetch.add(file, offset, storedBytes, lengthBytes);
  }

  /** Fixes a data block where it was last. It was of the right type when it came there. */
  boolean tryFixData(BlockPlaces places, int ordinal, Fix into) {
    return places.tryFix(ordinal, file, into);
  }

  /** As {@link TableIndex#places}. */
  BlockPlaces places(int partition, TableLookup at) throws IOException {
    return index.places(partition, at);
  }

  /**
   * Where in the file the block with the records from a key on lies, in bytes; the size of the file
   * if there are none.
   */
  public long offsetOf(SearchKey key) throws IOException {
    long newest = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);
    BlockView view = new BlockView();
    try (Fix root = new Fix().withPriority(Priority.HIGH);
        Fix partition = new Fix().withPriority(Priority.HIGH)) {
      fixRoot(root);
      view.attach(root.address());
      int found = view.findAtOrAfter(key, newest);
      if (found == view.count()) {
        return meta.sizeBytes();
      }
      fixIndex(view.valueAddress(found), partition);
      view.attach(partition.address());
      int block = Math.min(view.findAtOrAfter(key, newest), view.count() - 1);
      return TableFormat.handleOffset(view.valueAddress(block));
    }
  }

  /** As {@link LoadedBlockFile#isUsed}, of a data block found by the address of its handle. */
  boolean isUsed(long handle) {
    return file.isUsed(TableFormat.handleOffset(handle));
  }

  /**
   * Makes a data block of what is stored of it at an offset, elsewhere than in the pool.
   *
   * @throws CorruptFileException if it is none
   */
  void makeData(long offset, MemorySegment stored, MemorySegment block)
      throws CorruptFileException {
    loader.load(path, offset, stored, block);
    int actual = TableFormat.type(block.address());
    if (actual != TableFormat.TYPE_DATA) {
      throw new CorruptFileException(path, offset, "block type " + TableFormat.TYPE_DATA, actual);
    }
  }

  /** Fixes a filter, if there is one. Returns whether there is. */
  boolean fixFilter(long handle, Fix into) throws IOException {
    if (TableFormat.handleStoredBytes(handle) == 0) {
      return false;
    }
    fix(handle, TableFormat.TYPE_FILTER, into);
    return true;
  }

  private void fix(long handle, int type, Fix into) throws IOException {
    fix(
        TableFormat.handleOffset(handle),
        TableFormat.handleStoredBytes(handle),
        TableFormat.handleLengthBytes(handle),
        type,
        into);
  }

  private void fix(long offset, int storedBytes, int lengthBytes, int type, Fix into)
      throws IOException {
    fix(offset, storedBytes, lengthBytes, type, true, into);
  }

  /** Fixes a block of a type, perhaps optimistically. */
  void fix(long offset, int storedBytes, int lengthBytes, int type, boolean latched, Fix into)
      throws IOException {
    try {
      if (latched) {
        file.fix(offset, storedBytes, lengthBytes, into);
      } else {
        file.fixOptimistic(offset, storedBytes, lengthBytes, into);
      }
    } catch (IllegalArgumentException e) {
      throw refused(path, offset, storedBytes, lengthBytes, e);
    }
    // A block's checksum binds it to its place, but a forged file may have put any block there.
    int actual = TableFormat.type(into.address());
    if (actual != type && into.validate()) {
      into.close();
      throw new CorruptFileException(path, offset, "block type " + type, actual);
    }
  }

  private IOException refused(
      Path of, long offset, int storedBytes, int lengthBytes, Throwable cause) {
    if ((long) lengthBytes + storedBytes + 2L * TableFormat.FILE_ALIGNMENT_BYTES > poolBytes) {
      return new NotReadableHereException(
          "a block does not fit into the pool, open the store with a larger one:"
              + " offset=%d blockBytes=%d poolBytes=%d".formatted(offset, lengthBytes, poolBytes),
          of,
          cause);
    }
    IOException corrupt =
        new CorruptFileException(of, offset, "a block of one length", lengthBytes + " bytes");
    corrupt.addSuppressed(cause); // its own cause can no longer be set
    return corrupt;
  }

  /**
   * Looks for the newest record of a key. If it is found, the lookup holds its block.
   *
   * @param stamp {@link RecordKind#searchStamp} of the newest sequence that may be seen
   */
  public boolean find(SearchKey key, long stamp, TableLookup at) throws IOException {
    at.outcome = look(key, stamp, at);
    return at.outcome == TableLookup.Outcome.FOUND;
  }

  /**
   * Shows the versions of a key, newest first, until the consumer has what it wants. Nothing stays
   * fixed.
   *
   * @param stamp as that of {@link #find}
   * @return whether older ones are still wanted
   */
  public boolean versions(SearchKey key, long stamp, TableLookup at, VersionConsumer to)
      throws IOException {
    long from = stamp;
    while (find(key, from, at)) {
      try {
        from = at.stamp() - 1; // stamps of a key fall
        if (!show(key, at, to)) {
          return false;
        }
      } finally {
        at.unfix();
      }
    }
    return true;
  }

  private boolean show(SearchKey key, TableLookup at, VersionConsumer to) throws IOException {
    long stamp = at.stamp();
    if (RecordKind.kind(stamp) != RecordKind.VALUE_REFERENCE) {
      return to.accept(stamp, at.valueAddress(), at.valueBytes());
    }
    readValue(key, at);
    long put = RecordKind.stamp(RecordKind.sequence(stamp), RecordKind.PUT);
    return to.accept(put, at.readAddress, at.readBytes);
  }

  /**
   * Reads the value that the record refers to which was found, and lets go of the record, also if
   * that fails; else the lookup holds the value then.
   */
  public void readValue(SearchKey key, TableLookup at) throws IOException {
    long reference = at.valueAddress();
    int valueBytes = ValueFormat.valueBytes(reference);
    try {
      fixValue(reference, key.address(), key.lengthBytes(), at.value);
    } finally {
      at.data.unfix();
    }
    at.readBytes = valueBytes;
    at.readAddress = ValueFile.valueAddress(at.value, key.lengthBytes());
  }

  /**
   * Fixes the entry of a value file that a record of this table refers to.
   *
   * @param reference its address
   */
  void fixValue(long reference, long keyAddress, int keyBytes, Fix into) throws IOException {
    ValueFile found = valueFile(reference);
    try {
      found.fix(reference, keyAddress, keyBytes, into);
    } catch (IllegalArgumentException e) {
      int entryBytes = ValueFormat.entryBytes(reference);
      throw refused(found.path(), ValueFormat.offset(reference), entryBytes, entryBytes, e);
    }
  }

  /** The value file that a record of this table refers to. */
  ValueFile valueFile(long reference) throws IOException {
    long number = ValueFormat.file(reference);
    ValueFile found = values.findOrNull(number);
    if (found == null) {
      throw new CorruptFileException(
          path, 0, "references to value files of the table", "file " + number);
    }
    return found;
  }

  /** One of the value files that the table refers to, or null. */
  ValueFile valueFileOrNull(long number) throws IOException {
    return values.findOrNull(number);
  }

  /** Whether values can be read that the table refers to, if it does. */
  boolean readsValues() {
    return values != ValueSource.NONE;
  }

  /** A value file that the table refers to, of those that are all open. */
  public ValueFile openValueFile(long number) {
    try {
      return Objects.requireNonNull(values.findOrNull(number));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The same of all tables of a run: the versions of a key may go on in the next table.
   *
   * @return whether older ones are still wanted
   */
  public static boolean versions(
      List<Table> run, SearchKey key, long stamp, TableLookup at, VersionConsumer to)
      throws IOException {
    for (int i = firstNotBefore(run, key);
        i < run.size() && run.get(i).meta().mayContain(key);
        i++) {
      if (!run.get(i).versions(key, stamp, at, to)) {
        return false;
      }
    }
    return true;
  }

  private TableLookup.Outcome look(SearchKey key, long stamp, TableLookup at) throws IOException {
    TableLookup.Outcome outcome = index.find(key, stamp, at);
    if (outcome != TableLookup.Outcome.FOUND) {
      return outcome;
    }
    if (!at.data.isFixed()) {
      fix(at.offset, at.storedBytes, at.lengthBytes, TableFormat.TYPE_DATA, at.data);
      at.keepPlace();
    }
    BlockView view = at.view;
    view.attach(at.data.address(), at.data.lengthBytes());
    int ordinal = view.findAtOrAfter(key, stamp);
    if (ordinal < view.count() && view.hasKey(ordinal, key.address(), key.lengthBytes())) {
      at.ordinal = ordinal;
      return TableLookup.Outcome.FOUND;
    }
    at.data.unfix();
    return TableLookup.Outcome.ABSENT;
  }

  /** How many hints there are, but for that of the root. For tests. */
  int hintCount() {
    return index.hintCount();
  }

  private boolean isFilteredOut(long handle, long hash, Fix fix) throws IOException {
    if (!fixFilter(handle, fix)) {
      return false;
    }
    try {
      return !FilterView.mayContain(fix.address(), hash);
    } finally {
      fix.unfix();
    }
  }

  /**
   * Whether a key may begin with this one, if it has the length of the prefixes that the filters
   * know.
   */
  public boolean mayContainPrefix(SearchKey key, TableLookup at) throws IOException {
    int prefixBytes = key.lengthBytes();
    if (prefixBytes == 0 || prefixBytes != properties.filterPrefixBytes()) {
      return true;
    }
    BlockView view = at.view;
    long hash = FilterView.ofPrefix(key.hash());
    fixRoot(at.root);
    try {
      view.attach(at.root.address());
      long newest = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);
      int partition = view.findAtOrAfter(key, newest);
      while (partition < view.count()) {
        long handles = view.valueAddress(partition);
        at.filtersAsked++;
        if (!isFilteredOut(handles + TableFormat.HANDLE_BYTES, hash, at.filter)) {
          return true;
        }
        // Only while the last key of a partition begins so may the next have more of them.
        if (!view.hasPrefix(partition, key.address(), prefixBytes)) {
          return false;
        }
        partition++;
      }
      return false;
    } finally {
      at.root.unfix();
    }
  }

  /** Tells that a merge has replaced this table: its file is to go when nobody uses it any more. */
  public void setReplaced() {
    replaced = true;
  }

  public boolean isReplaced() {
    return replaced;
  }

  /** Leaves the table. */
  public void release() {
    if (references.release()) {
      whenUnused.accept(this);
    }
  }

  /** Closes the file and drops its blocks from the pool. */
  public void close() throws IOException {
    try {
      file.close();
    } finally {
      keyMemory.close();
      values.release();
    }
  }
}
