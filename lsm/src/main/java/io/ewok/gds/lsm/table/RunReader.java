package io.ewok.gds.lsm.table;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * All records of a run in order, forward: every version of every key. Data blocks are read in large
 * pieces past the pool and as work of compactions, so that a merge neither drives out what readers
 * use nor takes the device from them.
 *
 * <p>Ownership: retains the tables until it is closed; the region is the caller's. Threads:
 * confined to one at a time.
 */
public final class RunReader {
  private final List<Table> tables;
  private final BlockReader blocks;

  private final Fix root = new Fix().withPriority(Priority.HIGH);
  private final BlockView rootView = new BlockView();

  /**
   * For the partition of the index that leads to the current block. Nothing is held between moves,
   * so that many runs with long keys can be merged through a small pool.
   */
  private final Fix index = new Fix().withPriority(Priority.HIGH);

  private final BlockView indexView = new BlockView();

  /** Holds the current block if it is too long to be read past the pool. */
  private final Fix data = new Fix().withPriority(Priority.LOW);

  private final BlockView view = new BlockView();

  /** The current key, if {@code keyBytes} is not below zero; else its prefix. */
  private final KeyBuffer key;

  private int keyBytes;

  private int table;
  private int partition;
  private int partitionCount;
  private long partitionOffset;
  private int partitionStoredBytes;
  private int partitionBytes;
  private int block;
  private int blockCount;
  private int ordinal;
  private boolean isValid;

  /** Whether others use the current block in the pool. */
  private boolean isUsed;

  /** Of values that are going to be read; null if none are. */
  private ValuePrefetch prefetch;

  /**
   * Reads a run from its first record on, once {@link #first} was called.
   *
   * @param tables at least one; the caller keeps them open during the call
   * @param region memory that the kernel may write to
   * @param regionOffset where its part of that begins, a multiple of 4096
   * @param lengthBytes of its part, a multiple of 4096; the less, the smaller the pieces
   */
  public RunReader(
      IoEngine engine, List<Table> tables, Region region, long regionOffset, int lengthBytes) {
    this.tables = tables;
    this.blocks = new BlockReader(engine, region, regionOffset, lengthBytes);
    this.key = tables.getFirst().takeKeyBuffer();
    for (Table retained : tables) {
      retained.references.retain();
    }
  }

  /** Readers of runs, which share a region. */
  public static List<RunReader> sharing(IoEngine engine, List<List<Table>> runs, Region region) {
    long share = region.sizeBytes() / runs.size() & -TableFormat.FILE_ALIGNMENT_BYTES;
    List<RunReader> readers = new ArrayList<>();
    for (List<Table> run : runs) {
      readers.add(new RunReader(engine, run, region, readers.size() * share, (int) share));
    }
    return readers;
  }

  /**
   * Has values read, through the pool, as soon as the block is reached whose records refer to them.
   *
   * @param files the numbers of the value files that they lie in
   */
  public void readAhead(LongPredicate files) {
    prefetch = new ValuePrefetch(files, Priority.LOW);
  }

  /** Goes to the first record. */
  public void first() throws IOException {
    isValid = loadTable(0);
  }

  /** Moves to the next record, be it an older one of the same key. */
  public void next() throws IOException {
    isValid = step();
  }

  private boolean step() throws IOException {
    if (ordinal + 1 < view.count()) {
      setOrdinal(ordinal + 1);
      return true;
    }
    if (block + 1 < blockCount) {
      loadBlock(block + 1);
      return true;
    }
    if (partition + 1 < partitionCount) {
      loadPartition(partition + 1);
      return true;
    }
    return loadTable(table + 1);
  }

  private boolean loadTable(int to) throws IOException {
    if (to == tables.size()) {
      data.unfix();
      return false;
    }
    table = to;
    blocks.open(tables.get(to));
    loadPartition(0);
    return true;
  }

  private void loadPartition(int to) throws IOException {
    tables.get(table).fixRoot(root);
    try {
      rootView.attach(root.address());
      partition = to;
      partitionCount = rootView.count();
      long handle = rootView.valueAddress(to);
      partitionOffset = TableFormat.handleOffset(handle);
      partitionStoredBytes = TableFormat.handleStoredBytes(handle);
      partitionBytes = TableFormat.handleLengthBytes(handle);
    } finally {
      root.unfix();
    }
    loadBlock(0);
  }

  private void loadBlock(int to) throws IOException {
    data.unfix();
    Table of = tables.get(table);
    of.fix(
        partitionOffset, partitionStoredBytes, partitionBytes, TableFormat.TYPE_INDEX, true, index);
    long address;
    try {
      indexView.attach(index.address());
      blockCount = indexView.count();
      long handle = indexView.valueAddress(to);
      isUsed = of.isUsed(handle);
      address = blocks.read(handle);
      if (address == 0) {
        of.fixData(handle, data);
        address = data.address();
      }
    } finally {
      index.unfix();
    }
    view.attach(address);
    block = to;
    Memory.copy(view.prefixAddress(), key.reserve(view.longestKeyBytes()), view.prefixBytes());
    setOrdinal(0);
    if (prefetch != null && !of.meta().references().isEmpty()) {
      prefetch.read(of, view, 0, view.count(), 1);
    }
  }

  private void setOrdinal(int to) {
    ordinal = to;
    keyBytes = -1;
  }

  /** Whether it is on a record. */
  public boolean isValid() {
    return isValid;
  }

  /** Whether readers have used the block that the record was read from, and it is in the pool. */
  public boolean isUsed() {
    return isUsed;
  }

  public long stamp() {
    return view.stamp(ordinal);
  }

  /** Address of the key, until the next move. */
  public long keyAddress() {
    if (keyBytes < 0) {
      keyBytes = view.copyKey(ordinal, key.address());
    }
    return key.address();
  }

  public int keyBytes() {
    return keyBytes < 0 ? view.keyBytes(ordinal) : keyBytes;
  }

  /** Address of the value, until the next move. */
  public long valueAddress() {
    return view.valueAddress(ordinal);
  }

  public int valueBytes() {
    return view.valueBytes(ordinal);
  }

  /** Leaves the tables, whatever fails. Once. */
  public void close() throws IOException {
    isValid = false;
    data.unfix();
    tables.getFirst().giveKeyBuffer(key);
    try {
      blocks.close();
    } finally {
      tables.forEach(Table::release);
    }
  }
}
