package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Compression;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.Patches;
import io.ewok.gds.lsm.record.RangeDeletes;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.table.TableFixture.Entry;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A table that was changed on purpose by somebody who made all checksums right again, read in every
 * way there is.
 */
public final class HostileTable {
  private static final int RECORDS = 400;

  /** More than any table of this size can lead to. */
  private static final int MOVES_MAX = 10_000_000;

  private final TableFixture tables = new TableFixture();
  private final TableMeta meta;
  private final List<Patches.Part> blocks = new ArrayList<>();
  private final Region sound;
  private final Region changed;
  private final List<SearchKey> wanted = new ArrayList<>();

  /** Makes a sound table with so many range deletes. */
  public HostileTable(Compression compression, int ranges) throws Exception {
    List<Entry> entries =
        TableFixture.random(new SplittableRandom(3), RECORDS, TableFixture::anyKey, 100);
    meta =
        tables.write(
            entries,
            TableFixture.randomRanges(new SplittableRandom(4), ranges),
            new TableLayout(4096, compression, 10, 2));
    sound = tables.map(meta.sizeBytes());
    changed = tables.map(meta.sizeBytes());
    try (IoFile file = tables.engine.open(TableFixture.PATH, OpenMode.READ_ONLY)) {
      file.readFully(0, sound, 0, (int) meta.sizeBytes());
    }
    findBlocks();
    for (int i : new int[] {0, RECORDS / 3, RECORDS - 1}) {
      wanted.add(new SearchKey().set(MemorySegment.ofArray(entries.get(i).key())));
    }
    wanted.add(new SearchKey().set(MemorySegment.ofArray(Fixtures.bytes("a rather long beg"))));
  }

  private void findBlocks() throws Exception {
    Table table = tables.open(meta);
    try (Fix root = new Fix();
        Fix index = new Fix()) {
      table.fixRoot(root);
      BlockView rootView = new BlockView();
      BlockView indexView = new BlockView();
      rootView.attach(root.segment().address());
      for (int i = 0; i < rootView.count(); i++) {
        long handles = rootView.valueAddress(i);
        add(handles);
        add(handles + TableFormat.HANDLE_BYTES);
        table.fixIndex(handles, index);
        indexView.attach(index.segment().address());
        for (int j = 0; j < indexView.count(); j++) {
          add(indexView.valueAddress(j));
        }
        index.unfix();
      }
      root.unfix();
    }
    long ranges = table.hasRangeDeletes() ? addRanges() : 0;
    table.close();
    assertTrue(!table.hasRangeDeletes() || ranges > 1, "blocks of range deletes: " + ranges);
    long footer = TableFormat.footerOffset(meta.sizeBytes());
    long footerAddress = sound.address() + footer + TableFormat.STORED_HEADER_BYTES;
    add(footerAddress + TableFormat.ROOT_OFFSET);
    add(footerAddress + TableFormat.BOUNDS_OFFSET);
    blocks.add(new Patches.Part(footer, TableFormat.FOOTER_STORED_BYTES));
  }

  /** Adds the blocks of range deletes. Returns how many there are. */
  private long addRanges() {
    long count = 0;
    long footer = sound.address() + TableFormat.footerOffset(meta.sizeBytes());
    long bounds =
        sound.address()
            + TableFormat.handleOffset(
                footer + TableFormat.STORED_HEADER_BYTES + TableFormat.BOUNDS_OFFSET);
    BlockView view = new BlockView();
    view.attach(bounds + TableFormat.STORED_HEADER_BYTES);
    for (long handle = view.valueAddress(0); TableFormat.handleStoredBytes(handle) != 0; count++) {
      add(handle);
      handle =
          sound.address()
              + TableFormat.handleOffset(handle)
              + TableFormat.STORED_HEADER_BYTES
              + TableFormat.RANGES_BEFORE_OFFSET;
    }
    return count;
  }

  private void add(long handle) {
    blocks.add(
        new Patches.Part(TableFormat.handleOffset(handle), TableFormat.handleStoredBytes(handle)));
  }

