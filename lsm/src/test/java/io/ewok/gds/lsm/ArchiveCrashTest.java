package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Nothing that was archived is lost, by power cuts, failures or damage, and none of it unseen. */
class ArchiveCrashTest {
  private static final Path TARGET = Path.of("/backups");
  private static final Path ARCHIVE = Backups.archive(TARGET);
  private static final Path RESTORED = Path.of("/restored");
  private static final StoreOptions OPTIONS = Fixtures.TINY.withArchive(ARCHIVE);

  private SimEngine engine = new SimEngine(1);

  private static Store open(IoEngine on) throws IOException {
    return Store.open(Fixtures.DIRECTORY, OPTIONS, on);
  }

  private static void put(Store store, int i) throws IOException {
    store.put(Fixtures.bytes("key" + i % 7), Fixtures.bytes("value" + i), Durability.SYNCED);
  }

  private static BackupInfo backup(Store store, IoEngine on) throws IOException {
    try (Backups backups = Backups.open(TARGET, on)) {
      return backups.create(store, _ -> {});
    }
  }

  private static List<String> problems(IoEngine on) throws IOException {
    try (Backups backups = Backups.open(TARGET, on)) {
      return backups.verify(_ -> {}).problems();
    }
  }

  private static Map<String, String> restored(SimEngine on, long sequence) throws Exception {
    SimEngine apart = on.crash(sequence);
    try (Backups backups = Backups.open(TARGET, apart)) {
      Backups.Restored unused =
          backups.restore(PointInTime.ofSequence(sequence), RESTORED, Fixtures.TINY, _ -> {});
    }
    try (Store store = Store.open(RESTORED, Fixtures.TINY, apart.crash(1))) {
      return Fixtures.text(Fixtures.contents(store));
    }
  }

  /** What the store had at the end of each archived part. */
  private static NavigableMap<Long, Map<String, String>> archived(Store store, int from, int parts)
      throws Exception {
    NavigableMap<Long, Map<String, String>> states = new TreeMap<>();
    for (int part = 0; part < parts; part++) {
      for (int i = 0; i < 5; i++) {
        put(store, from + 5 * part + i);
      }
      states.put(store.archiveLog(), Fixtures.text(Fixtures.contents(store)));
    }
    return states;
  }

  private interface Check {
    void run(SimEngine after) throws Exception;
  }

  /** Cuts the power at each sync, until it is told to stop. */
  private static AssertionError[] atEachSync(SimEngine engine, int seeds, Check check) {
    AssertionError[] failure = new AssertionError[1];
    engine.onSync(
        () -> {
          for (int seed = 0; seed < seeds && failure[0] == null; seed++) {
            try {
              check.run(engine.crash(seed));
            } catch (Exception | AssertionError e) {
              failure[0] = new AssertionError("seed=" + seed, e);
            }
          }
        });
    return failure;
  }

  // ---- power cuts

  @Test
  void powerCutWhileTheLogIsArchivedLosesNothingAndTheStoreGoesOn() throws Exception {
    int[] cuts = {0};
    try (Store store = open(engine)) {
      put(store, 0);
      BackupInfo unused = backup(store, engine);
      NavigableMap<Long, Map<String, String>> states = archived(store, 1, 3);
      put(store, 100);
      AssertionError[] failure =
          atEachSync(
              engine,
              4,
              after -> {
                cuts[0]++;
                assertEquals(List.of(), problems(after));
                for (long sequence : states.keySet()) {
                  assertEquals(states.get(sequence), restored(after, sequence));
                }
                try (Store again = open(after)) {
                  NavigableMap<Long, Map<String, String>> more = archived(again, 200, 2);
                  assertEquals(more.lastEntry().getValue(), restored(after, more.lastKey()));
                  assertEquals(states.firstEntry().getValue(), restored(after, states.firstKey()));
                  assertEquals(List.of(), problems(after));
                }
              });
      long archived = store.archiveLog();
      engine.onSync(() -> {});
      if (failure[0] != null) {
        throw failure[0];
      }
      Map<String, String> state = Fixtures.text(Fixtures.contents(store));
      for (int seed = 0; seed < 4; seed++) {
        assertEquals(state, restored(engine.crash(seed), archived), "it is durable on return");
      }
    }
    assertTrue(cuts[0] > 12, "cuts=" + cuts[0]);
  }

