package io.ewok.gds.lsm.table;

import io.ewok.gds.buffers.BlockLoader;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.LoadedBlockFile;
import io.ewok.gds.buffers.eviction.Priority;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.KeyBuffer;
import io.ewok.gds.lsm.record.KeyHash;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.values.ValueFile;
import io.ewok.gds.lsm.values.ValueFormat;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Looks at all of one table, for tools.
 *
 * <p>Threads: confined to one.
 */
public final class TableInspection {
  private static final BlockLoader NOT_CHECKED =
      (_, _, stored, block) ->
          MemorySegment.copy(stored, TableFormat.STORED_HEADER_BYTES, block, 0, block.byteSize());

  private final Table table;
  private final RecordConsumer consumerOrNull;
  private final List<String> problems = new ArrayList<>();
  private final Fix root = new Fix();
  private final Fix index = new Fix();
  private final Fix filter = new Fix();
  private final Fix data = new Fix();
  private final Fix value = new Fix().withPriority(Priority.LOW);
  private final ValueReferences.Counter references = new ValueReferences.Counter();
  private final BlockView rootView = new BlockView();
  private final BlockView indexView = new BlockView();
  private final BlockView view = new BlockView();
  private KeyBuffer key = new KeyBuffer();
  private KeyBuffer last = new KeyBuffer();
  private int lastBytes = -1;
  private long lastStamp;
  private long blocks;
  private long entries;
  private long deletes;
  private long newestRecord;

  private TableInspection(Table table, RecordConsumer consumerOrNull) {
    this.table = table;
    this.consumerOrNull = consumerOrNull;
  }

  /** Reads a block. */
  @FunctionalInterface
  private interface Fixing {
    void run() throws IOException;
  }

  /**
   * What was found.
   *
   * @param blocks data blocks that could be read
   * @param entries records in them
   * @param deletes those of them that are deletes
   * @param problems what is wrong, for people; empty if nothing is
   */
  public record Findings(long blocks, long entries, long deletes, List<String> problems) {}

  /** Takes records. */
  @FunctionalInterface
  public interface RecordConsumer {
    /**
     * Takes one record, or a range delete: its first key, and as the value where it ends. The
     * segments can be used until this returns.
     */
    void accept(long stamp, MemorySegment key, MemorySegment value) throws IOException;

    /**
     * Takes a record whose value lies in a value file.
     *
     * @param reference to the value
     * @param referred the value; empty if the table was opened without value files
     */
    default void acceptReference(
        long stamp, MemorySegment key, MemorySegment reference, MemorySegment referred)
        throws IOException {
      accept(stamp, key, reference);
    }

    /** Tells that there are range deletes that cannot be read. */
    default void rangesGap() {}

    /** Tells that there are records between the last one and the next that cannot be read. */
    default void gap() {}
  }

  /**
   * Reads of a table itself what else its store's manifest says.
   *
   * @throws CorruptFileException if it is not a table, or a damaged one
   */
  public static TableMeta meta(BufferManager buffers, Path path) throws IOException {
    long number;
    long sizeBytes;
    try (LoadedBlockFile file = buffers.openBlocks(path, NOT_CHECKED);
        Fix fix = new Fix()) {
      // The number that the footer names is that with which all checksums are checked below.
      sizeBytes = file.sizeBytes();
      fixFooter(file, sizeBytes, fix);
      number = Memory.getLong(fix.address() + TableFormat.NUMBER_OFFSET);
    }
    TableLoader loader = new TableLoader(number);
    try (LoadedBlockFile file = buffers.openBlocks(path, loader);
        Fix footerFix = new Fix();
        Fix boundsFix = new Fix()) {
      fixFooter(file, sizeBytes, footerFix);
      long footer = footerFix.address();
      TableFooter.check(path, TableFormat.footerOffset(sizeBytes), footer);
      Table.useFooter(path, loader, footer, sizeBytes);
      loader.use(TableKey.readOrNull(buffers.keys(), file, footer, sizeBytes));
      TableProperties properties = TableProperties.read(footer);
      long handle = footer + TableFormat.BOUNDS_OFFSET;
      fixBounds(file, handle, boundsFix);
      long bounds = boundsFix.address();
      if (TableFormat.type(bounds) != TableFormat.TYPE_BOUNDS) {
        throw new CorruptFileException(
            path, TableFormat.handleOffset(handle), "bounds", "another block");
      }
      BlockView view = new BlockView();
      view.attach(bounds);
      return new TableMeta(
          number,
          sizeBytes,
          properties.entries(),
          properties.deletes(),
          properties.firstSequence(),
          properties.lastSequence(),
          copyOfKey(view, 0),
          copyOfKey(view, view.count() - 1),
          properties.family());
    }
  }

