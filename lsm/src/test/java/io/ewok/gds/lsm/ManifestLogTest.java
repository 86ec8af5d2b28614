package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An edit that was acknowledged is there after each power cut, and nothing is there in part. */
class ManifestLogTest {
  private static final Path DIRECTORY = Path.of("/manifest");
  private static final Path PATH = DIRECTORY.resolve("MANIFEST");

  /** So small that the file is replaced every few edits. */
  private static final long FILE_BYTES_MAX = 5 * ManifestFormat.FRAME_ALIGNMENT_BYTES;

  private static ManifestLog create(SimEngine engine) throws IOException {
    engine.createDirectories(DIRECTORY);
    ManifestLog.create(engine, PATH);
    return ManifestLog.open(engine, PATH, FILE_BYTES_MAX);
  }

  private static TableMeta meta(long number, int key, int keyBytes) {
    byte[] first = Arrays.copyOf(Fixtures.bytes("key%06d-a".formatted(key)), keyBytes);
    byte[] last = Arrays.copyOf(Fixtures.bytes("key%06d-b".formatted(key)), keyBytes);
    return new TableMeta(
        number, 4096, 10, 1, 1, 5, MemorySegment.ofArray(first), MemorySegment.ofArray(last));
  }

  /** An edit with the number n as its horizon: what is found tells which edits are there. */
  private static ManifestEdit next(Manifest before, SplittableRandom random) {
    long number = before.nextNumber();
    ManifestEdit edit =
        before.edit().withNextNumber(number + 1).withHorizon(before.horizonLsn() + 1, 5);
    int keyBytes = random.nextInt(10) == 0 ? 5_000 : 20;
    List<TableMeta> level0 = before.main().level(0);
    if (level0.size() > random.nextInt(8)) {
      TableMeta moved = level0.getLast();
      edit = edit.removing(List.of(moved)).adding(1 + random.nextInt(3), List.of(moved));
    } else {
      edit = edit.adding(0, List.of(meta(number, (int) number, keyBytes)));
    }
    if (number == 4) {
      edit = edit.withMergeOperator("operator");
    }
    if (number % 5 == 0) {
      long floor = before.main().writeTimes().expiryFloor() + number % 3;
      edit = edit.withWriteTimes(times(floor, floor, floor + 5));
    }
    if (number % 3 == 0) {
      int id = before.nextFamily();
      edit = edit.creating(new FamilyEdit(id, "family" + id, "", times(number, number)));
      edit =
          edit.withNextNumber(number + 2).adding(2, List.of(ofFamily(meta(number + 1, 1, 20), id)));
    }
    if (before.families().size() > 2 + random.nextInt(4)) {
      edit = edit.dropping(before.families().lastKey());
    } else if (before.families().size() > 1) {
      FamilyManifest family = before.all().stream().skip(1).findFirst().orElseThrow();
      edit = edit.withFamily(family.about().withMergeOperator("operator"));
      edit = edit.removing(family.tables());
    }
    List<TableMeta> deep = before.main().level(2);
    return deep.size() < 5 ? edit : edit.removing(deep.subList(1, 3));
  }

  private static TableMeta ofFamily(TableMeta meta, int family) {
    return new TableMeta(
        meta.number(),
        meta.sizeBytes(),
        meta.entries(),
        meta.deletes(),
        meta.firstSequence(),
        meta.lastSequence(),
        meta.firstKey(),
        meta.lastKey(),
        family);
  }

  private static WriteTimes times(long floor, long... sequences) {
    List<WriteTimes.Point> points = new ArrayList<>();
    for (long sequence : sequences) {
      points.add(new WriteTimes.Point(sequence, 1_000 + sequence));
    }
    return new WriteTimes(floor, points);
  }