  /** Reads a table with these changes. Returns whether it was refused, or something in it. */
  public boolean isRefused(byte[] input, int from) throws Exception {
    Memory.copy(sound.address(), changed.address(), meta.sizeBytes());
    Patches.apply(input, from, changed.segment(), blocks);
    blocks.forEach(this::seal);
    try (IoFile file = tables.engine.open(TableFixture.PATH, OpenMode.READ_WRITE)) {
      file.write(0, changed, 0, (int) meta.sizeBytes());
    }
    boolean refused = false;
    try {
      TableMeta unused = TableInspection.meta(tables.buffers, TableFixture.PATH);
    } catch (IOException e) {
      refused = true;
    }
    try {
      Table table = tables.open(meta);
      try {
        refused |= read(table);
      } finally {
        table.close();
      }
    } catch (IOException e) {
      refused = true;
    }
    return refused;
  }

  private void seal(Patches.Part block) {
    long footer = changed.address() + blocks.getLast().offset() + TableFormat.STORED_HEADER_BYTES;
    long number = Memory.getLong(footer + TableFormat.NUMBER_OFFSET);
    long stored = changed.address() + block.offset();
    long payloadBytes = Memory.getInt(stored + TableFormat.STORED_LENGTH_OFFSET);
    boolean fits =
        payloadBytes > 0
            && payloadBytes <= meta.sizeBytes() - block.offset() - TableFormat.STORED_HEADER_BYTES;
    int storedBytes =
        fits ? (int) payloadBytes + TableFormat.STORED_HEADER_BYTES : block.lengthBytes();
    Memory.putInt(stored, TableFormat.checksum(stored, storedBytes, number, block.offset()));
  }

  private boolean read(Table table) {
    boolean refused = refuses(() -> verify(table));
    refused |= refuses(() -> readRanges(table));
    TableLookup lookup = new TableLookup();
    for (SearchKey key : wanted) {
      refused |= refuses(() -> find(table, key, lookup));
    }
    refused |= refuses(() -> scan(table, true));
    refused |= refuses(() -> scan(table, false));
    refused |= refuses(() -> seek(table));
    return refused;
  }

  private void readRanges(Table table) throws IOException {
    RangeDeletes ranges = table.readRangeDeletes();
    for (SearchKey key : wanted) {
      long newest = ranges == null ? 0 : ranges.newest(key, meta.lastSequence());
      assertTrue(newest == 0 || newest >= meta.firstSequence());
    }
  }

  private static void verify(Table table) throws IOException {
    if (!TableInspection.verify(table).problems().isEmpty()) {
      throw new CorruptFileException(table.path(), 0, "a table", "problems");
    }
  }

  /** Reads something. */
  @FunctionalInterface
  private interface Read {
    void run() throws IOException;
  }

  private static boolean refuses(Read read) {
    try {
      read.run();
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  private static void find(Table table, SearchKey key, TableLookup lookup) throws IOException {
    try {
      if (table.find(key, RecordKind.searchStamp(RecordKind.SEQUENCE_MAX), lookup)) {
        touch(lookup.valueAddress(), lookup.valueBytes());
      }
      boolean unused = table.mayContainPrefix(key, lookup);
    } finally {
      lookup.unfix();
    }
  }

  private void scan(Table table, boolean forward) throws IOException {
    int moves = 0;
    RunSource source = new RunSource(List.of(table), RecordKind.SEQUENCE_MAX);
    try {
      if (forward) {
        for (source.first(); source.isValid(); source.next()) {
          touch(source);
          assertTrue(moves++ < MOVES_MAX, "a scan without end");
        }
      } else {
        for (source.last(); source.isValid(); source.previous()) {
          touch(source);
          assertTrue(moves++ < MOVES_MAX, "a scan without end");
        }
      }
    } finally {
      source.close();
    }
  }

  private void seek(Table table) throws IOException {
    RunSource source = new RunSource(List.of(table), meta.lastSequence() / 2);
    try {
      for (SearchKey key : wanted) {
        source.seek(key);
        for (int i = 0; i < 3 && source.isValid(); i++) {
          touch(source);
          source.previous();
        }
        source.seekForPrev(key);
        for (int i = 0; i < 3 && source.isValid(); i++) {
          touch(source);
          source.next();
        }
      }
    } finally {
      source.close();
    }
  }

  private static void touch(RunSource source) {
    touch(source.keyAddress(), source.keyBytes());
    touch(source.valueAddress(), source.valueBytes());
  }

  private static void touch(long address, int lengthBytes) {
    assertTrue(lengthBytes >= 0);
    if (lengthBytes > 0) {
      byte unused = (byte) (Memory.getByte(address) + Memory.getByte(address + lengthBytes - 1));
    }
  }
}
