package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With an archive a store comes back as it was at each sequence number and time since the first
 * backup, or not at all.
 */
class PointInTimeTest {
  private static final Path TARGET = Path.of("/backups");
  private static final Path ARCHIVE = Backups.archive(TARGET);
  private static final Path RESTORED = Path.of("/restored");

  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY.tree().withMergeOperator(MergeOperators.append(new byte[] {','})));

  private static final List<Durability> DURABILITIES =
      List.of(Durability.NONE, Durability.BUFFERED, Durability.SYNCED);

  /** Milliseconds since the epoch. */
  private final AtomicLong clock = new AtomicLong(1_000_000);

  private SimEngine engine = new SimEngine(1);

  private Store open(Path directory, Path archiveOrNull) throws IOException {
    return Store.open(directory, OPTIONS.withArchive(archiveOrNull), engine, clock::get);
  }

  private Store open() throws IOException {
    return open(Fixtures.DIRECTORY, ARCHIVE);
  }

  private BackupInfo backup(Store store) throws IOException {
    try (Backups backups = Backups.open(TARGET, engine)) {
      return backups.create(store, _ -> {});
    }
  }

  private List<String> problems() throws IOException {
    try (Backups backups = Backups.open(TARGET, engine)) {
      return backups.verify(_ -> {}).problems();
    }
  }

  private static Map<String, Map<String, String>> state(Store store) throws Exception {
    Map<String, Map<String, String>> families = new TreeMap<>();
    for (Family family : store.families()) {
      families.put(family.name(), Fixtures.text(Fixtures.contents(family)));
    }
    return families;
  }

  private static void put(Store store, String key, String value) throws IOException {
    store.put(Fixtures.bytes(key), Fixtures.bytes(value), Durability.SYNCED);
  }

  /** What is restored, in an engine of its own. */
  private Map<String, Map<String, String>> restored(PointInTime point, long[] sequence)
      throws Exception {
    SimEngine apart = engine.crash(sequence == null ? 1 : sequence[0]); // all of it is durable
    try (Backups backups = Backups.open(TARGET, apart)) {
      List<Long> planned = new ArrayList<>();
      AtomicLong read = new AtomicLong();
      Backups.Restored restored =
          backups.restore(
              point,
              RESTORED,
              OPTIONS,
              bytes -> {
                planned.add(bytes);
                read.set(0);
              },
              read::addAndGet);
      assertEquals(1, planned.size());
      long off = Math.abs(read.get() - planned.getFirst());
      assertTrue(off <= read.get() / 4, "read %s of %s".formatted(read, planned));
      if (sequence != null) {
        sequence[0] = restored.sequence();
      }
    }
    SimEngine after = apart.crash(7);
    try (Store store =
        Store.open(RESTORED, OPTIONS.withCreateIfMissing(false), after, clock::get)) {
      Map<String, Map<String, String>> state = state(store);
      put(store, "new", "");
      store.compact();
      return state;
    }
  }

  private Map<String, Map<String, String>> restored(long sequence) throws Exception {
    return restored(PointInTime.ofSequence(sequence), null);
  }

  private Map<String, Map<String, String>> restored(Instant time) throws Exception {
    return restored(PointInTime.ofTime(time), null);
  }

  private UnreachablePointException unreachable(PointInTime point) {
    UnreachablePointException e =
        assertThrows(UnreachablePointException.class, () -> restored(point, null));
    assertFalse(engine.exists(RESTORED));
    return e;
  }

  // ---- the model

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void everySequenceNumberSinceTheFirstBackupComesBack(long seed) throws Exception {
    SplittableRandom random = new SplittableRandom(Fixtures.seed(seed));
    if (seed % 2 == 0) {
      engine = new SimEngine(1, SimOptions.defaults().withKeys(new TestKeys(2)));
    }
    NavigableMap<Long, Map<String, Map<String, String>>> states = new TreeMap<>();
    Store store = open();
    try {
      put(store, "a", "first");
      long first = backup(store).sequence();
      for (int i = 0; i < 150; i++) {
        step(store, random);
        states.put(store.stats().sequence(), state(store));
        switch (random.nextInt(30)) {
          case 0 -> {
            BackupInfo unused = backup(store);
          }
          case 1 -> assertTrue(store.archiveLog() >= states.lastKey());
          case 2 -> {
            store.close();
            store = open();
          }
          case 3 -> {
            put(store, "synced", "" + i);
            states.put(store.stats().sequence(), state(store));
            SimEngine after = engine.crash(i);
            store.close();
            engine = after;
            store = open(Fixtures.DIRECTORY, null); // it is remembered
          }
          case 4 -> store.flush();
          case 5 -> store.compact();
          default -> {}
        }
      }
      assertTrue(store.archiveLog() >= states.lastKey());
      assertEquals(List.of(), problems());
      List<Long> wanted = new ArrayList<>(states.tailMap(first, true).keySet());
      for (int i = 0; i < 25; i++) {
        long sequence = wanted.get(random.nextInt(wanted.size()));
        assertEquals(
            states.get(sequence),
            restored(sequence),
            "sequence=" + sequence + " " + Fixtures.replay(PointInTimeTest.class, seed));
      }
      assertEquals(states.lastEntry().getValue(), restored(states.lastKey()));
    } finally {
      store.close();
    }
  }

  private static byte[] key(SplittableRandom random) {
    return Fixtures.bytes("k%02d".formatted(random.nextInt(40)));
  }

  private static void step(Store store, SplittableRandom random) throws Exception {
    List<Family> families = store.families();
    Family in = families.get(random.nextInt(families.size()));
    byte[] value = Fixtures.randomBytes(random, random.nextInt(random.nextInt(10) == 0 ? 9000 : 9));
    Durability durability = DURABILITIES.get(random.nextInt(3));
    switch (random.nextInt(10)) {
      case 0 -> in.delete(key(random), durability);
      case 1 -> in.merge(key(random), value, durability);
      case 2 -> {
        byte[] from = key(random);
        byte[] to = key(random);
        if (Fixtures.ORDER.compare(from, to) < 0) {
          in.deleteRange(from, to, durability);
        }
      }
      case 3 -> {
        WriteBatch batch = new WriteBatch();
        for (Family family : families) {
          batch.put(family, key(random), value).merge(family, key(random), value);
        }
        store.write(batch, durability);
      }
      case 4 -> {
        try (Transaction transaction = store.transactions().begin(TransactionOptions.defaults())) {
          transaction.put(in, key(random), value);
          transaction.delete(store, key(random));
          transaction.commit(durability);
        }
      }
      case 5 -> {
        if (families.size() < 4 && random.nextBoolean()) {
          Family unused = store.createFamily("f" + random.nextInt(1000));
        } else if (in != store && in.id() != 0 && random.nextBoolean()) {
          store.dropFamily(in);
        }
      }
      default -> in.put(key(random), value, durability);
    }
  }

  /** So much that it takes many memtables and several files of the log. */
  @Test
  void moreThanMemoryAndLogHoldComesBack() throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    TreeMap<Long, Map<String, Map<String, String>>> states = new TreeMap<>();
    try (Store store = open()) {
      long unused = backup(store).sequence();
      for (int i = 0; i < 400; i++) {
        store.put(
            Fixtures.bytes("k%03d".formatted(random.nextInt(100))),
            Fixtures.randomBytes(random, 10_000),
            Durability.NONE);
        if (i % 100 == 99) {
          states.put(store.stats().sequence(), state(store));
        }
      }
      assertTrue(store.archiveLog() > 10 * OPTIONS.logSegmentBytes());
      StoreStats.Archive archive = store.stats().archive();
      assertTrue(archive.files() > 3 && archive.bytes() > 4_000_000, archive.toString());
      assertEquals("", archive.failure());
      for (long sequence : states.keySet()) {
        assertEquals(states.get(sequence), restored(sequence));
      }
    }
  }

  /** Level 0 of a long archive is merged on the way, and nothing else taken away by that. */
  @ParameterizedTest
  @EnumSource(CompactionStyle.class)
  void whatIsRestoredNeedsNoMergeAndHasEverything(CompactionStyle style) throws Exception {
    SplittableRandom random = new SplittableRandom(1);
    Map<String, Map<String, String>> state;
    long end;
    try (Store store = open()) {
      Family old = store.createFamily("old");
      old.put(Fixtures.bytes("k"), Fixtures.bytes("v"), Durability.NONE);
      long unused = backup(store).sequence();
      Family other = store.createFamily("other");
      for (int i = 0; i < 300; i++) {
        Family family = i % 3 == 0 ? other : store;
        byte[] value = Fixtures.randomBytes(random, 10_000);
        family.put(Fixtures.bytes("k%03d".formatted(random.nextInt(100))), value, Durability.NONE);
        if (i == 150) {
          store.dropFamily(old);
        }
      }
      state = state(store);
      end = store.archiveLog();
    }
    TreeOptions taking =
        OPTIONS
            .tree()
            .withStyle(style)
            .withFifoBytes(1 << 20)
            .withTtl(Duration.ofSeconds(1))
            .withPeriodicCompaction(Duration.ofSeconds(1))
            .withCompactionFilter((_, _, _) -> CompactionFilter.Decision.REMOVE);
    try (Backups backups = Backups.open(TARGET, engine)) {
      Backups.Restored unused =
          backups.restore(PointInTime.ofSequence(end), RESTORED, OPTIONS.withTree(taking), _ -> {});
    }
    Manifest manifest = ManifestLog.open(engine, new StoreFiles(RESTORED).manifest()).current();
    for (FamilyManifest family : manifest.all()) {
      int tables = family.level(0).size();
      assertEquals(
          style == CompactionStyle.FIFO, tables > OPTIONS.tree().tablesBeforeMerge(), "" + tables);
    }
    assertEquals(
        manifest.fileNumbers(),
        engine.list(RESTORED).stream()
            .flatMap(path -> StoreFiles.fileNumber(path).stream().boxed())
            .collect(Collectors.toCollection(TreeSet::new)));
    try (Store store = open(RESTORED, null)) {
      assertEquals(state, state(store));
      assertTrue(store.stats().sequence() >= end);
      put(store, "new", "1");
      store.compact();
      state.get(Family.DEFAULT_NAME).put("new", "31");
      assertEquals(state, state(store));
    }
  }

  // ---- times

  @Test
  void timeLeadsToTheLastMarkThatIsNotLater() throws Exception {
    TreeMap<Long, Map<String, Map<String, String>>> states = new TreeMap<>();
    try (Store store = open()) {
      put(store, "a", "0");
      long start = clock.addAndGet(1000);
      BackupInfo unused = backup(store);
      for (int i = 1; i < 12; i++) {
        long now = clock.addAndGet(1000);
        put(store, "a", "" + i);
        long archived = store.archiveLog();
        assertTrue(archived > 0);
        states.put(now, state(store));
        if (i == 6) {
          BackupInfo second = backup(store);
          assertEquals(2, second.number());
        }
      }
      for (long now : states.keySet()) {
        assertEquals(states.get(now), restored(Instant.ofEpochMilli(now)));
        if (now != states.lastKey()) {
          assertEquals(states.get(now), restored(Instant.ofEpochMilli(now + 999)));
        }
      }
      UnreachablePointException early =
          unreachable(PointInTime.ofTime(Instant.ofEpochMilli(start - 1)));
      assertTrue(early.getMessage().contains("no backup is old enough"), early.getMessage());
      UnreachablePointException late =
          unreachable(PointInTime.ofTime(Instant.ofEpochMilli(clock.get() + 1)));
      assertTrue(
          late.getMessage().contains("where it is " + Instant.ofEpochMilli(clock.get())),
          late.getMessage());
      long[] reached = {0};
      assertEquals(
          states.lastEntry().getValue(),
          restored(PointInTime.ofSequence(late.reachableSequence()), reached));
      assertEquals(late.reachableSequence(), reached[0]);
    }
  }

  /** Without a call of the archive's, a second or so apart. */
  @Test
  void timeIsMarkedWhileTheStoreIsWritten() throws Exception {
    try (Store store = open()) {
      BackupInfo unused = backup(store);
      long before = clock.get();
      while (!isMarked(store)) {
        put(store, "a", "1"); // the mark may have come before we looked
      }
      clock.addAndGet(1000);
      put(store, "a", "2");
      long archived = store.archiveLog();
      assertTrue(archived > 0);
      Map<String, Map<String, String>> state = restored(Instant.ofEpochMilli(before));
      assertEquals("31", state.get(Family.DEFAULT_NAME).get("a"));
    }
  }

  /** Whether something comes behind what was written, within a time in which a mark does. */
  private static boolean isMarked(Store store) throws InterruptedException {
    long sequence = store.stats().sequence();
    for (int i = 0; i < 30 && store.stats().sequence() == sequence; i++) {
      Thread.sleep(100);
    }
    return store.stats().sequence() > sequence;
  }

  /** Each of its times is archived. */
  private void putAt(Store store, long millis, String value) throws IOException {
    clock.set(millis);
    put(store, "a", value);
    assertTrue(store.archiveLog() > 0);
  }

  private String valueAt(long millis) throws Exception {
    return restored(Instant.ofEpochMilli(millis)).get(Family.DEFAULT_NAME).get("a");
  }

  /** It may have been made without the archive, or the archive be damaged there. */
  @Test
  void timeBeforeABackupThatLeadsNowhereIsReachedFromAnOlderOne() throws Exception {
    try (Store store = open()) {
      BackupInfo unused = backup(store);
      putAt(store, 2_000_000, "1");
      putAt(store, 3_000_000, "2");
    }
    try (Store store = open(Fixtures.DIRECTORY, StoreOptions.NO_ARCHIVE)) {
      clock.set(4_000_000);
      assertEquals(2, backup(store).number());
    }
    assertEquals("31", valueAt(2_500_000));
    unreachable(PointInTime.ofTime(Instant.ofEpochMilli(4_000_001)));
    UnreachablePointException between =
        unreachable(PointInTime.ofTime(Instant.ofEpochMilli(3_500_000)));
    assertTrue(between.getMessage().contains("backup 1 leads to"), between.getMessage());
    UnreachablePointException early =
        unreachable(PointInTime.ofTime(Instant.ofEpochMilli(500_000)));
    assertTrue(early.getMessage().contains("no backup is old enough"), early.getMessage());
    UnreachablePointException named =
        unreachable(PointInTime.ofTime(Instant.ofEpochMilli(2_500_000)).from(2));
    assertTrue(named.getMessage().contains("there was no archive"), named.getMessage());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void timeBeforeDamageBehindABackupIsReachedFromAnOlderOne(boolean isMissing) throws Exception {
    try (Store store = open()) {
      BackupInfo unused = backup(store);
      putAt(store, 2_000_000, "1");
      putAt(store, 3_000_000, "2");
      clock.set(4_000_000);
      put(store, "a", "3");
      BackupInfo second = backup(store);
      putAt(store, 5_000_000, "4");
      ArchivedLog behind =
          new ArchiveDirectory(engine, ARCHIVE)
              .files().stream()
                  .filter(file -> file.toLsn() > second.sequence())
                  .findFirst()
                  .orElseThrow();
      if (isMissing) {
        engine.delete(behind.path());
      } else {
        engine.flipBit(behind.path(), 1000);
      }
    }
    assertEquals("31", valueAt(2_500_000));
    assertEquals("31", valueAt(2_999_999));
    unreachable(PointInTime.ofTime(Instant.ofEpochMilli(4_500_000)));
  }

  @Test
  void timeBeforeABackupThatTablesWereIngestedBesideIsReachedFromAnOlderOne() throws Exception {
    try (Store store = open();
        Backups backups = Backups.open(TARGET, engine)) {
      put(store, "a", "0");
      BackupInfo unused = backups.create(store, _ -> {});
      putAt(store, 2_000_000, "1");
      putAt(store, 3_000_000, "2");
      clock.set(4_000_000);
      boolean[] isIngested = {false};
      unused =
          backups.create(
              store,
              _ -> {
                if (!isIngested[0]) {
                  isIngested[0] = true;
                  ingest(store);
                }
              });
      assertTrue(isIngested[0]);
      putAt(store, 5_000_000, "3");
    }
    assertEquals("31", valueAt(2_500_000));
    UnreachablePointException e = unreachable(PointInTime.ofTime(Instant.ofEpochMilli(5_000_000)));
    assertTrue(e.getMessage().contains("tables were ingested"), e.getMessage());
    assertTrue(e.getMessage().contains("backup 2"), e.getMessage());
  }

  private static void ingest(Store store) {
    try (SortedIngest ingest = store.ingest()) {
      ingest.put(Fixtures.bytes("b"), Fixtures.bytes("1"));
      assertTrue(ingest.commit() > 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Which of two places is meant, nobody knows; and nothing is left out without a word. */
  @Test
  void timesThatCameTwiceAreRefused() throws Exception {
    long before;
    try (Store store = open()) {
      BackupInfo unused = backup(store);
      putAt(store, 2_000_000, "1");
      before = store.stats().sequence();
      putAt(store, 9_000_000, "2"); // for a moment
      putAt(store, 3_000_000, "3");
      putAt(store, 4_000_000, "4");
    }
    assertEquals("31", valueAt(2_999_999));
    for (long twice : new long[] {3_000_000, 3_500_000, 8_999_999}) {
      UnreachablePointException e = unreachable(PointInTime.ofTime(Instant.ofEpochMilli(twice)));
      assertTrue(e.getMessage().contains("the clock was set back"), e.getMessage());
      assertTrue(e.reachableSequence() >= before);
      String there = restored(e.reachableSequence()).get(Family.DEFAULT_NAME).get("a");
      assertTrue(Set.of("31", "32").contains(there), there); // before the mark that is later
    }
    assertEquals("34", valueAt(9_000_000));
    unreachable(PointInTime.ofTime(Instant.ofEpochMilli(9_000_001)));
  }

  // ---- what cannot be reached

  @Test
  void whatIsNotInTheLogIsNotCrossed() throws Exception {
    try (Store store = open()) {
      put(store, "a", "1");
      BackupInfo first = backup(store);
      put(store, "b", "2");
      long before = store.stats().sequence();
      Map<String, Map<String, String>> stateBefore = state(store);
      long ingested;
      try (SortedIngest ingest = store.ingest()) {
        ingest.put(Fixtures.bytes("c"), Fixtures.bytes("3"));
        ingested = ingest.commit();
      }
      put(store, "d", "4");
      long behind = store.stats().sequence();
      long unused = store.archiveLog();
      assertEquals(stateBefore, restored(before));
      for (long sequence : new long[] {ingested, behind}) {
        UnreachablePointException e = unreachable(PointInTime.ofSequence(sequence));
        assertTrue(e.getMessage().contains("tables were ingested"), e.getMessage());
        assertTrue(e.getMessage().contains("backup " + first.number()), e.getMessage());
        assertTrue(e.reachableSequence() >= before && e.reachableSequence() < ingested);
        assertEquals(stateBefore, restored(e.reachableSequence()));
      }
      BackupInfo second = backup(store);
      assertTrue(second.sequence() >= behind);
      put(store, "e", "5");
      unused = store.archiveLog();
      assertEquals(state(store), restored(store.stats().sequence()));
      assertEquals(stateBefore, restored(before));
    }
  }

  /** The clone has the tables of its family, which no write has brought there. */
  @Test
  void cloneOfAFamilyIsNotCrossed() throws Exception {
    try (Store store = open()) {
      put(store, "a", "1");
      backup(store);
      put(store, "b", "2");
      long before = store.stats().sequence();
      Map<String, Map<String, String>> stateBefore = state(store);
      Family clone = store.cloneFamily(store, "clone");
      clone.put(Fixtures.bytes("c"), Fixtures.bytes("3"), Durability.SYNCED);
      long behind = store.stats().sequence();
      long unused = store.archiveLog();
      assertEquals(stateBefore, restored(before));
      UnreachablePointException e = unreachable(PointInTime.ofSequence(behind));
      assertTrue(e.getMessage().contains("a family was cloned: family=clone"), e.getMessage());
      assertEquals(stateBefore, restored(e.reachableSequence()));
      backup(store);
      put(store, "d", "4");
      unused = store.archiveLog();
      assertEquals(state(store), restored(store.stats().sequence()));
      assertEquals(3, state(store).get("clone").size());
    }
  }

  /** Wherever the power is cut: no restore makes up what a family has that was cloned. */
  @Test
  void cloneThatAPowerCutMeetsIsNotCrossedEither() throws Exception {
    SimEngine running = engine;
    AssertionError[] failure = new AssertionError[1];
    Set<String> seen = new TreeSet<>();
    try (Store store = open()) {
      put(store, "a", "1");
      backup(store);
      put(store, "b", "2");
      running.onSync(
          () -> {
            for (int seed = 0; seed < 4 && failure[0] == null; seed++) {
              try {
                engine = running.crash(seed);
                seen.add(requireRestoredOrRefused());
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("seed=" + seed, e);
              } finally {
                engine = running;
              }
            }
          });
      Family unused = store.cloneFamily(store, "clone");
      running.onSync(() -> {});
    }
    if (failure[0] != null) {
      throw failure[0];
    }
    assertEquals(Set.of("there, refused", "not there, refused", "not there, restored"), seen);
  }

  private String requireRestoredOrRefused() throws Exception {
    Map<String, Map<String, String>> state;
    long sequence;
    try (Store store = open()) {
      put(store, "c", "3");
      state = state(store);
      sequence = store.archiveLog();
    }
    String clone = state.containsKey("clone") ? "there" : "not there";
    try {
      assertEquals(state, restored(sequence), clone);
      return clone + ", restored";
    } catch (UnreachablePointException e) {
      return clone + ", refused";
    }
  }

  @Test
  void backupAloneIsReachedAtItsOwnNumberAndNotBeyond() throws Exception {
    try (Store store = open(Fixtures.DIRECTORY, null)) {
      put(store, "a", "1");
      BackupInfo made = backup(store);
      put(store, "a", "2");
      assertThrows(IllegalStateException.class, store::archiveLog);
      assertEquals("", store.stats().archive().directory());
      assertEquals("31", restored(made.sequence()).get(Family.DEFAULT_NAME).get("a"));
      UnreachablePointException e = unreachable(PointInTime.ofSequence(made.sequence() + 1));
      assertTrue(e.getMessage().contains("there was no archive"), e.getMessage());
      assertEquals(made.sequence(), e.reachableSequence());
      UnreachablePointException old = unreachable(PointInTime.ofSequence(made.sequence() - 1));
      assertTrue(old.getMessage().contains("no backup is old enough"), old.getMessage());
      assertEquals(-1, old.reachableSequence());
    }
  }

  /** Though nothing but marks came since the tables were written. */
  @Test
  void backupIsReachedAtItsOwnNumberWhenTheStoreWasOnlyOpened() throws Exception {
    try (Store store = open()) {
      put(store, "a", "1");
      store.flush();
    }
    try (Store store = open()) {
      BackupInfo made = backup(store);
      Family unused = store.createFamily("f");
      assertTrue(store.archiveLog() > made.sequence());
      assertEquals(Map.of(Family.DEFAULT_NAME, Map.of("a", "31")), restored(made.sequence()));
      BackupInfo second = backup(store);
      assertEquals(state(store), restored(second.sequence()));
      assertEquals(2, restored(second.sequence()).size());
    }
  }

  @Test
  void missingFileOfTheArchiveIsNamed() throws Exception {
    List<Long> ends = new ArrayList<>();
    List<Map<String, Map<String, String>>> states = new ArrayList<>();
    try (Store store = open()) {
      BackupInfo unused = backup(store);
      for (int i = 0; i < 5; i++) {
        put(store, "a", "" + i);
        ends.add(store.archiveLog());
        states.add(state(store));
      }
      ArchivedLog gone = new ArchiveDirectory(engine, ARCHIVE).files().get(3);
      assertEquals(List.of(), problems());
      engine.delete(gone.path());
      List<String> problems = problems();
      assertEquals(1, problems.size(), problems.toString());
      String missing = "from sequence %d to %d".formatted(gone.fromLsn(), gone.toLsn());
      assertTrue(problems.getFirst().contains(missing), problems.toString());
      for (int i = 0; i < 5; i++) {
        if (ends.get(i) <= gone.fromLsn()) {
          assertEquals(states.get(i), restored(ends.get(i)));
        } else {
          UnreachablePointException e = unreachable(PointInTime.ofSequence(ends.get(i)));
          assertTrue(e.getMessage().contains(missing), e.getMessage());
          assertEquals(gone.fromLsn(), e.reachableSequence());
        }
      }
    }
  }

  // ---- histories

  @Test
  void restoredStoreHasAHistoryOfItsOwnInTheSameArchive() throws Exception {
    long first;
    long end;
    try (Store store = open()) {
      put(store, "a", "1");
      BackupInfo unused = backup(store);
      first = store.stats().sequence();
      for (int i = 0; i < 200; i++) {
        put(store, "a", "old" + i);
      }
      end = store.archiveLog();
    }
    try (Backups backups = Backups.open(TARGET, engine)) {
      Backups.Restored restored =
          backups.restore(PointInTime.ofSequence(first), RESTORED, OPTIONS, _ -> {});
      assertEquals(1, restored.backup().number());
      assertTrue(restored.sequence() <= first);
    }
    long other;
    try (Store store = open(RESTORED, ARCHIVE)) {
      BackupInfo made = backup(store);
      assertEquals(2, made.number());
      put(store, "a", "new");
      other = store.archiveLog();
      BackupInfo last = backup(store);
      assertEquals(3, last.number());
      engine.createDirectories(Path.of("/aside"));
    }
    Path of = RESTORED;
    engine.rename(of, Path.of("/aside/store"));
    engine.syncDirectory(Path.of("/"));
    engine.syncDirectory(Path.of("/aside"));
    assertEquals("6e6577", restored(other).get(Family.DEFAULT_NAME).get("a"));
    assertEquals(
        Fixtures.text(Map.of(Fixtures.bytes("a"), Fixtures.bytes("old199"))),
        restored(PointInTime.ofSequence(end).from(1), null).get(Family.DEFAULT_NAME));
    assertEquals(List.of(), problems());
    try (Backups backups = Backups.open(TARGET, engine)) {
      assertEquals(0, backups.removeArchived());
      backups.delete(1);
      assertTrue(backups.removeArchived() > 0);
      assertEquals(List.of(), backups.verify(_ -> {}).problems());
    }
    assertEquals(
        "6e6577",
        restored(PointInTime.ofSequence(other).from(2), null).get(Family.DEFAULT_NAME).get("a"));
    // The store that it comes from needs no backup to go on.
    try (Store store = open()) {
      put(store, "a", "again");
      assertTrue(store.archiveLog() > end);
      BackupInfo made = backup(store);
      put(store, "a", "and again");
      assertEquals(
          state(store),
          restored(PointInTime.ofSequence(store.archiveLog()).from(made.number()), null));
    }
  }

  @Test
  void archiveIsRememberedEndedAndNotMixedUp() throws Exception {
    try (Store store = open()) {
      put(store, "a", "1");
      BackupInfo unused = backup(store);
    }
    try (Store store = open(Fixtures.DIRECTORY, null)) {
      assertEquals(ARCHIVE.toString(), store.stats().archive().directory());
      put(store, "a", "2");
      assertEquals(state(store), restored(store.archiveLog()));
      assertThrows(StorageException.class, () -> open(Path.of("/second"), ARCHIVE), "it is in use");
    }
    engine.createDirectories(Path.of("/aside"));
    List<ArchivedLog> files = new ArchiveDirectory(engine, ARCHIVE).files();
    Path aside = Path.of("/aside");
    for (ArchivedLog file : files) {
      engine.rename(file.path(), aside.resolve(file.path().getFileName()));
    }
    StorageException gone = assertThrows(StorageException.class, this::open);
    assertTrue(gone.getMessage().contains("not the archive as"), gone.getMessage());
    for (ArchivedLog file : files) {
      engine.rename(aside.resolve(file.path().getFileName()), file.path());
    }
    try (Store store = open(Fixtures.DIRECTORY, StoreOptions.NO_ARCHIVE)) {
      assertEquals("", store.stats().archive().directory());
      put(store, "a", "3");
    }
    try (Store store = open(Fixtures.DIRECTORY, null)) {
      assertEquals("", store.stats().archive().directory());
    }
    try (Store store = open()) {
      // What was written in between is in no archive: a new history.
      long end = store.archiveLog();
      UnreachablePointException e = unreachable(PointInTime.ofSequence(end));
      assertTrue(e.getMessage().contains("the archive ends there"), e.getMessage());
      BackupInfo unused = backup(store);
      put(store, "a", "4");
      assertEquals(state(store), restored(store.archiveLog()));
    }
  }

  /** A store that was copied file by file finds that the other one has gone on. */
  @Test
  void copyDoesNotGoOnWhereTheStoreHas() throws Exception {
    try (Store store = open()) {
      put(store, "a", "1");
      long unused = store.archiveLog();
    }
    SimEngine copied = engine.crash(1);
    try (Store store = open()) {
      put(store, "a", "2");
      long unused = store.archiveLog();
    }
    for (ArchivedLog file : new ArchiveDirectory(engine, ARCHIVE).files()) {
      if (!copied.exists(file.path())) {
        copied.open(file.path(), OpenMode.CREATE_NEW).close();
      }
    }
    engine = copied;
    StorageException e = assertThrows(StorageException.class, this::open);
    assertTrue(e.getMessage().contains("a copy of the store has gone on there"), e.getMessage());
  }

  @Test
  void repairedStoreBeginsANewHistory() throws Exception {
    try (Store store = open()) {
      put(store, "a", "1");
      BackupInfo unused = backup(store);
      put(store, "a", "2");
      long archived = store.archiveLog();
      assertTrue(archived > 0);
    }
    Path table = Fixtures.tables(engine).getFirst();
    engine.flipBit(table, 100);
    RepairReport repaired = StoreRepair.run(Fixtures.DIRECTORY, OPTIONS, engine, _ -> {});
    assertFalse(repaired.damagedTables().isEmpty());
    try (Store store = open(Fixtures.DIRECTORY, null)) {
      assertEquals(ARCHIVE.toString(), store.stats().archive().directory());
      UnreachablePointException e = unreachable(PointInTime.ofSequence(store.archiveLog()));
      assertTrue(e.getMessage().contains("the archive ends there"), e.getMessage());
    }
  }
}
