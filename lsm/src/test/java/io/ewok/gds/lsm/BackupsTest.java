package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.LockedException;
import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.wal.LogOptions;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every backup is the store as it was, for as long as it is not deleted, whatever happens to later
 * ones; and no byte of one changes unseen.
 */
class BackupsTest {
  private static final Path TARGET = Path.of("/backups");
  private static final Path TABLES = TARGET.resolve("tables");
  private static final Path RESTORED = Path.of("/restored");
  private static final String NAMED = "named";

  /** A store's families and what they have, as text. */
  private record State(Map<String, Map<String, String>> families) {
    static State of(Store store) throws Exception {
      Map<String, Map<String, String>> families = new TreeMap<>();
      for (Family family : store.families()) {
        families.put(family.name(), Fixtures.text(Fixtures.contents(family)));
      }
      return new State(families);
    }
  }

  private final SimEngine engine = new SimEngine(1);

  /** A store that merges its tables only when it is told to, so that it is known which are new. */
  private static Store open(IoEngine engine, Path directory) throws IOException {
    Store store = Store.open(directory, Fixtures.TINY.withTablesBeforeMerge(50), engine);
    store.background().setRest(Long.MAX_VALUE);
    return store;
  }

  private static BackupInfo backup(IoEngine engine, Store store) throws IOException {
    try (Backups backups = Backups.open(TARGET, engine)) {
      return backups.create(store, _ -> {});
    }
  }

  private static List<String> problems(IoEngine engine) throws IOException {
    try (Backups backups = Backups.open(TARGET, engine)) {
      return backups.verify(_ -> {}).problems();
    }
  }

  /** Restores a backup, looks at it, and removes it. */
  private static State restored(SimEngine engine, long number) throws Exception {
    SimEngine apart = engine.crash(number); // all of it is durable
    try (Backups backups = Backups.open(TARGET, apart)) {
      backups.restore(number, RESTORED, _ -> {});
    }
    SimEngine after = apart.crash(number);
    try (Store store = Store.open(RESTORED, Fixtures.TINY.withCreateIfMissing(false), after)) {
      State state = State.of(store);
      store.put(Fixtures.bytes("new"), new byte[1], Durability.SYNCED);
      store.compact();
      return state;
    }
  }

