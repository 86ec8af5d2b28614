package io.ewok.gds.buffers.redo.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.buffers.redo.Change;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.OutOfSpaceException;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.pagestore.sim.SimOptions;
import io.ewok.gds.pagestore.sim.SimSyncFailure;
import io.ewok.gds.wal.LogFullException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What fails is reported, and costs nothing but itself. */
final class TreeFaultTest {
  private static final Path DIRECTORY = Path.of("/trees");
  private static final Path FIRST = DIRECTORY.resolve("first");
  private static final int PAGE_BYTES = 512;
  private static final int PAGES = 60;
  private static final TreeStore.Options OPTIONS =
      TreeStore.Options.small(PageSize.BYTES_512, PageSize.BYTES_512, TornPages.DOUBLE_WRITE);

  private static SimEngine newEngine(SimOptions device) throws IOException {
    SimEngine engine = new SimEngine(1, device);
    TreeStore.create(engine, DIRECTORY, OPTIONS);
    return engine;
  }

  private static TreeStore open(SimEngine engine) throws IOException {
    return TreeStore.open(engine, DIRECTORY, OPTIONS);
  }

  /** Works until something fails, or to the end. */
  private static boolean works(TreeStore store, TreeModel model, long seed, int steps) {
    try {
      new TreeWorkload(store, model, new SplittableRandom(seed)).run(steps);
      return true;
    } catch (IOException e) {
      assertTrue(e instanceof StorageException, e::toString);
      return false;
    }
  }

  /** The write that fails may be one of the opening, which then has to be tried again. */
  private static TreeStore openAgain(SimEngine engine) throws IOException {
    try {
      return open(engine);
    } catch (StorageException e) {
      return open(engine);
    }
  }

  private static void closeBroken(TreeStore store) {
    try {
      store.close();
    } catch (IOException e) {
      assertTrue(e instanceof StorageException, e::toString);
    }
  }

  /** Each sync fails in turn, once: the kernel forgets what it has not written. */
  @ParameterizedTest
  @EnumSource(SimSyncFailure.class)
  void nothingAcknowledgedIsLostWhenASyncFails(SimSyncFailure failure) throws IOException {
    boolean failed = true;
    for (int n = 1; failed; n += 1 + n / 10) {
      try (SimEngine engine = newEngine(SimOptions.defaults().withSyncFailure(failure))) {
        TreeModel model = new TreeModel();
        TreeStore store = open(engine);
        engine.failNth(SimOperation.SYNC, n, Errno.EIO);
        failed = !works(store, model, 1, 60);
        closeBroken(store);
        engine.evict();
        try (TreeStore after = open(engine)) {
          int unused = model.recovered(after);
        }
        assertTrue(failed || n > 20, "n=" + n);
      } catch (AssertionError e) {
        throw new AssertionError("n=" + n, e);
      }
    }
  }

  /** Each write fails in turn, once. The store may go on; if it cannot, it can be opened again. */
  @Test
  void nothingAcknowledgedIsLostWhenAWriteFails() throws IOException {
    for (int errno : new int[] {Errno.EIO, Errno.ENOSPC}) {
      boolean failed = true;
      for (int n = 1; failed; n += 1 + n / 10) {
        try (SimEngine engine = newEngine(SimOptions.defaults())) {
          TreeModel model = new TreeModel();
          TreeStore store = open(engine);
          engine.failNth(SimOperation.WRITE, n, errno);
          failed = !works(store, model, n, 40);
          boolean unused = works(store, model, n, 5);
          closeBroken(store);
          try (TreeStore after = openAgain(engine)) {
            int unusedIndex = model.recovered(after);
          }
        } catch (AssertionError e) {
          throw new AssertionError("errno=" + errno + " n=" + n, e);
        }
      }
    }
  }

  /** Each read fails in turn, once: what was asked of the store has not happened, all else has. */
  @Test
  void readThatFailsLeavesNoTrace() throws IOException {
    boolean failed = true;
    for (int n = 1; failed; n += 1 + n / 5) {
      try (SimEngine engine = newEngine(SimOptions.defaults());
          TreeStore store = open(engine)) {
        TreeModel model = new TreeModel();
        boolean unused = works(store, model, 7, 60);
        engine.failNth(SimOperation.READ, n, Errno.EIO);
        failed = !works(store, model, n, 20);
        assertTrue(works(store, model, n, 10), "n=" + n);
        model.acknowledge(); // whoever looks sees all of it
        int unusedIndex = model.recovered(store);
      }
    }
  }

