package io.ewok.gds.lsm.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Compression;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.Hex;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.lsm.record.RangeDelete;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.lsm.record.SourceNotes;
import io.ewok.gds.lsm.table.TableFixture.Entry;
import io.ewok.gds.lsm.values.ValueSource;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A table gives back what was written, in each layout, and no damage goes unseen. */
class TableTest {
  private final TableFixture tables = new TableFixture();
  private final SearchKey wanted = new SearchKey();
  private final TableLookup lookup = new TableLookup();

  @AfterEach
  void close() throws Exception {
    tables.close();
  }

  private SearchKey wanted(byte[] key) {
    return wanted.set(MemorySegment.ofArray(key));
  }

  private TableLookup.Outcome find(Table table, byte[] key, long sequence) throws IOException {
    lookup.unfix();
    boolean found = table.find(wanted(key), RecordKind.searchStamp(sequence), lookup);
    assertEquals(found, lookup.outcome() == TableLookup.Outcome.FOUND);
    return lookup.outcome();
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void recordsComeBackInBothDirectionsAndAreFound(Compression compression) throws Exception {
    long seed = Fixtures.seed(7);
    SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 6; round++) {
      String replay = Fixtures.replay(getClass(), seed) + " round=" + round;
      int count = round == 0 ? 1 : 1 + random.nextInt(20_000);
      int blockBytes = round % 2 == 0 ? 4 << 10 : 32 << 10;
      TableLayout layout =
          new TableLayout(blockBytes, compression, round == 3 ? 0 : 10, random.nextInt(3));
      List<Entry> entries = TableFixture.random(random, count, TableFixture::anyKey, 100);
      TableMeta meta = tables.write(entries, layout);
      Table table = tables.open(meta);
      assertEquals(entries.size(), meta.entries());
      assertEquals(entries.size(), table.properties().entries(), replay);
      assertEquals(layout.compression(), table.properties().compression());
      long newest = meta.lastSequence();
      long sequence = random.nextBoolean() ? newest : random.nextLong(newest) + 1;
      List<Entry> visible = visible(entries, sequence);
      assertScans(table, visible, sequence, replay);
      assertSeeks(table, visible, sequence, random, replay);
      assertSkips(table, visible, sequence, random, replay);
      for (int lengthBytes : new int[] {0, 8 << 10, 12 << 10, 256 << 10}) {
        assertMerges(table, entries, lengthBytes, replay);
      }
      table.close();
    }
  }

  /** Of each key the newest record that is not newer than the sequence. */
  private static List<Entry> visible(List<Entry> entries, long sequence) {
    TreeMap<byte[], Entry> visible = new TreeMap<>(Fixtures.ORDER);
    for (Entry entry : entries) {
      if (RecordKind.sequence(entry.stamp()) <= sequence) {
        visible.putIfAbsent(entry.key(), entry);
      }
    }
    return new ArrayList<>(visible.values());
  }

  private static void assertSame(Entry expected, Entry actual, String replay) {
    assertArrayEquals(expected.key(), actual.key(), replay);
    assertEquals(expected.stamp(), actual.stamp(), replay);
    assertArrayEquals(expected.value(), actual.value(), replay);
  }

  private void assertScans(Table table, List<Entry> visible, long sequence, String replay)
      throws Exception {
    RunSource source = new RunSource(List.of(table), sequence);
    int i = 0;
    for (source.first(); source.isValid(); source.next()) {
      assertSame(visible.get(i++), TableFixture.current(source), replay);
    }
    assertEquals(visible.size(), i, replay);
    for (source.previous(); source.isValid(); source.previous()) {
      assertSame(visible.get(--i), TableFixture.current(source), replay);
    }
    assertEquals(0, i, replay);
    source.close();
  }

  /** Whatever part of the blocks has room in the buffer, and the rest in the pool. */
  private void assertMerges(Table table, List<Entry> entries, int lengthBytes, String replay)
      throws Exception {
    try (Region buffer = tables.map(4096 + lengthBytes)) {
      RunReader reader = new RunReader(tables.engine, List.of(table), buffer, 4096, lengthBytes);
      int i = 0;
      for (reader.first(); reader.isValid(); reader.next()) {
        Entry actual =
            new Entry(
                Fixtures.array(Memory.view(reader.keyAddress(), reader.keyBytes())),
                reader.stamp(),
                Fixtures.array(Memory.view(reader.valueAddress(), reader.valueBytes())));
        assertSame(entries.get(i++), actual, replay);
      }
      assertEquals(entries.size(), i, replay);
      reader.close();
    }
  }