  private static void write(Store store, int first, int count, long seed) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Family named = store.family(NAMED).orElse(null);
    if (named == null) {
      named = store.createFamily(NAMED);
    }
    for (int i = first; i < first + count; i++) {
      byte[] key = Fixtures.bytes("key%05d".formatted(i));
      (i % 3 == 0 ? named : store).put(key, Fixtures.randomBytes(random, 300), Durability.NONE);
    }
    store.put(Fixtures.bytes("seed"), Fixtures.bytes("" + seed), Durability.SYNCED);
  }

  // ---- what is in them

  @Test
  void eachBackupIsTheStoreAsItWasAndSharesWhatHasNotChanged() throws Exception {
    Map<Long, State> states = new TreeMap<>();
    List<BackupInfo> made = new ArrayList<>();
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 3000, 1);
      store.compact();
      for (int i = 0; i < 4; i++) {
        write(store, 100 * i, 40, i);
        made.add(backup(engine, store));
        states.put(made.getLast().number(), State.of(store));
        assertEquals(store.stats().sequence(), made.getLast().sequence());
      }
      made.add(backup(engine, store));
      states.put(made.getLast().number(), State.of(store));
    }
    assertEquals(List.of(1L, 2L, 3L, 4L, 5L), made.stream().map(BackupInfo::number).toList());
    assertEquals(made.getFirst().tableBytes(), made.getFirst().newBytes());
    assertTrue(made.get(1).newBytes() < made.get(1).tableBytes() / 4, made.toString());
    assertEquals(0, made.getLast().newBytes(), "nothing was written since the one before");
    assertEquals(List.of(), problems(engine));
    try (Backups backups = Backups.open(TARGET, engine)) {
      assertEquals(made, backups.list());
    }
    for (long number : states.keySet()) {
      assertEquals(states.get(number), restored(engine, number), "backup " + number);
    }
  }

  /** What was restored gives the same numbers, and sizes, to other tables. */
  @Test
  void tablesOfStoresThatWereOneOnceAreToldApart() throws Exception {
    List<State> states = new ArrayList<>();
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 200, 1);
      store.flush();
      assertTrue(store.checkpoint(Path.of("/other")) > 0);
    }
    long newBytes = 0;
    for (Path directory : List.of(Fixtures.DIRECTORY, Path.of("/other"))) {
      try (Store store = open(engine, directory)) {
        write(store, 0, 200, 2 + states.size());
        newBytes = backup(engine, store).newBytes();
        states.add(State.of(store));
      }
    }
    assertTrue(newBytes > 0);
    assertNotEquals(states.getFirst(), states.getLast());
    assertEquals(states.getFirst(), restored(engine, 1));
    assertEquals(states.getLast(), restored(engine, 2));
  }

  @Test
  void deletedBackupTakesOnlyWhatNoOtherHas() throws Exception {
    List<State> states = new ArrayList<>();
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      for (int i = 0; i < 3; i++) {
        write(store, 100 * i, 300, i);
        store.compact();
        BackupInfo unused = backup(engine, store);
        states.add(State.of(store));
      }
    }
    int before = engine.list(TABLES).size();
    try (Backups backups = Backups.open(TARGET, engine)) {
      assertThrows(MissingFileException.class, () -> backups.delete(7));
      backups.delete(1);
      assertTrue(engine.list(TABLES).size() < before);
      assertThrows(MissingFileException.class, () -> backups.restore(1, RESTORED, _ -> {}));
      assertEquals(2, backups.list().size());
    }
    assertEquals(List.of(), problems(engine));
    assertEquals(states.get(1), restored(engine, 2));
    assertEquals(states.get(2), restored(engine, 3));
    try (Backups backups = Backups.open(TARGET, engine)) {
      backups.delete(2);
      backups.delete(3);
      assertEquals(List.of(), engine.list(TABLES));
    }
  }

  // ---- what is refused

  @Test
  void foreignAndTakenDirectoriesAreRefused() throws Exception {
    engine.createDirectories(TARGET);
    engine.open(TARGET.resolve("mine"), OpenMode.CREATE_NEW).close();
    assertThrows(StorageException.class, () -> Backups.open(TARGET, engine));
    engine.delete(TARGET.resolve("mine"));
    Store closed;
    try (Backups backups = Backups.open(TARGET, engine)) {
      try (Store store = open(engine, Fixtures.DIRECTORY)) {
        closed = store;
        write(store, 0, 10, 1);
        assertThrows(LockedException.class, () -> Backups.open(TARGET, engine));
        assertEquals(1, backups.create(store, _ -> {}).number());
        assertThrows(StorageException.class, () -> backups.restore(1, Fixtures.DIRECTORY, _ -> {}));
      }
      Store store = closed;
      assertThrows(IllegalStateException.class, () -> backups.create(store, _ -> {}));
    }
    assertEquals(List.of(), problems(engine));
  }

  // ---- damage

  @Test
  void everyByteOfABackupIsChecked() throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 12, 1);
      BackupInfo unused = backup(engine, store);
    }
    assertEquals(List.of(), problems(engine));
    List<Path> files = new ArrayList<>(engine.list(TABLES));
    files.add(TARGET.resolve("backup-0000000001"));
    assertEquals(3, files.size(), files.toString());
    try (Backups backups = Backups.open(TARGET, engine)) {
      for (Path file : files) {
        long size = Fixtures.sizeBytes(engine, file);
        for (long offset = 0; offset < size; offset++) {
          engine.flipBit(file, offset);
          List<String> problems = backups.verify(_ -> {}).problems();
          assertEquals(1, problems.size(), file + " at " + offset);
          assertTrue(problems.getFirst().contains(file.toString()), problems.toString());
          if (offset % 500 == 0) {
            assertThrows(StorageException.class, () -> backups.restore(1, RESTORED, _ -> {}));
            assertEquals(
                List.of(), engine.list(Path.of("/")).stream().filter(this::isRestored).toList());
          }
          engine.flipBit(file, offset);
        }
      }
    }
    assertEquals(List.of(), problems(engine));
  }

  private boolean isRestored(Path path) {
    return path.toString().startsWith(RESTORED.toString());
  }

  @Test
  void missingFilesAreFoundAndCopiedAgain() throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 100, 1);
      BackupInfo unused = backup(engine, store);
      State state = State.of(store);
      Path table = engine.list(TABLES).getFirst();
      engine.delete(table);
      assertEquals(1, problems(engine).size());
      try (Backups backups = Backups.open(TARGET, engine)) {
        assertThrows(MissingFileException.class, () -> backups.restore(1, RESTORED, _ -> {}));
      }
      assertTrue(backup(engine, store).newBytes() > 0);
      assertEquals(List.of(), problems(engine));
      assertEquals(state, restored(engine, 1));
    }
  }

  @Test
  void damageInTheStoreIsFoundAndOlderBackupsAreKept() throws Exception {
    State state;
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      BackupInfo unused = backup(engine, store);
      state = State.of(store);
      Path table = Fixtures.tables(engine).getFirst();
      engine.flipBit(table, 100);
      CorruptFileException e =
          assertThrows(CorruptFileException.class, () -> backup(engine, store));
      assertTrue(e.getMessage().contains(table.toString()), e.getMessage());
    }
    assertEquals(List.of(), problems(engine));
    assertEquals(state, restored(engine, 1));
  }

  @Test
  void damagedBackupIsInTheWayUntilItIsDeleted() throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 100, 1);
      BackupInfo first = backup(engine, store);
      write(store, 50, 100, 2);
      BackupInfo second = backup(engine, store);
      assertEquals(first.number() + 1, second.number());
      State state = State.of(store);
      engine.flipBit(TARGET.resolve("backup-0000000001"), 30);
      assertThrows(CorruptFileException.class, () -> backup(engine, store));
      assertEquals(state, restored(engine, 2));
      try (Backups backups = Backups.open(TARGET, engine)) {
        assertThrows(CorruptFileException.class, backups::list);
        backups.delete(1);
      }
      assertEquals(3, backup(engine, store).number());
      assertEquals(state, restored(engine, 3));
    }
    assertEquals(List.of(), problems(engine));
  }

  // ---- power cuts and failures

  @Test
  void powerCutLeavesTheWholeBackupOrNoneAndTheOldOnesGood() throws Exception {
    int[] states = new int[2];
    State old;
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      BackupInfo unused = backup(engine, store);
      old = State.of(store);
      write(store, 100, 100, 2);
      State fresh = State.of(store);
      AssertionError[] failure = new AssertionError[1];
      engine.onSync(
          () -> {
            for (int seed = 0; seed < 6 && failure[0] == null; seed++) {
              try {
                states[checkCut(engine.crash(seed), old, fresh) - 1]++;
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("seed=" + seed, e);
              }
            }
          });
      assertEquals(2, backup(engine, store).number());
      engine.onSync(() -> {});
      if (failure[0] != null) {
        throw failure[0];
      }
      for (int seed = 0; seed < 6; seed++) {
        assertEquals(2, checkCut(engine.crash(seed), old, fresh), "it is durable on return");
      }
    }
    assertTrue(states[0] > 20 && states[1] > 0, states[0] + " without, " + states[1] + " with");
  }

  /** Returns how many backups there are. The next one can be made in any case. */
  private static int checkCut(SimEngine after, State old, State fresh) throws Exception {
    assertEquals(List.of(), problems(after));
    int count;
    try (Backups backups = Backups.open(TARGET, after)) {
      count = backups.list().size();
    }
    assertEquals(old, restored(after, 1));
    if (count == 2) {
      assertEquals(fresh, restored(after, 2));
    }
    try (Store store = open(after, Fixtures.DIRECTORY)) {
      assertEquals(count + 1, backup(after, store).number());
    }
    assertEquals(fresh, restored(after, count + 1));
    try (Backups backups = Backups.open(TARGET, after)) {
      long bytes = backups.verify(_ -> {}).tableBytes();
      assertEquals(bytes, sizeOfTables(after), "nothing of what was cut off is left");
    }
    return count;
  }

  private static long sizeOfTables(SimEngine engine) throws IOException {
    long bytes = 0;
    for (Path table : engine.list(TABLES)) {
      bytes += Fixtures.sizeBytes(engine, table);
    }
    return bytes;
  }

  @Test
  void powerCutWhileABackupIsRestoredLeavesTheWholeStoreOrNone() throws Exception {
    State expected;
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      BackupInfo unused = backup(engine, store);
      expected = State.of(store);
    }
    int[] states = new int[2];
    AssertionError[] failure = new AssertionError[1];
    try (Backups backups = Backups.open(TARGET, engine)) {
      engine.onSync(
          () -> {
            for (int seed = 0; seed < 6 && failure[0] == null; seed++) {
              try {
                states[checkRestored(engine.crash(seed), expected) ? 1 : 0]++;
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("seed=" + seed, e);
              }
            }
          });
      backups.restore(1, RESTORED, _ -> {});
      engine.onSync(() -> {});
    }
    if (failure[0] != null) {
      throw failure[0];
    }
    for (int seed = 0; seed < 6; seed++) {
      assertTrue(checkRestored(engine.crash(seed), expected), "it is durable on return");
    }
    assertTrue(states[0] > 20 && states[1] > 0, states[0] + " without, " + states[1] + " with");
  }

  /** Returns whether the store is there; if it is not, it can be restored. */
  private static boolean checkRestored(SimEngine after, State expected) throws Exception {
    boolean isThere = after.exists(RESTORED);
    if (!isThere) {
      try (Backups backups = Backups.open(TARGET, after)) {
        backups.restore(1, RESTORED, _ -> {});
      }
    }
    try (Store store = Store.open(RESTORED, Fixtures.TINY.withCreateIfMissing(false), after)) {
      assertEquals(expected, State.of(store));
    }
    return isThere;
  }

  @Test
  void powerCutWhileABackupIsDeletedLeavesTheOthersGood() throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      BackupInfo first = backup(engine, store);
      store.compact();
      write(store, 100, 100, 2);
      store.compact();
      BackupInfo second = backup(engine, store);
      assertTrue(first.number() < second.number());
      State state = State.of(store);
      AssertionError[] failure = new AssertionError[1];
      engine.onSync(
          () -> {
            for (int seed = 0; seed < 20 && failure[0] == null; seed++) {
              try {
                SimEngine after = engine.crash(seed);
                assertEquals(List.of(), problems(after));
                assertEquals(state, restored(after, 2));
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("seed=" + seed, e);
              }
            }
          });
      try (Backups backups = Backups.open(TARGET, engine)) {
        backups.delete(1);
      }
      engine.syncDirectory(TABLES);
      engine.syncDirectory(TARGET);
      if (failure[0] != null) {
        throw failure[0];
      }
    }
  }

  /** A deletion was cut off when it was seen and not yet durable. */
  @Test
  void backupThatComesBackInAPowerCutHasItsTables() throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      assertEquals(1, backup(engine, store).number());
      write(store, 100, 100, 2);
      store.compact();
      assertEquals(2, backup(engine, store).number());
      engine.delete(TARGET.resolve("backup-0000000001"));
      write(store, 200, 100, 3);
      List<String> problems = new ArrayList<>();
      engine.onSync(
          () -> {
            try {
              for (int seed = 0; seed < 20; seed++) {
                problems.addAll(problems(engine.crash(seed)));
              }
            } catch (IOException e) {
              problems.add(e.toString());
            }
          });
      assertEquals(3, backup(engine, store).number());
      engine.onSync(() -> {});
      assertEquals(List.of(), problems);
    }
  }

  /** Each of them is needed: without it a power cut behind the call shows that. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sync incoming",
        "sync backup-0000000001.tmp",
        "names /backups/tables",
        "names /backups"
      })
  void withoutOneOfTheSyncsABackupIsNotWhole(String sync) throws Exception {
    boolean seen = false;
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      BackupInfo made = backup(without(engine, IoEngine.class, sync, ""), store);
      assertEquals(1, made.number());
      for (int seed = 0; seed < 20; seed++) {
        SimEngine after = engine.crash(seed);
        seen |= !problems(after).isEmpty();
        try (Backups backups = Backups.open(TARGET, after)) {
          seen |= backups.verify(_ -> {}).backups() == 0;
        }
      }
    }
    assertTrue(seen);
  }

  static <T> T without(T real, Class<T> type, String leftOut, String file) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              if ((method.getName().equals("sync")
                      && leftOut.startsWith("sync ")
                      && file.endsWith(leftOut.substring(5)))
                  || (method.getName().equals("syncDirectory")
                      && leftOut.equals("names " + arguments[0]))) {
                return null;
              }
              try {
                Object result = method.invoke(real, arguments);
                return result instanceof IoFile opened && arguments[1] == OpenMode.CREATE_NEW
                    ? without(opened, IoFile.class, leftOut, opened.path().toString())
                    : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  @ParameterizedTest
  @EnumSource(
      value = SimOperation.class,
      names = {"OPEN", "READ", "WRITE", "SYNC", "RENAME", "SYNC_DIRECTORY", "DELETE"})
  void failureLeavesTheOldBackupsAndCanBeTriedAgain(SimOperation operation) throws Exception {
    State old;
    State fresh;
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 100, 1);
      BackupInfo unused = backup(engine, store);
      old = State.of(store);
      write(store, 50, 50, 2);
      store.flush();
      fresh = State.of(store);
    }
    engine.open(TABLES.resolve("incoming"), OpenMode.CREATE_NEW).close(); // there is one to delete
    engine.syncDirectory(TABLES);
    boolean failed = true;
    int failures = 0;
    for (int n = 1; failed; n++) {
      SimEngine failing = engine.crash(n);
      try (Store store = open(failing, Fixtures.DIRECTORY)) {
        failing.failNth(operation, n, operation == SimOperation.WRITE ? Errno.ENOSPC : Errno.EIO);
        try {
          assertEquals(2, backup(failing, store).number());
          failed = false;
        } catch (IOException e) {
          failures++;
          assertEquals(List.of(), problems(failing));
          assertTrue(backup(failing, store).number() >= 2, "it can be tried again");
        }
      }
      assertEquals(old, restored(failing, 1));
      assertEquals(fresh, restored(failing, 2));
    }
    assertTrue(failures > 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void fullDiskLeavesWhatWasThere(boolean restore) throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      write(store, 0, 300, 1);
      BackupInfo unused = backup(engine, store);
      State state = State.of(store);
      write(store, 100, 300, 2);
      store.flush();
      long used = engine.usedBytes();
      for (long room = 0; room < 60_000; room += 10_000) {
        engine.setCapacityBytes(used + room);
        try (Backups backups = Backups.open(TARGET, engine)) {
          assertThrows(
              OutOfSpaceException.class,
              restore
                  ? () -> backups.restore(1, RESTORED, _ -> {})
                  : () -> backups.create(store, _ -> {}));
        }
        assertFalse(engine.list(Path.of("/")).stream().anyMatch(this::isRestored));
        assertEquals(List.of(), problems(engine));
      }
      engine.setCapacityBytes(Long.MAX_VALUE);
      assertEquals(state, restored(engine, 1));
      assertEquals(2, backup(engine, store).number());
    }
  }

  @Test
  void progressIsToldOfAllThatIsRead() throws Exception {
    try (Store store = open(engine, Fixtures.DIRECTORY);
        Backups backups = Backups.open(TARGET, engine)) {
      write(store, 0, 300, 1);
      AtomicLong bytes = new AtomicLong();
      BackupInfo first = backups.create(store, bytes::addAndGet);
      assertEquals(first.tableBytes(), bytes.get());
      assertEquals(0, backups.create(store, bytes::addAndGet).newBytes());
      assertEquals(2 * first.tableBytes(), bytes.get());
      assertEquals(first.tableBytes(), backups.verify(bytes::addAndGet).tableBytes());
      backups.restore(1, RESTORED, bytes::addAndGet);
      assertEquals(4 * first.tableBytes(), bytes.get());
    }
  }

  // ---- format

  private static BackupFormat.Content content(PinnedTables.Archived archived) {
    return new BackupFormat.Content(
        1_700_000_000_000L,
        12,
        new LogOptions(1 << 20, 4, 1 << 20),
        Manifest.EMPTY.after(Manifest.EMPTY.edit().withState(true, 5, 4711, 0)),
        new TreeMap<>(),
        archived);
  }

  @Test
  void formatIsWhatItWas() throws Exception {
    BackupFormat.Content content = content(PinnedTables.Archived.NONE);
    byte[] payload = BackupFormat.encode(content, KeySource.NONE, TARGET);
    CRC32C crc = new CRC32C();
    crc.update(payload);
    assertEquals(2 * 4096 - 16, payload.length);
    assertEquals("f9586255", Long.toHexString(crc.getValue()));
    BackupFormat.Content read = BackupFormat.decode(TARGET, 1, payload, KeySource.NONE);
    assertEquals(content.millis(), read.millis());
    assertEquals(12, read.newBytes());
    assertEquals(4, read.log().segmentCount());
    assertEquals(4711, read.manifest().horizonLsn());
    for (int i : new int[] {15, 16, 27, 28, 32, 36, 40, 60}) {
      byte[] forged = payload.clone();
      forged[i] ^= (byte) 0x81;
      assertThrows(
          CorruptFileException.class,
          () -> BackupFormat.decode(TARGET, 1, forged, KeySource.NONE),
          "byte " + i);
    }
    assertThrows(
        CorruptFileException.class,
        () -> BackupFormat.decode(TARGET, 1, new byte[39], KeySource.NONE));
  }

  /** That of a store whose log is archived. */
  @Test
  void formatWithAnArchiveIsWhatItWas() throws Exception {
    BackupFormat.Content content = content(new PinnedTables.Archived(0x0102030405060708L, 4800));
    assertEquals(2, content.version());
    byte[] payload = BackupFormat.encode(content, KeySource.NONE, TARGET);
    assertEquals(2 * 4096 - 16, payload.length);
    assertEquals(
        "0807060504030201" + "c012000000000000", HexFormat.of().formatHex(payload, 40, 56));
    CRC32C crc = new CRC32C();
    crc.update(payload);
    assertEquals("b8bc84a3", Long.toHexString(crc.getValue()));
    BackupFormat.Content read = BackupFormat.decode(TARGET, 2, payload, KeySource.NONE);
    assertEquals(content.archived(), read.archived());
    assertEquals(4711, read.horizonLsn());
    assertEquals(4800, read.firstLsn());
    for (int i : new int[] {15, 16, 27, 28, 32, 36, 47, 55, 56, 76}) {
      byte[] forged = payload.clone();
      forged[i] ^= (byte) 0x81;
      assertThrows(
          CorruptFileException.class,
          () -> BackupFormat.decode(TARGET, 2, forged, KeySource.NONE),
          "byte " + i);
    }
    byte[] without = payload.clone();
    Arrays.fill(without, 40, 48, (byte) 0);
    for (byte[] other : new byte[][] {without, new byte[55], Arrays.copyOf(payload, 60)}) {
      assertThrows(
          CorruptFileException.class, () -> BackupFormat.decode(TARGET, 2, other, KeySource.NONE));
    }
    // One version is not read as the other.
    assertThrows(
        CorruptFileException.class, () -> BackupFormat.decode(TARGET, 1, payload, KeySource.NONE));
  }
}
