package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.SourceNotes;
import io.ewok.gds.lsm.record.VersionConsumer;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A position in a run: tables whose keys do not overlap, in order. One table is a run too. Retains
 * the tables, and keeps the current block and the partition of the index that leads to it fixed,
 * until it is closed.
 */
public final class RunSource implements RecordSource {
  private static final int LAST = -1;
  private static final int NONE = -1;

  private final List<Table> tables;
  private long sequence;

  private final Fix root = new Fix().withPriority(Priority.HIGH);
  private final BlockView rootView = new BlockView();

  /** Holds the partition of the index that leads to the current block. */
  private final Fix index = new Fix().withPriority(Priority.HIGH);

  private final BlockView indexView = new BlockView();

  /** Where the blocks of that partition are. */
  private BlockPlaces places;

  private boolean keepsPlaces = true;

  /** Holds the block of the current record. */
  private final Fix data = new Fix();

  private final BlockView view = new BlockView();

  /** Holds the value of the current record if that is elsewhere and was read. */
  private final Fix value = new Fix();

  // Of that.
  private boolean isRead;
  private long readAddress;
  private int readBytes;

  /** Null until there is a value to read. */
  private ValueAhead ahead;

  private Priority valuePriority = Priority.NORMAL;

  /** Null unless the cursor goes over ranges that are known beforehand. */
  private RunAhead runAhead;

  /** For the user. They stay when this is closed, since he may come at that moment. */
  private MemorySegment keyMemory = MemorySegment.NULL;

  private MemorySegment valueMemory = MemorySegment.NULL;

  /** The current key, if {@code keyBytes} is not below zero; else its prefix. */
  private KeyBuffer key;

  private int keyBytes;

  /** During a move: the key that the source comes from, when its block is not there any more. */
  private KeyBuffer left;

  private int table;
  private int partition;
  private int partitionCount;
  private int block;
  private int ordinal;
  private Place place = Place.BEFORE_FIRST;

  /** For older versions of a key, and for places; null until it is needed. */
  private TableLookup lookup;

  /** Still to be asked for, or null. */
  private SearchKey prefix;

  private boolean isFilteredOut;

  /** One for each table, or null if nobody asks. */
  private List<SourceNotes> notes;

