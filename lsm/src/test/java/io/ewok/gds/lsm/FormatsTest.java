package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.BatchFormat;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.table.TableFormat;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.lsm.values.ValueFileMeta;
import io.ewok.gds.lsm.values.ValueReferences;
import io.ewok.gds.pagestore.CorruptFileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What is on disk is what the formats' tables say, byte for byte, also in the next version. */
class FormatsTest {
  @Test
  void sizesAreThoseOfTheTables() {
    assertEquals(8, BatchFormat.HEADER_BYTES);
    assertEquals(8, BatchFormat.OPERATION_HEADER_BYTES);
  }

  @Test
  void batchIsWhatItsTableSays() {
    MemorySegment record =
        new WriteBatch()
            .put(Fixtures.bytes("key"), Fixtures.bytes("value"))
            .delete(Fixtures.bytes("k"))
            .singleDelete(Fixtures.bytes("s"))
            .deleteRange(Fixtures.bytes("r"), Fixtures.bytes("ro"))
            .record();
    assertEquals(
        """
        00000000 04000000010000000103000005000000
        00000010 6b657976616c75650201000000000000
        00000020 6b030100000000000073050100000200
        00000030 000072726f
        00000035
        """,
        Hex.dump(Fixtures.array(record)));
    assertNull(BatchFormat.defect(record));
  }

  @Test
  void familyMarksAreWhatTheirTableSays() {
    FamilyState family = new FamilyState(3, "family", null);
    MemorySegment record =
        new WriteBatch()
            .put(Fixtures.bytes("key"), Fixtures.bytes("value"))
            .add(family, RecordKind.PUT, segment("k"), segment("v"))
            .delete(Fixtures.bytes("k"))
            .record();
    assertEquals(
        """
        00000000 05000000010000000103000005000000
        00000010 6b657976616c75658000000003000000
        00000020 01010000010000006b76800000000000
        00000030 000002010000000000006b
        0000003b
        """,
        Hex.dump(Fixtures.array(record)));
    assertNull(BatchFormat.defect(record));
    List<Integer> families = new ArrayList<>();
    BatchFormat.forEachFamily(record, families::add);
    assertEquals(List.of(3, 0), families);
    for (int offset : new int[] {0x19, 0x1f}) { // a key, and a number below 0
      byte[] forged = Fixtures.array(record);
      forged[offset] = (byte) 0x80;
      assertNotNull(BatchFormat.defect(MemorySegment.ofArray(forged)));
    }
  }

  private static MemorySegment segment(String text) {
    return MemorySegment.ofArray(Fixtures.bytes(text));
  }

  @Test
  void rangesInABatchAreInOrder() {
    byte[] record =
        Fixtures.array(
            new WriteBatch().deleteRange(Fixtures.bytes("a"), Fixtures.bytes("b")).record());
    assertNull(BatchFormat.defect(MemorySegment.ofArray(record)));
    record[record.length - 1] = 'a';
    assertNotNull(BatchFormat.defect(MemorySegment.ofArray(record)), "an empty range");
    record[record.length - 1] = 'A';
    assertNotNull(BatchFormat.defect(MemorySegment.ofArray(record)), "in reverse");
  }

