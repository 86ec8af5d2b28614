package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The way of a get through the index and the filters of a table. They are read without latches, and
 * where they were last is known (see {@link BlockHint}): nobody writes them, so that all there is
 * to find out is whether they were evicted meanwhile.
 *
 * <p>Threads: any.
 */
final class TableIndex {
  /** How often it is tried without latches before they are taken. */
  private static final int OPTIMISTIC_TRIES = 3;

  private final Table table;
  private final BlockHints hints;

  /** Where the root was last, or null. */
  private volatile BlockHint root;

  TableIndex(Table table, BlockHints hints) {
    this.table = table;
    this.hints = hints;
  }

  /**
   * Finds the block that may have a key.
   *
   * @return FOUND if there is one: then the lookup has it fixed, or else its handle
   */
  TableLookup.Outcome find(SearchKey key, long stamp, TableLookup at) throws IOException {
    TableLookup.Outcome outcome = null;
    for (int tries = 0; outcome == null; tries++) {
      at.latched = tries >= OPTIMISTIC_TRIES;
      outcome = tryFind(key, stamp, at);
    }
    return outcome;
  }

  /**
   * The same once.
   *
   * @return null if a block that was looked at, and not latched, has given way to another one
   */
  private TableLookup.Outcome tryFind(SearchKey key, long stamp, TableLookup at)
      throws IOException {
    try {
      BlockHint top = root(at);
      if (top == null) {
        return null;
      }
      int partition = top.view.findAtOrAfter(key, stamp);
      if (!at.root.validate()) {
        return null;
      }
      if (partition == top.view.count()) {
        return TableLookup.Outcome.ABSENT;
      }
      BlockHint filter = filter(top, partition, at);
      if (filter == null) {
        return null;
      }
      if (filter != BlockHint.NO_FILTER) {
        boolean refused = !filter.mayContain(key.hash());
        if (!at.filter.validate()) {
          return null;
        }
        if (refused) {
          return TableLookup.Outcome.FILTERED;
        }
        if (filter == at.filterHint) {
          at.filter.unfix(); // it is latched: nobody waits for room with more than he needs
        }
      }
      BlockHint index = index(top, partition, at);
      if (index == null) {
        return null;
      }
      int block = index.view.findAtOrAfter(key, stamp);
      if (!at.index.validate()) {
        return null;
      }
      if (block == index.view.count()) {
        return TableLookup.Outcome.ABSENT;
      }
      return table.tryFixData(index.places, block, at.data)
              || at.readHandle(index.view, block, 0, at.index, index.places)
          ? TableLookup.Outcome.FOUND
          : null;
    } finally {
      at.root.unfix();
      at.filter.unfix();
      at.index.unfix();
    }
  }

  // Each of these fixes a block, and returns a hint for it; null if another block is there by now.

  private BlockHint root(TableLookup at) throws IOException {
    BlockHint seen = root;
    if (!at.latched && seen != null && at.root.fixAgain(seen.fix)) {
      return seen;
    }
    table.fixRoot(at.latched, at.root);
    BlockHint made = BlockHint.of(at.root, TableFormat.TYPE_ROOT, at.latched, null);
    if (made != null && !at.latched) {
      root = made;
    }
    return made;
  }

  private BlockHint filter(BlockHint top, int partition, TableLookup at) throws IOException {
    BlockHint seen = at.latched ? null : top.filters.get(partition);
    if (seen != null && (seen == BlockHint.NO_FILTER || at.filter.fixAgain(seen.fix))) {
      return seen;
    }
    if (!at.readHandle(top.view, partition, TableFormat.HANDLE_BYTES, at.root)) {
      return null;
    }
    if (at.storedBytes == 0) {
      top.filters.set(partition, BlockHint.NO_FILTER);
      return BlockHint.NO_FILTER;
    }
    return child(TableFormat.TYPE_FILTER, seen, top.filters, partition, at, at.filter);
  }

  private BlockHint index(BlockHint top, int partition, TableLookup at) throws IOException {
    BlockHint seen = at.latched ? null : top.indexes.get(partition);
    if (seen != null && at.index.fixAgain(seen.fix)) {
      return seen;
    }
    if (!at.readHandle(top.view, partition, 0, at.root)) {
      return null;
    }
    return child(TableFormat.TYPE_INDEX, seen, top.indexes, partition, at, at.index);
  }

  /** Makes a hint, or does without, with a latch. */
  private BlockHint child(
      int type,
      BlockHint staleOrNull,
      AtomicReferenceArray<BlockHint> home,
      int place,
      TableLookup at,
      Fix into)
      throws IOException {
    boolean isMade = !at.latched && (staleOrNull != null || hints.isWanted(at.hintsMissed++));
    table.fix(at.offset, at.storedBytes, at.lengthBytes, type, !isMade, into);
    if (!isMade) {
      BlockHint lent = type == TableFormat.TYPE_FILTER ? at.filterHint : at.indexHint;
      return lent.lend(into, type);
    }
    BlockHint made = BlockHint.of(into, type, false, staleOrNull);
    if (made != null) {
      hints.put(made, staleOrNull, home, place);
    }
    return made;
  }

  /**
   * Where the data blocks of a partition are.
   *
   * @param at to look for the partition, if nobody has yet; or null, to leave it
   */
  BlockPlaces places(int partition, TableLookup at) throws IOException {
    BlockHint top = root;
    BlockHint seen = top == null ? null : top.indexes.get(partition);
    if (seen != null) {
      return seen.places; // the same for ever, wherever the partition is
    }
    if (at == null) {
      return BlockPlaces.NONE;
    }
    try {
      top = root(at);
      BlockHint made = top == null ? null : index(top, partition, at);
      return made == null ? BlockPlaces.NONE : made.places;
    } finally {
      at.root.unfix();
      at.index.unfix();
    }
  }

  /** As {@link Table#hintCount}. */
  int hintCount() {
    BlockHint top = root;
    int count = 0;
    for (int i = 0; top != null && i < top.indexes.length(); i++) {
      count += top.indexes.get(i) == null ? 0 : 1;
      count += top.filters.get(i) == null ? 0 : 1;
    }
    return count;
  }
}