  @Test
  void badPageIsReportedAndCostsNoOther() throws IOException {
    try (SimEngine engine = newEngine(SimOptions.defaults());
        TreeStore store = open(engine)) {
      fillBoth(store);
      SortedMap<Long, Long> sound = store.second().readAll();
      for (long page = 1; page < PAGES; page++) { // of which the pool holds some
        engine.markBad(FIRST, page * PAGE_BYTES);
      }
      StorageException bad = assertThrows(StorageException.class, () -> store.first().readAll());
      assertEquals(FIRST, bad.path());
      assertEquals(sound, store.second().readAll());
      try (Change change = store.newChange()) {
        store.second().put(change, 1, 1);
        long unusedLsn = change.commit();
        store.checkpoint();
      }
    }
  }

  @Test
  void rottenPageIsReportedAndCostsNoOther() throws IOException {
    try (SimEngine engine = newEngine(SimOptions.defaults());
        TreeStore store = open(engine)) {
      fillBoth(store);
      SortedMap<Long, Long> sound = store.second().readAll();
      for (long page = 1; page < PAGES; page++) {
        engine.flipBit(FIRST, page * PAGE_BYTES + 40);
      }
      CorruptFileException rotten =
          assertThrows(CorruptFileException.class, () -> store.first().readAll());
      assertEquals(FIRST, rotten.path());
      assertEquals(0, rotten.offset() % PAGE_BYTES);
      assertEquals(sound, store.second().readAll());
    }
  }

  /** Whatever rots, what is read is what was there at some time, or reported. */
  @ParameterizedTest
  @EnumSource(
      value = TornPages.class,
      names = {"DOUBLE_WRITE", "BACKUP"})
  void rotIsReportedOrDoesNoHarm(TornPages tornPages) throws IOException {
    TreeStore.Options options =
        TreeStore.Options.small(PageSize.BYTES_1024, PageSize.BYTES_4096, tornPages);
    int reported = 0;
    for (long seed = 0; seed < 200; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      SimEngine left;
      TreeModel model = new TreeModel();
      try (SimEngine engine = new SimEngine(seed)) {
        TreeStore.create(engine, DIRECTORY, options);
        try (TreeStore store = TreeStore.open(engine, DIRECTORY, options)) {
          assertTrue(works(store, model, seed, 40));
          left = engine.crash(seed);
        }
      }
      try (left) {
        List<Path> files = TreeStore.filesOf(left, DIRECTORY);
        files.remove(DIRECTORY.resolve("made")); // is empty
        Path file = files.get(random.nextInt(files.size()));
        long offset = random.nextLong(Math.max(1, sizeOf(left, file)));
        left.flipBit(file, offset);
        // Rot in the log's last block cannot be told from a write that the cut has torn.
        boolean log = file.startsWith(DIRECTORY.resolve("log"));
        try (TreeStore store = TreeStore.open(left, DIRECTORY, options)) {
          int unused = log ? model.recoveredToAny(store) : model.recovered(store);
        } catch (StorageException e) {
          reported++;
        } catch (AssertionError e) {
          throw new AssertionError("seed=%d file=%s offset=%d".formatted(seed, file, offset), e);
        }
      }
    }
    assertTrue(reported > 20, "reported=" + reported);
  }

  private static long sizeOf(SimEngine engine, Path file) throws IOException {
    try (IoFile io = engine.open(file, OpenMode.READ_ONLY)) {
      return io.sizeBytes();
    }
  }

  /** What is there can be read, and the store goes on when there is room again. */
  @Test
  void fullDiskIsSurvived() throws IOException {
    try (SimEngine engine = newEngine(SimOptions.defaults())) {
      long entries;
      try (TreeStore store = open(engine);
          Change change = store.newChange()) {
        engine.setCapacityBytes(engine.usedBytes());
        entries = fill(store, change);
        change.rollBack();
        assertEquals(entries, store.first().readAll().size());
        engine.setCapacityBytes(Long.MAX_VALUE);
        store.checkpoint();
        for (int i = 0; i < 100; i++) {
          store.first().put(change, entries++, i);
          long unusedLsn = change.commit();
        }
        store.sync();
      }
      try (TreeStore store = open(engine)) {
        assertEquals(entries, store.first().readAll().size());
      }
    }
  }

  /** Both trees have more pages than the pool. */
  private static void fillBoth(TreeStore store) throws IOException {
    try (Change change = store.newChange()) {
      for (long key = 0; key < 1500; key++) {
        store.first().put(change, key, key);
        store.second().put(change, key, -key);
        long unused = change.commit();
        if (key % 50 == 0) {
          store.checkpoint();
        }
      }
    }
    store.checkpoint();
  }

  private static long fill(TreeStore store, Change change) throws IOException {
    long entries = 0;
    try {
      while (true) {
        store.first().put(change, entries, entries);
        try {
          long unused = change.commit();
          entries++;
        } catch (LogFullException e) {
          change.rollBack();
          store.checkpoint();
        }
      }
    } catch (OutOfSpaceException e) {
      return entries;
    }
  }
}
