package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.RecordSource;
import io.ewok.gds.lsm.table.RunSource;
import io.ewok.gds.lsm.table.Table;
import io.ewok.gds.lsm.table.TableFormat;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.table.TableWriter;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What is on disk is what the formats' tables say, byte for byte, also in the next version. */
class FormatsTest {
  private static final Path TABLE = Path.of("/golden.table");
  private static final long NUMBER = 7;

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = MemoryBudget.root("test", 64 << 20);

  @Test
  void sizesAreThoseOfTheTables() {
    assertEquals(16, BatchFormat.HEADER_BYTES);
    assertEquals(8, BatchFormat.OPERATION_HEADER_BYTES);
    assertEquals(14, TableFormat.ENTRY_HEADER_BYTES);
    assertEquals(20, TableFormat.TRAILER_BYTES);
    assertEquals(80, TableFormat.FOOTER_BODY_BYTES);
    assertEquals(12, TableFormat.INDEX_VALUE_BYTES);
  }

  @Test
  void batchIsWhatItsTableSays() {
    MemorySegment record =
        new WriteBatch()
            .put(Fixtures.bytes("key"), Fixtures.bytes("value"))
            .delete(Fixtures.bytes("k"))
            .record(0x0102030405L);
    assertEquals(
        """
        00000000 05040302010000000200000001000000
        00000010 01000300050000006b657976616c7565
        00000020 02000100000000006b
        00000029
        """,
        Hex.dump(Fixtures.array(record)));
    assertNull(BatchFormat.defect(record));
  }

