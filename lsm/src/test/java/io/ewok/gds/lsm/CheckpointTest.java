package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A copy of a store that is written to is the store at its sequence number; it is there as a whole
 * or not at all, after power cuts, failures and on a full disk too.
 */
class CheckpointTest {
  private static final Path COPY = Path.of("/copies/one");
  private static final Path UNFINISHED = Path.of("/copies/one.copying");
  private static final String NAMED = "named";

  private final SimEngine engine = new SimEngine(1);

  private static Store open(IoEngine engine, Path directory) throws IOException {
    return Store.open(directory, Fixtures.TINY.withCreateIfMissing(false), engine);
  }

  /** A store with tables on several levels, of two families, and something in memory. */
  private static Store filled(IoEngine engine) throws IOException {
    Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
    Family named = store.createFamily(NAMED);
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 1500; i++) {
      byte[] key = Fixtures.bytes("key%05d".formatted(random.nextInt(500)));
      (i % 3 == 0 ? named : store).put(key, Fixtures.randomBytes(random, 400), Durability.NONE);
    }
    store.deleteRange(Fixtures.bytes("key00100"), Fixtures.bytes("key00120"), Durability.NONE);
    store.put(Fixtures.bytes("last"), Fixtures.bytes("one"), Durability.SYNCED);
    return store;
  }

  /** What all families have, as text. */
  private static Map<String, Map<String, String>> contents(Store store) throws Exception {
    Map<String, Map<String, String>> contents = new TreeMap<>();
    for (Family family : store.families()) {
      contents.put(family.name(), Fixtures.text(Fixtures.contents(family)));
    }
    return contents;
  }

  private static Map<String, Map<String, String>> contents(IoEngine engine, Path directory)
      throws Exception {
    try (Store store = open(engine, directory)) {
      return contents(store);
    }
  }

  // ---- what is in it

  @Test
  void copyIsTheStoreAndBothGoOnByThemselves() throws Exception {
    try (Store store = filled(engine)) {
      store.flush();
      long tableBytes = Fixtures.tables(engine).stream().mapToLong(path -> sizeBytes(path)).sum();
      long before = engine.usedBytes();
      Map<String, Map<String, String>> expected = contents(store);
      long sequence = store.checkpoint(COPY);
      assertEquals(store.stats().sequence(), sequence);
      assertFalse(engine.exists(UNFINISHED));
      long grown = engine.usedBytes() - before;
      assertTrue(grown < (1 << 20) + tableBytes / 2, "tables are linked, not copied: " + grown);
      try (Store copy = open(engine, COPY)) {
        assertEquals(expected, contents(copy));
        assertTrue(copy.stats().sequence() >= sequence);
        copy.put(Fixtures.bytes("mine"), Fixtures.bytes("copy"), Durability.SYNCED);
        copy.compact();
        store.put(Fixtures.bytes("mine"), Fixtures.bytes("store"), Durability.SYNCED);
        store.dropFamily(store.family(NAMED).orElseThrow());
        store.compact();
        assertEquals("copy", Fixtures.text(copy.get(Fixtures.bytes("mine"))));
        assertEquals("store", Fixtures.text(store.get(Fixtures.bytes("mine"))));
        assertEquals(
            expected.get(NAMED),
            Fixtures.text(Fixtures.contents(copy.family(NAMED).orElseThrow())));
      }
    }
    expected(COPY, "copy");
    expected(Fixtures.DIRECTORY, "store");
  }

  private void expected(Path directory, String value) throws IOException {
    try (Store again = open(engine, directory)) {
      assertEquals(value, Fixtures.text(again.get(Fixtures.bytes("mine"))));
    }
  }

  private long sizeBytes(Path path) {
    try {
      return Fixtures.sizeBytes(engine, path);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void emptyStoreCanBeCopied() throws Exception {
    try (Store store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine)) {
      assertEquals(0, store.checkpoint(COPY));
    }
    try (Store copy = open(engine, COPY)) {
      copy.put(Fixtures.bytes("a"), Fixtures.bytes("b"), Durability.SYNCED);
    }
    assertEquals(Map.of("a", "62"), contents(engine, COPY).get(Family.DEFAULT_NAME));
  }

  /** Its log is read from where it began as long as nothing is flushed. */
  @Test
  void copyIsOpenedAgainAndAgain() throws Exception {
    Map<String, Map<String, String>> expected;
    try (Store store = filled(engine)) {
      assertTrue(store.checkpoint(COPY) > 0);
      expected = contents(store);
    }
    SimEngine left = engine;
    for (int life = 0; life < 5; life++) {
      try (Store copy = open(left, COPY)) {
        assertEquals(expected, contents(copy));
        copy.put(Fixtures.bytes("life" + life), Fixtures.bytes("x"), Durability.SYNCED);
        expected.get(Family.DEFAULT_NAME).put("life" + life, "78");
        left = left.crash(life);
      }
    }
    assertEquals(expected, contents(left, COPY));
  }

  @Test
  void whatHasExpiredIsGoneInTheCopyToo() throws Exception {
    AtomicLong clock = new AtomicLong(1_000_000);
    StoreOptions options =
        Fixtures.TINY.withTree(Fixtures.TINY.tree().withTtl(Duration.ofMinutes(1)));
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
      for (int i = 0; i < 5; i++) {
        clock.addAndGet(20_000);
        store.put(Fixtures.bytes("key" + i), new byte[10], Durability.SYNCED);
        store.background().awaitExpiration();
      }
      Map<String, String> expected = Fixtures.text(Fixtures.contents(store));
      assertTrue(expected.size() < 5 && !expected.isEmpty(), expected.toString());
      long sequence = store.checkpoint(COPY);
      assertTrue(sequence > 0);
      try (Store copy = Store.open(COPY, options, engine, clock::get)) {
        assertEquals(expected, Fixtures.text(Fixtures.contents(copy)));
        clock.addAndGet(200_000);
        copy.background().awaitExpiration();
        assertEquals(Map.of(), Fixtures.text(Fixtures.contents(copy)));
      }
    }
  }

  /** Neither later, as if it had been written when the copy was made, nor earlier. */
  @Test
  void whatIsInACopyExpiresWhenItDoesInTheStore() throws Exception {
    AtomicLong clock = new AtomicLong(1_000_000);
    StoreOptions options =
        Fixtures.TINY.withTree(Fixtures.TINY.tree().withTtl(Duration.ofMinutes(1)));
    int[] sizes = new int[2];
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine, clock::get)) {
      for (int i = 0; i < 10; i++) {
        clock.addAndGet(5_000);
        store.put(Fixtures.bytes("key" + i), new byte[10], Durability.SYNCED);
        store.background().awaitExpiration();
      }
      assertTrue(store.checkpoint(COPY) > 0);
      try (Backups backups = Backups.open(Path.of("/backups"), engine)) {
        backups.restore(
            backups.create(store, _ -> {}).number(), Path.of("/copies/restored"), _ -> {});
      }
      for (Path path : List.of(COPY, Path.of("/copies/restored"))) {
        long now = clock.get();
        try (Store copy = Store.open(path, options, engine, clock::get)) {
          for (int step = 0; step < 16; step++) {
            copy.background().awaitExpiration();
            long age = clock.get() - 1_000_000;
            int found = Fixtures.contents(copy).size();
            for (int i = 0; i < 10; i++) {
              long written = 5_000L * (i + 1);
              boolean isThere = copy.get(Fixtures.bytes("key" + i)) != null;
              assertTrue(isThere || age - written >= 60_000, "too early: " + i);
              assertTrue(!isThere || age - written < 60_000 + 10_000, "too late: " + i);
            }
            sizes[found == 0 ? 0 : 1]++;
            clock.addAndGet(5_000);
          }
        }
        clock.set(now);
      }
    }
    assertTrue(sizes[0] > 0 && sizes[1] > 8, sizes[0] + " empty, " + sizes[1] + " not");
  }

  private record Change(long sequence, String family, String key, String valueOrNull) {}

  /** Each batch has a key in each of two families. */
  @Test
  void copyIsTheStoreAtItsSequenceNumberWhileOthersWrite() throws Exception {
    int threads = 3;
    StoreOptions options = Fixtures.TINY.withLogSegmentBytes(4 << 20);
    Map<Long, Path> copies = new TreeMap<>();
    List<Change> changes = new ArrayList<>();
    try (Store store = Store.open(Fixtures.DIRECTORY, options, engine);
        ExecutorService writers = Executors.newFixedThreadPool(threads)) {
      Family named = store.createFamily(NAMED);
      try (StoreChanges reader =
          store.changes(
              store.stats().sequence(),
              ChangesOptions.defaults().withHoldBytesMax(1L << 40),
              MemoryBudget.root("changes", 1 << 20))) {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong written = new AtomicLong();
        Semaphore allowed = new Semaphore(0); // so that there is something to write for each copy
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
          SplittableRandom random = new SplittableRandom(t);
          running.add(
              writers.submit(
                  () -> {
                    while (!stop.get()) {
                      if (!allowed.tryAcquire(10, TimeUnit.MILLISECONDS)) {
                        continue;
                      }
                      byte[] key = Fixtures.bytes("key" + random.nextInt(300));
                      byte[] value = Fixtures.randomBytes(random, 100);
                      WriteBatch batch = new WriteBatch().put(key, value).put(named, key, value);
                      if (random.nextInt(5) == 0) {
                        batch = new WriteBatch().delete(key).delete(named, key);
                      }
                      store.write(batch, Durability.NONE);
                      written.incrementAndGet();
                    }
                    return null;
                  }));
        }
        for (int i = 0; i < 6; i++) {
          long before = written.get();
          allowed.release(4_000);
          Fixtures.await(store, () -> written.get() > before + 300);
          long acknowledged = store.stats().sequence();
          Path copy = Path.of("/copies/" + i);
          long sequence = store.checkpoint(copy);
          assertTrue(sequence >= acknowledged, sequence + " after " + acknowledged);
          copies.put(sequence, copy);
        }
        stop.set(true);
        for (Future<?> one : running) {
          one.get();
        }
        store.flush();
        store.put(Fixtures.bytes("end"), new byte[1], Durability.SYNCED);
        while (reader.next(new Collector(changes))) {
          // all of them
        }
      }
    }
    assertEquals(6, copies.size());
    for (Map.Entry<Long, Path> copy : copies.entrySet()) {
      Map<String, Map<String, String>> model = new TreeMap<>();
      model.put(Family.DEFAULT_NAME, new TreeMap<>());
      model.put(NAMED, new TreeMap<>());
      for (Change change : changes) {
        if (change.sequence <= copy.getKey()) {
          model.get(change.family).put(change.key, change.valueOrNull);
        }
      }
      model.values().forEach(family -> family.values().removeIf("-"::equals));
      Map<String, Map<String, String>> found = contents(engine, copy.getValue());
      assertEquals(model, found);
      assertEquals(found.get(NAMED), found.get(Family.DEFAULT_NAME), "batches are whole");
    }
  }

  /** Deletes are values that no put has. */
  private static final class Collector implements StoreChanges.Consumer {
    private final List<Change> changes;
    private String family = Family.DEFAULT_NAME;

    Collector(List<Change> changes) {
      this.changes = changes;
    }

    @Override
    public void accept(long sequence, boolean delete, MemorySegment key, MemorySegment value) {
      changes.add(
          new Change(
              sequence,
              family,
              Fixtures.text(Fixtures.array(key)),
              delete ? "-" : HexFormat.of().formatHex(Fixtures.array(value))));
    }

    @Override
    public void beginFamily(int id, String name) {
      family = name;
    }
  }

  @Test
  void tablesAreCopiedWhereTheyCannotBeLinked() throws Exception {
    try (Store store = filled(noLinks(engine, ""))) {
      assertTrue(store.checkpoint(COPY) > 0);
      Map<String, Map<String, String>> expected = contents(store);
      SimEngine after = engine.crash(1);
      assertEquals(expected, contents(after, COPY));
      after.flipBit(Fixtures.tables(after).getFirst(), 100);
      assertEquals(expected, contents(after, COPY), "they share nothing");
    }
  }

  @Test
  void tablesThatAreReplacedMeanwhileStayUntilTheyAreCopied() throws Exception {
    Store[] open = new Store[1];
    boolean[] merged = new boolean[1];
    IoEngine merging =
        noLinks(
            engine,
            () -> {
              if (!merged[0]) {
                merged[0] = true;
                for (Family family : open[0].families()) {
                  family.put(Fixtures.bytes("later"), new byte[0], Durability.NONE);
                  family.compact();
                }
              }
            },
            "");
    try (Store store = filled(merging)) {
      open[0] = store;
      Map<String, Map<String, String>> expected = contents(store);
      assertTrue(store.checkpoint(COPY) > 0);
      assertTrue(merged[0]);
      assertEquals(expected, contents(engine, COPY));
      store.compact();
      Fixtures.await(store, () -> tableCount() == tables(store));
    }
  }

  /** Files of the store. */
  private int tableCount() {
    try {
      return Fixtures.tables(engine).size();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static int tables(Store store) {
    return store.stats().levels().stream().mapToInt(StoreStats.Level::tables).sum();
  }

  @ParameterizedTest
  @ValueSource(strings = {"URING", "POOL"})
  void copyOfLinksOnARealFileSystem(String kind, @TempDir Path directory) throws Exception {
    EngineOptions options = EngineOptions.from(Map.of("io.engine", kind.toLowerCase(Locale.ROOT)));
    try (IoEngine real = IoEngines.open(options)) {
      Path from = directory.resolve("store");
      Path to = directory.resolve("below").resolve("copy");
      Map<String, Map<String, String>> expected;
      try (Store store = Store.open(from, Fixtures.TINY, real)) {
        for (int i = 0; i < 3000; i++) {
          store.put(Fixtures.bytes("key" + i), new byte[200], Durability.NONE);
        }
        assertTrue(store.checkpoint(to) > 0);
        expected = contents(store);
        store.compact();
        assertThrows(StorageException.class, () -> store.checkpoint(to));
      }
      assertEquals(expected, contents(real, to));
    }
  }

  // ---- what is refused

  @Test
  void takenNamesAndPlacesInsideAreRefused() throws Exception {
    try (Store store = filled(engine)) {
      assertTrue(store.checkpoint(COPY) > 0);
      assertThrows(StorageException.class, () -> store.checkpoint(COPY));
      assertThrows(StorageException.class, () -> store.checkpoint(Path.of("/copies")));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.checkpoint(Fixtures.DIRECTORY.resolve("inside")));
      Path other = Path.of("/copies/other");
      Path foreign = Path.of("/copies/other.copying/mine");
      engine.createDirectories(foreign.getParent());
      engine.open(foreign, OpenMode.CREATE_NEW).close();
      assertThrows(StorageException.class, () -> store.checkpoint(other));
      assertTrue(engine.exists(foreign), "what is not ours stays");
    }
    Store closed;
    try (Store store = open(engine, Fixtures.DIRECTORY)) {
      closed = store;
    }
    assertThrows(IllegalStateException.class, () -> closed.checkpoint(Path.of("/copies/late")));
    assertFalse(engine.exists(Path.of("/copies/late.copying")));
  }

  // ---- power cuts and failures

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void powerCutLeavesTheWholeCopyOrNone(boolean linked) throws Exception {
    int[] states = new int[2];
    try (Store store = filled(linked ? engine : noLinks(engine, ""))) {
      Map<String, Map<String, String>> expected = contents(store);
      AssertionError[] failure = new AssertionError[1];
      engine.onSync(
          () -> {
            for (int seed = 0; seed < 6 && failure[0] == null; seed++) {
              try {
                states[checkCut(engine.crash(seed), expected) ? 1 : 0]++;
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("seed=" + seed, e);
              }
            }
          });
      assertTrue(store.checkpoint(COPY) > 0);
      engine.onSync(() -> {});
      if (failure[0] != null) {
        throw failure[0];
      }
      for (int seed = 0; seed < 6; seed++) {
        assertTrue(checkCut(engine.crash(seed), expected), "it is durable on return");
      }
    }
    assertTrue(states[0] > 20 && states[1] > 0, states[0] + " without, " + states[1] + " with");
  }

  /** Returns whether the copy is there; if it is not, it can be made. */
  private static boolean checkCut(SimEngine after, Map<String, Map<String, String>> expected)
      throws Exception {
    boolean isThere = after.exists(COPY);
    try (Store store = open(after, Fixtures.DIRECTORY)) {
      assertEquals(expected, contents(store));
      if (!isThere) {
        assertTrue(store.checkpoint(COPY) > 0);
        assertFalse(after.exists(UNFINISHED));
      }
    }
    assertEquals(expected, contents(after, COPY));
    return isThere;
  }

  /** Each of them is needed: without it the test above would see that. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sync .table",
        "sync MANIFEST.tmp",
        "sync segment-00000.log",
        "sync log.header.tmp",
        "names /copies/one.copying",
        "names /copies/one.copying/log",
        "names /copies"
      })
  void withoutOneOfTheSyncsACopyIsNotWhole(String sync) throws Exception {
    boolean[] seen = new boolean[1];
    try (Store store = filled(engine)) {
      store.flush();
    }
    try (Store store = open(noLinks(engine, sync), Fixtures.DIRECTORY)) {
      Map<String, Map<String, String>> expected = contents(store);
      assertTrue(store.checkpoint(COPY) > 0);
      for (int seed = 0; seed < 30; seed++) {
        SimEngine after = engine.crash(seed);
        try {
          seen[0] |= !after.exists(COPY) || !contents(after, COPY).equals(expected);
        } catch (IOException e) {
          seen[0] = true;
        }
      }
    }
    assertTrue(seen[0]);
  }

  /** An engine that makes no links, and leaves out a sync. */
  private static IoEngine noLinks(IoEngine real, String leftOut) {
    return noLinks(real, () -> {}, leftOut);
  }

  /** The same, and does something when it is asked for a link. */
  private static IoEngine noLinks(IoEngine real, Executable instead, String leftOut) {
    return noLinks(real, IoEngine.class, instead, leftOut, "");
  }

  private static <T> T noLinks(
      T real, Class<T> type, Executable instead, String leftOut, String file) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              switch (method.getName()) {
                case "link" -> {
                  instead.execute();
                  return false;
                }
                case "sync" -> {
                  if (leftOut.startsWith("sync ") && file.endsWith(leftOut.substring(5))) {
                    return null;
                  }
                }
                case "syncDirectory" -> {
                  if (leftOut.equals("names " + arguments[0])) {
                    return null;
                  }
                }
                default -> {}
              }
              try {
                Object result = method.invoke(real, arguments);
                return result instanceof IoFile opened && arguments[1] == OpenMode.CREATE_NEW
                    ? noLinks(opened, IoFile.class, instead, leftOut, opened.path().toString())
                    : result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  @ParameterizedTest
  @EnumSource(
      value = SimOperation.class,
      names = {"OPEN", "READ", "WRITE", "SYNC", "PREALLOCATE", "RENAME", "SYNC_DIRECTORY", "LINK"})
  void failureLeavesNoCopyAndTheStoreGoesOn(SimOperation operation) throws Exception {
    int failures = 0;
    boolean failed = true;
    Map<String, Map<String, String>> expected;
    try (Store store = filled(engine)) {
      for (Family family : store.families()) {
        family.compact(); // or else the background thread meets the failures
      }
      expected = contents(store);
    }
    for (int n = 1; failed; n++) {
      SimEngine failing = engine.crash(n);
      IoEngine used = operation == SimOperation.READ ? noLinks(failing, "") : failing;
      try (Store store = open(used, Fixtures.DIRECTORY)) {
        assertEquals(expected, contents(store));
        failing.failNth(operation, n, operation == SimOperation.WRITE ? Errno.ENOSPC : Errno.EIO);
        try {
          assertTrue(store.checkpoint(COPY) > 0);
          failed = false;
        } catch (IOException e) {
          failures++;
          assertFalse(failing.exists(UNFINISHED), "left behind: " + e);
          if (failing.exists(COPY)) {
            assertEquals(SimOperation.SYNC_DIRECTORY, operation);
            failing.syncDirectory(COPY.getParent());
          } else {
            assertTrue(store.checkpoint(COPY) > 0, "it can be tried again");
          }
        }
      }
      SimEngine after = failing.crash(n); // what has not failed yet does not there
      assertEquals(expected, contents(after, Fixtures.DIRECTORY));
      assertEquals(expected, contents(after, COPY));
    }
    assertTrue(failures > 0);
  }

  @Test
  void fullDiskIsToldAndLeavesNothing() throws Exception {
    try (Store store = filled(noLinks(engine, ""))) {
      store.flush();
      assertTrue(store.awaitRest(Duration.ofMinutes(1))); // else files come and go
      long used = engine.usedBytes();
      for (long room = 0; room < (1 << 20); room += 100_000) {
        engine.setCapacityBytes(used + room);
        assertThrows(OutOfSpaceException.class, () -> store.checkpoint(COPY));
        assertFalse(engine.exists(COPY) || engine.exists(UNFINISHED));
        assertEquals(used, engine.usedBytes());
      }
      engine.setCapacityBytes(Long.MAX_VALUE);
      assertTrue(store.checkpoint(COPY) > 0);
      assertNotNull(contents(engine, COPY).get(NAMED));
    }
  }
}
