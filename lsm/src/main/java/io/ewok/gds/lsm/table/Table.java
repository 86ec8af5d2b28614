package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.CachedBlockFile;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.References;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * An open table. Blocks are read through the pool; nothing else of the table is in memory but what
 * the manifest says of it.
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
  private final CachedBlockFile file;
  private final long poolBytes;
  private final Consumer<Table> whenUnused;
  private final long indexOffset;
  private final int indexBytes;
  private volatile boolean replaced;

  private Table(
      TableMeta meta,
      Path path,
      CachedBlockFile file,
      long poolBytes,
      long indexOffset,
      int indexBytes,
      Consumer<Table> whenUnused) {
    this.meta = meta;
    this.path = path;
    this.file = file;
    this.poolBytes = poolBytes;
    this.indexOffset = indexOffset;
    this.indexBytes = indexBytes;
    this.whenUnused = whenUnused;
  }

  /**
   * Opens a table and checks its footer against the manifest.
   *
   * @param whenUnused called once, on the thread of the last user
   */
  public static Table open(
      IoEngine engine, BufferManager buffers, Path path, TableMeta meta, Consumer<Table> whenUnused)
      throws IOException {
    CachedBlockFile file = buffers.openBlocks(path, new TableVerifier(meta.number()));
    try (Fix fix = new Fix()) {
      long footerOffset = meta.sizeBytes() - TableFormat.FOOTER_BYTES;
      if (file.sizeBytes() != meta.sizeBytes()) {
        throw new CorruptFileException(
            path, 0, meta.sizeBytes() + " bytes", file.sizeBytes() + " bytes");
      }
      file.fix(footerOffset, TableFormat.FOOTER_BYTES, fix);
      requireType(path, footerOffset, fix, TableFormat.TYPE_FOOTER);
      long footer = fix.segment().address();
      requireField(path, footerOffset, footer, TableFormat.MAGIC_OFFSET, TableFormat.MAGIC);
      int version = Memory.getInt(footer + TableFormat.VERSION_OFFSET);
      if (version != TableFormat.VERSION) {
        throw new UnsupportedFormatException(path, version, TableFormat.VERSION);
      }
      int tagBytes = Memory.getInt(footer + TableFormat.TAG_LENGTH_OFFSET);
      if (tagBytes != 0) {
        throw new CorruptFileException(path, footerOffset, "no tags", tagBytes + " bytes each");
      }
      requireField(path, footerOffset, footer, TableFormat.NUMBER_OFFSET, meta.number());
      requireField(path, footerOffset, footer, TableFormat.ENTRIES_OFFSET, meta.entries());
      requireField(path, footerOffset, footer, TableFormat.FOOTER_OFFSET_OFFSET, footerOffset);
      long indexOffset = Memory.getLong(footer + TableFormat.INDEX_OFFSET_OFFSET);
      long rangeOffset = Memory.getLong(footer + TableFormat.RANGE_OFFSET_OFFSET);
      if (indexOffset <= 0
          || rangeOffset <= indexOffset
          || rangeOffset >= footerOffset
          || rangeOffset - indexOffset > Integer.MAX_VALUE
          || ((indexOffset | rangeOffset) & (TableFormat.BLOCK_ALIGNMENT_BYTES - 1)) != 0) {
        throw new CorruptFileException(
            path,
            footerOffset,
            "an index before the footer",
            "index at " + indexOffset + " to " + rangeOffset);
      }
      return new Table(
          meta,
          path,
          file,
          buffers.options().poolBytes(),
          indexOffset,
          (int) (rangeOffset - indexOffset),
          whenUnused);
    } catch (IOException | RuntimeException | Error e) {
      try {
        file.close();
      } catch (IOException | RuntimeException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private static void requireField(
      Path path, long footerOffset, long footer, int fieldOffset, long expected)
      throws CorruptFileException {
    long actual = Memory.getLong(footer + fieldOffset);
    if (actual != expected) {
      throw new CorruptFileException(path, footerOffset + fieldOffset, expected, actual);
    }
  }

  public TableMeta meta() {
    return meta;
  }

  public Path path() {
    return path;
  }

  /** Fixes the index block. */
  public void fixIndex(Fix into) throws IOException {
    fix(indexOffset, indexBytes, into);
    requireType(path, indexOffset, into, TableFormat.TYPE_INDEX);
  }

  /** Fixes a data block, found by an entry of the fixed index. */
  public void fixData(long indexEntry, Fix into) throws IOException {
    long offset = BlockView.indexedOffset(indexEntry);
    fix(offset, BlockView.indexedBytes(indexEntry), into);
    requireType(path, offset, into, TableFormat.TYPE_DATA);
  }

  private void fix(long offset, int lengthBytes, Fix into) throws IOException {
    if (lengthBytes > poolBytes) {
      throw new StorageException(
          "a block is larger than the pool, open the store with a larger one:"
              + " offset=%d blockBytes=%d poolBytes=%d".formatted(offset, lengthBytes, poolBytes),
          path);
    }
    file.fix(offset, lengthBytes, into);
  }

  /** A block's checksum binds it to its place, but a forged file may have put any block there. */
  private static void requireType(Path path, long offset, Fix fix, int expected)
      throws CorruptFileException {
    MemorySegment block = fix.segment();
    int actual = Memory.getInt(block.address() + block.byteSize() - TableFormat.TYPE_BACK);
    if (actual != expected) {
      fix.close();
      throw new CorruptFileException(path, offset, "block type " + expected, actual);
    }
  }

  /**
   * Looks for the newest record of a key. On true, the record is the entry that {@code at} points
   * to, in the block that its data fix holds.
   *
   * @param stamp {@link RecordKind#searchStamp} of the newest sequence that may be seen
   */
  public boolean find(SearchKey key, long stamp, TableLookup at) throws IOException {
    fixIndex(at.index);
    try {
      at.view.attach(at.index.segment());
      int block = at.view.findAtOrAfter(key, stamp);
      if (block == at.view.count()) {
        return false;
      }
      fixData(at.view.entry(block), at.data);
    } finally {
      at.index.close();
    }
    at.view.attach(at.data.segment());
    int ordinal = at.view.findAtOrAfter(key, stamp);
    if (ordinal < at.view.count()) {
      long entry = at.view.entry(ordinal);
      if (BlockView.compareKey(entry, key) == 0) {
        at.entry = entry;
        return true;
      }
    }
    at.data.close();
    return false;
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
    file.close();
  }
}
