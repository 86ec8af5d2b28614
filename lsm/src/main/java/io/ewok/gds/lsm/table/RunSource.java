package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A position in a run: tables whose keys do not overlap, in order. One table is a run too. Retains
 * the tables, and keeps the current block fixed, until it is closed.
 */
public final class RunSource implements RecordSource {
  private static final int LAST_BLOCK = -1;

  private final List<Table> tables;
  private final long sequence;
  private final Fix index = new Fix();
  private final BlockView indexView = new BlockView();
  private final BlockView view = new BlockView();

  /** Holds the block of the current record. */
  private Fix data = new Fix();

  /** During a move: holds the block that was left last, whose key may still be compared with. */
  private Fix left = new Fix();

  private int table;
  private int block;
  private int blockCount;
  private int ordinal;
  private long entry;
  private Place place = Place.BEFORE_FIRST;

  /** A part of a move. */
  @FunctionalInterface
  private interface Move {
    /** Returns whether it found a record. */
    boolean run() throws IOException;
  }

  /** Looks at a run as of a sequence number; the caller keeps the tables open during the call. */
  public RunSource(List<Table> tables, long sequence) {
    this.tables = tables;
    this.sequence = sequence;
    for (Table retained : tables) {
      retained.references.retain();
    }
  }

  /** Says that what is read is of little use to others afterwards, see {@link Priority#LOW}. */
  public void forScans() {
    data.withPriority(Priority.LOW);
    left.withPriority(Priority.LOW);
  }

  @Override
  public void first() throws IOException {
    move(() -> firstEntry() && settleForward(), Place.AFTER_LAST);
  }

  @Override
  public void last() throws IOException {
    move(() -> lastEntry() && settleBackward(), Place.BEFORE_FIRST);
  }

  @Override
  public void seek(SearchKey key) throws IOException {
    move(() -> findAtOrAfter(key) && settleForward(), Place.AFTER_LAST);
  }

  @Override
  public void seekForPrev(SearchKey key) throws IOException {
    move(
        () -> {
          if (!findAtOrAfter(key)) {
            return lastEntry() && settleBackward();
          }
          return BlockView.compareKey(entry, key) == 0 || (stepBackward() && settleBackward());
        },
        Place.BEFORE_FIRST);
  }

  @Override
  public void next() throws IOException {
    if (place == Place.BEFORE_FIRST) {
      first();
    } else if (place == Place.ON_RECORD) {
      move(() -> stepToNextKey() && settleForward(), Place.AFTER_LAST);
    }
  }

  @Override
  public void previous() throws IOException {
    if (place == Place.AFTER_LAST) {
      last();
    } else if (place == Place.ON_RECORD) {
      move(() -> stepBackward() && settleBackward(), Place.BEFORE_FIRST);
    }
  }

  /** Moves to the next record, be it an older one of the same key. For merges. */
  public void nextRecord() throws IOException {
    if (place == Place.ON_RECORD) {
      move(this::stepForward, Place.AFTER_LAST);
    }
  }

  /** Stands past the last record, as a source does that was moved there. */
  public void setAfterLast() {
    place = Place.AFTER_LAST;
  }

