package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.ListHistory.Anomaly;
import io.ewok.gds.lsm.ListHistory.Entry;
import io.ewok.gds.lsm.ListHistory.Status;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Transactions of several threads append to lists and read them, beside plain writes, flushes and
 * compactions, and the power fails meanwhile. What they have seen has none of the anomalies that
 * their level excludes; and without the check at the commit there are some.
 */
@Timeout(120)
class TransactionHistoryTest {
  private static final int KEYS = 6;
  private static final int THREADS = 4;
  private static final int TRANSACTIONS = 300;

  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY
              .tree()
              .withMergeOperator(MergeOperators.append(new byte[] {','}))
              .withTablesBeforeMerge(2));

  /** How transactions are made. */
  private enum Way {
    SERIALIZABLE,
    SNAPSHOT,
    /** Serializable, by locks. */
    LOCKING,
    /** Some optimistic, some by locks. */
    MIXED,
    /** As MIXED, and some are prepared before; no plain writes, which do not ask for that. */
    PREPARED,
    /** Reads of a snapshot and a batch: nobody looks what came between. */
    UNCHECKED
  }

  private final AtomicInteger elements = new AtomicInteger();
  private final AtomicInteger conflicts = new AtomicInteger();

  /** A store, and what is known of its lists. */
  private static final class Life {
    final SimEngine engine;
    final Store store;
    final Family other;
    final ListHistory history;

    Life(SimEngine engine, ListHistory history) throws IOException {
      this.engine = engine;
      this.history = history;
      store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
      other =
          store.family("other").isPresent()
              ? store.family("other").orElseThrow()
              : store.createFamily("other");
    }

    Family family(int key) {
      return key % 2 == 0 ? store : other;
    }

    Map<Integer, List<Integer>> lists() throws IOException {
      Map<Integer, List<Integer>> lists = new HashMap<>();
      for (int key = 0; key < KEYS; key++) {
        lists.put(key, list(family(key).get(key(key))));
      }
      return lists;
    }
  }

  private static byte[] key(int number) {
    return Fixtures.bytes("key" + number);
  }

  private static List<Integer> list(byte[] valueOrNull) {
    return valueOrNull == null
        ? List.of()
        : Arrays.stream(Fixtures.text(valueOrNull).split(",")).map(Integer::valueOf).toList();
  }

  // ---- one transaction

  private void transaction(Life life, Way way, SplittableRandom random) throws IOException {
    if (way != Way.PREPARED && random.nextInt(8) == 0) {
      plainWrite(life, random);
    } else if (way == Way.UNCHECKED) {
      unchecked(life, random);
    } else {
      checked(life, way, random);
    }
  }

  private void plainWrite(Life life, SplittableRandom random) throws IOException {
    int key = random.nextInt(KEYS);
    int element = elements.incrementAndGet();
    Durability durability = durability(random);
    Entry entry = life.history.begin().append(key, element);
    life.family(key).merge(key(key), Fixtures.bytes("" + element), durability);
    entry.end(Status.COMMITTED, durability == Durability.SYNCED);
  }

  private static Durability durability(SplittableRandom random) {
    return random.nextInt(4) == 0 ? Durability.SYNCED : Durability.NONE;
  }

  private void unchecked(Life life, SplittableRandom random) throws IOException {
    Entry entry = life.history.begin();
    WriteBatch batch = new WriteBatch();
    try (Snapshot snapshot = life.store.snapshot()) {
      int read = random.nextInt(KEYS);
      entry.read(read, list(snapshot.family(life.family(read)).get(key(read))));
      letOthersRun();
      int written = random.nextInt(KEYS);
      int element = elements.incrementAndGet();
      entry.append(written, element);
      batch.merge(life.family(written), key(written), Fixtures.bytes("" + element));
    }
    life.store.write(batch, Durability.NONE);
    entry.end(Status.COMMITTED, false);
  }

  @SuppressWarnings("ThreadPriorityCheck") // more of them meet so
  private static void letOthersRun() {
    Thread.yield();
  }

  private void checked(Life life, Way way, SplittableRandom random) throws IOException {
    Entry entry = life.history.begin();
    TransactionOptions options =
        TransactionOptions.defaults()
            .withIsolation(way == Way.SNAPSHOT ? Isolation.SNAPSHOT : Isolation.SERIALIZABLE);
    boolean locks =
        way == Way.LOCKING || ((way == Way.MIXED || way == Way.PREPARED) && random.nextBoolean());
    if (locks) {
      options = options.withLocks(Duration.ofSeconds(20));
    }
    boolean scans = !locks || random.nextBoolean();
    Durability durability = durability(random);
    try (Transaction transaction = life.store.transactions().begin(options)) {
      int count = 1 + random.nextInt(4);
      for (int i = 0; i < count; i++) {
        operation(life, entry, transaction, scans, random);
        letOthersRun();
      }
      if (random.nextInt(20) == 0) {
        entry.end(Status.ROLLED_BACK, false);
        return;
      }
      boolean commits = true;
      if (way == Way.PREPARED && !scans && transaction.writeCount() > 0) {
        PreparedTransaction prepared = transaction.prepare("t" + elements.incrementAndGet());
        letOthersRun();
        commits = random.nextInt(5) > 0;
        if (commits) {
          prepared.commit(durability);
        } else {
          prepared.rollback(durability);
        }
      } else {
        transaction.commit(durability);
      }
      entry.end(
          commits ? Status.COMMITTED : Status.ROLLED_BACK,
          commits && durability == Durability.SYNCED);
    } catch (TransactionRetryException e) {
      conflicts.incrementAndGet();
      entry.end(Status.ROLLED_BACK, false);
    }
  }

  private void operation(
      Life life, Entry entry, Transaction transaction, boolean scans, SplittableRandom random)
      throws IOException {
    int key = random.nextInt(KEYS);
    Family family = life.family(key);
    switch (random.nextInt(scans ? 4 : 3)) {
      case 0 -> entry.read(key, list(transaction.get(family, key(key))));
      case 1 -> {
        int element = elements.incrementAndGet();
        entry.append(key, element);
        transaction.merge(family, key(key), Fixtures.bytes("" + element));
      }
      case 2 -> {
        byte[] before = transaction.get(family, key(key));
        int element = elements.incrementAndGet();
        entry.read(key, list(before)).append(key, element);
        String list = before == null ? "" : Fixtures.text(before) + ",";
        transaction.put(family, key(key), Fixtures.bytes(list + element));
      }
      default -> scan(key, family, entry, transaction, random.nextBoolean());
    }
  }

  /** Reads all keys of a family from one on, or down to it; those that are not there, too. */
  private static void scan(
      int from, Family family, Entry entry, Transaction transaction, boolean backward)
      throws IOException {
    Map<Integer, List<Integer>> found = new HashMap<>();
    for (int key = from; key < KEYS; key += 2) {
      found.put(key, List.of());
    }
    CursorOptions options = CursorOptions.defaults().withLower(key(from));
    try (StoreCursor cursor = transaction.cursor(family, options)) {
      if (backward) {
        cursor.last();
      } else {
        cursor.first();
      }
      while (cursor.isValid()) {
        int key = Fixtures.array(cursor.key())[3] - '0';
        found.put(key, list(Fixtures.array(cursor.value())));
        if (backward) {
          cursor.previous();
        } else {
          cursor.next();
        }
      }
    }
    found.forEach(entry::read);
  }

  // ---- many

  private void run(Life life, Way way, int threads, int transactions, SplittableRandom random)
      throws Exception {
    List<Callable<Void>> tasks = new ArrayList<>();
    CyclicBarrier beginning = new CyclicBarrier(threads); // else the first may end before the last
    for (int i = 0; i < threads; i++) {
      SplittableRandom own = random.split();
      boolean flushes = i == 0;
      tasks.add(
          () -> {
            beginning.await();
            for (int done = 0; done < transactions; done++) {
              transaction(life, way, own);
              if (flushes && own.nextInt(20) == 0) {
                life.store.flush();
              }
            }
            return null;
          });
    }
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      for (Future<Void> future : executor.invokeAll(tasks)) {
        future.get();
      }
    }
  }

  private Set<Anomaly> anomalies(Way way, long seed) throws Exception {
    Life life = new Life(new SimEngine(seed), new ListHistory());
    try (Store _ = life.store) {
      run(life, way, THREADS, TRANSACTIONS, new SplittableRandom(seed));
      return life.history.check(life.lists());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SERIALIZABLE, 1",
    "SERIALIZABLE, 2",
    "SERIALIZABLE, 3",
    "LOCKING, 1",
    "LOCKING, 2",
    "MIXED, 1",
    "MIXED, 2",
    "PREPARED, 1",
    "PREPARED, 2",
    "PREPARED, 3"
  })
  void serializableTransactionsHaveNoAnomalies(Way way, long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    Life life = new Life(new SimEngine(seed), new ListHistory());
    try (Store _ = life.store) {
      run(life, way, THREADS, TRANSACTIONS, new SplittableRandom(seed));
      assertEquals(Set.of(), life.history.check(life.lists()), life.history::details);
      assertTrue(conflicts.get() > 10, "conflicts: " + conflicts);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void transactionsOfTheSnapshotLevelHaveAtMostWriteSkew(long seedOfCase) throws Exception {
    Set<Anomaly> found = anomalies(Way.SNAPSHOT, Fixtures.seed(seedOfCase));
    assertTrue(EnumSet.of(Anomaly.G2).containsAll(found), "found: " + found);
    assertTrue(conflicts.get() > 10, "conflicts: " + conflicts);
  }

  @Test
  void writeSkewOfTheSnapshotLevelIsFound() throws Exception {
    Life life = new Life(new SimEngine(1), new ListHistory());
    TransactionOptions options = TransactionOptions.defaults().withIsolation(Isolation.SNAPSHOT);
    try (Store store = life.store;
        Transaction first = store.transactions().begin(options);
        Transaction second = store.transactions().begin(options)) {
      Entry ofFirst = life.history.begin().read(0, list(first.get(store, key(0))));
      Entry ofSecond = life.history.begin().read(2, list(second.get(store, key(2))));
      first.merge(store, key(2), Fixtures.bytes("1"));
      second.merge(store, key(0), Fixtures.bytes("2"));
      first.commit(Durability.NONE);
      second.commit(Durability.NONE);
      ofFirst.append(2, 1).end(Status.COMMITTED, false);
      ofSecond.append(0, 2).end(Status.COMMITTED, false);
      assertEquals(Set.of(Anomaly.G2), life.history.check(life.lists()));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void withoutTheCheckThereAreAnomalies(long seedOfCase) throws Exception {
    Set<Anomaly> found = anomalies(Way.UNCHECKED, Fixtures.seed(seedOfCase));
    assertTrue(found.contains(Anomaly.G_SINGLE) || found.contains(Anomaly.G2), "found: " + found);
  }

  /** What survives is a beginning of the history, and a new life goes on from there. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void powerCutsLeaveSerializableHistories(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    SplittableRandom random = new SplittableRandom(seed);
    SplittableRandom cuts = random.split();
    Life life = new Life(new SimEngine(seed), new ListHistory());
    AssertionError[] failure = new AssertionError[1];
    AtomicInteger cut = new AtomicInteger();
    life.engine.onSync(
        () -> {
          synchronized (cuts) {
            if (failure[0] == null && cuts.nextInt(4) == 0) {
              try {
                cut(life, cuts.nextLong());
                cut.incrementAndGet();
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("a state after a power cut is wrong", e);
              }
            }
          }
        });
    try (Store _ = life.store) {
      List<Way> ways = List.of(Way.SERIALIZABLE, Way.MIXED, Way.PREPARED);
      run(life, ways.get(Math.floorMod(seed, ways.size())), 3, 60, random);
      assertEquals(Set.of(), life.history.check(life.lists()), life.history::details);
    }
    if (failure[0] != null) {
      throw new AssertionError(Fixtures.replay(getClass(), seed), failure[0]);
    }
    assertTrue(cut.get() > 5, "power cuts: " + cut);
  }

  private void cut(Life life, long crashSeed) throws Exception {
    Set<Entry> durable = life.history.durable();
    SimEngine after = life.engine.crash(crashSeed);
    Life next = new Life(after, new ListHistory());
    try (Store _ = next.store) {
      for (PreparedTransaction undecided : next.store.transactions().prepared()) {
        undecided.rollback(Durability.SYNCED);
      }
      life.history.copySurvivors(next.lists(), durable, next.history);
      assertEquals(Set.of(), next.history.check(next.lists()), next.history::details);
      if (crashSeed % 4 == 0) {
        run(next, Way.SERIALIZABLE, 2, 10, new SplittableRandom(crashSeed));
        assertEquals(Set.of(), next.history.check(next.lists()), next.history::details);
      }
    }
  }
}
