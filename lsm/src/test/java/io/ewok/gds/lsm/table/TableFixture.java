package io.ewok.gds.lsm.table;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/** Writes tables from records on the heap, and reads them back. */
final class TableFixture implements AutoCloseable {
  static final Path PATH = Path.of("/1.table");
  static final long NUMBER = 7;

  /** A record on the heap; the value of a delete is empty. */
  static final class Entry {
    static final Comparator<Entry> ORDER =
        (a, b) -> {
          int order = Fixtures.ORDER.compare(a.key, b.key);
          return order != 0 ? order : RecordKind.compareStamps(a.stamp, b.stamp);
        };

    private final byte[] key;
    private final long stamp;
    private final byte[] value;

    Entry(byte[] key, long stamp, byte[] value) {
      this.key = key;
      this.stamp = stamp;
      this.value = value;
    }

    byte[] key() {
      return key;
    }

    long stamp() {
      return stamp;
    }

    byte[] value() {
      return value;
    }

    @Override
    public String toString() {
      return "%s@%d=%d bytes"
          .formatted(Arrays.toString(key), RecordKind.sequence(stamp), value.length);
    }
  }

  final SimEngine engine = new SimEngine(1);
  final MemoryBudget budget;
  final BufferManager buffers;
  final int recordBytesMax;

  TableFixture() {
    this(8 << 20, 200_000);
  }

  TableFixture(long poolBytes, int recordBytesMax) {
    this.recordBytesMax = recordBytesMax;
    budget = MemoryBudget.root("test", 1L << 30);
    buffers = new BufferManager(engine, budget, new BufferOptions(poolBytes, 4096, null));
  }

  /** Writes a table of records that are in order. */
  TableMeta write(List<Entry> entries, TableLayout layout) throws Exception {
    return write(entries, List.of(), layout);
  }

  /** The same with range deletes, or of these alone. */
  TableMeta write(List<Entry> entries, List<RangeDelete> ranges, TableLayout layout)
      throws Exception {
    TableOptions options = new TableOptions(layout.blockBytes(), recordBytesMax, 1 << 20);
    if (engine.exists(PATH)) {
      engine.delete(PATH);
    }
    try (Region buffer = map(TableWriter.bufferBytes(options));
        Region scratch = map(70_000L + recordBytesMax)) {
      TableWriter writer = new TableWriter(engine, buffer, options);
      writer.start(PATH, NUMBER, 0, layout, null);
      for (Entry entry : entries) {
        add(writer, scratch, entry);
      }
      for (RangeDelete delete : ranges) {
        writer.addRange(delete);
      }
      return writer.finish();
    }
  }

  Region map(long bytes) {
    return Region.map(budget, RegionOptions.ofSize(TableFormat.padded(bytes)));
  }

  static void add(TableWriter writer, Region scratch, Entry entry) throws Exception {
    long key = scratch.address();
    long value = key + entry.key.length;
    Memory.copyFrom(MemorySegment.ofArray(entry.key), 0, key, entry.key.length);
    Memory.copyFrom(MemorySegment.ofArray(entry.value), 0, value, entry.value.length);
    writer.add(entry.stamp, key, entry.key.length, value, entry.value.length);
  }

  Table open(TableMeta meta) throws Exception {
    return Table.open(buffers, PATH, meta, _ -> {});
  }

  /** The record a source is on. */
  static Entry current(RecordSource source) {
    return new Entry(
        Fixtures.array(Memory.view(source.keyAddress(), source.keyBytes())),
        source.stamp(),
        Fixtures.array(Memory.view(source.valueAddress(), source.valueBytes())));
  }

  /** Random records in order, with several versions of some keys. */
  static List<Entry> random(SplittableRandom random, int count, KeyMaker keys, int valueBytesMax) {
    List<Entry> entries = new ArrayList<>();
    long sequence = 1 + random.nextLong(1000);
    while (entries.size() < count) {
      byte[] key = keys.make(random);
      for (int version = random.nextInt(4) == 0 ? random.nextInt(1, 5) : 1;
          version > 0;
          version--) {
        boolean delete = random.nextInt(10) == 0;
        sequence += 1 + random.nextInt(3);
        byte[] value =
            delete
                ? new byte[0]
                : Fixtures.randomBytes(random, random.nextInt(valueBytesMax + 1) / 2 * 2);
        Arrays.fill(value, value.length / 2, value.length, (byte) 7);
        int kind = delete ? RecordKind.DELETE : RecordKind.PUT;
        entries.add(new Entry(key, RecordKind.stamp(sequence, kind), value));
      }
    }
    entries.sort(Entry.ORDER);
    return entries;
  }

  /** Random range deletes, of the same sequence numbers. */
  static List<RangeDelete> randomRanges(SplittableRandom random, int count) {
    List<RangeDelete> ranges = new ArrayList<>();
    while (ranges.size() < count) {
      MemorySegment a = MemorySegment.ofArray(anyKey(random));
      MemorySegment b = MemorySegment.ofArray(anyKey(random));
      if (RangeDelete.isRange(a, b)) {
        ranges.add(new RangeDelete(a, b, 1 + random.nextLong(1000)));
      }
    }
    return ranges;
  }

  /** Makes keys. */
  @FunctionalInterface
  interface KeyMaker {
    byte[] make(SplittableRandom random);
  }

  /** Keys of all shapes: short, with long common beginnings, with zeros at their ends. */
  static byte[] anyKey(SplittableRandom random) {
    return switch (random.nextInt(4)) {
      case 0 -> new byte[random.nextInt(12)];
      case 1 -> Fixtures.randomBytes(random, random.nextInt(20));
      case 2 -> Fixtures.bytes("a rather long beginning/" + random.nextInt(500));
      default -> {
        byte[] key = new byte[8 + random.nextInt(12)];
        key[random.nextInt(key.length)] = (byte) random.nextInt();
        yield key;
      }
    };
  }

  @Override
  public void close() throws IOException {
    buffers.close();
  }
}