  private void move(Move move, Place otherwise) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      reached = move.run() ? Place.ON_RECORD : otherwise;
    } finally {
      place = reached;
      left.close();
      if (reached != Place.ON_RECORD) {
        data.close();
      }
    }
  }

  // ---- by record, whatever its version

  private boolean firstEntry() throws IOException {
    if (tables.isEmpty()) {
      return false;
    }
    load(0, 0);
    setOrdinal(0);
    return true;
  }

  private boolean lastEntry() throws IOException {
    if (tables.isEmpty()) {
      return false;
    }
    load(tables.size() - 1, LAST_BLOCK);
    setOrdinal(view.count() - 1);
    return true;
  }

  /** Goes to the first record that is not before the key and not newer than the sequence. */
  private boolean findAtOrAfter(SearchKey key) throws IOException {
    long stamp = RecordKind.searchStamp(sequence);
    int candidate = firstTableNotBefore(key);
    if (candidate == tables.size()) {
      return false;
    }
    boolean indexed = false;
    tables.get(candidate).fixIndex(index);
    try {
      indexView.attach(index.segment());
      int found = indexView.findAtOrAfter(key, stamp);
      if (found < indexView.count()) {
        loadIndexed(candidate, found);
        indexed = true;
      }
    } finally {
      index.close();
    }
    if (!indexed) {
      // All that the table has of this key is newer. Older versions may be in the next table.
      return loadFirstOf(candidate + 1);
    }
    int position = view.findAtOrAfter(key, stamp);
    if (position < view.count()) {
      setOrdinal(position);
      return true;
    }
    // The index says that it is here. A forged file may lie.
    setOrdinal(view.count() - 1);
    return stepForward();
  }

  private int firstTableNotBefore(SearchKey key) {
    int low = 0;
    int high = tables.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (key.compareTo(tables.get(middle).meta().lastKey()) > 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private boolean loadFirstOf(int candidate) throws IOException {
    if (candidate == tables.size()) {
      return false;
    }
    load(candidate, 0);
    setOrdinal(0);
    return true;
  }

  private boolean stepForward() throws IOException {
    if (ordinal + 1 < view.count()) {
      setOrdinal(ordinal + 1);
      return true;
    }
    if (block + 1 < blockCount) {
      load(table, block + 1);
      setOrdinal(0);
      return true;
    }
    return loadFirstOf(table + 1);
  }

  private boolean stepBackward() throws IOException {
    if (ordinal > 0) {
      setOrdinal(ordinal - 1);
      return true;
    }
    if (block > 0) {
      load(table, block - 1);
    } else if (table > 0) {
      load(table - 1, LAST_BLOCK);
    } else {
      return false;
    }
    setOrdinal(view.count() - 1);
    return true;
  }

  private void setOrdinal(int ordinal) {
    this.ordinal = ordinal;
    entry = view.entry(ordinal);
  }

  /** Makes a block the current one. The one before it stays fixed until the end of the move. */
  private void load(int toTable, int toBlock) throws IOException {
    tables.get(toTable).fixIndex(index);
    try {
      indexView.attach(index.segment());
      loadIndexed(toTable, toBlock == LAST_BLOCK ? indexView.count() - 1 : toBlock);
    } finally {
      index.close();
    }
  }

  private void loadIndexed(int toTable, int toBlock) throws IOException {
    left.close();
    tables.get(toTable).fixData(indexView.entry(toBlock), left);
    Fix loaded = left;
    left = data;
    data = loaded;
    view.attach(data.segment());
    table = toTable;
    block = toBlock;
    blockCount = indexView.count();
  }

  // ---- by key

  private boolean isVisible() {
    return RecordKind.sequence(BlockView.stamp(entry)) <= sequence;
  }

  private boolean stepToNextKey() throws IOException {
    long before;
    do {
      before = entry;
      if (!stepForward()) {
        return false;
      }
    } while (BlockView.compareKeys(before, entry) == 0);
    return true;
  }

  /** Goes forward to the first visible record: the newest visible one of its key. */
  private boolean settleForward() throws IOException {
    while (!isVisible()) {
      if (!stepForward()) {
        return false;
      }
    }
    return true;
  }

  /** Goes backward to a key with a visible record, and there to the newest visible one. */
  private boolean settleBackward() throws IOException {
    while (!isVisible()) {
      if (!stepBackward()) {
        return false;
      }
    }
    while (isSameKeyBefore()) {
      stepBackward();
      if (!isVisible()) {
        return stepForward();
      }
    }
    return true;
  }

  /** Whether the record before this one has the same key. Loads no block to find out. */
  private boolean isSameKeyBefore() throws IOException {
    if (ordinal > 0) {
      return BlockView.compareKeys(view.entry(ordinal - 1), entry) == 0;
    }
    if (block > 0) {
      tables.get(table).fixIndex(index);
      try {
        indexView.attach(index.segment());
        return BlockView.compareKeys(indexView.entry(block - 1), entry) == 0;
      } finally {
        index.close();
      }
    }
    return table > 0
        && Memory.compareUnsigned(keyAddress(), keyBytes(), tables.get(table - 1).meta().lastKey())
            == 0;
  }

  // ---- the current record

  @Override
  public Place place() {
    return place;
  }

  @Override
  public long stamp() {
    return BlockView.stamp(entry);
  }

  @Override
  public long keyAddress() {
    return BlockView.keyAddress(entry);
  }

  @Override
  public int keyBytes() {
    return BlockView.keyBytes(entry);
  }

  @Override
  public long valueAddress() {
    return BlockView.valueAddress(entry);
  }

  @Override
  public int valueBytes() {
    return BlockView.valueBytes(entry);
  }

  @Override
  public MemorySegment segment(long address, long lengthBytes) {
    return data.segment().asSlice(address - view.address(), lengthBytes);
  }

  @Override
  public void close() {
    place = Place.BEFORE_FIRST;
    data.close();
    left.close();
    tables.forEach(Table::release);
  }
}
