package io.ewok.gds.bench.kv;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ByteBufferGetStatus;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.EnvOptions;
import org.rocksdb.Filter;
import org.rocksdb.FlushOptions;
import org.rocksdb.GetStatus;
import org.rocksdb.HyperClockCache;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.OptimisticTransactionDB;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RemoveEmptyValueCompactionFilter;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.SstFileWriter;
import org.rocksdb.Status;
import org.rocksdb.Transaction;
import org.rocksdb.TransactionDB;
import org.rocksdb.TransactionDBOptions;
import org.rocksdb.TtlDB;
import org.rocksdb.UInt64AddOperator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * RocksDB, with the memory, the sizes and the durability of ours: direct I/O, so that the kernel
 * keeps no second copy; what is not synced may stay in the log's memory.
 */
final class RocksKvStore implements KvStore {
  /** What has to be 0 when nothing is left to do. */
  private static final List<String> BUSY =
      List.of(
          "rocksdb.mem-table-flush-pending",
          "rocksdb.num-running-flushes",
          "rocksdb.compaction-pending",
          "rocksdb.num-running-compactions");

  private static final int LEVEL0_TABLES = 4;
  private static final int AUTOMATIC = -1;

  private final List<AutoCloseable> parts = new ArrayList<>();
  private final WriteOptions writes;
  private final ReadOptions reads;
  private final RocksDB rocks;
  private final Options options;
  private final Path directory;

  /** All there are. */
  private final List<ColumnFamilyHandle> families = new ArrayList<>();

  /** Null without families. */
  private final ColumnFamilyHandle counters;

  private final ColumnFamilyHandle second;