  @Test
  void batchesThatAreCutOrForgedAreDefectiveOrStayInBounds() {
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < 10; i++) {
      batch.put(new byte[i], new byte[3 * i]).delete(new byte[5]);
    }
    byte[] record = Fixtures.array(batch.record(1));
    for (int length = 0; length < record.length; length++) {
      assertNotNull(BatchFormat.defect(MemorySegment.ofArray(Arrays.copyOf(record, length))));
    }
    long seed = Fixtures.seed(11);
    SplittableRandom random = new SplittableRandom(seed);
    int defective = 0;
    for (int round = 0; round < 50_000; round++) {
      byte[] forged = record.clone();
      for (int i = random.nextInt(3); i >= 0; i--) {
        forged[random.nextInt(forged.length)] = (byte) random.nextInt();
      }
      MemorySegment segment = MemorySegment.ofArray(forged);
      if (BatchFormat.defect(segment) != null) {
        defective++;
        continue;
      }
      long offset = BatchFormat.HEADER_BYTES;
      for (int i = 0; i < BatchFormat.count(segment); i++) {
        offset +=
            BatchFormat.OPERATION_HEADER_BYTES
                + BatchFormat.keyBytes(segment, offset)
                + BatchFormat.valueBytes(segment, offset);
      }
      assertEquals(forged.length, offset, Fixtures.replay(getClass(), seed));
    }
    assertTrue(defective > 1_000);
  }

  @Test
  void manifestIsWhatItsTableSays() throws Exception {
    Path path = Path.of("MANIFEST");
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withCreated()
            .withNextNumber(9)
            .withHorizon(0x1234, 500)
            .adding(0, List.of(meta(8, "b", "b", 400, 500)))
            .adding(1, List.of(meta(2, "a", "cc", 1, 300), meta(3, "d", "e", 2, 200)));
    byte[] first = ManifestFormat.encode(edit, 0);
    Manifest manifest = Manifest.EMPTY.after(edit);
    ManifestEdit move =
        manifest.edit().removing(manifest.level(1)).adding(2, manifest.level(1).subList(1, 2));
    byte[] second = ManifestFormat.encode(move, first.length);
    byte[] file = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, file, first.length, second.length);
    assertEquals(Hex.resource("manifest-v1.hex"), Hex.dump(file));

    assertEquals(first.length, ManifestFormat.frameBytes(file, 0));
    assertEquals(second.length, ManifestFormat.frameBytes(file, first.length));
    Manifest read =
        Manifest.EMPTY
            .after(ManifestFormat.decode(path, file, 0))
            .after(ManifestFormat.decode(path, file, first.length));
    assertEquals(500, read.lastSequence());
    assertEquals(0x1234, read.horizonLsn());
    assertEquals(Set.of(8L, 3L), read.tableNumbers());
    assertEquals(3, read.level(2).getFirst().number());
    assertArrayEquals(
        ManifestFormat.encode(manifest.after(move).snapshot(), 0),
        ManifestFormat.encode(read.snapshot(), 0));
  }

  private static TableMeta meta(
      long number, String firstKey, String lastKey, long firstSequence, long lastSequence) {
    return new TableMeta(
        number,
        number * TableFormat.BLOCK_ALIGNMENT_BYTES,
        number * 10,
        number,
        firstSequence,
        lastSequence,
        MemorySegment.ofArray(Fixtures.bytes(firstKey)),
        MemorySegment.ofArray(Fixtures.bytes(lastKey)));
  }

  @Test
  void tableIsWhatItsTableSays() throws Exception {
    TableMeta meta;
    try (Region buffer =
            Region.map(
                budget,
                RegionOptions.ofSize(
                    TableWriter.bufferBytes(StoreMemory.tableOptions(Fixtures.TINY))));
        Region records = Region.map(budget, RegionOptions.ofSize(1 << 16))) {
      TableWriter writer = new TableWriter(engine, buffer, StoreMemory.tableOptions(Fixtures.TINY));
      writer.start(TABLE, NUMBER);
      add(writer, records, "", 5, RecordKind.PUT, "empty key");
      add(writer, records, "a", 9, RecordKind.DELETE, "");
      add(writer, records, "a", 4, RecordKind.PUT, "old");
      add(writer, records, "b".repeat(20), 6, RecordKind.PUT, "");
      add(writer, records, "c", 7, RecordKind.PUT, "\0".repeat(3_500));
      add(writer, records, "d", 8, RecordKind.PUT, "\0".repeat(600));
      meta = writer.finish();
    }
    byte[] file = readFile();
    assertEquals(meta.sizeBytes(), file.length);
    assertEquals(Hex.resource("table-v1.hex"), Hex.dump(file));
  }

  private static void add(
      TableWriter writer, Region records, String key, long sequence, int kind, String value)
      throws Exception {
    byte[] bytes = Fixtures.bytes(key + value);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, records.segment(), 0, bytes.length);
    int keyBytes = key.length();
    writer.add(
        RecordKind.stamp(sequence, kind),
        records.address(),
        keyBytes,
        records.address() + keyBytes,
        bytes.length - keyBytes);
  }

  private byte[] readFile() throws Exception {
    try (IoFile file = engine.open(TABLE, OpenMode.READ_ONLY);
        Region region = Region.map(budget, RegionOptions.ofSize(file.sizeBytes()))) {
      file.readFully(0, region, 0, (int) file.sizeBytes());
      return Fixtures.array(region.segment().asSlice(0, file.sizeBytes()));
    }
  }

  @Test
  void tableOfVersionOneStaysReadable() throws Exception {
    byte[] golden = Hex.parse(Hex.resource("table-v1.hex"));
    try (IoFile file = engine.open(TABLE, OpenMode.CREATE_NEW);
        Region region = Region.map(budget, RegionOptions.ofSize(golden.length))) {
      MemorySegment.copy(MemorySegment.ofArray(golden), 0, region.segment(), 0, golden.length);
      file.write(0, region, 0, golden.length);
    }
    TableMeta meta =
        new TableMeta(
            NUMBER,
            golden.length,
            6,
            1,
            4,
            9,
            MemorySegment.ofArray(new byte[0]),
            MemorySegment.ofArray(Fixtures.bytes("d")));
    try (BufferManager buffers =
        new BufferManager(engine, budget, new BufferOptions(1 << 20, 4096, null))) {
      Table table = Table.open(engine, buffers, TABLE, meta, unused -> {});
      MergeCursor newest = cursor(table, RecordKind.SEQUENCE_MAX);
      newest.first();
      assertEquals("=empty key", next(newest));
      assertEquals("b".repeat(20) + "=", next(newest));
      assertEquals("c=" + "\0".repeat(3_500), next(newest));
      assertEquals("d=" + "\0".repeat(600), next(newest));
      assertEquals(false, newest.isValid());
      newest.close();
      MergeCursor old = cursor(table, 5);
      old.last();
      assertEquals("a=old", text(old.current()));
      old.close();
      table.close();
    }
  }

  private static MergeCursor cursor(Table table, long sequence) {
    return new MergeCursor(new RecordSource[] {new RunSource(List.of(table), sequence)});
  }

  private static String next(MergeCursor cursor) throws Exception {
    String text = text(cursor.current());
    cursor.next();
    return text;
  }

  private static String text(RecordSource record) {
    return Fixtures.text(Fixtures.array(Memory.view(record.keyAddress(), record.keyBytes())))
        + "="
        + Fixtures.text(Fixtures.array(Memory.view(record.valueAddress(), record.valueBytes())));
  }
}
