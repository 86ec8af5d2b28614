package io.ewok.gds.lsm.values;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.BufferManager;
import io.ewok.gds.buffers.BufferOptions;
import io.ewok.gds.buffers.Fix;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.Hex;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Value files say what was written, or that they are damaged. */
class ValueFileTest {
  private static final Path PATH = Path.of("/7.values");
  private static final long NUMBER = 7;
  private static final int FAMILY = 3;

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = MemoryBudget.root("test", 1L << 30);
  private final BufferManager buffers =
      new BufferManager(engine, budget, new BufferOptions(32 << 20, 4096, null));
  private final Arena arena = Arena.ofShared();

  /** By value, in the order in which they were written. */
  private final List<MemorySegment> references = new ArrayList<>();

  @AfterEach
  void close() throws IOException {
    buffers.close();
    arena.close();
  }

  private MemorySegment copy(byte[] bytes) {
    MemorySegment copy = arena.allocate(Math.max(1, bytes.length), 8);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, copy, 0, bytes.length);
    return copy.asSlice(0, bytes.length);
  }

  private ValueFileMeta write(List<byte[]> keys, List<byte[]> values) throws IOException {
    try (ValueFileWriter writer = new ValueFileWriter(engine, budget)) {
      writer.start(PATH, NUMBER, FAMILY);
      for (int i = 0; i < keys.size(); i++) {
        MemorySegment key = copy(keys.get(i));
        MemorySegment value = copy(values.get(i));
        MemorySegment reference = arena.allocate(ValueFormat.REFERENCE_BYTES, 8);
        writer.add(
            key.address(),
            keys.get(i).length,
            value.address(),
            values.get(i).length,
            reference.address());
        references.add(reference);
      }
      ValueFileMeta meta = writer.finish();
      assertTrue(meta.isSound());
      assertEquals(meta.sizeBytes(), writer.bytesWritten());
      return meta;
    }
  }

  private byte[] bytes() throws IOException {
    try (IoFile file = engine.open(PATH, OpenMode.READ_ONLY);
        Region region = Region.map(budget, RegionOptions.ofSize(file.sizeBytes()))) {
      file.readFully(0, region, 0, (int) file.sizeBytes());
      return Fixtures.array(region.segment().asSlice(0, file.sizeBytes()));
    }
  }

  private byte[] read(ValueFile file, int number, byte[] key) throws IOException {
    MemorySegment copy = copy(key);
    long reference = references.get(number).address();
    assertTrue(ValueFormat.isReference(reference, key.length));
    try (Fix fix = new Fix()) {
      file.fix(reference, copy.address(), key.length, fix);
      return Fixtures.array(
          Memory.view(ValueFile.valueAddress(fix, key.length), ValueFormat.valueBytes(reference)));
    }
  }

  @Test
  void fileIsWhatItsTableSays() throws Exception {
    byte[] first = Fixtures.bytes("a value");
    byte[] second = Fixtures.bytes("another one");
    ValueFileMeta meta =
        write(List.of(Fixtures.bytes("key"), Fixtures.bytes("longer key")), List.of(first, second));
    assertEquals(Hex.resource("values-v1.hex"), Hex.dump(bytes()));
    assertEquals(new ValueFileMeta(NUMBER, FAMILY, 4096, 2, 16 + 3 + 7 + 16 + 10 + 11), meta);
    byte[] reference = Fixtures.array(references.getLast());
    assertEquals(Hex.resource("value-reference-v1.hex"), Hex.dump(reference));
    ValueFile file = ValueFile.open(buffers, PATH, meta, _ -> {});
    assertArrayEquals(first, read(file, 0, Fixtures.bytes("key")));
    assertArrayEquals(second, read(file, 1, Fixtures.bytes("longer key")));
    file.close();
    ValueFileInspection.Findings found = ValueFileInspection.inspect(engine, PATH);
    assertEquals(new ValueFileInspection.Findings(meta, List.of()), found);
  }

  @Test
  void valuesOfAllLengthsAreReadBack() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    List<byte[]> keys = new ArrayList<>();
    List<byte[]> values = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int bound = i % 40 == 7 ? 3 * ValueFileWriter.BUFFER_BYTES : 10_000;
      keys.add(Fixtures.randomBytes(random, random.nextInt(i % 50 == 0 ? 60_000 : 30)));
      values.add(Fixtures.randomBytes(random, 1 + random.nextInt(bound)));
    }
    ValueFileMeta meta = write(keys, values);
    ValueFile file = ValueFile.open(buffers, PATH, meta, _ -> {});
    for (int i = 0; i < keys.size(); i++) {
      assertArrayEquals(values.get(i), read(file, i, keys.get(i)));
    }
    file.close();
    ValueFileInspection.Findings found = ValueFileInspection.inspect(engine, PATH);
    assertEquals(new ValueFileInspection.Findings(meta, List.of()), found);
  }

  @Test
  void valueOfAnotherKeyOrAnotherVersionIsRefused() throws Exception {
    ValueFileMeta meta =
        write(
            List.of(Fixtures.bytes("key1"), Fixtures.bytes("key2")),
            List.of(Fixtures.bytes("one"), Fixtures.bytes("two")));
    ValueFile file = ValueFile.open(buffers, PATH, meta, _ -> {});
    CorruptFileException e =
        assertThrows(CorruptFileException.class, () -> read(file, 0, Fixtures.bytes("key2")));
    assertTrue(e.getMessage().contains("key=6b657932"), e.getMessage());
    // Of the same length and key, but not the one that is meant.
    MemorySegment forged = references.getFirst();
    long checksum = forged.address() + ValueFormat.REFERENCE_CHECKSUM_OFFSET;
    Memory.putInt(checksum, Memory.getInt(checksum) + 1);
    assertThrows(CorruptFileException.class, () -> read(file, 0, Fixtures.bytes("key1")));
    ValueFormat.putReference(forged.address(), NUMBER, 1 << 20, 16 + 4 + 3, 3, 0);
    assertThrows(CorruptFileException.class, () -> read(file, 0, Fixtures.bytes("key1")));
    assertArrayEquals(Fixtures.bytes("two"), read(file, 1, Fixtures.bytes("key2")));
    file.close();
  }

  @Test
  void anotherFileIsNotOpened() throws Exception {
    ValueFileMeta meta = write(List.of(new byte[0]), List.of(new byte[100]));
    for (ValueFileMeta other :
        List.of(
            new ValueFileMeta(8, FAMILY, meta.sizeBytes(), 1, 116),
            new ValueFileMeta(NUMBER, 4, meta.sizeBytes(), 1, 116),
            new ValueFileMeta(NUMBER, FAMILY, 8192, 1, 116))) {
      assertThrows(CorruptFileException.class, () -> ValueFile.open(buffers, PATH, other, _ -> {}));
    }
  }

  @Test
  void eachFlippedByteIsFoundByInspection() throws Exception {
    ValueFileMeta meta =
        write(
            List.of(Fixtures.bytes("key1"), Fixtures.bytes("key2")),
            List.of(new byte[50], new byte[60]));
    for (long offset = 0; offset < meta.entryBytes() + ValueFormat.HEADER_BYTES; offset++) {
      SimEngine damaged = engine.crash(1);
      damaged.flipBit(PATH, offset);
      if (offset < ValueFormat.HEADER_BYTES) {
        assertThrows(CorruptFileException.class, () -> ValueFileInspection.inspect(damaged, PATH));
      } else {
        ValueFileInspection.Findings found = ValueFileInspection.inspect(damaged, PATH);
        boolean isPadding = found.meta().equals(meta) && offset >= 102 && offset < 104;
        assertTrue(!found.problems().isEmpty() || isPadding, "offset=" + offset);
      }
    }
  }

  @Test
  void whatIsGivenUpIsDeleted() throws Exception {
    try (ValueFileWriter writer = new ValueFileWriter(engine, budget)) {
      writer.start(PATH, NUMBER, FAMILY);
      assertThrows(IllegalStateException.class, () -> writer.start(PATH, NUMBER, FAMILY));
      writer.abandon();
      assertFalse(engine.exists(PATH));
      writer.abandon();
      writer.start(PATH, NUMBER, FAMILY);
      writer.abandon();
    }
  }

  /** Its checksum anybody can make. */
  @Test
  void anEntryThatIsNotSealedIsRefusedWhereEntriesAre() throws Exception {
    int keyBytes = 3;
    int valueBytes = 40;
    long offset = ValueFormat.HEADER_BYTES + ValueFormat.KEY_BYTES;
    MemorySegment plain = arena.allocate(ValueFormat.entryBytes(keyBytes, valueBytes), 8);
    MemorySegment loaded = arena.allocate(plain.byteSize(), 8);
    Memory.putInt(plain.address() + ValueFormat.KEY_LENGTH_OFFSET, keyBytes);
    Memory.putInt(plain.address() + ValueFormat.VALUE_LENGTH_OFFSET, valueBytes);
    Memory.putInt(
        plain.address(),
        ValueFormat.entryChecksum(plain.address(), plain.byteSize(), NUMBER, offset));
    ValueLoader loader = new ValueLoader(NUMBER);
    loader.load(PATH, offset, plain, loaded);
    loader.use(FileKey.derive(new OneKey(), 1, new byte[16], ValueFormat.keyPurpose(NUMBER), PATH));
    assertThrows(CorruptFileException.class, () -> loader.load(PATH, offset, plain, loaded));
  }

  /** Of a sealed entry key and value are one: where one ends is not encrypted, but sealed. */
  @Test
  void whereTheKeyEndsIsAuthentic() throws Exception {
    long offset = ValueFormat.HEADER_BYTES + ValueFormat.KEY_BYTES;
    FileKey key =
        FileKey.derive(new OneKey(), 1, new byte[16], ValueFormat.keyPurpose(NUMBER), PATH);
    MemorySegment memory = arena.allocate(ValueFormat.entryBytes(3, 40) + ValueFormat.TAG_BYTES, 8);
    long entry = memory.address();
    long sealed = entry + ValueFormat.KEY_OFFSET;
    key.seal(offset, ValueFormat.sealContext(3, 40), sealed, 43, sealed, sealed + 43);
    MemorySegment to = arena.allocate(memory.byteSize(), 8);
    for (int keyBytes = 2; keyBytes < 5; keyBytes++) {
      Memory.putInt(entry + ValueFormat.KEY_LENGTH_OFFSET, keyBytes);
      Memory.putInt(entry + ValueFormat.VALUE_LENGTH_OFFSET, 43 - keyBytes);
      Memory.putInt(entry, ValueFormat.sealedChecksum(entry, NUMBER, offset));
      String defect =
          ValueLoader.sealedDefect(key, entry, memory.byteSize(), NUMBER, offset, to.address());
      assertEquals(keyBytes == 3, defect == null, defect);
    }
  }

  private static final class OneKey implements KeySource {
    @Override
    public int currentId() {
      return 1;
    }

    @Override
    public byte[] key(int id) {
      return new byte[KEY_BYTES];
    }
  }
}
