package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.buffers.PageFileFormat.Salt;
import io.ewok.gds.buffers.redo.example.SealedTrees;
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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import javax.crypto.Cipher;
import javax.crypto.KDF;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Page files whose pages are encrypted. */
final class PageSealTest {
  private static final Path FILE = Path.of("/pages");
  private static final Path OTHER = Path.of("/other");
  private static final PageSize SIZE = PageSize.BYTES_1024;
  private static final int PAGES = 6;
  private static final BufferOptions OPTIONS = new BufferOptions(64 * 4096, 4096, null);
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final byte[] MARK = "nobody reads this".getBytes(StandardCharsets.US_ASCII);

  private final TestKeys keys = new TestKeys(1);
  private final SimEngine engine = engine(keys);

  private static SimEngine engine(KeySource keys) {
    return new SimEngine(1, SimOptions.defaults().withKeys(keys));
  }

  private static BufferManager manager(SimEngine engine) {
    return new BufferManager(engine, BufferFixture.budget(), OPTIONS);
  }

  /** Pages 1 to {@link #PAGES}, each full of the mark and with its number; page 3 is free. */
  private static void create(SimEngine engine, Path path, PageSize size, TornPages mode)
      throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(path, size, OpenMode.CREATE_NEW, mode);
        Fix fix = new Fix()) {
      for (int i = 1; i <= PAGES; i++) {
        assertEquals(i, file.create(fix));
        fill(fix.segment(), i);
        fix.unfix();
      }
      file.flush();
      file.free(3, 0);
    }
  }

  private static void fill(MemorySegment page, long value) {
    for (long at = 32; at + MARK.length <= page.byteSize(); at += MARK.length) {
      MemorySegment.copy(MARK, 0, page, ValueLayout.JAVA_BYTE, at, MARK.length);
    }
    page.set(PageFormat.LONG, 24, value);
  }

  private static long value(CachedPageFile file, long page) throws IOException {
    try (Fix fix = new Fix()) {
      file.fixShared(page, fix);
      return fix.segment().get(PageFormat.LONG, 24);
    }
  }

  private static void readAll(SimEngine engine, Path path, PageSize size, OpenMode mode)
      throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(path, size, mode)) {
      assertEquals(PAGES + 1, file.pageCount());
      for (int i = 1; i <= PAGES; i++) {
        assertEquals(i == 3 ? 0 : i, value(file, i));
      }
    }
  }

  private static void set(SimEngine engine, Path path, long page, long value) throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(path, SIZE, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      file.fixExclusive(page, fix);
      fill(fix.segment(), value);
      fix.markDirty(0);
    }
  }

  private static byte[] bytes(SimEngine engine, Path path) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY);
        Region region =
            Region.map(BufferFixture.budget(), RegionOptions.ofSize(file.sizeBytes() + 1))) {
      file.readFully(0, region, 0, (int) file.sizeBytes());
      return region.segment().asSlice(0, file.sizeBytes()).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void write(SimEngine engine, Path path, long offset, byte[] bytes)
      throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_WRITE);
        Region region = Region.map(BufferFixture.budget(), RegionOptions.ofSize(1 << 20))) {
      MemorySegment.copy(bytes, 0, region.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
      file.write(offset, region, 0, bytes.length);
      file.sync();
    }
  }

  private static byte[] page(byte[] file, long page) {
    int at = (int) page * SIZE.bytes();
    return Arrays.copyOfRange(file, at, at + SIZE.bytes());
  }

  private static boolean contains(byte[] bytes, byte[] wanted) {
    return new String(bytes, StandardCharsets.ISO_8859_1)
        .contains(new String(wanted, StandardCharsets.ISO_8859_1));
  }

  @ParameterizedTest
  @EnumSource(PageSize.class)
  void pagesOfAllSizesComeBackAndNoneIsInTheFilesAsItWas(PageSize size) throws IOException {
    for (int sector : new int[] {512, 4096}) {
      for (TornPages mode : TornPages.values()) {
        SimOptions device =
            SimOptions.defaults().withAlignmentBytes(sector).withAtomicBytesMax(1 << 16);
        SimEngine sealed = new SimEngine(1, device.withKeys(keys));
        create(sealed, FILE, size, mode);
        readAll(sealed, FILE, size, OpenMode.READ_ONLY);
        readAll(sealed, FILE, size, OpenMode.READ_WRITE);
        SimEngine plain = new SimEngine(1, device);
        create(plain, FILE, size, mode);
        for (Path path : sealed.list(Path.of("/"))) {
          assertFalse(contains(bytes(sealed, path), MARK), () -> mode + " " + path);
        }
        for (Path path : plain.list(Path.of("/"))) {
          assertTrue(contains(bytes(plain, path), MARK), () -> mode + " " + path);
        }
      }
    }
  }

  /** Two trees and their log, written, checkpointed and recovered. */
  @Test
  void nothingOfTreesIsInAnyFileAlsoOfTheLogAndAfterPowerCuts() throws IOException {
    long mark = 0x6B72616D20656874L;
    byte[] wanted = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(mark).array();
    for (TornPages mode : new TornPages[] {TornPages.DOUBLE_WRITE, TornPages.BACKUP}) {
      SimEngine plain = engine(KeySource.NONE);
      SealedTrees.putEverywhere(plain, mode, mark);
      TreeSet<String> kinds = new TreeSet<>();
      for (Path path : SealedTrees.files(plain)) {
        if (contains(bytes(plain, path), wanted)) {
          kinds.add(path.getFileName().toString().replaceAll("[0-9]+", "N"));
        }
      }
      // It is seen where it is: in the files, their journals and the log.
      assertTrue(kinds.size() >= 5, kinds::toString);
      SimEngine sealed = engine(keys);
      SealedTrees.putEverywhere(sealed, mode, mark);
      for (long seed = 0; seed < 20; seed++) {
        SimEngine left = seed == 0 ? sealed : sealed.crash(seed);
        for (Path path : SealedTrees.files(left)) {
          assertFalse(contains(bytes(left, path), wanted), () -> mode + " " + path);
        }
      }
    }
  }

  /** With the JDK alone, from the tables in the documentation. */
  @Test
  void formatIsTheOneThatIsDocumented() throws Exception {
    create(engine, FILE, SIZE, TornPages.NONE);
    byte[] file = bytes(engine, FILE);
    ByteBuffer prefix = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(2, prefix.getInt(32));
    assertEquals(48, prefix.getShort(38));
    byte[] root =
        derive(keys.key(1), Arrays.copyOfRange(file, 48, 64), "GDS file key 1 page file", 32);
    openByHand(page(file, 0), 0, root, 64);
    byte[] opened = openByHand(page(file, 2), 2, root, SIZE.bytes() - 48);
    byte[] expected = new byte[SIZE.bytes() - 48];
    fill(MemorySegment.ofArray(expected), 2);
    assertArrayEquals(Arrays.copyOfRange(expected, 22, expected.length), opened);
  }

  private static byte[] openByHand(byte[] page, long number, byte[] root, int sealAt)
      throws Exception {
    ByteBuffer seal = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).position(sealAt);
    assertEquals(1, seal.getInt());
    int check = seal.getInt();
    byte[] salt = new byte[16];
    seal.get(salt);
    long write = seal.getLong();
    byte[] derived = derive(root, salt, "GDS file key 1 pages", 36);
    assertEquals(check, ByteBuffer.wrap(derived).order(ByteOrder.LITTLE_ENDIAN).getInt(32));
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    byte[] nonce = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putLong(write).array();
    cipher.init(
        Cipher.DECRYPT_MODE,
        new SecretKeySpec(derived, 0, 32, "AES"),
        new GCMParameterSpec(128, nonce));
    cipher.updateAAD(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array());
    int plain = number == 0 ? 64 : 22;
    byte[] head = Arrays.copyOf(page, plain);
    head[2] = 0;
    head[3] = 0;
    cipher.updateAAD(head);
    cipher.update(page, plain, sealAt - plain);
    return cipher.doFinal(page, sealAt + 32, 16);
  }

  private static byte[] derive(byte[] key, byte[] salt, String purpose, int bytes)
      throws Exception {
    return KDF.getInstance("HKDF-SHA256")
        .deriveData(
            HKDFParameterSpec.ofExtract()
                .addIKM(key)
                .addSalt(salt)
                .thenExpand(purpose.getBytes(StandardCharsets.US_ASCII), bytes));
  }

  @Test
  void eachChangedByteOfAPageIsFoundAlsoBehindARightChecksum() throws IOException {
    create(engine, FILE, SIZE, TornPages.NONE);
    byte[] page = page(bytes(engine, FILE), 2);
    SplittableRandom random = new SplittableRandom(1);
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_ONLY)) {
      for (int at = 0; at < page.length; at++) {
        for (boolean forged : new boolean[] {false, true}) {
          byte[] changed = page.clone();
          changed[at] ^= (byte) (1 << random.nextInt(8));
          if (forged) {
            MemorySegment memory = MemorySegment.ofArray(changed);
            PageFormat.setChecksum(memory, PageFormat.computeChecksum(memory, 2));
            if (Arrays.equals(page, changed)) {
              continue; // it was the checksum
            }
          }
          write(engine, FILE, 2L * SIZE.bytes(), changed);
          assertThrows(StorageException.class, () -> value(file, 2), "at " + at + " " + forged);
        }
      }
      write(engine, FILE, 2L * SIZE.bytes(), page);
      assertEquals(2, value(file, 2));
    }
  }

  @Test
  void eachChangedByteOfTheFilePageIsFoundAlsoBehindARightChecksum() throws IOException {
    create(engine, FILE, SIZE, TornPages.NONE);
    byte[] page = page(bytes(engine, FILE), 0);
    for (int at = 0; at < PageFileFormat.SEAL + PageSealFormat.BYTES; at++) {
      byte[] changed = page.clone();
      changed[at] ^= 1;
      MemorySegment memory = MemorySegment.ofArray(changed);
      PageFormat.setChecksum(memory, PageFormat.computeChecksum(memory, 0));
      if (!Arrays.equals(page, changed)) {
        write(engine, FILE, 0, changed);
        try (BufferManager manager = manager(engine)) {
          Exception e =
              assertThrows(
                  Exception.class,
                  () -> manager.openPages(FILE, SIZE, OpenMode.READ_ONLY),
                  "at " + at);
          // Another size than the caller's is the caller's mistake first.
          assertTrue(e instanceof StorageException || e instanceof IllegalArgumentException);
        }
      }
    }
    write(engine, FILE, 0, page);
    readAll(engine, FILE, SIZE, OpenMode.READ_ONLY);
  }

  @Test
  void aPageBelongsToItsPlaceAndToItsFile() throws IOException {
    create(engine, FILE, SIZE, TornPages.NONE);
    create(engine, OTHER, SIZE, TornPages.NONE);
    byte[] here = bytes(engine, FILE);
    byte[] there = bytes(engine, OTHER);
    byte[] moved = page(here, 4);
    MemorySegment memory = MemorySegment.ofArray(moved);
    PageFormat.setChecksum(memory, PageFormat.computeChecksum(memory, 2));
    write(engine, FILE, 2L * SIZE.bytes(), moved);
    write(engine, FILE, 5L * SIZE.bytes(), page(there, 5));
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      String message = assertThrows(CorruptFileException.class, () -> value(file, 2)).getMessage();
      assertTrue(message.contains("tampered") && message.contains("page 2"), message);
      assertThrows(WrongKeyException.class, () -> value(file, 5));
      assertEquals(4, value(file, 4));
    }
  }

  @Test
  void aKeyThatIsNotThereOrAnotherOneIsSaidAndNothingIsRepaired() throws IOException {
    create(engine, FILE, SIZE, TornPages.DOUBLE_WRITE);
    engine.flipBit(FILE, 3 * SIZE.bytes() + 600); // which the journal would repair
    byte[] before = bytes(engine, FILE);
    try (BufferManager manager = manager(engine)) {
      for (OpenMode mode : new OpenMode[] {OpenMode.READ_ONLY, OpenMode.READ_WRITE}) {
        keys.oldest = 2;
        UnknownKeyException unknown =
            assertThrows(UnknownKeyException.class, () -> manager.openPages(FILE, SIZE, mode));
        assertEquals(1, unknown.keyId());
        keys.oldest = 1;
        keys.filling = 7;
        WrongKeyException wrong =
            assertThrows(WrongKeyException.class, () -> manager.openPages(FILE, SIZE, mode));
        assertEquals(1, wrong.keyId());
        keys.filling = 0;
      }
      assertEquals(OPTIONS.frameCount(), manager.stats().freeFrames());
    }
    assertArrayEquals(before, bytes(engine, FILE));
    readAll(engine, FILE, SIZE, OpenMode.READ_WRITE);
  }

  @Test
  void aFileThatIsNotEncryptedStaysSoAndIsRefusedIfNoneIsToBeRead() throws IOException {
    keys.current = KeySource.NOT_ENCRYPTED;
    create(engine, FILE, SIZE, TornPages.DOUBLE_WRITE);
    keys.current = 1;
    set(engine, FILE, 2, 2);
    try (BufferManager manager = manager(engine)) {
      try (CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
          Fix fix = new Fix()) {
        assertFalse(file.isEncrypted());
        assertThrows(IllegalStateException.class, file::reseal);
        file.fixShared(1, fix);
        assertEquals(SIZE.bytes(), fix.segment().byteSize());
      }
      assertTrue(contains(bytes(engine, FILE), MARK));
      keys.readsPlain = false;
      assertThrows(
          PlainFileException.class, () -> manager.openPages(FILE, SIZE, OpenMode.READ_WRITE));
      keys.current = KeySource.NOT_ENCRYPTED;
      assertThrows(
          StorageException.class, () -> manager.openPages(OTHER, SIZE, OpenMode.CREATE_NEW));
      assertFalse(engine.exists(OTHER));
    }
  }

  @Test
  void anEncryptedFileStaysSoWithoutACurrentKey() throws IOException {
    create(engine, FILE, SIZE, TornPages.DOUBLE_WRITE);
    keys.current = KeySource.NOT_ENCRYPTED;
    set(engine, FILE, 2, 2);
    assertFalse(contains(bytes(engine, FILE), MARK));
    readAll(engine, FILE, SIZE, OpenMode.READ_ONLY);
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
      assertTrue(file.isEncrypted());
      assertThrows(IllegalStateException.class, file::reseal);
    }
  }

  @Test
  void whatIsWrittenIsUnderTheCurrentKeyAndSealedAnewAllIs() throws IOException {
    for (TornPages mode : TornPages.values()) {
      SimEngine device =
          new SimEngine(1, SimOptions.defaults().withAtomicBytesMax(SIZE.bytes()).withKeys(keys));
      keys.oldest = 1;
      keys.current = 1;
      create(device, FILE, SIZE, mode);
      keys.current = 2;
      set(device, FILE, 2, 2);
      assertEquals(Map.of(1, 6, 2, 1), keyIds(device));
      readAll(device, FILE, SIZE, OpenMode.READ_ONLY);
      try (BufferManager manager = manager(device);
          CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        keys.current = 3; // while it is open
        file.reseal();
        assertEquals(Map.of(3, 7), keyIds(device));
        assertThrows(IllegalArgumentException.class, () -> value(file, 0));
      }
      keys.oldest = 3;
      readAll(device.crash(1), FILE, SIZE, OpenMode.READ_ONLY);
      readAll(device, FILE, SIZE, OpenMode.READ_WRITE);
    }
  }

  private static Map<Integer, Integer> keyIds(SimEngine engine) throws IOException {
    byte[] bytes = bytes(engine, FILE);
    Map<Integer, Integer> ids = new HashMap<>();
    for (int page = 0; page <= PAGES; page++) {
      int seal = page * SIZE.bytes() + PageSealFormat.offset(SIZE, page);
      ids.merge(
          ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(seal), 1, Integer::sum);
    }
    return ids;
  }

  /** At every sync and many writes; what is left has pages under the one key or the other. */
  @Test
  void sealingAnewSurvivesPowerCutsInAllModesAlsoOfThePageOfTheFile() throws IOException {
    for (TornPages mode : TornPages.values()) {
      SimEngine device =
          new SimEngine(1, SimOptions.defaults().withAtomicBytesMax(SIZE.bytes()).withKeys(keys));
      keys.current = 1;
      create(device, FILE, SIZE, mode);
      int[] cuts = {0};
      SplittableRandom random = new SplittableRandom(1);
      Runnable cut =
          () -> {
            cuts[0]++;
            SimEngine left = device.crash(random.nextLong());
            try {
              if (mode == TornPages.NONE) {
                // Its pages may be torn; its file page, which lies in a sector, may not.
                manager(left).openPages(FILE, SIZE, OpenMode.READ_WRITE).close();
              } else {
                readAll(left, FILE, SIZE, OpenMode.READ_WRITE);
              }
            } catch (IOException e) {
              throw new AssertionError(mode + " cut=" + cuts[0], e);
            }
          };
      try (BufferManager manager = manager(device);
          CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        keys.current = 2;
        device.onSync(cut);
        device.onWrite(cut);
        for (int i = 0; i < 5; i++) {
          file.reseal();
        }
        device.onSync(() -> {});
        device.onWrite(() -> {});
      }
      assertTrue(cuts[0] >= 10, mode + " cuts=" + cuts[0]);
    }
  }

  @Test
  void aTornPageThatNothingProtectsIsReported() throws IOException {
    create(engine, FILE, SIZE, TornPages.NONE);
    byte[] before = page(bytes(engine, FILE), 2);
    set(engine, FILE, 2, 2);
    byte[] after = page(bytes(engine, FILE), 2);
    assertNotEquals(
        HexFormat.of().formatHex(before, 22, 100), HexFormat.of().formatHex(after, 22, 100));
    System.arraycopy(before, 512, after, 512, 512);
    write(engine, FILE, 2L * SIZE.bytes(), after);
    assertThrows(CorruptFileException.class, () -> readAll(engine, FILE, SIZE, OpenMode.READ_ONLY));
    // And if its checksum is right by chance.
    MemorySegment memory = MemorySegment.ofArray(after);
    PageFormat.setChecksum(memory, PageFormat.computeChecksum(memory, 2));
    write(engine, FILE, 2L * SIZE.bytes(), after);
    assertThrows(StorageException.class, () -> readAll(engine, FILE, SIZE, OpenMode.READ_ONLY));
  }

  /**
   * All that was ever on the device, in all that power cuts may leave, and what goes on from each:
   * pages that name the same key and nonce are the same.
   */
  @Test
  void noNonceIsUsedTwiceWithAKeyWhateverPowerCutsLeave() throws IOException {
    Map<String, byte[]> seals = new HashMap<>();
    SplittableRandom random = new SplittableRandom(1);
    SimEngine device = engine;
    create(device, FILE, PageSize.BYTES_4096, TornPages.DOUBLE_WRITE);
    for (int life = 0; life < 40; life++) {
      SimEngine running = device;
      Runnable look =
          () -> {
            try {
              collect(running, seals);
              // A copy that lives on by itself, from the same moment.
              SimEngine copy = running.crash(random.nextLong());
              change(copy, random, 1);
              collect(copy, seals);
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          };
      change(running, random, 6);
      look.run();
      running.onSync(look);
      change(running, random, 2);
      running.onSync(() -> {});
      device = running.crash(random.nextLong());
    }
    assertTrue(seals.size() > 1000, "seals=" + seals.size());
  }

  private static void change(SimEngine engine, SplittableRandom random, int rounds)
      throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, PageSize.BYTES_4096, OpenMode.READ_WRITE);
        Fix fix = new Fix()) {
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 3; i++) {
          file.fixExclusive(1 + random.nextInt(PAGES), fix);
          fill(fix.segment(), random.nextLong());
          fix.markDirty(0);
          fix.unfix();
        }
        file.flush();
      }
      if (random.nextInt(8) == 0) {
        file.reseal();
      }
    }
  }

  /** Of the file and its journal; both have pages where a page of the file can be. */
  private void collect(SimEngine engine, Map<String, byte[]> seals) throws IOException {
    PageSealer sealer = sealer(engine, PageSize.BYTES_4096);
    for (Path path : engine.list(Path.of("/"))) {
      byte[] bytes = bytes(engine, path);
      for (int at = 0; at + 4096 <= bytes.length; at += 4096) {
        int seal = at + 4096 - PageSealFormat.BYTES;
        byte[] page = Arrays.copyOfRange(bytes, at, at + 4096);
        if (isWhole(sealer, page)) {
          String name = HexFormat.of().formatHex(bytes, seal, seal + PageSealFormat.TAG);
          byte[] known = seals.putIfAbsent(name, page);
          assertTrue(known == null || Arrays.equals(known, page), () -> path + " " + name);
        }
      }
    }
  }

  private PageSealer sealer(SimEngine engine, PageSize size) throws IOException {
    MemorySegment prefix = MemorySegment.ofArray(bytes(engine, FILE)).asSlice(0, 512);
    Salt salt = PageFileFormat.check(prefix, size, FILE).saltOrNull();
    return new PageSealer(keys, salt, size, FILE);
  }

  /** Whether it is a page under some number but the first, and not torn by a power cut. */
  private static boolean isWhole(PageSealer sealer, byte[] page) {
    for (int number = 1; number <= PAGES && page[0] != 0; number++) {
      MemorySegment found = MemorySegment.ofArray(page);
      if (PageFormat.checksum(found) == PageFormat.computeChecksum(found, number)) {
        try (Arena arena = Arena.ofConfined()) {
          sealer.open(arena.allocate(page.length).copyFrom(found), number);
          return true;
        } catch (StorageException e) {
          // The checksum is right by chance.
        }
      }
    }
    return false;
  }

  @Test
  void moreLivesThanKeysAreKeptCanBeRead() throws IOException {
    create(engine, FILE, SIZE, TornPages.NONE);
    int lives = 300;
    try (BufferManager manager = manager(engine)) {
      for (int i = 1; i <= lives; i++) {
        try (CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE);
            Fix fix = new Fix()) {
          file.extendTo(PAGES + lives + 1L);
          file.fixExclusive(PAGES + i, fix);
          PageFormat.format(fix.segment(), SIZE);
          fill(fix.segment(), i);
          fix.markDirty(0);
        }
      }
      try (CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.READ_WRITE)) {
        for (int round = 0; round < 2; round++) {
          for (int i = 1; i <= lives; i++) {
            assertEquals(i, value(file, PAGES + i));
          }
        }
        assertEquals(lives + PAGES + 1L, file.pageCount());
        file.reseal();
        assertEquals(lives, value(file, PAGES + lives));
      }
    }
  }

  /** The JDK's objects, which are as many for a page of any size: no copy of it. */
  @ParameterizedTest
  @EnumSource(PageSize.class)
  void whatIsLeftOnTheHeapDoesNotGrowWithThePage(PageSize size) throws IOException {
    int rounds = 200;
    try (Arena arena = Arena.ofConfined()) {
      PageSealer sealer = new PageSealer(keys, Salt.random(), size, FILE);
      sealer.begin(1);
      MemorySegment image = arena.allocate(size.bytes() - (long) PageFormat.SEAL_BYTES);
      PageFormat.format(image, size);
      MemorySegment page = arena.allocate(size.bytes());
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 5; attempt++) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < rounds; i++) {
          sealer.seal(image, page, 7);
          sealer.open(page, 7);
        }
        least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
      }
      long bytes = least / rounds;
      assertTrue(bytes < 6000, () -> size + " bytes=" + bytes);
    }
  }

  @Test
  void slottedPagesEndBeforeTheSeal() throws IOException {
    try (BufferManager manager = manager(engine);
        CachedPageFile file = manager.openPages(FILE, SIZE, OpenMode.CREATE_NEW);
        Fix fix = new Fix()) {
      long page = file.create(fix);
      MemorySegment tuple = MemorySegment.ofArray(MARK);
      SlottedPage.reserveSpecial(fix.segment(), 16);
      int count = 0;
      while (SlottedPage.insert(fix.segment(), tuple) != SlottedPage.NO_ROOM) {
        count++;
      }
      assertEquals((SIZE.bytes() - 48 - 16 - 22) / (MARK.length + 4), count);
      SlottedPage.check(fix.segment());
      fix.unfix();
      file.flush();
      file.fixExclusive(page, fix);
      SlottedPage.check(fix.segment());
      assertEquals(count, SlottedPage.itemCount(fix.segment()));
      MemorySegment last = SlottedPage.readOrNull(fix.segment(), count - 1);
      assertEquals(-1, last.mismatch(tuple));
    }
  }
}
