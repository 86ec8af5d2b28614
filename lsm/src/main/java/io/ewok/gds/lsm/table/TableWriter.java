package io.ewok.gds.lsm.table;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.values.ValueFormat;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Writes tables, one after the other: {@code start}, {@code add} in order, {@code finish} or {@code
 * abandon}. All that is kept of a table meanwhile is one block, one partition of the index and its
 * filter, and the root.
 *
 * <p>A table is encrypted if the engine has a current key ({@link IoEngine#keys}).
 *
 * <p>Ownership: the buffer is the caller's. A table that is not finished must be abandoned: its
 * file is then closed and deleted.
 *
 * <p>Threads: confined to one at a time.
 */
public final class TableWriter {
  /** At which size a partition of the index is closed; a last entry may make it larger. */
  private static final int PARTITION_BYTES = 16 << 10;

  private static final int PARTITION_BLOCK_BYTES = PARTITION_BYTES + Keys.BYTES_MAX + (1 << 10);
  private static final int ROOT_BYTES_MIN = 192 << 10;
  private static final int ROOT_BYTES_MAX = 1 << 20;
  private static final int ROOT_ENTRY_BYTES_MAX = Keys.BYTES_MAX + 128;
  private static final long INDEX_BUILDER_BYTES =
      BlockBuilder.memoryBytes(PARTITION_BLOCK_BYTES, 0);

  /** Of a block and of its filter; or the value in the bounds and the handle of the root. */
  private static final long HANDLES_BYTES =
      TableFormat.alignUp(
          TableFormat.HANDLE_BYTES + TableFormat.RANGES_VALUE_BYTES, TableFormat.HANDLE_BYTES);

  private final IoEngine engine;
  private final TableOptions options;
  private final int rootBytes;
  private final StoredBlocks blocks;
  private final BlockBuilder data;
  private final BlockBuilder index;
  private final BlockBuilder root;
  private final FilterBuilder filter;

  /** Where the memory for data blocks begins; range deletes use it when those are written. */
  private final long dataAddress;

  /** Of the block that was stored last; of the filter behind it. */
  private final long handle;

  private IoFile file;

  /** Of the same file, until it is taken; null if there is no pool. */
  private TableBlocks pooled;

  /** With which priority the data block that is being built is to be in the pool; null if not. */
  private Priority wanted;

  /** Whether the engine had a key when the table was started. */
  private boolean isSealed;

  private TableLayout layout;
  private int family;
  private long number;
  private TableProperties.Counts counts;
  private MemorySegment firstKey;
  private long firstStamp;
  private final List<RangeDelete> ranges = new ArrayList<>();
  private final ValueReferences.Counter references = new ValueReferences.Counter();

  /**
   * Creates a writer.
   *
   * @param buffer of {@link #bufferBytes} bytes
   */
  public TableWriter(IoEngine engine, Region buffer, TableOptions options) {
    this.engine = engine;
    this.options = options;
    rootBytes = rootBytes(options);
    blocks = new StoredBlocks(buffer, storedBytes(options));
    long address = buffer.address() + storedBytes(options);
    dataAddress = address;
    data = new BlockBuilder(address, options.blockBytes());
    address += dataBytes(options);
    index = new BlockBuilder(address, PARTITION_BLOCK_BYTES);
    address += INDEX_BUILDER_BYTES;
    root = new BlockBuilder(address, rootBytes);
    address += BlockBuilder.memoryBytes(rootBytes, 0);
    filter = new FilterBuilder(address);
    handle = address + FilterBuilder.MEMORY_BYTES;
  }

  /** Size of the buffer that a writer needs, in bytes. */
  public static long bufferBytes(TableOptions options) {
    return TableFormat.padded(
        storedBytes(options)
            + dataBytes(options)
            + INDEX_BUILDER_BYTES
            + BlockBuilder.memoryBytes(rootBytes(options), 0)
            + FilterBuilder.MEMORY_BYTES
            + HANDLES_BYTES);
  }

  private static long dataBytes(TableOptions options) {
    return BlockBuilder.memoryBytes(options.blockBytes(), options.recordBytesMax());
  }

  private static int rootBytes(TableOptions options) {
    return Math.clamp(options.indexBytesMax(), ROOT_BYTES_MIN, ROOT_BYTES_MAX);
  }

  private static long storedBytes(TableOptions options) {
    return StoredBlocks.capacityBytes(
        Math.max(
            BlockBuilder.blockBytesMax(options.blockBytes(), options.recordBytesMax()),
            BlockBuilder.blockBytesMax(rootBytes(options), 0)));
  }

  /**
   * Creates the file and starts a table.
   *
   * @param family number of the family that the records are of
   * @param poolOrNull where index and filters go besides, and data blocks that {@link #want} was
   *     said of
   * @throws IllegalStateException if a table is being written, or the library of the compression is
   *     missing
   */
  public void start(
      Path path, long number, int family, TableLayout layout, BufferManager poolOrNull)
      throws IOException {
    if (file != null) {
      throw new IllegalStateException("a table is being written: path=" + file.path());
    }
    if (layout.blockBytes() > options.blockBytes()) {
      throw new IllegalArgumentException(
          "the writer has room for shorter blocks only: blockBytesMax=%d blockBytes=%d"
              .formatted(options.blockBytes(), layout.blockBytes()));
    }
    blocks.use(layout.compression());
    FileKey key = FileKey.createOrNull(engine.keys(), TableFormat.keyPurpose(number), path);
    isSealed = key != null;
    file = engine.open(path, OpenMode.CREATE_NEW);
    file.setWorkClass(WorkClass.COMPACTION);
    pooled = poolOrNull == null ? null : TableBlocks.open(poolOrNull, path, number);
    wanted = null;
    blocks.start(file, number, key);
    this.number = number;
    this.layout = layout;
    this.family = family;
    counts = new TableProperties.Counts();
    firstKey = null;
    ranges.clear();
    references.clear();
    data.start();
    index.start();
    root.start();
    filter.start(layout.filterBitsPerKey(), layout.filterPrefixBytes());
  }

  public boolean isStarted() {
    return file != null;
  }

  /**
   * Whether the table must be finished because its index is as large as an index may be. To be
   * asked before each record: one more, and the end of the table, make two partitions at most.
   */
  public boolean isIndexFull() {
    return root.count() > 0
        && (root.sizeBytes() + 2L * ROOT_ENTRY_BYTES_MAX > rootBytes
            || !root.hasRoomFor(2 * Keys.BYTES_MAX));
  }

  /** Bytes of the table so far. */
  public long sizeBytes() {
    return blocks.offset() + (data.count() == 0 ? 0 : data.sizeBytes());
  }

  /** Bytes written to files since the writer was created. */
  public long bytesWritten() {
    return blocks.bytesWritten();
  }

  /**
   * Appends a record.
   *
   * @throws StorageException if it does not follow the last one in order: each block that a merge
   *     reads is checked, but forged files may contradict each other; or if it was written with
   *     larger options than these
   */
  public void add(long stamp, long keyAddress, int keyBytes, long valueAddress, int valueBytes)
      throws IOException {
    if (valueBytes > Math.max(options.blockBytes(), options.recordBytesMax())) {
      throw new StorageException(
          "a value is too large for these options, open the store with larger ones:"
              + " valueBytes=%d batchBytesMax=%d".formatted(valueBytes, options.recordBytesMax()),
          file.path());
    }
    boolean newKey = requireOrder(stamp, keyAddress, keyBytes);
    if (data.count() > 0 && isFull(stamp, keyAddress, keyBytes, valueBytes)) {
      separateAndFinish(keyAddress, keyBytes);
    }
    if (firstKey == null) {
      firstKey = Keys.copy(keyAddress, keyBytes);
      firstStamp = stamp;
    }
    data.add(stamp, keyAddress, keyBytes, valueAddress, valueBytes);
    // Older records of a key may be in another partition, whose filter has to know it too.
    if (newKey || filter.isEmpty()) {
      filter.add(keyAddress, keyBytes);
    }
    counts.add(stamp, keyBytes, valueBytes);
    if (RecordKind.kind(stamp) == RecordKind.VALUE_REFERENCE) {
      references.add(ValueFormat.file(valueAddress), ValueFormat.entryBytes(valueAddress));
    }
  }

  /**
   * Adds a range delete; in any order, and whatever records there are.
   *
   * @throws StorageException if it was written with larger options than these
   */
  public void addRange(RangeDelete delete) throws StorageException {
    long blockBytes = RangesBlock.blockBytes(delete);
    long most = BlockBuilder.blockBytesMax(options.blockBytes(), options.recordBytesMax());
    if (blockBytes > most) {
      throw new StorageException(
          "a range delete is too large for these options, open the store with larger ones:"
              + " blockBytes=%d batchBytesMax=%d".formatted(blockBytes, options.recordBytesMax()),
          file.path());
    }
    ranges.add(delete);
  }

  /** A copy of the key that was added last; at least one was. */
  public MemorySegment lastKey() {
    return Keys.copy(data.lastKeyAddress(), data.lastKeyBytes());
  }

  /** Says that readers may want the record that was added last soon. */
  public void want(Priority priority) {
    wanted = priority;
  }

  /** Returns whether the key is another than that of the last record. */
  private boolean requireOrder(long stamp, long keyAddress, int keyBytes) throws StorageException {
    if (data.count() == 0) {
      return true;
    }
    int order =
        Memory.compareUnsigned(data.lastKeyAddress(), data.lastKeyBytes(), keyAddress, keyBytes);
    if (order > 0 || (order == 0 && RecordKind.compareStamps(data.lastStamp(), stamp) >= 0)) {
      throw new StorageException("records come out of order, a source is corrupt", file.path());
    }
    return order < 0;
  }

  private boolean isFull(long stamp, long keyAddress, int keyBytes, long valueBytes) {
    return !data.hasRoomFor(keyBytes)
        || data.sizeBytesWith(stamp, keyAddress, keyBytes, valueBytes)
            > layout.blockBytes()
                - TableFormat.STORED_HEADER_BYTES
                - (isSealed ? TableFormat.TAG_BYTES : 0);
  }

  /**
   * Ends a data block. Its key in the index is not before its last record and before the next one:
   * the shortest beginning of the next key that is so, or else the last key.
   */
  private void separateAndFinish(long nextKey, int nextKeyBytes) throws IOException {
    int beginning = commonBytes(nextKey, nextKeyBytes) + 1;
    if (beginning < Math.min(nextKeyBytes, data.lastKeyBytes())) {
      finishData(0, nextKey, beginning);
    } else {
      finishData(data.lastStamp(), data.lastKeyAddress(), data.lastKeyBytes());
    }
    data.start();
  }

  private int commonBytes(long nextKey, int nextKeyBytes) {
    long at =
        Memory.view(data.lastKeyAddress(), data.lastKeyBytes())
            .mismatch(Memory.view(nextKey, nextKeyBytes));
    return at < 0 ? nextKeyBytes : (int) at;
  }

  private void finishData(long stamp, long separator, int separatorBytes) throws IOException {
    blocks.add(data, TableFormat.TYPE_DATA, handle);
    counts.dataBlocks++;
    counts.dataBytes += TableFormat.handleLengthBytes(handle);
    counts.dataStoredBytes += TableFormat.handleStoredBytes(handle);
    put(handle, data.address(), wanted);
    wanted = null;
    index.add(stamp, separator, separatorBytes, handle, TableFormat.HANDLE_BYTES);
    if (index.sizeBytes() >= PARTITION_BYTES
        || !index.hasRoomFor(Keys.BYTES_MAX)
        || !filter.hasRoomFor(layout.blockBytes() / TableFormat.HEAD_BYTES)) {
      finishPartition();
    }
  }

  /** Puts a block that was stored into the pool, if there is one and the block has a priority. */
  private void put(long handle, long block, Priority priorityOrNull) {
    if (pooled != null && priorityOrNull != null) {
      pooled.put(handle, block, priorityOrNull);
    }
  }

  private void finishPartition() throws IOException {
    long filterHandle = handle + TableFormat.HANDLE_BYTES;
    Memory.fill(filterHandle, TableFormat.HANDLE_BYTES, (byte) 0);
    if (!filter.isEmpty()) {
      long address = blocks.add(filter, filterHandle);
      put(filterHandle, address, Priority.HIGH);
      counts.filterBytes += TableFormat.handleStoredBytes(filterHandle);
    }
    blocks.add(index, TableFormat.TYPE_INDEX, handle);
    put(handle, index.address(), Priority.HIGH);
    counts.indexBytes += TableFormat.handleStoredBytes(handle);
    counts.partitions++;
    if (!root.hasRoomFor(index.lastStamp(), index.lastKeyAddress(), index.lastKeyBytes())) {
      throw new IllegalStateException("the index was full, and nobody asked");
    }
    root.add(
        index.lastStamp(),
        index.lastKeyAddress(),
        index.lastKeyBytes(),
        handle,
        2 * TableFormat.HANDLE_BYTES);
    index.start();
  }

  /**
   * Completes the table, which has at least one record or range delete, and makes the file durable;
   * its name is durable when the directory is synced.
   */
  public TableMeta finish() throws IOException {
    ranges.sort(Comparator.comparing(RangeDelete::first, Keys::compare));
    if (counts.entries == 0) {
      addDeleteOfFirst();
    }
    MemorySegment lastKey = lastKey();
    finishData(data.lastStamp(), data.lastKeyAddress(), data.lastKeyBytes());
    if (index.count() > 0) {
      finishPartition();
    }
    if (ranges.isEmpty()) {
      // Its key is that of the last record, which is still where it was.
      addBounds(root.lastStamp(), root.lastKeyAddress(), root.lastKeyBytes());
    } else {
      finishRanges();
      lastKey = addBoundsOfRanges(lastKey);
    }
    long boundsHandle = handle + TableFormat.HANDLE_BYTES;
    blocks.add(index, TableFormat.TYPE_BOUNDS, boundsHandle);
    blocks.add(root, TableFormat.TYPE_ROOT, handle);
    put(handle, root.address(), Priority.HIGH);
    TableProperties properties = counts.properties(family, layout);
    int version = TableFormat.version(!ranges.isEmpty(), !references.isEmpty(), isSealed);
    long fileBytes = blocks.finish(properties, version, handle, boundsHandle);
    file.sync();
    file.close();
    file = null;
    return new TableMeta(
        number,
        fileBytes,
        properties.entries(),
        properties.deletes(),
        properties.firstSequence(),
        properties.lastSequence(),
        firstKey,
        lastKey,
        family,
        0,
        references.references());
  }

  /** Who reads tables may count on a record. This one is true, and goes as any delete does. */
  private void addDeleteOfFirst() throws IOException {
    RangeDelete first = ranges.getFirst();
    SearchKey key = new SearchKey().set(first.first());
    long stamp = RecordKind.stamp(first.sequence(), RecordKind.DELETE);
    add(stamp, key.address(), key.lengthBytes(), key.address(), 0);
  }

  /** Writes the blocks of range deletes; the handle of the last one is where the bounds want it. */
  private void finishRanges() throws IOException {
    long last = handle + TableFormat.HANDLE_BYTES;
    Memory.fill(last, TableFormat.HANDLE_BYTES, (byte) 0);
    for (int at = 0; at < ranges.size(); ) {
      List<RangeDelete> left = ranges.subList(at, ranges.size());
      int count = RangesBlock.fitting(left, layout.blockBytes() - TableFormat.STORED_HEADER_BYTES);
      int lengthBytes = RangesBlock.put(dataAddress, last, left.subList(0, count));
      blocks.add(dataAddress, lengthBytes, last);
      at += count;
    }
    Memory.putLong(last + TableFormat.RANGE_COUNT_OFFSET, ranges.size());
    Memory.putLong(last + TableFormat.NEWEST_RECORD_OFFSET, counts.newestRecord);
    ranges.forEach(delete -> counts.addSequence(delete.sequence()));
  }

  /**
   * Returns what the pool has of the table that was finished last, which is the caller's from then
   * on; null if there is no pool.
   */
  public TableBlocks takeBlocks() {
    TableBlocks taken = pooled;
    pooled = null;
    return taken;
  }

  private void addBounds(long lastStamp, long lastKey, int lastKeyBytes) {
    // The index is written, and its builder has room for two keys of any length.
    index.start();
    addBound(firstStamp, firstKey, 0);
    if (counts.entries > 1) {
      index.add(lastStamp, lastKey, lastKeyBytes, scratch(), 0);
    }
  }

  /** Adds those of records and range deletes. Returns the last key. */
  private MemorySegment addBoundsOfRanges(MemorySegment lastRecordKey) {
    RangeDelete first = ranges.getFirst();
    if (Keys.compare(first.first(), firstKey) < 0) {
      firstKey = first.first();
      firstStamp = RecordKind.stamp(first.sequence(), RecordKind.RANGE_DELETE);
    }
    MemorySegment lastKey = lastRecordKey;
    long lastStamp = root.lastStamp();
    for (RangeDelete delete : ranges) {
      if (Keys.compare(delete.end(), lastKey) > 0) {
        lastKey = delete.end();
        lastStamp = RecordKind.stamp(delete.sequence(), RecordKind.RANGE_DELETE);
      }
    }
    index.start();
    addBound(firstStamp, firstKey, TableFormat.RANGES_VALUE_BYTES);
    addBound(lastStamp, lastKey, 0); // a range is not empty, so this is another key
    return lastKey;
  }

  private void addBound(long stamp, MemorySegment key, int valueBytes) {
    // Keys on the heap have no address.
    int keyBytes = (int) key.byteSize();
    Memory.copyFrom(key, 0, scratch(), keyBytes);
    index.add(stamp, scratch(), keyBytes, handle + TableFormat.HANDLE_BYTES, valueBytes);
  }

  /** The filter's memory, when that is not used. */
  private long scratch() {
    return handle - FilterBuilder.MEMORY_BYTES;
  }

  /** Gives up a table that was started and not finished. Does nothing otherwise. */
  public void abandon() throws IOException {
    if (file == null) {
      return;
    }
    Path path = file.path();
    TableBlocks blocksOrNull = takeBlocks();
    try (IoFile _ = file) {
      if (blocksOrNull != null) {
        blocksOrNull.close();
      }
    } finally {
      file = null;
      engine.delete(path);
    }
  }
}