  @Test
  void powerCutWhileAPointIsRestoredLeavesTheWholeStoreOrNone() throws Exception {
    NavigableMap<Long, Map<String, String>> states;
    try (Store store = open(engine)) {
      put(store, 0);
      BackupInfo unused = backup(store, engine);
      states = archived(store, 1, 3);
    }
    long sequence = states.lastKey();
    Map<String, String> expected = states.lastEntry().getValue();
    int[] found = new int[2];
    try (Backups backups = Backups.open(TARGET, engine)) {
      AssertionError[] failure =
          atEachSync(
              engine,
              4,
              after -> {
                assertEquals(List.of(), problems(after));
                boolean isThere = after.exists(RESTORED);
                found[isThere ? 1 : 0]++;
                if (!isThere) {
                  try (Backups again = Backups.open(TARGET, after)) {
                    Backups.Restored unused =
                        again.restore(
                            PointInTime.ofSequence(sequence), RESTORED, Fixtures.TINY, _ -> {});
                  }
                }
                try (Store store = Store.open(RESTORED, Fixtures.TINY, after)) {
                  assertEquals(expected, Fixtures.text(Fixtures.contents(store)));
                }
              });
      Backups.Restored unused =
          backups.restore(PointInTime.ofSequence(sequence), RESTORED, Fixtures.TINY, _ -> {});
      engine.onSync(() -> {});
      if (failure[0] != null) {
        throw failure[0];
      }
    }
    for (int seed = 0; seed < 4; seed++) {
      assertTrue(engine.crash(seed).exists(RESTORED), "it is durable on return");
    }
    assertTrue(found[0] > 20 && found[1] > 0, found[0] + " without, " + found[1] + " with");
  }

  /** Each of them is needed: without it a power cut behind the call shows that. */
  @ParameterizedTest
  @ValueSource(strings = {"sync incoming", "names /backups/log", "sync ARCHIVE.tmp"})
  void withoutOneOfTheSyncsTheArchiveIsNotWhole(String sync) throws Exception {
    boolean seen = false;
    try (Store store = open(BackupsTest.without(engine, IoEngine.class, sync, ""))) {
      BackupInfo unused = backup(store, engine);
      NavigableMap<Long, Map<String, String>> states = archived(store, 1, 3);
      for (int seed = 0; seed < 30; seed++) {
        SimEngine after = engine.crash(seed);
        try {
          seen |= !problems(after).isEmpty();
          seen |= !states.lastEntry().getValue().equals(restored(after, states.lastKey()));
          try (Store again = open(after)) {
            long end = again.archiveLog();
            seen |= end < states.lastKey();
            seen |= !states.lastEntry().getValue().equals(restored(after, end)); // it goes on
          }
        } catch (StorageException e) {
          seen = true;
        }
      }
    }
    assertTrue(seen);
  }

  /**
   * A process that is killed leaves what it has not synced in the page cache: whoever opens the
   * store sees it, and may lose it all the same.
   */
  @Test
  void killBeforeTheNameOfAFileIsDurableAndAPowerCutLoseNothing() throws Exception {
    NavigableMap<Long, Map<String, String>> states;
    AtomicBoolean isKilled = new AtomicBoolean();
    Store killed = open(killedAtNames(isKilled));
    try {
      BackupInfo unused = backup(killed, engine);
      states = archived(killed, 1, 2);
      put(killed, 100);
      isKilled.set(true);
      assertThrows(StorageException.class, killed::archiveLog);
    } finally {
      killed.close();
    }
    List<ArchivedLog> seen = new ArchiveDirectory(engine, ARCHIVE).files();
    assertTrue(seen.getLast().toLsn() > states.lastKey(), "it has its name");
    try (Store store = open(engine)) {
      Map<String, String> state = Fixtures.text(Fixtures.contents(store));
      for (int seed = 0; seed < 20; seed++) {
        SimEngine after = engine.crash(seed);
        assertEquals(List.of(), problems(after));
        for (long sequence : states.keySet()) {
          assertEquals(states.get(sequence), restored(after, sequence));
        }
        try (Store again = open(after)) {
          assertEquals(state, Fixtures.text(Fixtures.contents(again)));
          assertEquals(state, restored(after, again.archiveLog()));
        }
      }
    }
  }