  /** Blocks that had to be read, as far as they are noted. */
  private long missesNoted;

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
    value.withPriority(Priority.LOW);
    valuePriority = Priority.LOW;
    keepsPlaces = false;
  }

  /** Has blocks read before the cursor comes to them; to be called after {@link #forScans}. */
  public void readAhead(RangesAhead ranges) {
    runAhead = new RunAhead(tables, ranges, valuePriority);
  }

  /** Says that the cursor goes to an end of a range, from where it moves in a direction. */
  public void enterRange(int number, boolean forward) throws IOException {
    if (runAhead != null && mayHavePrefix()) {
      runAhead.enter(number, forward);
    }
  }

  /**
   * Has what every move from now on takes noted, see {@link SourceNotes}.
   *
   * @param notes one for each table
   */
  public void takeNotes(List<SourceNotes> notes) {
    this.notes = notes;
  }

  public List<Table> tables() {
    return tables;
  }

  /** To be called if notes are taken. */
  private void noteFixed(int ofTable, boolean isData) {
    SourceNotes of = notes.get(ofTable);
    if (isData) {
      of.dataBlocks++;
    } else {
      of.indexBlocks++;
    }
    long misses = root.misses() + index.misses() + data.misses() + value.misses();
    of.blocksRead += misses - missesNoted;
    missesNoted = misses;
  }

  /** Of the record that is left for another of its key or for one that may be seen. */
  private void noteHidden() {
    if (notes != null) {
      notes.get(table).hidden++;
    }
  }

  @Override
  public void first() throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      reached = placeAfter(mayHavePrefix() && loadFirstOf(0) && settleForward(), Place.AFTER_LAST);
    } finally {
      end(reached);
    }
  }

  @Override
  public void last() throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      boolean found = mayHavePrefix() && loadLastOf(tables.size() - 1) && settleBackward();
      reached = placeAfter(found, Place.BEFORE_FIRST);
    } finally {
      end(reached);
    }
  }

  @Override
  public void seek(SearchKey to) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      boolean found = mayHavePrefix() && findAtOrAfter(to) && settleForward();
      reached = placeAfter(found, Place.AFTER_LAST);
    } finally {
      end(reached);
    }
  }

  @Override
  public void seekForPrev(SearchKey to) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      reached = placeAfter(mayHavePrefix() && findAtOrBefore(to), Place.BEFORE_FIRST);
    } finally {
      end(reached);
    }
  }

  private boolean findAtOrBefore(SearchKey to) throws IOException {
    if (!findAtOrAfter(to)) {
      return loadLastOf(tables.size() - 1) && settleBackward();
    }
    return view.hasKey(ordinal, to.address(), to.lengthBytes())
        || (stepBackward() && settleBackward());
  }

  @Override
  public void next() throws IOException {
    if (place == Place.ON_RECORD) {
      int after = ordinal + 1;
      if (after < view.count() && view.head(after) != view.head(ordinal) && isVisible(after)) {
        setOrdinal(after);
      } else {
        moveToNextKey();
      }
    } else if (place == Place.BEFORE_FIRST) {
      first();
    }
  }

  @Override
  public void previous() throws IOException {
    if (place == Place.ON_RECORD) {
      int before = ordinal - 1;
      // What is visible before the current record is of another key, and the newest of that one if
      // the next but one is of yet another.
      if (before > 0 && isVisible(before) && view.head(before - 1) != view.head(before)) {
        setOrdinal(before);
      } else {
        moveToPreviousKey();
      }
    } else if (place == Place.AFTER_LAST) {
      last();
    }
  }

  /**
   * Says that only keys with a prefix are of interest. If the filters tell that there are none, the
   * source is an empty one. To be called before the first move; a run of several tables has some.
   */
  public void expectPrefix(SearchKey prefixOrNull) {
    prefix = tables.size() == 1 ? prefixOrNull : null;
  }

  /** Asks the filters at the first move, because that may have to read them. */
  private boolean mayHavePrefix() throws IOException {
    if (prefix != null) {
      TableLookup lookup = new TableLookup();
      isFilteredOut = !tables.getFirst().mayContainPrefix(prefix, lookup);
      if (notes != null) {
        SourceNotes of = notes.getFirst();
        of.filteredOut = isFilteredOut;
        of.filterBlocks += lookup.filtersAsked();
        of.indexBlocks += lookup.filtersAsked() == 0 ? 0 : 1;
        of.blocksRead += lookup.misses();
      }
      prefix = null;
    }
    return !isFilteredOut;
  }

  @Override
  public void skip(boolean forward, SearchKey to, long floor) throws IOException {
    TableMeta meta = tables.get(table).meta();
    if (tables.get(table).lastRecordSequence() >= floor) {
      passBy(forward, to, floor);
    } else if (forward) {
      if (to.compareTo(meta.lastKey()) <= 0) {
        skipForward(to);
      } else {
        leaveTable(true);
      }
    } else if (to.compareTo(meta.firstKey()) > 0) {
      skipBackward(to);
    } else {
      leaveTable(false);
    }
  }

  /**
   * Skips where not all that lies in between need be hidden: looks at each stamp. These lie side by
   * side, so that a record costs far less than a move does.
   */
  private void passBy(boolean forward, SearchKey to, long floor) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      reached =
          forward
              ? placeAfter(passForward(to, floor) && settleForward(), Place.AFTER_LAST)
              : placeAfter(passBackward(to, floor) && settleBackward(), Place.BEFORE_FIRST);
    } finally {
      end(reached);
    }
  }

  private boolean passForward(SearchKey to, long floor) throws IOException {
    int from = ordinal + 1;
    while (true) {
      int end = view.findAtOrAfter(to, RecordKind.searchStamp(RecordKind.SEQUENCE_MAX));
      while (from < end && isHidden(from, floor)) {
        from++;
      }
      if (from < view.count()) {
        setOrdinal(from);
        return true;
      }
      setOrdinal(view.count() - 1);
      if (!stepForward()) {
        return false;
      }
      from = 0;
    }
  }

  private boolean passBackward(SearchKey to, long floor) throws IOException {
    int from = ordinal - 1;
    while (true) {
      int first = view.findAtOrAfter(to, RecordKind.searchStamp(RecordKind.SEQUENCE_MAX));
      while (from >= first && isHidden(from, floor)) {
        from--;
      }
      if (from >= 0) {
        setOrdinal(from);
        return true;
      }
      setOrdinal(0);
      if (!stepBackward()) {
        return false;
      }
      from = ordinal;
    }
  }

  private boolean isHidden(int of, long floor) {
    long found = RecordKind.sequence(view.stamp(of));
    return found < floor || found > sequence;
  }

  /**
   * As {@link #seek} of a key behind the current one, which looks where the source is first: in the
   * block, and in the partition of the index.
   */
  private void skipForward(SearchKey to) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      boolean found = (findAheadNear(to) || findAtOrAfter(to)) && settleForward();
      reached = placeAfter(found, Place.AFTER_LAST);
    } finally {
      end(reached);
    }
  }

  private boolean findAheadNear(SearchKey to) throws IOException {
    long stamp = RecordKind.searchStamp(sequence);
    int position = view.findAtOrAfter(to, stamp);
    if (position == view.count()) {
      int found = indexView.findAtOrAfter(to, stamp);
      if (found == indexView.count()) {
        return false;
      }
      if (found != block) {
        loadBlock(found);
        position = view.findAtOrAfter(to, stamp);
      }
    }
    if (position == view.count()) { // between two blocks
      setOrdinal(position - 1);
      return stepForward();
    }
    setOrdinal(position);
    return true;
  }

  /** Moves to the last record before a key that is not behind the current one, likewise. */
  private void skipBackward(SearchKey to) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      boolean found = (findBehindNear(to) || findBefore(to)) && settleBackward();
      reached = placeAfter(found, Place.BEFORE_FIRST);
    } finally {
      end(reached);
    }
  }

  private boolean findBehindNear(SearchKey to) throws IOException {
    long newest = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);
    int position = view.findAtOrAfter(to, newest);
    if (position == 0) {
      int found = indexView.findAtOrAfter(to, newest);
      if (found < block) {
        loadBlock(found);
        position = view.findAtOrAfter(to, newest);
      }
    }
    if (position == 0) {
      setOrdinal(0);
      return block > 0 && stepBackward(); // or else it may be far before this partition
    }
    setOrdinal(position - 1);
    return true;
  }

  private boolean findBefore(SearchKey to) throws IOException {
    return findAtOrAfter(to) ? stepBackward() : loadLastOf(tables.size() - 1);
  }

  /** Moves to the first record of the next table, or to the last one of the table before. */
  private void leaveTable(boolean forward) throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      boolean found =
          forward
              ? loadFirstOf(table + 1) && settleForward()
              : loadLastOf(table - 1) && settleBackward();
      reached = placeAfter(found, forward ? Place.AFTER_LAST : Place.BEFORE_FIRST);
    } finally {
      end(reached);
    }
  }

  /** Stands past the last record, as a source does that was moved there. */
  public void setAfterLast() {
    place = Place.AFTER_LAST;
  }

  private void moveToNextKey() throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      reached = placeAfter(stepToNextKey() && settleForward(), Place.AFTER_LAST);
    } finally {
      end(reached);
    }
  }

  private void moveToPreviousKey() throws IOException {
    Place reached = Place.BEFORE_FIRST;
    try {
      reached = placeAfter(stepBackward() && settleBackward(), Place.BEFORE_FIRST);
    } finally {
      end(reached);
    }
  }

  private static Place placeAfter(boolean found, Place otherwise) {
    return found ? Place.ON_RECORD : otherwise;
  }

  /** Ends a move; one that failed is before the first record. */
  private void end(Place reached) {
    place = reached;
    root.unfix();
    if (reached != Place.ON_RECORD) {
      unfix();
    }
  }

  private void unfix() {
    dropValue();
    root.unfix();
    index.unfix();
    data.unfix();
  }

  // ---- by record, whatever its version

  private boolean loadFirstOf(int candidate) throws IOException {
    if (candidate == tables.size()) {
      return false;
    }
    loadPartition(candidate, 0);
    loadBlock(0);
    setOrdinal(0);
    return true;
  }

  private boolean loadLastOf(int candidate) throws IOException {
    if (candidate < 0) {
      return false;
    }
    loadPartition(candidate, LAST);
    loadLastBlock();
    return true;
  }

  private void loadLastBlock() throws IOException {
    loadBlock(indexView.count() - 1);
    setOrdinal(view.count() - 1);
  }

  /** Goes to the first record that is not before the wanted key and not newer than the sequence. */
  private boolean findAtOrAfter(SearchKey wanted) throws IOException {
    int found = findBlock(wanted);
    if (found == NONE) {
      return false;
    }
    loadBlock(found);
    int position = view.findAtOrAfter(wanted, RecordKind.searchStamp(sequence));
    if (position < view.count()) {
      setOrdinal(position);
      return true;
    }
    setOrdinal(view.count() - 1);
    return stepForward();
  }

  /** Goes to a partition of the index, and returns the number of the wanted block in it or NONE. */
  private int findBlock(SearchKey wanted) throws IOException {
    int candidate = Table.firstNotBefore(tables, wanted);
    if (candidate == tables.size()) {
      return NONE;
    }
    fixRoot(candidate);
    long stamp = RecordKind.searchStamp(sequence);
    int found = rootView.findAtOrAfter(wanted, stamp);
    if (found == rootView.count()) {
      // All that the table has of this key is newer. Older versions may be in the next table.
      if (candidate + 1 == tables.size()) {
        return NONE;
      }
      loadPartition(candidate + 1, 0);
      return 0;
    }
    enterPartition(candidate, found);
    // A key between two blocks, and what a forged root leads to, are behind the last record there.
    return Math.min(indexView.findAtOrAfter(wanted, stamp), indexView.count() - 1);
  }

  private boolean stepForward() throws IOException {
    if (ordinal + 1 < view.count()) {
      setOrdinal(ordinal + 1);
      return true;
    }
    if (block + 1 < indexView.count()) {
      loadBlock(block + 1);
    } else if (partition + 1 < partitionCount) {
      loadPartition(table, partition + 1);
      loadBlock(0);
    } else {
      return loadFirstOf(table + 1);
    }
    setOrdinal(0);
    return true;
  }

  private boolean stepBackward() throws IOException {
    if (ordinal > 0) {
      setOrdinal(ordinal - 1);
      return true;
    }
    if (block > 0) {
      loadBlock(block - 1);
      setOrdinal(view.count() - 1);
      return true;
    }
    if (partition > 0) {
      loadPartition(table, partition - 1);
      loadLastBlock();
      return true;
    }
    return loadLastOf(table - 1);
  }

  private void setOrdinal(int ordinal) {
    this.ordinal = ordinal;
    keyBytes = -1;
    if (isRead) {
      dropValue();
    }
  }

  private void dropValue() {
    if (isRead) {
      isRead = false;
      value.unfix();
      if (data.isFixed()) {
        valueMemory = data.memory();
      }
    }
  }

  @Override
  public void readValue() throws IOException {
    if (isRead || RecordKind.kind(stamp()) != RecordKind.VALUE_REFERENCE) {
      return;
    }
    long reference = view.valueAddress(ordinal);
    int lengthOfKey = keyBytes();
    long missesBefore = value.misses();
    tables.get(table).fixValue(reference, keyAddress(), lengthOfKey, value);
    readAddress = ValueFile.valueAddress(value, lengthOfKey);
    readBytes = ValueFormat.valueBytes(reference);
    valueMemory = value.memory();
    isRead = true;
    if (notes != null) {
      noteFixed(table, true);
    }
    if (ahead == null) {
      ahead = new ValueAhead(valuePriority);
    }
    // Partitions and tables are neighbours of none: there it begins anew.
    long blockOfRun = BlockPosition.number(table, partition, block);
    boolean missed = value.misses() > missesBefore;
    ahead.at(tables.get(table), view, blockOfRun, ordinal, missed);
  }

  private void fixRoot(int toTable) throws IOException {
    root.unfix();
    tables.get(toTable).fixRoot(root);
    rootView.attach(root.address());
    if (notes != null) {
      noteFixed(toTable, false);
    }
  }

  private void loadPartition(int toTable, int toPartition) throws IOException {
    fixRoot(toTable);
    enterPartition(toTable, toPartition == LAST ? rootView.count() - 1 : toPartition);
  }

  /** Goes to a partition of the table whose root is fixed. */
  private void enterPartition(int toTable, int toPartition) throws IOException {
    if (!index.isFixed() || table != toTable || partition != toPartition) {
      index.unfix();
      tables.get(toTable).fixIndex(rootView.valueAddress(toPartition), index);
      indexView.attach(index.address());
      places = tables.get(toTable).places(toPartition, keepsPlaces ? lookup() : null);
      if (notes != null) {
        noteFixed(toTable, false);
      }
    }
    table = toTable;
    partition = toPartition;
    partitionCount = rootView.count();
  }

  /** Makes a block of the partition the current one. */
  private void loadBlock(int toBlock) throws IOException {
    data.unfix();
    if (runAhead != null) {
      runAhead.reach(table, partition, toBlock); // others are read while it is waited for
    }
    if (!tables.get(table).tryFixData(places, toBlock, data)) {
      long handle = indexView.valueAddress(toBlock);
      long missesBefore = data.misses();
      tables.get(table).fixData(handle, data);
      places.put(toBlock, TableFormat.handleOffset(handle), data.frame());
      if (runAhead != null && data.misses() > missesBefore) {
        runAhead.missed();
      }
    }
    if (notes != null) {
      noteFixed(table, true);
    }
    valueMemory = data.memory();
    view.attach(data.address(), data.lengthBytes());
    block = toBlock;
    if (key == null) {
      key = tables.getFirst().takeKeyBuffer();
      left = tables.getFirst().takeKeyBuffer();
    }
    Memory.copy(view.prefixAddress(), key.reserve(view.longestKeyBytes()), view.prefixBytes());
    keyMemory = key.readOnly();
  }

  // ---- by key

  private boolean isVisible(int of) {
    return RecordKind.sequence(view.stamp(of)) <= sequence;
  }

  private boolean stepToNextKey() throws IOException {
    while (ordinal + 1 < view.count()) {
      setOrdinal(ordinal + 1);
      if (!view.isSameKey(ordinal - 1, ordinal)) {
        return true;
      }
      noteHidden();
    }
    long before = keyAddress();
    int beforeBytes = keyBytes;
    KeyBuffer swapped = left;
    left = key;
    key = swapped;
    keyMemory = key.readOnly();
    while (true) {
      if (!stepForward()) {
        return false;
      }
      if (!view.hasKey(ordinal, before, beforeBytes)) {
        return true;
      }
      noteHidden();
    }
  }

  /** Goes forward to the first visible record: the newest visible one of its key. */
  private boolean settleForward() throws IOException {
    while (!isVisible(ordinal)) {
      noteHidden();
      if (!stepForward()) {
        return false;
      }
    }
    return true;
  }

  /** Goes backward to a key with a visible record, and there to the newest visible one. */
  private boolean settleBackward() throws IOException {
    while (!isVisible(ordinal)) {
      noteHidden();
      if (!stepBackward()) {
        return false;
      }
    }
    while (isSameKeyBefore()) {
      noteHidden();
      stepBackward();
      if (!isVisible(ordinal)) {
        return stepForward();
      }
    }
    return true;
  }

  /** Whether the record before this one has the same key. Loads no data block to find out. */
  private boolean isSameKeyBefore() throws IOException {
    if (ordinal > 0) {
      return view.isSameKey(ordinal - 1, ordinal);
    }
    // The index has the last key of a block if the next begins with the same one.
    if (block > 0) {
      return indexView.hasKey(block - 1, keyAddress(), keyBytes);
    }
    if (partition > 0) {
      fixRoot(table);
      return rootView.hasKey(partition - 1, keyAddress(), keyBytes);
    }
    if (table == 0
        || Memory.compareUnsigned(keyAddress(), keyBytes, tables.get(table - 1).meta().lastKey())
            != 0) {
      return false;
    }
    if (!tables.get(table - 1).hasRangeDeletes()) {
      return true;
    }
    // It may be where a range ends; of the last record there the root has the key.
    fixRoot(table - 1);
    return rootView.hasKey(rootView.count() - 1, keyAddress(), keyBytes);
  }

  @Override
  public boolean versions(SearchKey wanted, VersionConsumer to) throws IOException {
    return Table.versions(tables, wanted, RecordKind.searchStamp(sequence), lookup(), to);
  }

  private TableLookup lookup() {
    if (lookup == null) {
      lookup = new TableLookup();
    }
    return lookup;
  }

  // ---- the current record

  @Override
  public Place place() {
    return place;
  }

  @Override
  public long stamp() {
    return view.stamp(ordinal);
  }

  @Override
  public long keyAddress() {
    if (keyBytes < 0) {
      keyBytes = view.copyKey(ordinal, key.address());
    }
    return key.address();
  }

  @Override
  public int keyBytes() {
    return keyBytes < 0 ? view.keyBytes(ordinal) : keyBytes;
  }

  @Override
  public long valueAddress() {
    return isRead ? readAddress : view.valueAddress(ordinal);
  }

  @Override
  public int valueBytes() {
    return isRead ? readBytes : view.valueBytes(ordinal);
  }

  @Override
  public MemorySegment keyMemory() {
    return keyMemory;
  }

  @Override
  public MemorySegment valueMemory() {
    return valueMemory;
  }

  @Override
  public void renew(long sequence) {
    this.sequence = sequence;
    end(Place.BEFORE_FIRST);
  }

  @Override
  public void close() {
    place = Place.BEFORE_FIRST;
    unfix();
    if (key != null) {
      tables.getFirst().giveKeyBuffer(key);
      tables.getFirst().giveKeyBuffer(left);
      key = null;
    }
    tables.forEach(Table::release);
  }
}
