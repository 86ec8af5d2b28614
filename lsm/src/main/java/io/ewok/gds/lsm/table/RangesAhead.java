package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BlockPrefetch;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.NotCachedException;
import io.ewok.gds.lsm.record.KeyRanges;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.util.List;

/**
 * What the runs of a cursor over ranges share to find the blocks that it is about to come to: see
 * {@link RunAhead}. It looks for them in what of the indexes is in the pool, and neither reads nor
 * waits; what is not there it has read, too.
 *
 * <p>Ownership: nothing is fixed but during a call of a {@link RunAhead}. Threads: confined to one
 * at a time.
 */
public final class RangesAhead {
  /** What is asked for ahead takes no more than one in so many bytes of the pool, nor than this. */
  private static final int POOL_PART = 16;

  private static final long BYTES_MAX = 16 << 20;
  private static final long NEWEST = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);

  final KeyRanges ranges;

  /** What each run may ask for ahead. */
  final long bytesOfRun;

  final BlockPrefetch data = new BlockPrefetch();
  final BlockPrefetch indexes = new BlockPrefetch();
  private final SearchKey bound = new SearchKey();

  private final Fix root = new Fix();
  private final BlockView rootView = new BlockView();
  private final Fix index = new Fix();
  private final BlockView indexView = new BlockView();

  // What is fixed.
  private Table rootOf;
  private int indexNumber;

  /**
   * For the runs of one cursor.
   *
   * @param ranges stay as they are
   * @param poolBytes of the pool
   * @param runs how many there are
   */
  public RangesAhead(KeyRanges ranges, long poolBytes, int runs) {
    this.ranges = ranges;
    this.bytesOfRun = Math.min(BYTES_MAX, poolBytes / POOL_PART) / Math.max(1, runs);
    root.onlyCached(true);
    index.onlyCached(true);
  }

  /** Lets go of what was looked at. */
  void unfix() {
    root.unfix();
    index.unfix();
    rootOf = null;
  }

  // Each of these throws a NotCachedException if a part of an index is not in the pool, which is
  // asked for then.

  /**
   * Finds the block of a run at which a cursor begins with a range.
   *
   * @return false if there is none
   */
  boolean begin(List<Table> tables, int range, boolean forward, BlockPosition at)
      throws IOException {
    if (!forward && !ranges.hasUpper(range)) {
      return toLast(tables, tables.size() - 1, at);
    }
    SearchKey from = forward ? ranges.lower(range, bound) : ranges.upper(range, bound);
    int table = Table.firstNotBefore(tables, from);
    if (table < tables.size()) {
      fixRoot(tables.get(table));
      int partition = rootView.findAtOrAfter(from, NEWEST);
      if (partition < rootView.count()) {
        fixIndex(partition);
        int block = indexView.findAtOrAfter(from, NEWEST);
        at.set(table, partition, Math.min(block, indexView.count() - 1));
        return true;
      }
      if (table + 1 < tables.size()) {
        at.set(table + 1, 0, 0);
        return true;
      }
    }
    return !forward && toLast(tables, tables.size() - 1, at);
  }

  private boolean toLast(List<Table> tables, int table, BlockPosition at) throws IOException {
    fixRoot(tables.get(table));
    int partition = rootView.count() - 1;
    fixIndex(partition);
    at.set(table, partition, indexView.count() - 1);
    return true;
  }

  /**
   * Goes on to the next block with keys of a range.
   *
   * @return false if there is no further one; it stays then
   */
  boolean step(List<Table> tables, int range, boolean forward, BlockPosition at)
      throws IOException {
    fixRoot(tables.get(at.table));
    fixIndex(at.partition);
    return forward ? stepForward(tables, range, at) : stepBackward(tables, range, at);
  }

  private boolean stepForward(List<Table> tables, int range, BlockPosition at) {
    boolean hasEnd = ranges.hasUpper(range);
    // In the first block whose last key is not before the end there are the last ones.
    int last =
        hasEnd ? indexView.findAtOrAfter(ranges.upper(range, bound), NEWEST) : indexView.count();
    if (at.block >= last) {
      return false;
    }
    if (at.block + 1 < indexView.count()) {
      at.set(at.table, at.partition, at.block + 1);
      return true;
    }
    if (at.partition + 1 < rootView.count()) {
      at.set(at.table, at.partition + 1, 0);
      return true;
    }
    int next = at.table + 1;
    if (next == tables.size()
        || (hasEnd && bound.compareTo(tables.get(next).meta().firstKey()) <= 0)) {
      return false;
    }
    at.set(next, 0, 0);
    return true;
  }

  private boolean stepBackward(List<Table> tables, int range, BlockPosition at) throws IOException {
    SearchKey lower = ranges.lower(range, bound);
    int first = indexView.findAtOrAfter(lower, NEWEST);
    if (at.block > first) {
      at.set(at.table, at.partition, at.block - 1);
      return true;
    }
    if (first > 0) {
      return false;
    }
    if (at.partition > 0) {
      if (rootView.findAtOrAfter(lower, NEWEST) >= at.partition) {
        return false;
      }
      fixIndex(at.partition - 1);
      at.set(at.table, at.partition - 1, indexView.count() - 1);
      return true;
    }
    return at.table > 0
        && lower.compareTo(tables.get(at.table - 1).meta().lastKey()) <= 0
        && toLast(tables, at.table - 1, at);
  }

  /** The length in the pool of the block at a position, in bytes. */
  int lengthBytes(List<Table> tables, BlockPosition at) throws IOException {
    return TableFormat.handleLengthBytes(handle(tables, at));
  }

  /** Adds that block to those that are to be read, unless it is there. Returns whether it did. */
  boolean add(List<Table> tables, BlockPosition at) throws IOException {
    return tables.get(at.table).addTo(data, handle(tables, at));
  }

  private long handle(List<Table> tables, BlockPosition at) throws IOException {
    fixRoot(tables.get(at.table));
    fixIndex(at.partition);
    return indexView.valueAddress(at.block);
  }

  private void fixRoot(Table of) throws IOException {
    if (rootOf == of) {
      return;
    }
    unfix();
    try {
      of.fixRoot(root);
    } catch (NotCachedException e) {
      of.addRootTo(indexes);
      throw e;
    }
    rootView.attach(root.address());
    rootOf = of;
  }

  private void fixIndex(int partition) throws IOException {
    if (index.isFixed() && indexNumber == partition) {
      return;
    }
    index.unfix();
    long handle = rootView.valueAddress(partition);
    try {
      rootOf.fixIndex(handle, index);
    } catch (NotCachedException e) {
      boolean unused = rootOf.addTo(indexes, handle);
      throw e;
    }
    indexView.attach(index.address());
    indexNumber = partition;
  }
}