  @Test
  void aVoidRecordHasNoOperationsWhateverFollows() {
    byte[] record = new byte[40];
    MemorySegment segment = MemorySegment.ofArray(record);
    segment.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, BatchFormat.voidHeader());
    Arrays.fill(record, BatchFormat.HEADER_BYTES, record.length, (byte) 7);
    assertEquals("0000000002000000", HexFormat.of().formatHex(record, 0, 8));
    assertNull(BatchFormat.defect(segment));
    assertEquals(0, BatchFormat.count(segment));
    record[0] = 1;
    assertNotNull(BatchFormat.defect(segment));
  }

  @Test
  void batchesThatAreCutOrForgedAreDefectiveOrStayInBounds() {
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < 10; i++) {
      batch.put(new byte[i], new byte[3 * i]).delete(new byte[5]);
      batch.add(new FamilyState(i, "", null), RecordKind.DELETE, segment("k"), MemorySegment.NULL);
      batch.deleteRange(new byte[i], new byte[i + 1]);
    }
    byte[] record = Fixtures.array(batch.record());
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
        offset += BatchFormat.operationBytes(segment, offset);
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
        manifest
            .edit()
            .removing(manifest.main().level(1))
            .adding(2, manifest.main().level(1).subList(1, 2));
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
    assertEquals(3, read.main().level(2).getFirst().number());
    assertArrayEquals(
        ManifestFormat.encode(manifest.after(move).snapshot(), 0),
        ManifestFormat.encode(read.snapshot(), 0));
  }

  @Test
  void familiesInAManifestAreWhatTheirTablesSay() throws Exception {
    Path path = Path.of("MANIFEST");
    TableMeta main = meta(2, "a", "b", 1, 2);
    TableMeta other = new TableMeta(3, 4096, 5, 1, 2, 4, segment("c"), segment("dd"), 1);
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(true, 9, 0x1234, 500)
            .creating(new FamilyEdit(1, "first", "sum", WriteTimes.NONE))
            .creating(
                new FamilyEdit(
                    2, "second", "", new WriteTimes(7, List.of(new WriteTimes.Point(8, 9)))))
            .adding(1, List.of(main, other));
    byte[] first = ManifestFormat.encode(edit, 0);
    Manifest manifest = Manifest.EMPTY.after(edit);
    ManifestEdit dropping = manifest.edit().dropping(1);
    byte[] second = ManifestFormat.encode(dropping, first.length);
    byte[] file = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, file, first.length, second.length);
    assertEquals(Hex.resource("manifest-families-v1.hex"), Hex.dump(file));

    ManifestEdit read = ManifestFormat.decode(path, file, 0);
    assertEquals(edit.families(), read.families());
    assertEquals(1, manifest.family(1).level(1).getFirst().family());
    assertEquals(Set.of(2L, 3L), manifest.tableNumbers());
    Manifest after =
        Manifest.EMPTY.after(read).after(ManifestFormat.decode(path, file, first.length));
    assertEquals(Set.of(2L), after.tableNumbers());
    assertEquals(List.of(0, 2), List.copyOf(after.families().keySet()));
    Manifest sum = Manifest.EMPTY.after(after.snapshot());
    assertEquals(3, sum.nextFamily());
    assertEquals(after.families().get(2), sum.families().get(2));
  }

  @Test
  void addedSequencesInAManifestAreWhatTheirTableSays() throws Exception {
    Path path = Path.of("MANIFEST");
    TableMeta ingested = meta(2, "a", "b", 7, 7).addingSequence(0x1000);
    assertEquals(0x1007, ingested.lastSequence());
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(true, 9, 0x1234, 0x1007)
            .adding(1, List.of(ingested, meta(3, "c", "d", 1, 2)));
    byte[] file = ManifestFormat.encode(edit, 0);
    String hex = HexFormat.of().formatHex(file);
    String record = "0d000000" + "10000000" + "0200000000000000" + "0010000000000000";
    int at = hex.indexOf(record) / 2;
    assertTrue(at > 0, hex);
    List<TableMeta> read =
        ManifestFormat.decode(path, file, 0).added().stream()
            .map(ManifestEdit.Added::meta)
            .toList();
    assertEquals(0x1000, read.getFirst().addedSequence());
    assertEquals(0x1007, read.getFirst().firstSequence());
    assertEquals(0x1007, read.getFirst().lastSequence());
    assertEquals(0, read.getLast().addedSequence());
    Manifest manifest = Manifest.EMPTY.after(edit);
    assertArrayEquals(file, ManifestFormat.encode(manifest.snapshot(), 0), "it stays said");
    // Of a table that is not there, nothing, and more than its records have.
    for (String forged :
        List.of(
            "0400000000000000" + "0010000000000000",
            "0200000000000000" + "0000000000000000",
            "0200000000000000" + "0020000000000000",
            "0200000000000000" + "00100000000000ff")) {
      byte[] hostile = file.clone();
      System.arraycopy(HexFormat.of().parseHex(forged), 0, hostile, at + 8, 16);
      assertThrows(
          CorruptFileException.class, () -> ManifestFormat.decode(path, hostile, 0), forged);
    }
  }

  @Test
  void filesOfTablesInAManifestAreWhatTheirTableSays() throws Exception {
    Path path = Path.of("MANIFEST");
    TableMeta written = meta(2, "a", "b", 7, 7).addingSequence(0x1000);
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(true, 0x1234, 0x1234, 0x1007)
            .creating(new FamilyEdit(1, "clone", "", WriteTimes.NONE))
            .adding(1, List.of(written, written.clonedTo(0x0b0a, 1)));
    byte[] file = ManifestFormat.encode(edit, 0);
    String hex = HexFormat.of().formatHex(file);
    String record = "0e000000" + "14000000" + "0a0b000000000000" + "0200000000000000" + "00000000";
    int at = hex.indexOf(record) / 2;
    assertTrue(at > 0, hex);
    Manifest manifest = Manifest.EMPTY.after(ManifestFormat.decode(path, file, 0));
    TableMeta read = manifest.family(1).level(1).getFirst();
    assertEquals(0x0b0a, read.number());
    assertEquals(2, read.fileNumber());
    assertEquals(0, read.fileFamily());
    assertEquals(0x1000, read.addedSequence());
    assertArrayEquals(file, ManifestFormat.encode(manifest.snapshot(), 0), "it stays said");
    // Of a table that is not there, the file that it has anyway, and families that there are not.
    for (String forged :
        List.of(
            "0b0b000000000000" + "0200000000000000" + "00000000",
            "0a0b000000000000" + "0a0b000000000000" + "00000000",
            "0a0b000000000000" + "0200000000000000" + "01000000",
            "0a0b000000000000" + "0200000000000000" + "ffffffff",
            "0a0b000000000000" + "0000000000000000" + "00000000",
            "0a0b000000000000" + "ffffffffffffffff" + "00000000",
            "0a0b000000000000" + "0b0b000000000000" + "00000000")) {
      byte[] hostile = file.clone();
      System.arraycopy(HexFormat.of().parseHex(forged), 0, hostile, at + 8, 20);
      assertTrue(isRefused(path, hostile), forged);
    }
    assertFalse(isRefused(path, file));
  }

  @Test
  void timesOfTablesInAManifestAreWhatTheirTableSays() throws Exception {
    Path path = Path.of("MANIFEST");
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(true, 9, 0x1234, 500)
            .adding(
                1, List.of(meta(2, "a", "b", 1, 2).writtenAt(0x123456), meta(3, "c", "d", 1, 2)));
    byte[] file = ManifestFormat.encode(edit, 0);
    String hex = HexFormat.of().formatHex(file);
    String record = "0f000000" + "10000000" + "0200000000000000" + "5634120000000000";
    int at = hex.indexOf(record) / 2;
    assertTrue(at > 0, hex);
    Manifest manifest = Manifest.EMPTY.after(ManifestFormat.decode(path, file, 0));
    assertEquals(0x123456, manifest.main().level(1).getFirst().writtenMillis());
    assertEquals(0, manifest.main().level(1).getLast().writtenMillis());
    assertArrayEquals(file, ManifestFormat.encode(manifest.snapshot(), 0), "it stays said");
    for (String forged :
        List.of(
            "0400000000000000" + "5634120000000000",
            "0200000000000000" + "0000000000000000",
            "0200000000000000" + "56341200000000ff")) {
      byte[] hostile = file.clone();
      System.arraycopy(HexFormat.of().parseHex(forged), 0, hostile, at + 8, 16);
      assertTrue(isRefused(path, hostile), forged);
    }
  }

  /** The checksum is looked at by who reads the file. */
  private static boolean isRefused(Path path, byte[] file) throws IOException {
    try {
      return Manifest.EMPTY.after(ManifestFormat.decode(path, file, 0)) == null;
    } catch (CorruptFileException | IllegalArgumentException e) {
      return true;
    }
  }

  @Test
  void valueFilesInAManifestAreWhatTheirTablesSay() throws Exception {
    Path path = Path.of("MANIFEST");
    ValueReferences.Counter counter = new ValueReferences.Counter();
    counter.add(5, 100);
    counter.add(4, 30);
    counter.add(5, 11);
    TableMeta table = meta(2, "a", "b", 1, 2).withReferences(counter.references());
    TableMeta other = meta(3, "c", "d", 3, 4);
    ManifestEdit edit =
        Manifest.EMPTY
            .edit()
            .withState(true, 9, 0x1234, 500)
            .addingValues(
                List.of(
                    new ValueFileMeta(4, 0, 4096, 1, 30), new ValueFileMeta(5, 0, 8192, 3, 333)))
            .adding(1, List.of(table, other));
    byte[] first = ManifestFormat.encode(edit, 0);
    assertEquals(Hex.resource("manifest-values-v1.hex"), Hex.dump(first));

    Manifest manifest = Manifest.EMPTY.after(ManifestFormat.decode(path, first, 0));
    assertEquals(table.references(), manifest.main().level(1).getFirst().references());
    assertEquals(30, manifest.values().get(4L).liveBytes());
    assertEquals(111, manifest.values().get(5L).liveBytes());
    assertEquals(Set.of(2L, 3L, 4L, 5L), manifest.fileNumbers());
    assertEquals(manifest, Manifest.EMPTY.after(manifest.snapshot()));
    // Another level changes nothing of that; without the table the files are gone.
    List<TableMeta> tables = List.of(table);
    ValueReferences.Counter ofItself = new ValueReferences.Counter();
    ofItself.add(8, 20);
    ValueReferences clash = ofItself.references();
    Manifest moved = manifest.after(manifest.edit().removing(tables).adding(2, tables));
    assertEquals(manifest.values(), moved.values());
    assertEquals(Map.of(), moved.after(moved.edit().removing(tables)).values());
    for (ManifestEdit wrong :
        List.of(
            manifest.edit().addingValues(List.of(new ValueFileMeta(4, 0, 4096, 1, 30))),
            manifest.edit().addingValues(List.of(new ValueFileMeta(9, 0, 4096, 1, 30))),
            manifest.edit().addingValues(List.of(new ValueFileMeta(8, 1, 4096, 1, 30))),
            manifest.edit().addingValues(List.of(new ValueFileMeta(8, 0, 4096, 1, 5_000))),
            manifest
                .edit()
                .adding(2, List.of(meta(6, "x", "y", 3, 4).withReferences(table.references()))),
            manifest
                .edit()
                .addingValues(List.of(new ValueFileMeta(8, 0, 4096, 1, 50)))
                .adding(2, List.of(meta(8, "x", "y", 3, 4).withReferences(clash))))) {
      assertThrows(IllegalArgumentException.class, () -> manifest.after(wrong), wrong::toString);
    }
  }

  private static TableMeta meta(
      long number, String firstKey, String lastKey, long firstSequence, long lastSequence) {
    return new TableMeta(
        number,
        number * TableFormat.FILE_ALIGNMENT_BYTES,
        number * 10,
        number,
        firstSequence,
        lastSequence,
        MemorySegment.ofArray(Fixtures.bytes(firstKey)),
        MemorySegment.ofArray(Fixtures.bytes(lastKey)));
  }
}
