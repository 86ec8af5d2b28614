package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.PlainFileException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.UnknownKeyException;
import io.ewok.gds.pagestore.WrongKeyException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stores of which the files tell nothing without the keys. */
class EncryptionTest {
  /** In all keys, values, operands and names of families. Compression would hide it. */
  private static final String MARK = "PLAINTEXT";

  private static final StoreFiles FILES = new StoreFiles(Fixtures.DIRECTORY);
  private static final StoreOptions OPTIONS = options(Compression.NONE);

  private static StoreOptions options(Compression compression) {
    StoreOptions options = Fixtures.separated(300).withCompression(compression);
    return options.withTree(
        options.tree().withMergeOperator(MergeOperators.append(new byte[] {','})));
  }

  private static SimEngine engine(KeySource keys) {
    return new SimEngine(1, SimOptions.defaults().withKeys(keys));
  }

  private static byte[] key(int i) {
    return Fixtures.bytes(MARK + " key " + i);
  }

  private static byte[] value(int i) {
    // Every fifth lies in a value file; one is as long as values may be here.
    int times = i == 77 ? 6_000 : i % 5 == 0 ? 60 : 1 + i % 7;
    return Fixtures.bytes((MARK + " value " + i + " ").repeat(times));
  }

  private static void write(Store store, int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      store.put(key(i), value(i), i % 50 == 0 ? Durability.SYNCED : Durability.NONE);
    }
  }

  /** All kinds of records and files that there are. */
  private static void writeAll(Store store) throws Exception {
    write(store, 0, 300);
    store.delete(key(3), Durability.NONE);
    store.deleteRange(key(40), key(44), Durability.NONE);
    store.merge(key(1), Fixtures.bytes(MARK), Durability.NONE);
    Family family = store.createFamily(MARK + " family");
    family.put(key(1), value(1), Durability.SYNCED);
    store.flush();
    write(store, 200, 500);
    store.compact();
    write(store, 480, 520);
    store.checkpoint(Path.of("/copy"));
  }

  /** The names of all files that have the mark somewhere. */
  private static Set<String> marked(SimEngine engine, Path directory) throws IOException {
    Set<String> found = new TreeSet<>();
    for (Path entry : engine.list(directory)) {
      byte[] bytes = readOrNull(engine, entry);
      if (bytes == null) {
        found.addAll(marked(engine, entry));
      } else if (new String(bytes, StandardCharsets.ISO_8859_1).contains(MARK)) {
        found.add(entry.getFileName().toString());
      }
    }
    return found;
  }

  /** Null if it is a directory. */
  private static byte[] readOrNull(SimEngine engine, Path path) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      long bytes = (file.sizeBytes() + 4095) & -4096;
      if (bytes == 0) {
        return new byte[0];
      }
      try (Region region =
          Region.map(MemoryBudget.root("test", bytes), RegionOptions.ofSize(bytes))) {
        int count = file.read(0, region, 0, (int) bytes);
        return region.segment().asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
      }
    } catch (IOException e) {
      return null;
    }
  }

  /** Its manifest's, and that of each table and value file. */
  private static Set<Integer> keyIds(SimEngine engine) throws IOException {
    Set<Integer> ids = new HashSet<>();
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 8 << 20)) {
      for (StoreInspection.TableFile table : inspection.tables()) {
        ids.add(inspection.keyId(table));
      }
      for (StoreInspection.ValuesFile file : inspection.valueFiles()) {
        ids.add(inspection.keyId(file));
      }
    }
    return ids;
  }

  private static void verify(SimEngine engine) throws IOException {
    try (StoreInspection inspection =
        StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 8 << 20)) {
      for (StoreInspection.TableFile table : inspection.tables()) {
        assertEquals(List.of(), inspection.verify(table).problems());
      }
      for (StoreInspection.ValuesFile file : inspection.valueFiles()) {
        assertEquals(List.of(), inspection.verify(file).problems());
      }
    }
  }

  @Test
  void filesOfAPlainStoreHaveTheMark() throws Exception {
    SimEngine engine = engine(KeySource.NONE);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      writeAll(store);
    }
    Set<String> marked = marked(engine, Path.of("/"));
    for (String kind : List.of("MANIFEST", ".table", ".values", ".log")) {
      assertTrue(marked.stream().anyMatch(name -> name.endsWith(kind)), kind + " in " + marked);
    }
    assertEquals(Set.of(KeySource.NOT_ENCRYPTED), keyIds(engine));
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void noFileOfAnEncryptedStoreHasPlaintextAlsoAfterAPowerCut(Compression compression)
      throws Exception {
    SimEngine engine = engine(new TestKeys(1));
    List<String> found = new ArrayList<>();
    engine.onSync(
        () -> {
          if (engine.syncCount() % 5 == 0) {
            try (SimEngine crashed = engine.crash(engine.syncCount())) {
              found.addAll(marked(crashed, Path.of("/")));
            } catch (IOException e) {
              found.add(e.toString());
            }
          }
        });
    try (Store store = Store.open(Fixtures.DIRECTORY, options(compression), engine)) {
      writeAll(store);
      assertEquals(Set.of(), marked(engine, Path.of("/")));
    }
    assertEquals(List.of(), found);
    assertEquals(Set.of(), marked(engine, Path.of("/")));
    assertEquals(Set.of(1), keyIds(engine));
    verify(engine);
  }

  @Test
  void whatWasWrittenIsReadByAllWhoRead() throws Exception {
    SimEngine engine = engine(new TestKeys(1));
    Map<byte[], byte[]> contents;
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      writeAll(store);
      contents = Fixtures.contents(store);
      try (ReadOnlyStore follower = Store.openReadOnly(Fixtures.DIRECTORY, OPTIONS, engine)) {
        assertSame(contents, Fixtures.contents(follower));
      }
      try (Backups backups = Backups.open(Path.of("/backups"), engine)) {
        long number = backups.create(store, _ -> {}).number();
        assertEquals(List.of(), backups.verify(_ -> {}).problems());
        backups.restore(number, Path.of("/restored"), _ -> {});
      }
    }
    assertEquals(Set.of(), marked(engine, Path.of("/")));
    for (String directory : List.of("/store", "/restored")) {
      try (Store store = Store.open(Path.of(directory), OPTIONS, engine)) {
        assertSame(contents, Fixtures.contents(store));
      }
    }
  }

  private static void assertSame(Map<byte[], byte[]> expected, Map<byte[], byte[]> actual) {
    assertEquals(expected.size(), actual.size());
    expected.forEach((key, value) -> assertArrayEquals(value, actual.get(key)));
  }

  @Test
  void anotherKeyAndNoKeyAreToldApart() throws Exception {
    SimEngine engine = engine(new TestKeys(1));
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      write(store, 0, 10);
    }
    byte[] before = readOrNull(engine, FILES.manifest());
    for (KeySource keys : List.of(KeySource.NONE, new TestKeys(0, KeySource.NOT_ENCRYPTED))) {
      UnknownKeyException unknown =
          assertThrows(
              UnknownKeyException.class,
              () -> Store.open(Fixtures.DIRECTORY, OPTIONS, withKeys(engine, keys)));
      assertEquals(1, unknown.keyId());
    }
    WrongKeyException wrong =
        assertThrows(
            WrongKeyException.class,
            () -> Store.open(Fixtures.DIRECTORY, OPTIONS, withKeys(engine, new OtherKeys())));
    assertEquals(1, wrong.keyId());
    assertArrayEquals(before, readOrNull(engine, FILES.manifest()));
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertArrayEquals(value(9), store.get(key(9)));
    }
  }

  /** The same numbers, other keys. */
  private static final class OtherKeys implements KeySource {
    @Override
    public int currentId() {
      return 1;
    }

    @Override
    public byte[] key(int id) {
      return new byte[KEY_BYTES];
    }
  }

  /** The same files for somebody with other keys. */
  private static SimEngine withKeys(SimEngine engine, KeySource keys) throws IOException {
    SimEngine other = engine(keys);
    copy(engine, other, Path.of("/"));
    return other;
  }

  private static void copy(SimEngine from, SimEngine to, Path directory) throws IOException {
    to.createDirectories(directory);
    for (Path entry : from.list(directory)) {
      byte[] bytes = readOrNull(from, entry);
      if (bytes == null) {
        copy(from, to, entry);
        continue;
      }
      try (IoFile file = to.open(entry, OpenMode.CREATE_NEW)) {
        if (bytes.length > 0) {
          long size = (bytes.length + 4095L) & -4096;
          try (Region region =
              Region.map(MemoryBudget.root("test", size), RegionOptions.ofSize(size))) {
            region.segment().asSlice(0, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
            file.write(0, region, 0, (int) size);
          }
        }
      }
    }
  }

  /** Each block of a table, up to the first that is none. */
  private static List<Block> blocks(byte[] file) {
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    List<Block> blocks = new ArrayList<>();
    for (int at = 0; at < file.length - 4096; ) {
      int length = 16 + bytes.getInt(at + 4);
      if (length > 16
          && length <= file.length - at
          && checksum(file, at, length) == bytes.getInt(at)) {
        blocks.add(new Block(at, length));
        at += (length + 15) & -16;
      } else {
        at += 16;
      }
    }
    return blocks;
  }

  private record Block(int offset, int length) {}

  /** What the format says: of the block but for the checksum, then of number and offset. */
  private static int checksum(byte[] file, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(file, offset + 4, length - 4);
    ByteBuffer place = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    long number = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(footer(file) + 40);
    crc.update(place.putLong(number).putLong(offset).flip());
    return (int) crc.getValue();
  }

  private static void write(SimEngine engine, Path path, byte[] bytes) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_WRITE);
        Region region =
            Region.map(
                MemoryBudget.root("test", bytes.length), RegionOptions.ofSize(bytes.length))) {
      region.segment().copyFrom(MemorySegment.ofArray(bytes));
      file.write(0, region, 0, bytes.length);
    }
  }

  private static int footer(byte[] file) {
    return file.length - 4096;
  }

  private static byte[] withChecksum(byte[] file, Block block) {
    ByteBuffer.wrap(file)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(block.offset, checksum(file, block.offset, block.length));
    return file;
  }

  private static void assertTampered(SimEngine base, Path table, byte[] forged) throws Exception {
    SimEngine engine = base.crash(1);
    write(engine, table, forged);
    CorruptFileException e =
        assertThrows(
            CorruptFileException.class,
            () -> {
              try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
                Map<byte[], byte[]> unused = Fixtures.contents(store);
                for (int i = 0; i < 400; i++) {
                  byte[] unusedValue = store.get(key(i));
                }
              }
            });
    assertTrue(e.getMessage().contains("tampered"), e.getMessage());
  }

  @ParameterizedTest
  @EnumSource(Compression.class)
  void blocksThatWereChangedOrMovedAreRefusedThoughTheirChecksumsAreRight(Compression compression)
      throws Exception {
    SimEngine engine = engine(new TestKeys(1));
    try (Store store =
        Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withCompression(compression), engine)) {
      for (int i = 100; i < 400; i++) {
        store.put(key(i), Fixtures.bytes("v" + i + "x".repeat(120)), Durability.NONE);
      }
      store.flush();
    }
    Path table = Fixtures.tables(engine).getFirst();
    byte[] sound = readOrNull(engine, table);
    List<Block> blocks = blocks(sound);
    assertTrue(blocks.size() > 4, blocks.toString());
    // The last but one and the last are bounds, which readers do not look at, and the root.
    for (int i : List.of(0, 1, blocks.size() - 1)) {
      Block block = blocks.get(i);
      for (int at : List.of(16, block.length - 17, block.length - 16, block.length - 1)) {
        byte[] forged = sound.clone();
        forged[block.offset + at] ^= 4;
        assertTampered(engine, table, withChecksum(forged, block));
      }
      byte[] forged = sound.clone();
      forged[block.offset + 12] ^= 3; // how it is compressed, which is not encrypted
      assertTampered(engine, table, withChecksum(forged, block));
    }
    int moved = 0;
    for (int i = 1; i < blocks.size() - 2; i++) {
      Block from = blocks.get(i);
      Block to = blocks.getFirst();
      if (from.length == to.length) {
        byte[] forged = sound.clone();
        System.arraycopy(sound, from.offset, forged, to.offset, from.length);
        assertTampered(engine, table, withChecksum(forged, to));
        moved++;
      }
    }
    assertTrue(moved > 0 || compression != Compression.NONE, "no two blocks are equally long");
    // Of the footer, which is not encrypted, records once more.
    byte[] forged = sound.clone();
    int footer = footer(sound);
    forged[footer + 16 + 96] ^= 1;
    assertTampered(engine, table, withChecksum(forged, new Block(footer, 16 + 160)));
  }

  @Test
  void encryptionIsTurnedOnAndKeysAreChangedFileByFile() throws Exception {
    TestKeys keys = new TestKeys(3, KeySource.NOT_ENCRYPTED);
    SimEngine engine = engine(keys);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      write(store, 0, 100);
      store.flush();
    }
    keys.use(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      write(store, 100, 200);
      store.flush();
      assertArrayEquals(value(5), store.get(key(5)), "of a file that is not encrypted");
    }
    assertEquals(Set.of(KeySource.NOT_ENCRYPTED, 1), keyIds(engine));
    keys.use(3);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      write(store, 200, 300);
      assertEquals(300, Fixtures.contents(store).size());
      store.compact();
    }
    assertEquals(Set.of(3), keyIds(engine), "also of value files, without any garbage");
    keys.forgetBefore(3);
    verify(engine);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertEquals(300, Fixtures.contents(store).size());
    }
  }

  @Test
  void aKeyThatNoFileNeedsMayBeForgotten() throws Exception {
    TestKeys keys = new TestKeys(2);
    SimEngine engine = engine(keys);
    StoreOptions options = Fixtures.TINY;
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      write(store, 0, 100);
    }
    keys.use(2);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      write(store, 100, 200);
      store.compact();
    }
    assertEquals(Set.of(2), keyIds(engine));
    keys.forgetBefore(2);
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine)) {
      assertEquals(200, Fixtures.contents(store).size());
    }
  }

  /** Three records: one in a table, one with a value in a value file, one in the log. */
  private static SimEngine threeRecords(TestKeys keys, int tablesKey, String word)
      throws IOException {
    SimEngine engine = engine(keys);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      store.put(key(1), Fixtures.bytes(word), Durability.SYNCED);
      store.put(key(2), Fixtures.bytes(word.repeat(100)), Durability.SYNCED);
      keys.use(tablesKey);
      store.flush();
      store.put(key(3), Fixtures.bytes(word), Durability.SYNCED);
    }
    return engine;
  }

  /** Puts the files of one store, of those of a kind, in the place of those of another. */
  private static void replace(SimEngine from, SimEngine to, Path directory, String kind)
      throws IOException {
    int count = 0;
    for (Path path : from.list(directory)) {
      if (path.toString().endsWith(kind)) {
        byte[] forged = readOrNull(from, path);
        assertEquals(readOrNull(to, path).length, forged.length, "as the manifest says");
        write(to, path, forged);
        count++;
      }
    }
    assertTrue(count > 0, kind);
  }

  /** A store of three records that say "real", with files of a kind that are not encrypted. */
  private static SimEngine withForged(String kind, String word, TestKeys keys) throws IOException {
    SimEngine forged = threeRecords(keys, 1, "real");
    SimEngine plain = threeRecords(new TestKeys(1), KeySource.NOT_ENCRYPTED, word);
    replace(plain, forged, Fixtures.DIRECTORY, kind);
    return forged;
  }

  private static String get(SimEngine engine, int key) throws IOException {
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      return new String(store.get(key(key)), StandardCharsets.ISO_8859_1);
    }
  }

  /** Who has no key makes files that are not encrypted, and has them say what he wants. */
  @Test
  void aForgedTableThatIsNotEncryptedIsReadOnlyWherePlainOnesAre() throws Exception {
    TestKeys keys = new TestKeys(1);
    SimEngine forged = withForged(".table", "fake", keys);
    assertEquals("fake", get(forged, 1), "as long as a store may have some");
    keys.readNothingPlain();
    PlainFileException e = assertThrows(PlainFileException.class, () -> get(forged, 1));
    assertTrue(e.path().toString().endsWith(".table"), e.getMessage());
    assertEquals(1, Fixtures.tables(forged).size());
  }

  @Test
  void aForgedManifestThatIsNotEncryptedIsReadOnlyWherePlainOnesAre() throws Exception {
    TestKeys keys = new TestKeys(1);
    SimEngine forged = withForged("MANIFEST", "real", keys);
    keys.readNothingPlain();
    PlainFileException e = assertThrows(PlainFileException.class, () -> get(forged, 1));
    assertTrue(e.path().toString().endsWith("MANIFEST"), e.getMessage());
    assertThrows(
        PlainFileException.class,
        () -> Store.openReadOnly(Fixtures.DIRECTORY, OPTIONS, forged).close());
    assertEquals(1, Fixtures.tables(forged).size(), "nothing is deleted that it does not name");
  }

  @Test
  void aForgedValueFileThatIsNotEncryptedIsRefused() throws Exception {
    TestKeys keys = new TestKeys(1);
    SimEngine forged = withForged(".values", "fake", keys);
    assertThrows(CorruptFileException.class, () -> get(forged, 2), "it is not that very entry");
    keys.readNothingPlain();
    PlainFileException e = assertThrows(PlainFileException.class, () -> get(forged, 2));
    assertTrue(e.path().toString().endsWith(".values"), e.getMessage());
    try (StoreInspection inspection =
        StoreInspection.ofStore(forged, Fixtures.DIRECTORY, 8 << 20)) {
      StoreInspection.ValuesFile file = inspection.valueFiles().getFirst();
      assertThrows(PlainFileException.class, () -> inspection.verify(file));
    }
  }

  @Test
  void aForgedLogThatIsNotEncryptedIsReadOnlyWherePlainOnesAre() throws Exception {
    List<SimEngine> engines = new ArrayList<>();
    TestKeys keys = new TestKeys(1);
    for (TestKeys each : List.of(keys, new TestKeys(1, KeySource.NOT_ENCRYPTED))) {
      SimEngine engine = engine(each);
      try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
        String word = each == keys ? "real" : "fake";
        store.put(key(3), Fixtures.bytes(word), Durability.SYNCED);
      }
      engines.add(engine);
    }
    SimEngine forged = engines.getFirst();
    replace(engines.getLast(), forged, FILES.log(), ".log");
    keys.readNothingPlain();
    PlainFileException e = assertThrows(PlainFileException.class, () -> get(forged, 3));
    assertTrue(e.path().toString().endsWith(".log"), e.getMessage());
    keys.readPlain();
    assertEquals("fake", get(forged, 3));
  }

  @Test
  void aStoreThatIsEncryptedByNowReadsNothingPlainAnyMore() throws Exception {
    TestKeys keys = new TestKeys(1, KeySource.NOT_ENCRYPTED);
    SimEngine engine = engine(keys);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      writeAll(store);
    }
    Path backupsPath = Path.of("/backups");
    long plainBackup;
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
        Backups backups = Backups.open(backupsPath, engine)) {
      plainBackup = backups.create(store, _ -> {}).number();
    }
    keys.use(1);
    keys.readNothingPlain();
    byte[] before = readOrNull(engine, FILES.manifest());
    assertThrows(
        PlainFileException.class, () -> Store.open(Fixtures.DIRECTORY, OPTIONS, engine).close());
    assertArrayEquals(before, readOrNull(engine, FILES.manifest()));
    assertThrows(
        PlainFileException.class,
        () -> {
          try (Backups backups = Backups.open(backupsPath, engine)) {
            backups.restore(plainBackup, Path.of("/restored"), _ -> {});
          }
        });
    keys.readPlain();
    Map<byte[], byte[]> contents;
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      for (Family family : store.families()) {
        family.compact();
      }
      contents = Fixtures.contents(store);
    }
    keys.readNothingPlain();
    assertEquals(Set.of(1), keyIds(engine));
    verify(engine);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertSame(contents, Fixtures.contents(store));
    }
    try (ReadOnlyStore follower = Store.openReadOnly(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertSame(contents, Fixtures.contents(follower));
    }
  }

  @Test
  void aStoreThatCouldNotReadWhatItWritesIsNotOpened() throws Exception {
    TestKeys keys = new TestKeys(1, KeySource.NOT_ENCRYPTED);
    keys.readNothingPlain();
    SimEngine engine = engine(keys);
    assertRefused(engine);
    assertFalse(engine.exists(Fixtures.DIRECTORY));
    keys.use(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      store.put(key(1), value(1), Durability.SYNCED);
    }
    keys.use(KeySource.NOT_ENCRYPTED);
    byte[] before = readOrNull(engine, FILES.manifest());
    assertRefused(engine);
    assertArrayEquals(before, readOrNull(engine, FILES.manifest()));
    try (ReadOnlyStore follower = Store.openReadOnly(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertArrayEquals(value(1), follower.get(key(1)));
    }
    keys.use(1);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      assertArrayEquals(value(1), store.get(key(1)));
    }
  }

  private static void assertRefused(SimEngine engine) {
    StorageException e =
        assertThrows(
            StorageException.class, () -> Store.open(Fixtures.DIRECTORY, OPTIONS, engine).close());
    assertTrue(e.getMessage().contains("there is no current key"), e.getMessage());
  }

  /** A table whose key is not there is not one that is damaged. */
  @Test
  void aRepairWithoutAllKeysLeavesTheStoreAsItWas() throws Exception {
    TestKeys keys = new TestKeys(2);
    SimEngine base = engine(keys);
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, base)) {
      write(store, 0, 60);
      store.flush();
    }
    keys.use(2);
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, base)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      write(store, 60, 100);
      store.flush();
    }
    assertEquals(Set.of(1, 2), keyIds(base));
    SimEngine engine = base.crash(1);
    engine.delete(Fixtures.tables(engine).getLast()); // so that there is something to repair
    Set<Path> before = new TreeSet<>(engine.list(Fixtures.DIRECTORY));
    keys.forgetBefore(2);
    assertThrows(UnknownKeyException.class, () -> repair(engine, Fixtures.TINY));
    assertEquals(before, new TreeSet<>(engine.list(Fixtures.DIRECTORY)));
    keys.forgetBefore(1);
    RepairReport report = repair(engine, Fixtures.TINY);
    assertEquals(1, report.damagedTables().size());
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      for (int i = 0; i < 60; i++) {
        assertArrayEquals(value(i), store.get(key(i)), "" + i);
      }
    }
  }

  @Test
  void aValueFileWhoseKeyIsNotThereIsNotRepaired() throws Exception {
    TestKeys keys = new TestKeys(2);
    SimEngine engine = engine(keys);
    keys.use(2);
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      write(store, 0, 60);
      store.flush();
    }
    SimEngine other = engine(new TestKeys(1));
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, other)) {
      write(store, 0, 60);
      store.flush();
    }
    assertEquals(Set.of(2), keyIds(engine));
    replace(other, engine, Fixtures.DIRECTORY, ".values");
    keys.forgetBefore(2);
    Set<Path> before = new TreeSet<>(engine.list(Fixtures.DIRECTORY));
    assertThrows(UnknownKeyException.class, () -> repair(engine, OPTIONS));
    assertEquals(before, new TreeSet<>(engine.list(Fixtures.DIRECTORY)));
  }

  private static RepairReport repair(SimEngine engine, StoreOptions options) throws IOException {
    return StoreRepair.run(Fixtures.DIRECTORY, options, engine, _ -> {});
  }

  @Test
  void anEditOfTheManifestIsReadAtItsPlaceAlone() throws Exception {
    KeySource keys = new TestKeys(1);
    Path path = FILES.manifest();
    byte[] frame = ManifestFormat.encode(Manifest.EMPTY.edit(), 4096, keys, path);
    ByteBuffer moved = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
    moved.putLong(ManifestFormat.POSITION_OFFSET, 0);
    int end = ManifestFormat.HEADER_BYTES + moved.getInt(ManifestFormat.LENGTH_OFFSET);
    CRC32C crc = new CRC32C();
    crc.update(frame, 0, ManifestFormat.CHECKSUM_OFFSET);
    crc.update(frame, ManifestFormat.POSITION_OFFSET, end - ManifestFormat.POSITION_OFFSET);
    moved.putInt(ManifestFormat.CHECKSUM_OFFSET, (int) crc.getValue());
    assertEquals(frame.length, ManifestFormat.frameBytes(frame, 0), "the checksum is right");
    CorruptFileException e =
        assertThrows(CorruptFileException.class, () -> ManifestFormat.decode(path, frame, 0, keys));
    assertTrue(e.getMessage().contains("tampered"), e.getMessage());
  }

  @Test
  void aBlockThatIsNotEncryptedIsNotReadInATableThatIs() throws Exception {
    SimEngine forged = threeRecords(new TestKeys(1), 1, "real");
    Path table = Fixtures.tables(forged).getFirst();
    byte[] bytes = readOrNull(forged, table);
    byte[] plain =
        readOrNull(threeRecords(new TestKeys(1), KeySource.NOT_ENCRYPTED, "fake"), table);
    Block block = blocks(plain).getFirst();
    System.arraycopy(plain, block.offset, bytes, block.offset, block.length);
    write(forged, table, bytes);
    CorruptFileException e = assertThrows(CorruptFileException.class, () -> get(forged, 1));
    assertTrue(e.getMessage().contains("seal"), e.getMessage());
  }

  private static Path valueFile(SimEngine engine) throws IOException {
    return engine.list(Fixtures.DIRECTORY).stream()
        .filter(path -> StoreFiles.valuesNumber(path).isPresent())
        .max(Path::compareTo)
        .orElseThrow();
  }

  @Test
  void aValueThatWasChangedIsRefusedAndToldByAnInspection() throws Exception {
    int header = 32;
    int entry = header + 32; // behind the key
    int valueEnd = entry + 16 + key(2).length + 400;
    SimEngine sound = threeRecords(new TestKeys(1), 1, "real");
    Path path = valueFile(sound);
    byte[] bytes = readOrNull(sound, path);
    for (int at : List.of(header, entry, entry + 16, valueEnd - 1, valueEnd, valueEnd + 15)) {
      SimEngine engine = threeRecords(new TestKeys(1), 1, "real");
      byte[] forged = readOrNull(engine, path);
      assertEquals(bytes.length, forged.length);
      forged[at] ^= 1;
      write(engine, path, forged);
      assertThrows(CorruptFileException.class, () -> get(engine, 2), "" + at);
      try (StoreInspection inspection =
          StoreInspection.ofStore(engine, Fixtures.DIRECTORY, 8 << 20)) {
        StoreInspection.ValuesFile file = inspection.valueFiles().getFirst();
        boolean isTold;
        try {
          isTold = !inspection.verify(file).problems().isEmpty();
        } catch (CorruptFileException e) {
          isTold = true;
        }
        assertTrue(isTold, "" + at);
      }
    }
  }

  /** The header of a value file anybody can write; its number goes into the key, too. */
  @Test
  void aValueFileIsNotTakenForAnotherOfTheSameStore() throws Exception {
    SimEngine engine = engine(new TestKeys(1));
    List<Path> paths = new ArrayList<>();
    try (Store store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine)) {
      store.background().setRest(TimeUnit.HOURS.toNanos(1));
      for (String word : List.of("older", "newer")) {
        store.put(key(2), Fixtures.bytes(word.repeat(100)), Durability.SYNCED);
        store.flush();
        paths.add(valueFile(engine));
      }
    }
    byte[] forged = readOrNull(engine, paths.getFirst());
    ByteBuffer file = ByteBuffer.wrap(forged).order(ByteOrder.LITTLE_ENDIAN);
    long number = StoreFiles.valuesNumber(paths.getLast()).orElseThrow();
    file.putLong(16, number);
    CRC32C crc = new CRC32C();
    crc.update(forged, 4, 28);
    file.putInt(0, (int) crc.getValue());
    crc.reset();
    crc.update(forged, 64 + 4, 12); // both lengths, then number and offset
    ByteBuffer place = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    crc.update(place.putLong(number).putLong(64).flip());
    file.putInt(64, (int) crc.getValue());
    write(engine, paths.getLast(), forged);
    assertThrows(WrongKeyException.class, () -> get(engine, 2));
  }
}