  private static void fixBounds(LoadedBlockFile file, long handle, Fix into) throws IOException {
    try {
      file.fix(
          TableFormat.handleOffset(handle),
          TableFormat.handleStoredBytes(handle),
          TableFormat.handleLengthBytes(handle),
          into);
    } catch (IllegalArgumentException e) {
      throw new StorageException("the bounds cannot be read: " + e.getMessage(), file.path(), e);
    }
  }

  private static void fixFooter(LoadedBlockFile file, long sizeBytes, Fix into) throws IOException {
    if (sizeBytes <= TableFormat.FILE_ALIGNMENT_BYTES
        || sizeBytes % TableFormat.FILE_ALIGNMENT_BYTES != 0) {
      throw new CorruptFileException(
          file.path(), 0, "a table in multiples of 4096 bytes", sizeBytes + " bytes");
    }
    file.fix(
        TableFormat.footerOffset(sizeBytes),
        TableFormat.FOOTER_STORED_BYTES,
        TableFormat.FOOTER_BYTES,
        into);
  }

  private static MemorySegment copyOfKey(BlockView view, int ordinal) {
    KeyBuffer key = new KeyBuffer();
    long address = key.reserve(view.longestKeyBytes());
    Memory.copy(view.prefixAddress(), address, view.prefixBytes());
    byte[] copy = new byte[view.copyKey(ordinal, address)];
    Memory.copyTo(address, MemorySegment.ofArray(copy), 0, copy.length);
    return MemorySegment.ofArray(copy);
  }

  /**
   * Reads all of a table and checks that index, filters, footer, records and range deletes agree,
   * and with the values that it refers to, unless it was opened without value files. What cannot be
   * read is a problem, and what is behind it is read all the same.
   *
   * @throws NotReadableHereException if the table may be good, and cannot be read here
   */
  public static Findings verify(Table table) throws IOException {
    TableInspection inspection = new TableInspection(table, null);
    inspection.run();
    inspection.compare("entries", table.properties().entries(), inspection.entries);
    inspection.compare("deletes", table.properties().deletes(), inspection.deletes);
    inspection.compare("data blocks", table.properties().dataBlocks(), inspection.blocks);
    inspection.compareReferences();
    inspection.compareNewestRecord();
    return new Findings(
        inspection.blocks,
        inspection.entries,
        inspection.deletes,
        List.copyOf(inspection.problems));
  }

  /**
   * Shows all range deletes of a table, and then all records, each in order and whatever their
   * version.
   *
   * @return what is wrong with the table
   * @throws NotReadableHereException if the table may be good, and cannot be read here
   * @throws IOException of the consumer
   */
  public static Findings dump(Table table, RecordConsumer consumer) throws IOException {
    TableInspection inspection = new TableInspection(table, consumer);
    inspection.run();
    return new Findings(
        inspection.blocks,
        inspection.entries,
        inspection.deletes,
        List.copyOf(inspection.problems));
  }

  private void compare(String what, long expected, long actual) {
    if (expected != actual) {
      problems.add("the footer says otherwise: " + what + "=" + actual + " footer=" + expected);
    }
  }

  /** Where the table says nothing of it, the newest of all is taken for it, and tells nothing. */
  private void compareNewestRecord() {
    long said = table.lastRecordSequence();
    if (problems.isEmpty() && newestRecord > said) {
      problems.add(
          "the bounds say otherwise: newestRecord=%d bounds=%d".formatted(newestRecord, said));
    }
  }

  /** A manifest that is lost has said nothing of them. */
  private void compareReferences() {
    ValueReferences known = table.meta().references();
    if (!known.isEmpty() && problems.isEmpty() && !known.equals(references.references())) {
      problems.add(
          "the manifest says otherwise: references=%s manifest=%s"
              .formatted(references.references(), known));
    }
  }

  private void run() throws IOException {
    lookAtRanges();
    try {
      if (!canBeRead(() -> table.fixRoot(root))) {
        return;
      }
      rootView.attach(root.address());
      for (int i = 0; i < rootView.count(); i++) {
        lookAtPartition(rootView.valueAddress(i));
      }
    } finally {
      root.unfix();
    }
  }

