package io.ewok.gds.lsm.sst;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The records of one table, in the order of its internal keys, which is checked.
 *
 * <p>Confined to one thread; whoever opened it closes it.
 */
final class SstTable implements Closeable {
  private static final String PROPERTIES = "rocksdb.properties";
  private static final String OLD_PROPERTIES = "rocksdb.stats";
  private static final String INDEX = "rocksdb.index";
  private static final String RANGE_DELETES = "rocksdb.range_del";
  private static final String DICTIONARY = "rocksdb.compression_dict";

  /** What is kept of an index of meta blocks, however many others it names. */
  private static final Set<String> META_BLOCKS =
      Set.of(PROPERTIES, OLD_PROPERTIES, INDEX, RANGE_DELETES, DICTIONARY);

  /** They are held in memory. */
  private static final int RANGE_DELETES_MAX = 1 << 20;

  private final SstFile file;
  private final SstBlocks blocks;
  private final Map<String, BlockHandle> metaBlocks = new HashMap<>();

  /** The sequence number of all records, or -1 if each has its own. */
  private final long globalSequence;

  private final SstIndex index;
  private BlockCursor records;
  private long recordsOffset;
  private byte[] key;
  private long suffix;

  /** Opens a table; it stands before its first record. */
  static SstTable open(TableFile table) throws IOException {
    SstFile file = new SstFile(table.path());
    try {
      return new SstTable(file, table.sequenceMax());
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private SstTable(SstFile file, long sequenceMax) throws IOException {
    this.file = file;
    SstFooter footer = SstFooter.read(file);
    this.blocks = new SstBlocks(file, footer);
    readMetaIndex(footer);
    SstProperties properties = properties();
    properties.requireSupported(file, footer.version());
    if (metaBlocks.containsKey(DICTIONARY)) {
      throw new UnsupportedContentException(
          file.path(), "a table that is compressed with a dictionary is not read here");
    }
    this.globalSequence = properties.globalSequence(sequenceMax);
    BlockHandle root = footer.indexOrNull() == null ? metaBlocks.get(INDEX) : footer.indexOrNull();
    if (root == null) {
      throw blocks.corrupt(footer.metaIndex().offset(), "an index", "none");
    }
    this.index = new SstIndex(blocks, root, properties);
  }

  private void readMetaIndex(SstFooter footer) throws IOException {
    BlockCursor names = new BlockCursor(blocks.read(footer.metaIndex()), false);
    while (names.next()) {
      String name = SstFormat.text(names.copyKey());
      if (META_BLOCKS.contains(name)) {
        metaBlocks.put(name, BlockHandle.read(names.value()));
      }
    }
  }

  private SstProperties properties() throws IOException {
    BlockHandle handle = metaBlocks.getOrDefault(PROPERTIES, metaBlocks.get(OLD_PROPERTIES));
    return handle == null ? SstProperties.none() : blocks.readProperties(handle);
  }

  /** The ranges of keys that the table deletes, wherever its cursor stands. */
  List<RangeDeletes.Range> rangeDeletes() throws IOException {
    BlockHandle handle = metaBlocks.get(RANGE_DELETES);
    if (handle == null) {
      return List.of();
    }
    List<RangeDeletes.Range> ranges = new ArrayList<>();
    BlockCursor entries = new BlockCursor(blocks.read(handle), false);
    while (entries.next()) {
      if (ranges.size() == RANGE_DELETES_MAX) {
        throw new UnsupportedContentException(
            file.path(), "a table has too many range deletions: max=" + RANGE_DELETES_MAX);
      }
      long found = requireSuffix(entries, handle.offset());
      if (SstFormat.kind(found) != SstFormat.RANGE_DELETE) {
        throw blocks.corrupt(
            handle.offset(), "a range deletion", SstFormat.kindName(SstFormat.kind(found)));
      }
      ranges.add(
          new RangeDeletes.Range(
              SstFormat.userKey(entries.key(), entries.keyBytes()),
              entries.copyValue(),
              sequence(found)));
    }
    return ranges;
  }

  /** Moves to the next record; false at the end. */
  boolean next() throws IOException {
    while (records == null || !records.next()) {
      BlockHandle handle = index.next();
      if (handle == null) {
        return false;
      }
      recordsOffset = handle.offset();
      records = new BlockCursor(blocks.read(handle), false);
    }
    long nextSuffix = requireSuffix(records, recordsOffset);
    byte[] nextKey = SstFormat.userKey(records.key(), records.keyBytes());
    int order = key == null ? -1 : Arrays.compareUnsigned(key, nextKey);
    if (order > 0 || (order == 0 && Long.compareUnsigned(suffix, nextSuffix) <= 0)) {
      throw blocks.corrupt(recordsOffset, "keys in ascending order", "others");
    }
    key = nextKey;
    suffix = nextSuffix;
    return true;
  }

  private long requireSuffix(BlockCursor entry, long offset) throws IOException {
    if (entry.keyBytes() < SstFormat.KEY_SUFFIX_BYTES) {
      throw blocks.corrupt(offset, "a key with a sequence number", entry.keyBytes() + " bytes");
    }
    return SstFormat.suffix(entry.key(), entry.keyBytes());
  }

  private long sequence(long ofSuffix) {
    return globalSequence >= 0 ? globalSequence : SstFormat.sequence(ofSuffix);
  }

  /** The key of the record; an array that stays as it is. */
  byte[] key() {
    return key;
  }

  long sequence() {
    return sequence(suffix);
  }

  int kind() {
    return SstFormat.kind(suffix);
  }

  byte[] copyValue() {
    return records.copyValue();
  }

  UnsupportedContentException unsupported(String what) {
    return new UnsupportedContentException(file.path(), what + ": offset=" + recordsOffset);
  }

  long sizeBytes() {
    return file.sizeBytes();
  }

  long bytesRead() {
    return blocks.bytesRead();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