  RocksKvStore(Path directory, KvSettings settings, boolean blobs) throws IOException {
    this.directory = directory;
    RocksDB.loadLibrary();
    Cache cache = part(new HyperClockCache(settings.poolBytes(), 0, AUTOMATIC, false));
    Filter filter = part(new BloomFilter(KvSettings.FILTER_BITS_PER_KEY));
    options = part(new Options());
    options
        .setCreateIfMissing(true)
        .setTableFormatConfig(
            new BlockBasedTableConfig()
                .setBlockCache(cache)
                .setFilterPolicy(filter)
                .setBlockSize(KvSettings.BLOCK_BYTES)
                .setCacheIndexAndFilterBlocks(true)
                .setCacheIndexAndFilterBlocksWithHighPriority(true)
                .setPinL0FilterAndIndexBlocksInCache(true)
                .setPinTopLevelIndexAndFilter(true))
        .setCompressionType(CompressionType.NO_COMPRESSION)
        .setWriteBufferSize(settings.memtableBytes())
        .setMaxWriteBufferNumber(KvSettings.MEMTABLES)
        .setMaxBytesForLevelBase(LEVEL0_TABLES * settings.memtableBytes())
        .setTargetFileSizeBase(KvSettings.TABLE_BYTES)
        .setMaxBackgroundJobs(2)
        .setUseDirectReads(true)
        .setUseDirectIoForFlushAndCompaction(true)
        .setManualWalFlush(!settings.synced());
    if (settings.group() == KvGroup.FILTER) {
      options.setCompactionFilter(part(new RemoveEmptyValueCompactionFilter()));
    }
    if (blobs) {
      // The quarter of the files that is oldest, as by default; and that at half garbage, as ours.
      options
          .setEnableBlobFiles(true)
          .setMinBlobSize(KvSettings.SEPARATED_VALUE_BYTES)
          .setBlobFileSize(KvSettings.BLOB_FILE_BYTES)
          .setEnableBlobGarbageCollection(true)
          .setBlobGarbageCollectionAgeCutoff(0.25)
          .setBlobGarbageCollectionForceThreshold(0.5);
    }
    writes = part(new WriteOptions().setSync(settings.synced()));
    reads = part(new ReadOptions());
    try {
      String path = directory.toString();
      rocks =
          switch (settings.group()) {
            case EXPIRY -> TtlDB.open(options, path, (int) KvSettings.TTL.toSeconds(), false);
            case OPTIMISTIC -> OptimisticTransactionDB.open(options, path);
            case LOCKING -> TransactionDB.open(options, part(new TransactionDBOptions()), path);
            case SEQUENTIAL,
                CACHED,
                SYNCED,
                DISK,
                BREADTH,
                REMOVAL,
                FILTER,
                INGEST,
                LONG_VALUES,
                ENCRYPTION,
                ARCHIVE ->
                RocksDB.open(options, path);
          };
      families.add(rocks.getDefaultColumnFamily());
      if (settings.families()) {
        ColumnFamilyOptions adding = part(new ColumnFamilyOptions(options));
        counters = family("counters", adding.setMergeOperator(part(new UInt64AddOperator())));
        second = family("second", part(new ColumnFamilyOptions(options)));
      } else {
        counters = null;
        second = null;
      }
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  private <T extends AutoCloseable> T part(T part) {
    parts.addFirst(part);
    return part;
  }

  /** It is closed with the database. */
  private ColumnFamilyHandle family(String name, ColumnFamilyOptions options)
      throws RocksDBException {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    ColumnFamilyHandle family =
        rocks.createColumnFamily(new ColumnFamilyDescriptor(bytes, options));
    families.add(family);
    return family;
  }

  private static IOException failed(RocksDBException e) {
    return new IOException("RocksDB failed", e);
  }

  @Override
  public KvSession session(KvBuffers buffers) {
    return new Session(buffers);
  }

  @Override
  public void settle() throws IOException, InterruptedException {
    try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
      rocks.flush(flush, families);
      for (String name : BUSY) {
        while (rocks.getAggregatedLongProperty(name) != 0) {
          TimeUnit.MILLISECONDS.sleep(10);
        }
      }
    } catch (RocksDBException e) {
      throw failed(e);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      rocks.closeE();
      for (AutoCloseable part : parts) {
        part.close();
      }
    } catch (Exception e) {
      throw new IOException("RocksDB does not close", e);
    }
  }

  private final class Session implements KvSession {
    private final ByteBuffer key;
    private final ByteBuffer value;
    private final ByteBuffer scanned =
        ByteBuffer.allocateDirect(KvData.VALUE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer scannedKey = ByteBuffer.allocateDirect(KvData.KEY_BYTES);
    private final ByteBuffer number =
        ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] firstKey = new byte[KvData.KEY_BYTES];
    private final byte[] endKey = new byte[KvData.KEY_BYTES];
    private final WriteBatch batch = new WriteBatch();
    private final List<String> tablePaths = new ArrayList<>();
    private EnvOptions sstEnvironment;
    private SstFileWriter table;
    private long tableBytes;
    private boolean inBatch;
    private RocksIterator cursor;

    /** Used again and again; null before the first. */
    private Transaction transaction;

    Session(KvBuffers buffers) {
      key = buffers.keyBytes;
      value = buffers.valueBytes;
    }

    @Override
    public void put() throws IOException {
      key.clear();
      value.clear();
      try {
        if (inBatch) {
          batch.put(key, value);
        } else {
          rocks.put(writes, key, value);
        }
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void beginBatch() {
      batch.clear();
      inBatch = true;
    }

    @Override
    public void endBatch() throws IOException {
      inBatch = false;
      try {
        rocks.write(writes, batch);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void beginIngest() throws IOException {
      Files.createDirectories(ingestDirectory());
      sstEnvironment = new EnvOptions().setUseDirectWrites(true);
    }

    private Path ingestDirectory() {
      return directory.resolveSibling(directory.getFileName() + "-ingest");
    }

    @Override
    public void ingest() throws IOException {
      key.clear();
      value.clear();
      try {
        if (table != null && tableBytes >= KvSettings.TABLE_BYTES) {
          endTable();
        }
        if (table == null) {
          Path path = ingestDirectory().resolve(tablePaths.size() + ".sst");
          table = new SstFileWriter(sstEnvironment, options);
          table.open(path.toString());
          tablePaths.add(path.toString());
        }
        table.put(key, value);
        tableBytes += KvData.KEY_BYTES + KvData.VALUE_BYTES;
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    private void endTable() throws RocksDBException {
      table.finish();
      table.close();
      table = null;
      tableBytes = 0;
    }

    @Override
    public void endIngest() throws IOException {
      try (IngestExternalFileOptions moving = new IngestExternalFileOptions().setMoveFiles(true)) {
        endTable();
        rocks.ingestExternalFile(tablePaths, moving);
        tablePaths.clear();
        sstEnvironment.close();
        Files.delete(ingestDirectory());
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public int get() throws IOException {
      key.clear();
      value.clear();
      try {
        int length = rocks.get(reads, key, value);
        return length == RocksDB.NOT_FOUND ? -1 : length;
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void getMany(KvManyBuffers many) throws IOException {
      many.keyBytes.forEach(ByteBuffer::clear);
      many.valueBytes.forEach(ByteBuffer::clear);
      try {
        List<ByteBufferGetStatus> found =
            rocks.multiGetByteBuffers(reads, many.keyBytes, many.valueBytes);
        for (int i = 0; i < found.size(); i++) {
          ByteBufferGetStatus each = found.get(i);
          many.lengths[i] = each.status.getCode() == Status.Code.Ok ? each.requiredSize : -1;
        }
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void putSecond() throws IOException {
      key.clear();
      value.clear();
      try {
        batch.put(second, key, value);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public int getSecond() throws IOException {
      key.clear();
      value.clear();
      try {
        int length = rocks.get(second, reads, key, value);
        return length == RocksDB.NOT_FOUND ? -1 : length;
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void putEmpty() throws IOException {
      key.clear();
      value.clear().limit(0);
      try {
        rocks.put(writes, key, value);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public int readAndPut(KvBuffers written) throws IOException {
      key.clear();
      value.clear();
      written.valueBytes.clear();
      try {
        begin();
        GetStatus found = transaction.getForUpdate(reads, key, value, true);
        key.clear();
        transaction.put(key, written.valueBytes);
        transaction.commit();
        return found.status.getCode() == Status.Code.Ok ? found.requiredSize : -1;
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    private void begin() {
      if (rocks instanceof OptimisticTransactionDB optimistic) {
        transaction =
            transaction == null
                ? optimistic.beginTransaction(writes)
                : optimistic.beginTransaction(writes, transaction);
      } else {
        TransactionDB locking = (TransactionDB) rocks;
        transaction =
            transaction == null
                ? locking.beginTransaction(writes)
                : locking.beginTransaction(writes, transaction);
      }
    }

    @Override
    public void singleDelete() throws IOException {
      key.get(0, firstKey);
      try {
        rocks.singleDelete(writes, firstKey);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void compact() throws IOException {
      try {
        rocks.compactRange();
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void deleteRange(KvBuffers end) throws IOException {
      key.get(0, firstKey);
      end.keyBytes.get(0, endKey);
      try {
        rocks.deleteRange(writes, firstKey, endKey);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void add(long added) throws IOException {
      key.clear();
      number.clear().putLong(0, added);
      try {
        rocks.merge(counters, writes, key, number);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public long counter() throws IOException {
      key.clear();
      number.clear();
      try {
        return rocks.get(counters, reads, key, number) == RocksDB.NOT_FOUND ? 0 : number.getLong(0);
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public void beginScan() throws IOException {
      try {
        if (cursor == null) {
          cursor = rocks.newIterator(reads);
        } else {
          cursor.refresh();
        }
      } catch (RocksDBException e) {
        throw failed(e);
      }
    }

    @Override
    public boolean first() throws IOException {
      cursor.seekToFirst();
      return isValid();
    }

    @Override
    public boolean last() throws IOException {
      cursor.seekToLast();
      return isValid();
    }

    @Override
    public boolean seek() throws IOException {
      key.clear();
      cursor.seek(key);
      return isValid();
    }

    @Override
    public boolean next() throws IOException {
      cursor.next();
      return isValid();
    }

    @Override
    public boolean previous() throws IOException {
      cursor.prev();
      return isValid();
    }

    private boolean isValid() throws IOException {
      if (cursor.isValid()) {
        return true;
      }
      try {
        cursor.status();
      } catch (RocksDBException e) {
        throw failed(e);
      }
      return false;
    }

    @Override
    public long keyHead() {
      scannedKey.clear();
      cursor.key(scannedKey);
      return scannedKey.getLong(0);
    }

    @Override
    public long valueHead() {
      scanned.clear();
      cursor.value(scanned);
      return scanned.getLong(0);
    }

    @Override
    public void endScan() {}

    @Override
    public void close() {
      batch.close();
      if (transaction != null) {
        transaction.close();
      }
      if (cursor != null) {
        cursor.close();
      }
    }
  }
}