  private void assertSeeks(
      Table table, List<Entry> visible, long sequence, SplittableRandom random, String replay)
      throws Exception {
    RunSource source = new RunSource(List.of(table), sequence);
    for (int i = 0; i < 1000; i++) {
      byte[] key =
          visible.isEmpty() || random.nextInt(3) == 0
              ? TableFixture.anyKey(random)
              : visible.get(random.nextInt(visible.size())).key();
      int at = lowerBound(visible, key);
      boolean there = at < visible.size() && Arrays.equals(visible.get(at).key(), key);
      TableLookup.Outcome outcome = find(table, key, sequence);
      assertEquals(there, outcome == TableLookup.Outcome.FOUND, replay);
      if (there) {
        assertEquals(visible.get(at).stamp(), lookup.stamp(), replay);
        assertArrayEquals(visible.get(at).value(), Fixtures.array(value()), replay);
      }
      source.seek(wanted(key));
      assertAt(source, visible, at, replay);
      source.seekForPrev(wanted(key));
      int before = there ? at : at - 1;
      assertAt(source, visible, before, replay);
      if (source.isValid()) {
        source.next();
        assertAt(source, visible, before + 1, replay);
      }
    }
    lookup.unfix();
    source.close();
  }

  /** From a record past what is hidden: into the block, near it and far off. */
  private void assertSkips(
      Table table, List<Entry> visible, long sequence, SplittableRandom random, String replay)
      throws Exception {
    RunSource source = new RunSource(List.of(table), sequence);
    for (int i = 0; i < 1000 && !visible.isEmpty(); i++) {
      int from = random.nextInt(visible.size());
      boolean forward = random.nextBoolean();
      int reach = List.of(3, 200, visible.size()).get(random.nextInt(3));
      int to = forward ? from + 1 + random.nextInt(reach) : from - random.nextInt(reach);
      byte[] key = visible.get(Math.clamp(to, 0, visible.size() - 1)).key();
      if (forward && (to >= visible.size() || random.nextInt(4) == 0)) {
        key = Arrays.copyOf(key, key.length + 1); // between two keys, or behind all
      }
      // All of the table is hidden, or only some of it.
      long floor =
          random.nextBoolean()
              ? table.meta().lastSequence() + 1
              : random.nextLong(RecordKind.sequence(visible.get(from).stamp()), sequence + 1) + 1;
      source.seek(wanted(visible.get(from).key()));
      source.skip(forward, wanted(key), floor);
      int end = lowerBound(visible, key);
      int at = forward ? from + 1 : from - 1;
      while ((forward ? at < end : at >= end) && isHidden(visible.get(at), floor)) {
        at += forward ? 1 : -1;
      }
      assertAt(source, visible, at, replay);
      if (source.isValid()) {
        source.next();
        assertAt(source, visible, at + 1, replay);
      }
    }
    source.close();
  }

  private static boolean isHidden(Entry entry, long floor) {
    return RecordKind.sequence(entry.stamp()) < floor;
  }

  /** What is left out mostly ends in the same block or in the next but few. */
  @Test
  void skipsLookWhereTheSourceIsFirst() throws Exception {
    List<Entry> entries = numbered(3_000, 100);
    Table table =
        tables.open(tables.write(entries, new TableLayout(4096, Compression.NONE, 10, 0)));
    RunSource source = new RunSource(List.of(table), RecordKind.SEQUENCE_MAX);
    source.seek(wanted(entries.getFirst().key()));
    SourceNotes notes = new SourceNotes();
    source.takeNotes(List.of(notes));
    int at = 0;
    for (int steps = 1; steps < 100; steps++) {
      at += 1 + steps / 8;
      source.skip(true, wanted(entries.get(at).key()), entries.size() + 1);
      assertAt(source, entries, at, "steps " + steps);
    }
    assertEquals(0, notes.indexBlocks);
    assertTrue(notes.dataBlocks > 5 && notes.dataBlocks < 30, "blocks: " + notes.dataBlocks);
    long before = notes.dataBlocks;
    for (int steps = 99; steps > 0; steps--) {
      source.skip(false, wanted(entries.get(at - steps / 8).key()), entries.size() + 1);
      at -= steps / 8 + 1;
      assertAt(source, entries, at, "steps " + steps);
      if (at < 20) {
        break;
      }
    }
    assertEquals(0, notes.indexBlocks);
    long back = notes.dataBlocks - before;
    assertTrue(back > 5 && back < 40, "blocks: " + back);
    source.close();
    table.close();
  }