  /** From when it is told on, it ends as it makes names in the archive durable. */
  private IoEngine killedAtNames(AtomicBoolean isKilled) {
    boolean[] isDead = {false};
    return (IoEngine)
        Proxy.newProxyInstance(
            IoEngine.class.getClassLoader(),
            new Class<?>[] {IoEngine.class},
            (_, method, arguments) -> {
              boolean isNames = method.getName().equals("syncDirectory");
              isDead[0] |= isKilled.get() && isNames && arguments[0].equals(ARCHIVE);
              if (isDead[0]
                  && (isNames || Set.of("open", "rename", "delete").contains(method.getName()))) {
                throw new StorageException("the process is gone", (Path) arguments[0]);
              }
              try {
                return method.invoke(engine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  // ---- damage

  private void flipNote() throws IOException {
    engine.flipBit(new StoreFiles(Fixtures.DIRECTORY).archive(), 20);
  }

  private static Store openWith(SimEngine on, Path archiveOrNull) throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY.withArchive(archiveOrNull), on);
  }

  /** Nobody knows where the store was in it: so it begins anew, and doubles or loses nothing. */
  @Test
  void damagedNoteOfTheArchiveKeepsNobodyFromTheStore() throws Exception {
    NavigableMap<Long, Map<String, String>> states;
    Map<String, String> state;
    try (Store store = open(engine)) {
      BackupInfo unused = backup(store, engine);
      states = archived(store, 1, 2);
      put(store, 100);
      state = Fixtures.text(Fixtures.contents(store));
    }
    flipNote();
    CorruptFileException e =
        assertThrows(CorruptFileException.class, () -> openWith(engine, null).close());
    assertTrue(e.getMessage().contains("options that name its directory, or none"), e.getMessage());

    SimEngine without = engine.crash(1);
    try (Store store = openWith(without, StoreOptions.NO_ARCHIVE)) {
      assertEquals(state, Fixtures.text(Fixtures.contents(store)));
    }
    openWith(without, null).close();

    try (Store store = openWith(engine, ARCHIVE)) {
      assertEquals(state, Fixtures.text(Fixtures.contents(store)));
      for (long sequence : states.keySet()) {
        assertEquals(states.get(sequence), restored(engine, sequence));
      }
      put(store, 101);
      long end = store.archiveLog();
      assertThrows(UnreachablePointException.class, () -> restored(engine, end));
      BackupInfo unused = backup(store, engine);
      put(store, 102);
      assertEquals(Fixtures.text(Fixtures.contents(store)), restored(engine, store.archiveLog()));
      assertEquals(states.firstEntry().getValue(), restored(engine, states.firstKey()));
    }
    assertEquals(List.of(), problems(engine));
    openWith(engine, null).close();
  }

  /** What the store writes without it would be missing there. */
  @Test
  void anArchiveThatTheStoreHasLeftStaysLeft() throws Exception {
    try (Store store = open(engine)) {
      put(store, 1);
    }
    try (Store store = openWith(engine, StoreOptions.NO_ARCHIVE)) {
      for (int seed = 0; seed < 20; seed++) {
        try (Store again = openWith(engine.crash(seed), null)) {
          assertEquals("", again.stats().archive().directory());
        }
      }
      put(store, 2);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void repairSetsADamagedNoteAside(boolean isMoreDamaged) throws Exception {
    Map<String, String> state;
    try (Store store = open(engine)) {
      put(store, 1);
      BackupInfo unused = backup(store, engine);
      state = Fixtures.text(Fixtures.contents(store));
    }
    StoreFiles files = new StoreFiles(Fixtures.DIRECTORY);
    flipNote();
    if (isMoreDamaged) {
      engine.flipBit(files.manifest(), 3);
    }
    RepairReport report = StoreRepair.run(Fixtures.DIRECTORY, Fixtures.TINY, engine, _ -> {});
    assertFalse(report.isSound());
    assertTrue(report.isComplete());
    assertTrue(report.archiveProblem().orElseThrow().contains(files.archive().toString()));
    assertEquals(isMoreDamaged, report.manifestProblem().isPresent());
    Path aside = files.archive().resolveSibling("ARCHIVE.damaged");
    assertTrue(report.setAside().contains(aside), report.setAside().toString());
    assertTrue(engine.exists(aside));
    for (int seed = 0; seed < 20; seed++) {
      assertTrue(engine.crash(seed).exists(aside), "lost by a power cut");
    }
    assertTrue(
        StoreRepair.run(Fixtures.DIRECTORY, Fixtures.TINY, engine, _ -> {}).isSound(), "again");
    try (Store store = openWith(engine, null)) {
      assertEquals(state, Fixtures.text(Fixtures.contents(store)));
      assertEquals("", store.stats().archive().directory());
    }
    try (Store store = openWith(engine, ARCHIVE)) {
      BackupInfo unused = backup(store, engine);
      put(store, 2);
      assertEquals(Fixtures.text(Fixtures.contents(store)), restored(engine, store.archiveLog()));
    }
  }

  @Test
  void everyByteOfTheArchiveIsChecked() throws Exception {
    NavigableMap<Long, Map<String, String>> states;
    try (Store store = open(engine)) {
      BackupInfo unused = backup(store, engine);
      states = archived(store, 1, 2);
    }
    List<ArchivedLog> files = new ArchiveDirectory(engine, ARCHIVE).files();
    ArchivedLog last = files.getLast();
    long size = Fixtures.sizeBytes(engine, last.path());
    try (Backups backups = Backups.open(TARGET, engine)) {
      for (long offset = 0; offset < size; offset++) {
        engine.flipBit(last.path(), offset);
        List<String> problems = backups.verify(_ -> {}).problems();
        assertEquals(1, problems.size(), "offset=" + offset);
        assertTrue(problems.getFirst().contains(last.path().toString()), problems.toString());
        if (offset % 200 == 0) {
          UnreachablePointException e =
              assertThrows(
                  UnreachablePointException.class, () -> restored(engine, states.lastKey()));
          assertTrue(e.getMessage().contains(last.path().toString()), e.getMessage());
          assertEquals(last.fromLsn(), e.reachableSequence());
          assertEquals(states.firstEntry().getValue(), restored(engine, states.firstKey()));
        }
        engine.flipBit(last.path(), offset);
      }
    }
    assertEquals(List.of(), problems(engine));
    assertEquals(states.lastEntry().getValue(), restored(engine, states.lastKey()));
  }

  /** Names that lie are found by what is inside. */
  @Test
  void fileUnderAnotherNameIsFound() throws Exception {
    try (Store store = open(engine)) {
      BackupInfo unused = backup(store, engine);
      NavigableMap<Long, Map<String, String>> states = archived(store, 1, 1);
      assertEquals(1, states.size());
    }
    ArchivedLog real = new ArchiveDirectory(engine, ARCHIVE).files().getLast();
    long from = real.fromLsn();
    long to = real.toLsn();
    long history = real.history();
    for (ArchivedLog forged :
        List.of(
            ArchivedLog.in(ARCHIVE, history + 1, from, to, real.checksum()),
            ArchivedLog.in(ARCHIVE, history, from - 8, to, real.checksum()),
            ArchivedLog.in(ARCHIVE, history, from, to + 8, real.checksum()),
            ArchivedLog.in(ARCHIVE, history, from, to, real.checksum() + 1))) {
      engine.rename(real.path(), forged.path());
      assertThrows(
          CorruptFileException.class,
          () -> new ArchiveDirectory(engine, ARCHIVE).verify(forged, _ -> {}));
      engine.rename(forged.path(), real.path());
    }
  }

  // ---- the archive takes nothing

  /** What an archive can meet: whatever it is, it passes. */
  private enum Trouble {
    DEVICE("no such device"),
    MEMORY("cannot map"),
    LINK("no such class");

    final String told;

    Trouble(String told) {
      this.told = told;
    }

    void meet(Path path) throws IOException {
      switch (this) {
        case DEVICE -> throw new StorageException(told, path);
        case MEMORY -> throw new UncheckedIOException(new IOException(told));
        case LINK -> throw new NoClassDefFoundError(told);
      }
    }
  }

  private static final class Broken {
    final AtomicBoolean isBroken = new AtomicBoolean();
    final Trouble trouble;

    Broken(Trouble trouble) {
      this.trouble = trouble;
    }

    /** An engine whose device of archives is full, or gone, for a time. */
    IoEngine engine(SimEngine real) {
      return (IoEngine)
          Proxy.newProxyInstance(
              IoEngine.class.getClassLoader(),
              new Class<?>[] {IoEngine.class},
              (_, method, arguments) -> {
                if (isBroken.get()
                    && method.getName().equals("open")
                    && ((Path) arguments[0]).startsWith(ARCHIVE)) {
                  trouble.meet((Path) arguments[0]);
                }
                try {
                  return method.invoke(real, arguments);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }
  }

  @ParameterizedTest
  @EnumSource(Trouble.class)
  void writersWaitWhileTheArchiveTakesNothingAndItGetsEverything(Trouble trouble) throws Exception {
    Broken broken = new Broken(trouble);
    List<StallReason> stalls = new CopyOnWriteArrayList<>();
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    StoreListener listener =
        new StoreListener() {
          @Override
          public void stalled(Stall stall) {
            stalls.add(stall.reason());
          }

          @Override
          public void failed(Throwable reason) {
            failures.add(reason);
          }
        };
    byte[] value = new byte[50_000];
    WriteOptions how = WriteOptions.of(Durability.NONE).withStallMax(Duration.ofMillis(300));
    try (Store store =
        Store.open(Fixtures.DIRECTORY, OPTIONS.withListener(listener), broken.engine(engine))) {
      BackupInfo unused = backup(store, engine);
      broken.isBroken.set(true);
      assertThrows(Throwable.class, store::archiveLog);
      int written = 0;
      while (written < 100 && !stalls.contains(StallReason.ARCHIVE)) {
        try {
          put(store, written, value, how);
          written++;
        } catch (WriteStalledException e) {
          // as it is to be; or for a flush that takes long
        }
      }
      assertTrue(written > 5 && written < 25, "written=" + written);
      assertTrue(store.stats().archive().failure().contains(trouble.told));
      assertEquals(1, failures.size(), "it is said once");
      assertTrue(store.stats().stalls().byReason().get(StallReason.ARCHIVE).count() > 0);
      assertEquals(trouble != Trouble.LINK, canBackUp(store), "nothing but an error is thrown");
      broken.isBroken.set(false);
      for (; written < 100; written++) {
        put(store, written, value, how.withStallMax(Duration.ofSeconds(20)));
      }
      long archived = store.archiveLog();
      assertEquals("", store.stats().archive().failure());
      assertEquals(Fixtures.text(Fixtures.contents(store)), restored(engine, archived));
    }
    assertEquals(List.of(), problems(engine));
  }

  private boolean canBackUp(Store store) throws IOException {
    try {
      return backup(store, engine).number() > 1;
    } catch (NoClassDefFoundError e) {
      return false;
    }
  }

  private static void put(Store store, int i, byte[] value, WriteOptions how) throws IOException {
    store.put(MemorySegment.ofArray(Fixtures.bytes("key" + i)), MemorySegment.ofArray(value), how);
  }

  /** Marks of what is no write take room in the log, too. */
  @Test
  void marksAloneAreArchivedBeforeTheLogIsFull() throws Exception {
    try (Store store = open(engine)) {
      Family family = store.createFamily("f".repeat(Family.NAME_BYTES_MAX));
      awaitQuiet(store);
      long begin = store.stats().sequence();
      for (int i = 0; store.stats().sequence() < begin + OPTIONS.logSegmentBytes(); i++) {
        try (SortedIngest ingest = family.ingest()) {
          ingest.put(Fixtures.bytes("key%05d".formatted(i)), Fixtures.bytes("value"));
          assertTrue(ingest.commit() > 0);
        }
      }
      awaitArchived(store);
      for (int i = 0; i < 20; i++) {
        Family unused = store.createFamily(i + "-".repeat(Family.NAME_BYTES_MAX - 2));
      }
      awaitQuiet(store);
      begin = store.stats().sequence();
      while (store.stats().sequence() < begin + OPTIONS.logSegmentBytes()) {
        store.dropFamily(store.createFamily("other"));
      }
      awaitArchived(store);
    }
  }

  /** But for the segment that is being filled. */
  private static void awaitArchived(Store store) {
    long end = store.stats().sequence();
    Fixtures.await(
        store, () -> store.stats().archive().sequence() >= end - OPTIONS.logSegmentBytes());
  }

  /** Longer than a mark of the time takes to come. */
  private static void awaitQuiet(Store store) throws InterruptedException {
    long before = -1;
    while (store.stats().sequence() != before) {
      before = store.stats().sequence();
      Thread.sleep(1_500);
    }
  }

  /** What stays in the log when the store is closed is archived after the next opening. */
  @Test
  void closeLosesNothingThatCouldNotBeArchived() throws Exception {
    Broken broken = new Broken(Trouble.DEVICE);
    long end;
    Map<String, String> state;
    try (Store store = open(broken.engine(engine))) {
      BackupInfo unused = backup(store, engine);
      broken.isBroken.set(true);
      for (int i = 0; i < 10; i++) {
        put(store, i, new byte[40_000], WriteOptions.of(Durability.NONE));
      }
      store.flush();
      end = store.stats().sequence();
      state = Fixtures.text(Fixtures.contents(store));
    }
    try (Store store = open(engine)) {
      assertTrue(store.archiveLog() >= end);
      assertEquals(state, restored(engine, end));
    }
  }

  // ---- encryption

  @Test
  void archiveOfAnEncryptedStoreShowsNothing() throws Exception {
    for (boolean isEncrypted : new boolean[] {true, false}) {
      engine =
          isEncrypted
              ? new SimEngine(1, SimOptions.defaults().withKeys(new TestKeys(2)))
              : new SimEngine(1);
      try (Store store = open(engine)) {
        BackupInfo unused = backup(store, engine);
        store.put(Fixtures.bytes("secret key"), Fixtures.bytes("secret value"), Durability.SYNCED);
        long archived = store.archiveLog();
        assertTrue(archived > 0);
      }
      boolean isFound = false;
      for (ArchivedLog file : new ArchiveDirectory(engine, ARCHIVE).files()) {
        isFound |= content(file.path()).contains("secret");
      }
      assertEquals(!isEncrypted, isFound);
    }
    assertFalse(problems(engine).iterator().hasNext());
  }

  private String content(Path path) throws IOException {
    int size = (int) Fixtures.sizeBytes(engine, path);
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY);
        Region region = Region.map(MemoryBudget.root("test", size), RegionOptions.ofSize(size))) {
      file.readFully(0, region, 0, size);
      return new String(
          region.segment().asSlice(0, size).toArray(ValueLayout.JAVA_BYTE),
          StandardCharsets.ISO_8859_1);
    }
  }
}