  private static String text(Manifest manifest) {
    return Hex.dump(ManifestFormat.encode(manifest.snapshot(), 0));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void acknowledgedEditsSurviveAPowerCutAtEachSyncAndWrite(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    SimEngine engine = new SimEngine(seed);
    int cuts = cutThePowerAmongEdits(engine, engine, seed);
    assertTrue(cuts > 500, "power cuts: " + cuts);
  }

  /** Each sync is needed: without it the test above sees that edits are lost. */
  @ParameterizedTest
  @ValueSource(strings = {"snapshot", "edit", "directory"})
  void withoutOneOfTheSyncsEditsAreLost(String sync) {
    SimEngine engine = new SimEngine(1);
    IoEngine forgetful = without(engine, IoEngine.class, sync);
    assertThrows(AssertionError.class, () -> cutThePowerAmongEdits(engine, forgetful, 1));
  }

  /** An engine or a file that leaves out the first sync of a file, later ones, or directories'. */
  private static <T> T without(T real, Class<T> type, String sync) {
    int[] syncs = new int[1];
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          boolean leftOut =
              switch (method.getName()) {
                case "sync" -> sync.equals(syncs[0]++ == 0 ? "snapshot" : "edit");
                case "syncDirectory" -> sync.equals("directory");
                default -> false;
              };
          try {
            Object result = leftOut ? null : method.invoke(real, arguments);
            return result instanceof IoFile file ? without(file, IoFile.class, sync) : result;
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  /** Returns how often the power was cut. */
  private int cutThePowerAmongEdits(SimEngine sim, IoEngine engine, long seed) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    sim.createDirectories(DIRECTORY);
    ManifestLog.create(sim, PATH);
    ManifestLog log = ManifestLog.open(engine, PATH, FILE_BYTES_MAX);
    List<String> states = new ArrayList<>(List.of(text(log.current())));
    int[] cuts = new int[1];
    Runnable cut =
        () -> {
          // The edit that is being made may be there; the one before must be.
          for (int i = 0; i < 3; i++) {
            String found = text(reopen(sim.crash(random.nextLong())));
            assertTrue(states.contains(found), Fixtures.replay(getClass(), seed));
            cuts[0]++;
          }
        };
    sim.onSync(cut);
    sim.onWrite(cut);
    for (int i = 0; i < 60; i++) {
      ManifestEdit edit = next(log.current(), random);
      states.add(text(log.current().after(edit)));
      log.append(edit);
      states.removeFirst();
      cut.run();
      if (random.nextInt(15) == 0) {
        log.close();
        log = ManifestLog.open(engine, PATH, FILE_BYTES_MAX);
      }
    }
    return cuts[0];
  }

  private static Manifest reopen(SimEngine engine) {
    try {
      return ManifestLog.open(engine, PATH).current();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SimOperation.class,
      names = {"WRITE", "SYNC", "SYNC_DIRECTORY", "OPEN", "RENAME"})
  void failedEditLeavesTheManifestAsItWasOrIsDoubtful(SimOperation operation) throws Exception {
    int failed = 0;
    int doubtful = 0;
    for (int n = 1; n < 30; n++) {
      SplittableRandom random = new SplittableRandom(n);
      SimEngine engine = new SimEngine(n);
      ManifestLog log = create(engine);
      engine.failNth(operation, n, operation == SimOperation.WRITE ? Errno.ENOSPC : Errno.EIO);
      for (int i = 0; i < 20; i++) {
        String before = text(log.current());
        ManifestEdit edit = next(log.current(), random);
        String after = text(log.current().after(edit));
        try {
          log.append(edit);
          assertEquals(after, text(log.current()));
          assertFalse(log.isDoubtful());
        } catch (IOException injected) {
          failed++;
          assertEquals(before, text(log.current()));
          doubtful += log.isDoubtful() ? 1 : 0;
          for (int seed = 0; seed < 10; seed++) {
            String found = text(reopen(engine.crash(seed)));
            assertTrue(found.equals(before) || (log.isDoubtful() && found.equals(after)));
          }
        }
      }
      if (!log.isDoubtful()) {
        assertEquals(text(log.current()), text(reopen(engine.crash(n))));
      }
    }
    assertTrue(failed >= 4, "failed edits: " + failed);
    if (operation == SimOperation.SYNC_DIRECTORY) {
      assertTrue(doubtful > 0, "a new name may be there or not");
    }
  }

  // ---- damage

  private static byte[] sample() throws Exception {
    SimEngine engine = new SimEngine(1);
    engine.createDirectories(DIRECTORY);
    ManifestLog.create(engine, PATH);
    ManifestLog log = ManifestLog.open(engine, PATH);
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 8; i++) {
      log.append(next(log.current(), random));
    }
    try (IoFile file = engine.open(PATH, OpenMode.READ_ONLY);
        Region region = map((int) file.sizeBytes())) {
      file.readFully(0, region, 0, (int) file.sizeBytes());
      return Fixtures.array(region.segment().asSlice(0, file.sizeBytes()));
    }
  }

  private static Region map(int bytes) {
    return Region.map(MemoryBudget.root("test", 1 << 24), RegionOptions.ofSize(bytes));
  }

  private static ManifestLog open(byte[] bytes) throws Exception {
    return ManifestLog.open(engine(bytes), PATH);
  }

  private static SimEngine engine(byte[] bytes) throws Exception {
    SimEngine engine = new SimEngine(1);
    engine.createDirectories(DIRECTORY);
    int padded = (bytes.length + 4095) & -4096;
    try (IoFile file = engine.open(PATH, OpenMode.CREATE_NEW);
        Region region = map(Math.max(4096, padded))) {
      MemorySegment.copy(bytes, 0, region.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
      file.write(0, region, 0, padded);
      file.truncate(bytes.length);
    }
    return engine;
  }

  @Test
  void damageIsCorruptionExceptAtTheEndWhereItIsKnown() throws Exception {
    byte[] sound = sample();
    SimEngine engine = engine(sound);
    ManifestLog whole = ManifestLog.open(engine, PATH);
    assertEquals(-1, whole.damagedOffset());
    String state = text(whole.current());
    int lastFrame = 0;
    for (int at = 0; at < sound.length; at += ManifestFormat.frameBytes(sound, at)) {
      lastFrame = at;
    }
    int harmless = 0;
    for (int offset = 0; offset < sound.length; offset++) {
      engine.flipBit(PATH, offset);
      try {
        ManifestLog log = ManifestLog.open(engine, PATH);
        if (log.damagedOffset() >= 0) {
          assertEquals(lastFrame, log.damagedOffset());
          assertTrue(offset >= lastFrame);
        } else {
          assertEquals(state, text(log.current()));
          harmless++;
        }
      } catch (CorruptFileException e) {
        assertTrue(offset < lastFrame, "offset=" + offset);
      }
      engine.flipBit(PATH, offset);
    }
    assertTrue(harmless > sound.length / 2, "padding is of no account: " + harmless);
    for (int length = 0; length < sound.length; length += 1_111) {
      byte[] cut = Arrays.copyOf(sound, length);
      if (ManifestFormat.frameBytes(cut, 0) == 0) {
        assertThrows(CorruptFileException.class, () -> open(cut));
      } else {
        assertTrue(open(cut).current().horizonLsn() <= whole.current().horizonLsn());
      }
    }
  }

  private static byte[] seal(byte[] frame) {
    ByteBuffer bytes = ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN);
    int end = ManifestFormat.HEADER_BYTES + bytes.getInt(ManifestFormat.LENGTH_OFFSET);
    CRC32C crc = new CRC32C();
    crc.update(frame, 0, ManifestFormat.CHECKSUM_OFFSET);
    crc.update(frame, ManifestFormat.POSITION_OFFSET, end - ManifestFormat.POSITION_OFFSET);
    bytes.putInt(ManifestFormat.CHECKSUM_OFFSET, (int) crc.getValue());
    return frame;
  }

  private static byte[] forged(UnaryOperator<ByteBuffer> change) {
    byte[] frame =
        ManifestFormat.encode(
            Manifest.EMPTY
                .edit()
                .withNextNumber(9)
                .withHorizon(3, 5)
                .adding(0, List.of(meta(3, 1, 20))),
            0);
    return seal(change.apply(ByteBuffer.wrap(frame).order(ByteOrder.LITTLE_ENDIAN)).array());
  }

  @Test
  void mergeOperatorStaysWhatItIs() {
    Manifest before = Manifest.EMPTY.after(Manifest.EMPTY.edit().withMergeOperator("first"));
    assertEquals("first", Manifest.EMPTY.after(before.snapshot()).main().mergeOperator());
    ManifestEdit edit = before.edit();
    assertEquals("first", before.after(edit).main().mergeOperator());
    for (String other : List.of("second", "")) {
      assertThrows(
          IllegalArgumentException.class, () -> before.after(edit.withMergeOperator(other)));
    }
  }

  @Test
  void whatHasExpiredDoesNotComeBack() {
    Manifest before = Manifest.EMPTY.after(Manifest.EMPTY.edit().withWriteTimes(times(7, 9)));
    assertEquals(times(7, 9), Manifest.EMPTY.after(before.snapshot()).main().writeTimes());
    ManifestEdit edit = before.edit();
    assertEquals(times(7, 9), before.after(edit).main().writeTimes());
    assertEquals(times(8, 9), before.after(edit.withWriteTimes(times(8, 9))).main().writeTimes());
    for (WriteTimes other :
        List.of(WriteTimes.NONE, times(6, 9), times(7, 6), times(7, 9, 9), times(7, 9, 8))) {
      assertThrows(IllegalArgumentException.class, () -> before.after(edit.withWriteTimes(other)));
    }
  }

  @Test
  void newerManifestIsRefusedAndUnknownRecordsTooWhateverTheirChecksum() throws Exception {
    assertEquals(3, open(forged(frame -> frame)).current().horizonLsn());
    UnsupportedFormatException newer =
        assertThrows(
            UnsupportedFormatException.class,
            () -> open(forged(frame -> frame.putInt(ManifestFormat.VERSION_OFFSET, 3))));
    assertEquals(3, newer.found());
    int second =
        ManifestFormat.HEADER_BYTES
            + ManifestFormat.RECORD_HEADER_BYTES
            + ManifestFormat.STATE_BYTES;
    CorruptFileException unknown =
        assertThrows(
            CorruptFileException.class, () -> open(forged(frame -> frame.putInt(second, 77))));
    assertTrue(unknown.getMessage().contains("77"), unknown.getMessage());
  }

  @Test
  void forgedEditsWithAGoodChecksumAreRefusedOrMakeAManifest() throws Exception {
    SplittableRandom random = new SplittableRandom(Fixtures.seed(3));
    int refused = 0;
    for (int round = 0; round < 1_000; round++) {
      byte[] bytes =
          forged(
              frame -> {
                int length = frame.getInt(ManifestFormat.LENGTH_OFFSET);
                for (int i = random.nextInt(3); i >= 0; i--) {
                  frame.put(
                      ManifestFormat.HEADER_BYTES + random.nextInt(length),
                      (byte) random.nextInt());
                }
                return frame;
              });
      try {
        text(open(bytes).current());
      } catch (CorruptFileException e) {
        refused++;
      }
    }
    assertTrue(refused > 200, "refused: " + refused);
  }

  @Test
  void familiesThatDoNotFitAreRefused() {
    FamilyEdit first = new FamilyEdit(1, "first", "operator", times(7, 9));
    Manifest manifest =
        Manifest.EMPTY.after(
            Manifest.EMPTY
                .edit()
                .withState(true, 9, 3, 5)
                .creating(first)
                .creating(new FamilyEdit(2, "second", "", WriteTimes.NONE))
                .adding(1, List.of(ofFamily(meta(3, 1, 20), 1), ofFamily(meta(4, 1, 20), 2))));
    Manifest after = manifest.after(manifest.edit().dropping(2));
    assertEquals(3, after.nextFamily());
    assertEquals(Set.of(3L), after.tableNumbers());
    for (ManifestEdit wrong :
        List.of(
            after.edit().dropping(2),
            after.edit().dropping(Manifest.MAIN),
            after.edit().withNextFamily(2),
            after.edit().creating(new FamilyEdit(2, "again", "", WriteTimes.NONE)),
            after.edit().creating(new FamilyEdit(3, "first", "", WriteTimes.NONE)),
            after.edit().creating(new FamilyEdit(3, Family.DEFAULT_NAME, "", WriteTimes.NONE)),
            after.edit().creating(new FamilyEdit(3, "", "", WriteTimes.NONE)),
            after.edit().creating(new FamilyEdit(3, "x".repeat(256), "", WriteTimes.NONE)),
            after.edit().creating(new FamilyEdit(3, "third", "", times(7, 6))),
            after.edit().creating(new FamilyEdit(-1, "third", "", WriteTimes.NONE)),
            after.edit().withFamily(new FamilyEdit(3, "third", "", WriteTimes.NONE)),
            after.edit().withFamily(new FamilyEdit(1, "other", "operator", times(7, 9))),
            after.edit().withFamily(first.withMergeOperator("other")),
            after.edit().withFamily(first.withWriteTimes(times(6, 9))),
            after.edit().withFamily(first).withFamily(first),
            after.edit().dropping(1).withFamily(first),
            after.edit().adding(1, List.of(ofFamily(meta(5, 1, 20), 2))),
            after.edit().adding(1, List.of(ofFamily(meta(3, 9, 20), 1))),
            after.edit().adding(1, List.of(meta(3, 1, 20))),
            after.edit().adding(1, List.of(ofFamily(meta(5, 1, 20), 1))))) {
      assertThrows(IllegalArgumentException.class, () -> after.after(wrong), wrong.toString());
    }
    assertEquals(
        times(8, 9),
        after
            .after(after.edit().withFamily(first.withWriteTimes(times(8, 9))))
            .family(1)
            .writeTimes());
    assertEquals(Set.of(), after.after(after.edit().dropping(1)).tableNumbers());
  }

  @Test
  void tablesOfADroppedFamilyCountAsRemoved() throws Exception {
    SimEngine engine = new SimEngine(1);
    engine.createDirectories(DIRECTORY);
    ManifestLog.create(engine, PATH);
    ManifestLog log = ManifestLog.open(engine, PATH);
    log.append(
        log.current()
            .edit()
            .withNextNumber(9)
            .withHorizon(3, 5)
            .creating(new FamilyEdit(1, "family", "", WriteTimes.NONE))
            .adding(1, List.of(ofFamily(meta(3, 1, 20), 1), meta(4, 1, 20))));
    log.append(log.current().edit().dropping(1));
    log.close();
    assertEquals(Set.of(3L), ManifestLog.remains(engine, PATH).removed());
  }

  @Test
  void editsThatDoNotFitAreRefused() {
    Manifest manifest =
        Manifest.EMPTY.after(
            Manifest.EMPTY
                .edit()
                .withNextNumber(9)
                .withHorizon(3, 5)
                .adding(1, List.of(meta(3, 1, 20), meta(4, 5, 20))));
    for (ManifestEdit wrong :
        List.of(
            manifest.edit().withHorizon(2, 5),
            manifest.edit().withHorizon(3, 4),
            manifest.edit().withNextNumber(8),
            manifest.edit().adding(1, List.of(meta(9, 7, 20))),
            manifest.edit().adding(1, List.of(meta(3, 7, 20))),
            manifest.edit().adding(1, List.of(meta(5, 1, 20))),
            manifest.edit().adding(Manifest.LEVELS, List.of(meta(5, 1, 20))),
            manifest.edit().removing(List.of(meta(6, 1, 20))))) {
      assertThrows(IllegalArgumentException.class, () -> manifest.after(wrong), wrong.toString());
    }
    assertEquals(
        1,
        manifest.after(manifest.edit().removing(List.of(meta(3, 1, 20)))).main().level(1).size());
  }
}