  private MemorySegment value() {
    return lookup.segment(lookup.valueAddress(), lookup.valueBytes());
  }

  private static int lowerBound(List<Entry> visible, byte[] key) {
    int at = 0;
    int high = visible.size();
    while (at < high) {
      int middle = (at + high) >>> 1;
      if (Fixtures.ORDER.compare(visible.get(middle).key(), key) < 0) {
        at = middle + 1;
      } else {
        high = middle;
      }
    }
    return at;
  }

  private static void assertAt(RunSource source, List<Entry> visible, int at, String replay) {
    assertEquals(at >= 0 && at < visible.size(), source.isValid(), replay);
    if (source.isValid()) {
      assertSame(visible.get(at), TableFixture.current(source), replay);
    }
  }

  private static List<Entry> numbered(int count, int valueBytes) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(
          new Entry(
              Fixtures.bytes("user:%07d".formatted(i)),
              RecordKind.stamp(i + 1, RecordKind.PUT),
              new byte[valueBytes]));
    }
    return entries;
  }

  @Test
  void getsAreRightThoughBlocksOfTheIndexComeAndGo() throws Exception {
    int count = 20_000;
    try (TableFixture small = new TableFixture(64 * 4096, 10_000)) {
      Table table =
          small.open(
              small.write(numbered(count, 100), new TableLayout(4096, Compression.NONE, 10, 0)));
      List<FutureTask<Void>> readers = new ArrayList<>();
      for (int seed = 1; seed <= 2; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        FutureTask<Void> reader =
            new FutureTask<>(
                () -> {
                  getSome(table, count, random);
                  return null;
                });
        readers.add(reader);
        Thread.ofPlatform().start(reader);
      }
      for (FutureTask<Void> reader : readers) {
        reader.get(60, TimeUnit.SECONDS);
      }
      assertTrue(small.buffers.stats().evictions() > count);
      table.close();
    }
  }

  private static void getSome(Table table, int count, SplittableRandom random) throws Exception {
    TableLookup at = new TableLookup();
    SearchKey key = new SearchKey();
    long newest = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);
    for (int i = 0; i < count; i++) {
      int number = random.nextInt(count);
      String text = "user:%07d".formatted(number);
      assertTrue(table.find(key.set(MemorySegment.ofArray(Fixtures.bytes(text))), newest, at));
      assertEquals(RecordKind.stamp(number + 1, RecordKind.PUT), at.stamp());
      at.unfix();
      key.set(MemorySegment.ofArray(Fixtures.bytes(text + "x")));
      assertFalse(table.find(key, newest, at));
    }
  }

  @Test
  void hintsAreNoMoreThanThereMayBe() throws Exception {
    int count = 100_000;
    TableMeta meta = tables.write(numbered(count, 20), TableLayout.of(4096));
    BlockHints few = new BlockHints(3);
    TableBlocks blocks = TableBlocks.open(tables.buffers, TableFixture.PATH, meta.number());
    Table table = Table.open(tables.buffers, blocks, meta, few, ValueSource.NONE, _ -> {});
    assertTrue(table.properties().partitions() > 3, "partitions");
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < count; i += 1000) {
        byte[] key = Fixtures.bytes("user:%07d".formatted(i));
        assertEquals(TableLookup.Outcome.FOUND, find(table, key, RecordKind.SEQUENCE_MAX));
      }
      assertEquals(3, table.hintCount());
    }
    lookup.unfix();
    table.close();
  }

  /** Else each get would make some that others have just lost. */
  @Test
  void whoHasTooFewHintsDoesWithout() throws Exception {
    int count = 100_000;
    TableMeta meta = tables.write(numbered(count, 20), TableLayout.of(4096));
    BlockHints few = new BlockHints(3);
    TableBlocks blocks = TableBlocks.open(tables.buffers, TableFixture.PATH, meta.number());
    Table table = Table.open(tables.buffers, blocks, meta, few, ValueSource.NONE, _ -> {});
    SearchKey key = new SearchKey();
    long newest = RecordKind.searchStamp(RecordKind.SEQUENCE_MAX);
    MemorySegment user = MemorySegment.ofArray(Fixtures.bytes("user:"));
    MemorySegment text = Arena.ofAuto().allocate(12);
    SplittableRandom random = new SplittableRandom(1);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    int gets = 20_000;
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 5; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < gets; i++) {
        int number = random.nextInt(count);
        for (int at = 11; at >= 5; at--, number /= 10) {
          text.set(ValueLayout.JAVA_BYTE, at, (byte) ('0' + number % 10));
        }
        MemorySegment.copy(user, 0, text, 0, 5);
        assertTrue(table.find(key.set(text), newest, lookup));
        lookup.unfix();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertEquals(3, table.hintCount());
    assertTrue(least / gets < 100, "bytes for a get: " + least / gets);
    table.close();
  }

  @Test
  void filterRefusesNearlyAllThatIsNotThere() throws Exception {
    Table table = tables.open(tables.write(numbered(100_000, 20), TableLayout.of(4096)));
    assertTrue(table.properties().partitions() > 3, "partitions");
    int passed = 0;
    for (int i = 0; i < 100_000; i++) {
      byte[] key = Fixtures.bytes("user:%07d.".formatted(i));
      TableLookup.Outcome outcome = find(table, key, RecordKind.SEQUENCE_MAX);
      passed += outcome == TableLookup.Outcome.ABSENT ? 1 : 0;
      assertTrue(outcome != TableLookup.Outcome.FOUND);
    }
    assertTrue(passed <= 1_200, "passed the filter: " + passed);
    assertTrue(passed > 100, "passed the filter: " + passed);
    table.close();
  }

  @Test
  void filterKnowsPrefixesAcrossPartitions() throws Exception {
    TableLayout layout = new TableLayout(4096, Compression.NONE, 10, 8);
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < 50_000; i++) {
      byte[] key = Fixtures.bytes("%08d/%08d".formatted(i / 20_000 * 2, i));
      entries.add(new Entry(key, RecordKind.stamp(1, RecordKind.PUT), new byte[10]));
    }
    Table table = tables.open(tables.write(entries, layout));
    int wrong = 0;
    for (int i = 0; i < 1000; i++) {
      boolean there = i == 0 || i == 2 || i == 4;
      boolean known = table.mayContainPrefix(wanted(Fixtures.bytes("%08d".formatted(i))), lookup);
      assertTrue(known || !there, "prefix=" + i);
      wrong += known && !there ? 1 : 0;
    }
    assertTrue(wrong < 40, "wrong: " + wrong);
    SearchKey another = wanted(Fixtures.bytes("another"));
    assertTrue(table.mayContainPrefix(another, lookup), "a length that the filters do not know");
    table.close();
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void compressedTablesAreSmaller(Compression compression) throws Exception {
    List<Entry> entries = numbered(20_000, 100);
    TableMeta plain = tables.write(entries, TableLayout.of(16 << 10));
    TableLayout layout = new TableLayout(16 << 10, compression, 10, 0);
    TableMeta meta = tables.write(entries, layout);
    if (compression != Compression.NONE) {
      assertTrue(meta.sizeBytes() < plain.sizeBytes() / 3, "bytes: " + meta.sizeBytes());
    }
  }

  @Test
  void writerWhoseIndexIsFullTakesNoMore() {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      byte[] key = new byte[Keys.BYTES_MAX];
      key[key.length - 1] = (byte) i;
      entries.add(new Entry(key, RecordKind.stamp(i + 1, RecordKind.PUT), new byte[5000]));
    }
    assertThrows(IllegalStateException.class, () -> tables.write(entries, TableLayout.of(4096)));
  }

  @Test
  void longestKeysAndLongValuesWork() throws Exception {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      byte[] key = new byte[Keys.BYTES_MAX];
      key[i % 3 == 0 ? 100 : key.length - 1] = (byte) i;
      entries.add(new Entry(key, RecordKind.stamp(i + 1, RecordKind.PUT), new byte[i * 7000]));
    }
    entries.sort(Entry.ORDER);
    byte[] longLast = new byte[Keys.BYTES_MAX];
    Arrays.fill(longLast, (byte) 200);
    entries.add(new Entry(longLast, RecordKind.stamp(100, RecordKind.PUT), new byte[9]));
    Table table = tables.open(tables.write(entries, TableLayout.of(4096)));
    assertEquals(List.of(), TableInspection.verify(table).problems());
    TableMeta read = TableInspection.meta(tables.buffers, TableFixture.PATH);
    assertEquals(-1, read.lastKey().mismatch(MemorySegment.ofArray(longLast)));
    assertScans(table, visible(entries, 1000), 1000, "");
    assertSeeks(table, visible(entries, 1000), 1000, new SplittableRandom(1), "");
    table.close();
  }

  @Test
  void valueOf64MiBWorks() throws Exception {
    try (TableFixture large = new TableFixture(512L << 20, (64 << 20) + 100)) {
      byte[] value = new byte[64 << 20];
      value[value.length - 1] = 9;
      long stamp = RecordKind.stamp(1, RecordKind.PUT);
      List<Entry> entries = List.of(new Entry(Fixtures.bytes("k"), stamp, value));
      Table table = large.open(large.write(entries, TableLayout.of(4096)));
      assertEquals(TableLookup.Outcome.FOUND, find(table, Fixtures.bytes("k"), 1));
      assertEquals(-1, value().mismatch(MemorySegment.ofArray(value)));
      lookup.unfix();
      table.close();
    }
  }

  @Test
  void olderRecordsOfAKeyAreFoundInWhateverPartition() throws Exception {
    int versions = 60_000;
    List<Entry> entries = new ArrayList<>();
    for (int i = versions; i > 0; i--) {
      long stamp = RecordKind.stamp(i, RecordKind.PUT);
      entries.add(new Entry(Fixtures.bytes("the key"), stamp, new byte[i % 200]));
    }
    Table table = tables.open(tables.write(entries, TableLayout.of(4096)));
    assertTrue(table.properties().partitions() > 2, "partitions");
    for (int i = 1; i <= versions; i += 97) {
      assertEquals(
          TableLookup.Outcome.FOUND, find(table, Fixtures.bytes("the key"), i), "sequence=" + i);
      assertEquals(RecordKind.stamp(i, RecordKind.PUT), lookup.stamp());
    }
    lookup.unfix();
    table.close();
  }

  @Test
  void indexThatIsFullIsTold() throws Exception {
    TableOptions options = new TableOptions(4096, 1000, 0);
    try (var buffer = tables.map(TableWriter.bufferBytes(options));
        var scratch = tables.map(100_000)) {
      TableWriter writer = new TableWriter(tables.engine, buffer, options);
      writer.start(TableFixture.PATH, TableFixture.NUMBER, 0, TableLayout.of(4096), null);
      byte[] key = new byte[Keys.BYTES_MAX];
      int count = 0;
      while (!writer.isIndexFull()) {
        key[key.length - 2] = (byte) (count >>> 8);
        key[key.length - 1] = (byte) count;
        count++;
        TableFixture.add(
            writer, scratch, new Entry(key, RecordKind.stamp(1, RecordKind.PUT), new byte[0]));
      }
      TableMeta meta = writer.finish();
      assertEquals(count, meta.entries());
      Table table = tables.open(meta);
      assertEquals(TableLookup.Outcome.FOUND, find(table, key, 1));
      lookup.unfix();
      table.close();
    }
  }

  @Test
  void recordsOutOfOrderAreRefused() {
    List<Entry> entries = new ArrayList<>(numbered(10, 1));
    entries.add(entries.get(3));
    assertThrows(StorageException.class, () -> tables.write(entries, TableLayout.of(4096)));
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void eachFlippedBitIsDetectedOrHarmless(Compression compression) throws Exception {
    List<Entry> entries =
        TableFixture.random(new SplittableRandom(3), 120, TableFixture::anyKey, 100);
    TableMeta meta = tables.write(entries, new TableLayout(4096, compression, 10, 2));
    long sequence = meta.lastSequence();
    List<Entry> visible = visible(entries, sequence);
    int detected = 0;
    for (long offset = 0; offset < meta.sizeBytes(); offset++) {
      tables.engine.flipBit(TableFixture.PATH, offset);
      try {
        Table table = tables.open(meta);
        try {
          assertScans(table, visible, sequence, "offset=" + offset);
          assertEquals(TableLookup.Outcome.FOUND, find(table, visible.getFirst().key(), sequence));
          assertEquals(TableLookup.Outcome.FOUND, find(table, visible.getLast().key(), sequence));
        } finally {
          lookup.unfix();
          table.close();
        }
      } catch (CorruptFileException e) {
        detected++;
      }
      tables.engine.flipBit(TableFixture.PATH, offset);
    }
    long dataBytes = visible.stream().mapToLong(entry -> entry.value().length / 2).sum();
    assertTrue(detected > dataBytes, "detected: " + detected);
  }

  @Test
  void inspectionSeesAllRecordsAndWhatIsWrong() throws Exception {
    List<Entry> entries =
        TableFixture.random(new SplittableRandom(9), 20_000, TableFixture::anyKey, 100);
    TableMeta meta = tables.write(entries, TableLayout.of(4096));
    TableMeta read = TableInspection.meta(tables.buffers, TableFixture.PATH);
    assertEquals(meta.number(), read.number());
    assertEquals(meta.entries(), read.entries());
    assertEquals(meta.deletes(), read.deletes());
    assertEquals(meta.sizeBytes(), read.sizeBytes());
    assertEquals(-1, meta.firstKey().mismatch(read.firstKey()));
    assertEquals(-1, meta.lastKey().mismatch(read.lastKey()));
    Table table = tables.open(read);
    assertEquals(List.of(), TableInspection.verify(table).problems());
    List<Entry> dumped = new ArrayList<>();
    TableInspection.dump(
        table,
        (stamp, key, value) ->
            dumped.add(new Entry(Fixtures.array(key), stamp, Fixtures.array(value))));
    assertEquals(entries.size(), dumped.size());
    for (int i = 0; i < dumped.size(); i++) {
      assertSame(entries.get(i), dumped.get(i), "i=" + i);
    }
    table.close();
    tables.engine.flipBit(TableFixture.PATH, 10_000);
    Table damaged = tables.open(read);
    TableInspection.Findings findings = TableInspection.verify(damaged);
    assertTrue(findings.problems().getFirst().contains("checksum"), findings.toString());
    assertTrue(findings.entries() < entries.size() && findings.entries() > entries.size() / 2);
    damaged.close();
  }

  @Test
  void tableOfAnotherNumberIsRefused() throws Exception {
    TableMeta meta = tables.write(numbered(10, 1), TableLayout.of(4096));
    TableMeta other =
        new TableMeta(
            meta.number() + 1,
            meta.sizeBytes(),
            meta.entries(),
            0,
            1,
            10,
            meta.firstKey(),
            meta.lastKey());
    assertThrows(CorruptFileException.class, () -> tables.open(other));
  }

  // ---- the format

  private static List<Entry> golden() {
    return List.of(
        entry("", 5, RecordKind.PUT, "empty key"),
        entry("a", 9, RecordKind.DELETE, ""),
        entry("a", 4, RecordKind.PUT, "old"),
        entry("b".repeat(20), 6, RecordKind.PUT, ""),
        entry("c", 7, RecordKind.PUT, "\0".repeat(3_900)),
        entry("common/1", 8, RecordKind.PUT, "first"),
        entry("common/22222222/3", 8, RecordKind.PUT, "second"),
        entry("d", 8, RecordKind.PUT, "\0".repeat(3_000)));
  }

  private static Entry entry(String key, long sequence, int kind, String value) {
    return new Entry(Fixtures.bytes(key), RecordKind.stamp(sequence, kind), Fixtures.bytes(value));
  }

  @Test
  void tableIsWhatItsTableSays() throws Exception {
    TableMeta meta = tables.write(golden(), new TableLayout(4096, Compression.NONE, 10, 1));
    assertEquals(Hex.resource("table-v1.hex"), Hex.dump(readFile(meta.sizeBytes())));
    assertEquals(16, TableFormat.STORED_HEADER_BYTES);
    assertEquals(24, TableFormat.HEADS_OFFSET);
    assertEquals(160, TableFormat.FOOTER_BYTES);
    assertEquals(16, TableFormat.HANDLE_BYTES);
  }

  private static List<RangeDelete> goldenRanges() {
    return List.of(range("x", "yz", 20), range("", "b", 3));
  }

  private static RangeDelete range(String first, String end, long sequence) {
    return new RangeDelete(
        MemorySegment.ofArray(Fixtures.bytes(first)),
        MemorySegment.ofArray(Fixtures.bytes(end)),
        sequence);
  }

  @Test
  void tableWithRangeDeletesIsWhatItsTableSays() throws Exception {
    TableMeta meta =
        tables.write(
            List.of(entry("a", 9, RecordKind.PUT, "value")),
            goldenRanges(),
            new TableLayout(4096, Compression.NONE, 0, 0));
    assertEquals(Hex.resource("table-v6.hex"), Hex.dump(readFile(meta.sizeBytes())));
    assertEquals(Set.of("", "yz"), Set.of(text(meta.firstKey()), text(meta.lastKey())));
    assertEquals(List.of(3L, 20L), List.of(meta.firstSequence(), meta.lastSequence()));
    assertEquals(1, meta.entries());
    TableMeta read = TableInspection.meta(tables.buffers, TableFixture.PATH);
    assertEquals(
        List.of("", "yz", 3L, 20L),
        List.of(
            text(read.firstKey()),
            text(read.lastKey()),
            read.firstSequence(),
            read.lastSequence()));
  }

  private static String text(MemorySegment key) {
    return Fixtures.text(Fixtures.array(key));
  }

  private static List<String> ranges(Table table) throws Exception {
    return table.readRangeDeletes().all().stream()
        .map(range -> text(range.first()) + "-" + text(range.end()) + "@" + range.sequence())
        .sorted()
        .toList();
  }

  @Test
  void tableMayHaveRangeDeletesAlone() throws Exception {
    TableMeta meta =
        tables.write(List.of(), goldenRanges(), new TableLayout(4096, Compression.LZ4, 10, 0));
    Table table = tables.open(meta);
    assertEquals(List.of("-b@3", "x-yz@20"), ranges(table));
    assertEquals(List.of(), TableInspection.verify(table).problems());
    // What stands for them as a record says nothing new.
    assertScans(table, List.of(entry("", 3, RecordKind.DELETE, "")), 30, "one delete");
    table.close();
  }

  @Test
  void rangeDeletesOfAnyLengthAndNumberAreThereAgain() throws Exception {
    List<RangeDelete> written =
        new ArrayList<>(TableFixture.randomRanges(new SplittableRandom(2), 2_000));
    byte[] longest = new byte[Keys.BYTES_MAX];
    Arrays.fill(longest, (byte) 0xFE);
    byte[] behind = longest.clone();
    behind[Keys.BYTES_MAX - 1]++;
    for (int i = 0; i < 3; i++) {
      written.add(
          new RangeDelete(MemorySegment.ofArray(longest), MemorySegment.ofArray(behind), 50 + i));
    }
    TableMeta meta =
        tables.write(
            List.of(entry("l", 62, RecordKind.DELETE, ""), entry("m", 60, RecordKind.PUT, "value")),
            written,
            new TableLayout(4096, Compression.NONE, 10, 0));
    Table table = tables.open(meta);
    assertNull(table.rangeDeletesOrNull(), "not read yet");
    List<RangeDelete> read = table.readRangeDeletes().all();
    assertEquals(sorted(written), sorted(read));
    assertEquals(62, table.lastRecordSequence());
    assertEquals(List.of(), TableInspection.verify(table).problems());
    table.close();
  }

  private static List<String> sorted(List<RangeDelete> ranges) {
    return ranges.stream()
        .map(
            range ->
                HexFormat.of().formatHex(Fixtures.array(range.first()))
                    + "-"
                    + HexFormat.of().formatHex(Fixtures.array(range.end()))
                    + "@"
                    + range.sequence())
        .sorted()
        .toList();
  }

  @Test
  void keyAtWhichARangeOfTheTableBeforeEndsIsMetOnTheWayBack() throws Exception {
    // Two tables of a run: the range of the first one ends at the first key of the second.
    List<Entry> first = List.of(entry("a", 9, RecordKind.PUT, "1"));
    List<Entry> second =
        List.of(entry("m", 8, RecordKind.PUT, "2"), entry("n", 8, RecordKind.PUT, "3"));
    TableLayout layout = new TableLayout(4096, Compression.NONE, 10, 0);
    Path path = Path.of("/first.table");
    TableMeta meta = tables.write(first, List.of(range("b", "m", 7)), layout);
    tables.engine.rename(TableFixture.PATH, path);
    Table before = Table.open(tables.buffers, path, meta, _ -> {});
    Table behind = tables.open(tables.write(second, layout));
    RunSource source = new RunSource(List.of(before, behind), 20);
    List<String> keys = new ArrayList<>();
    for (source.last(); source.isValid(); source.previous()) {
      keys.add(text(MemorySegment.ofArray(TableFixture.current(source).key())));
    }
    assertEquals(List.of("n", "m", "a"), keys);
    source.seekForPrev(new SearchKey().set(MemorySegment.ofArray(Fixtures.bytes("m"))));
    assertEquals("m", text(MemorySegment.ofArray(TableFixture.current(source).key())));
    source.close();
    before.close();
    behind.close();
  }

  private byte[] readFile(long sizeBytes) throws Exception {
    try (IoFile file = tables.engine.open(TableFixture.PATH, OpenMode.READ_ONLY);
        var region = tables.map(sizeBytes)) {
      file.readFully(0, region, 0, (int) sizeBytes);
      return Fixtures.array(region.segment().asSlice(0, sizeBytes));
    }
  }

  private void writeFile(byte[] file) throws Exception {
    try (IoFile io = tables.engine.open(TableFixture.PATH, OpenMode.CREATE_NEW);
        var region = tables.map(file.length)) {
      MemorySegment.copy(MemorySegment.ofArray(file), 0, region.segment(), 0, file.length);
      io.write(0, region, 0, file.length);
    }
  }

  /** Of the golden table with range deletes, in any version. */
  private static TableMeta goldenRangesMeta(long sizeBytes) {
    return new TableMeta(
        TableFixture.NUMBER,
        sizeBytes,
        1,
        0,
        3,
        20,
        MemorySegment.ofArray(Fixtures.bytes("")),
        MemorySegment.ofArray(Fixtures.bytes("yz")));
  }

  @Test
  void tableWithRangeDeletesOfVersionTwoStaysReadable() throws Exception {
    byte[] file = Hex.parse(Hex.resource("table-v2.hex"));
    writeFile(file);
    Table table = tables.open(goldenRangesMeta(file.length));
    assertEquals(List.of("-b@3", "x-yz@20"), ranges(table));
    assertEquals(20, table.lastRecordSequence(), "it may be as new as the range delete");
    assertScans(
        table, List.of(entry("a", 9, RecordKind.PUT, "value")), RecordKind.SEQUENCE_MAX, "all");
    assertEquals(List.of(), TableInspection.verify(table).problems());
    table.close();
  }

  @Test
  void tableKnowsItsNewestRecordOnceItsRangeDeletesAreRead() throws Exception {
    byte[] file = Hex.parse(Hex.resource("table-v6.hex"));
    writeFile(file);
    Table table = tables.open(goldenRangesMeta(file.length));
    assertEquals(20, table.lastRecordSequence());
    assertEquals(List.of("-b@3", "x-yz@20"), ranges(table));
    assertEquals(9, table.lastRecordSequence());
    assertEquals(List.of(), TableInspection.verify(table).problems());
    table.close();
  }

  /** What the bounds say of the newest record, with checksums that are right, and what is told. */
  @ParameterizedTest
  @CsvSource({"2, newest record", "21, newest record", "-1, newest record", "8, bounds say"})
  void newestRecordIsNotBelievedWhereItCannotBe(long said, String problem) throws Exception {
    byte[] file = Hex.parse(Hex.resource("table-v6.hex"));
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int footer = file.length - TableFormat.FILE_ALIGNMENT_BYTES;
    int bounds =
        (int) bytes.getLong(footer + TableFormat.STORED_HEADER_BYTES + TableFormat.BOUNDS_OFFSET);
    int storedBytes =
        TableFormat.STORED_HEADER_BYTES + bytes.getInt(bounds + TableFormat.STORED_LENGTH_OFFSET);
    int at = bounds;
    while (bytes.getLong(at) != 9 || bytes.getLong(at - Long.BYTES) != 2) {
      at++; // behind the number of range deletes
    }
    bytes.putLong(at, said);
    try (var region = tables.map(file.length)) {
      MemorySegment.copy(MemorySegment.ofArray(file), 0, region.segment(), 0, file.length);
      long stored = region.address() + bounds;
      int checksum = TableFormat.checksum(stored, storedBytes, TableFixture.NUMBER, bounds);
      bytes.putInt(bounds + TableFormat.CHECKSUM_OFFSET, checksum);
    }
    writeFile(file);
    Table table = tables.open(goldenRangesMeta(file.length));
    List<String> problems = TableInspection.verify(table).problems();
    assertEquals(1, problems.size(), problems::toString);
    assertTrue(problems.getFirst().contains(problem), problems::toString);
    table.close();
  }

  @Test
  void tableOfVersionOneStaysReadable() throws Exception {
    byte[] file = Hex.parse(Hex.resource("table-v1.hex"));
    writeFile(file);
    List<Entry> entries = golden();
    TableMeta meta =
        new TableMeta(
            TableFixture.NUMBER,
            file.length,
            entries.size(),
            1,
            4,
            9,
            MemorySegment.ofArray(entries.getFirst().key()),
            MemorySegment.ofArray(entries.getLast().key()));
    Table table = tables.open(meta);
    assertScans(table, visible(entries, 9), 9, "newest");
    assertScans(table, visible(entries, 5), 5, "older");
    table.close();
  }
}