  private void lookAtRanges() throws IOException {
    RangeDeletes found;
    try {
      found = table.readRangeDeletes();
    } catch (NotReadableHereException e) {
      throw e;
    } catch (IOException e) {
      problems.add("range deletes cannot be read: " + e.getMessage());
      if (consumerOrNull != null) {
        consumerOrNull.rangesGap();
      }
      return;
    }
    if (found != null && consumerOrNull != null) {
      List<RangeDelete> deletes = new ArrayList<>(found.all());
      deletes.sort(Comparator.comparing(RangeDelete::first, Keys::compare));
      for (RangeDelete delete : deletes) {
        consumerOrNull.accept(
            RecordKind.stamp(delete.sequence(), RecordKind.RANGE_DELETE),
            delete.first().asReadOnly(),
            delete.end().asReadOnly());
      }
    }
  }

  private void lookAtPartition(long handles) throws IOException {
    try {
      if (!canBeRead(() -> table.fixIndex(handles, index))) {
        return;
      }
      indexView.attach(index.address());
      boolean filtered = fixFilter(handles + TableFormat.HANDLE_BYTES);
      for (int i = 0; i < indexView.count(); i++) {
        lookAtBlock(i, filtered);
      }
    } finally {
      filter.unfix();
      index.unfix();
    }
  }

  private boolean fixFilter(long handle) {
    try {
      return table.fixFilter(handle, filter);
    } catch (IOException e) {
      problems.add(e.getMessage());
      return false;
    }
  }

  private void lookAtBlock(int block, boolean filtered) throws IOException {
    try {
      if (!canBeRead(() -> table.fixData(indexView.valueAddress(block), data))) {
        return;
      }
      view.attach(data.address());
      blocks++;
      for (int i = 0; i < view.count(); i++) {
        lookAtEntry(i, filtered);
      }
      if (indexView.findAtOrAfter(last.address(), lastBytes, lastStamp) != block) {
        problems.add("the index leads elsewhere: offset=" + data.number());
      }
    } finally {
      data.unfix();
    }
  }

  /** Fixes a block that records lie in or behind. If that cannot be, there is a gap. */
  private boolean canBeRead(Fixing block) throws IOException {
    try {
      block.run();
      return true;
    } catch (NotReadableHereException e) {
      throw e;
    } catch (IOException e) {
      if (problems.isEmpty()
          || !problems.getLast().equals(e.getMessage())) { // of a file that is gone
        problems.add(e.getMessage());
      }
      if (consumerOrNull != null) {
        consumerOrNull.gap();
      }
      return false;
    }
  }

  private void lookAtEntry(int ordinal, boolean filtered) throws IOException {
    long address = key.reserve(view.longestKeyBytes());
    Memory.copy(view.prefixAddress(), address, view.prefixBytes());
    int keyBytes = view.copyKey(ordinal, address);
    long stamp = view.stamp(ordinal);
    if (lastBytes >= 0) {
      int order = Memory.compareUnsigned(last.address(), lastBytes, address, keyBytes);
      if (order > 0 || (order == 0 && RecordKind.compareStamps(lastStamp, stamp) >= 0)) {
        problems.add("records are out of order: offset=" + data.number());
      }
    }
    if (filtered && !FilterView.mayContain(filter.address(), KeyHash.of(address, keyBytes))) {
      problems.add("a filter does not know a key: offset=" + filter.number());
    }
    entries++;
    newestRecord = Math.max(newestRecord, RecordKind.sequence(stamp));
    deletes += RecordKind.isDelete(RecordKind.kind(stamp)) ? 1 : 0;
    if (RecordKind.kind(stamp) == RecordKind.VALUE_REFERENCE) {
      lookAtValue(stamp, keyBytes, ordinal);
    } else if (consumerOrNull != null) {
      consumerOrNull.accept(
          stamp,
          key.segment(keyBytes).asReadOnly(),
          data.segment().asSlice(view.valueOffset(ordinal), view.valueBytes(ordinal)));
    }
    KeyBuffer swapped = last;
    last = key;
    key = swapped;
    lastBytes = keyBytes;
    lastStamp = stamp;
  }

  private void lookAtValue(long stamp, int keyBytes, int ordinal) throws IOException {
    long reference = view.valueAddress(ordinal);
    references.add(ValueFormat.file(reference), ValueFormat.entryBytes(reference));
    MemorySegment referred = MemorySegment.NULL;
    try {
      if (table.readsValues()) {
        if (!canBeRead(() -> table.fixValue(reference, key.address(), keyBytes, value))) {
          return;
        }
        long offset = ValueFile.valueAddress(value, keyBytes) - value.address();
        referred = value.segment().asSlice(offset, ValueFormat.valueBytes(reference));
      }
      if (consumerOrNull != null) {
        consumerOrNull.acceptReference(
            stamp,
            key.segment(keyBytes).asReadOnly(),
            data.segment().asSlice(view.valueOffset(ordinal), view.valueBytes(ordinal)),
            referred);
      }
    } finally {
      value.unfix();
    }
  }
}
