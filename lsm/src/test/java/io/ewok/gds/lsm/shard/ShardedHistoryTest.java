package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.ListHistory;
import io.ewok.gds.lsm.ListHistory.Anomaly;
import io.ewok.gds.lsm.ListHistory.Entry;
import io.ewok.gds.lsm.ListHistory.Status;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.FiberMode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Transactions of threads and fibers append to lists on all shards and read them, beside plain
 * writes. What they have seen has no anomalies, and is what a model sees that runs them one after
 * the other by their numbers.
 */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ShardedHistoryTest {
  private static final int KEYS = 6;
  private static final int SHARDS = 3;
  private static final int CALLERS = 5;
  private static final int TRANSACTIONS = 200;

  /** What one did: by its number it has a place among all. */
  private record Done(long number, List<Integer> reads, List<String> seen, int key, int element) {}

  private final AtomicInteger elements = new AtomicInteger();
  private final ConcurrentLinkedQueue<Done> done = new ConcurrentLinkedQueue<>();
  private final ListHistory history = new ListHistory();

  private static byte[] key(int number) {
    return Fixtures.bytes("key" + number);
  }

  private static List<Integer> list(String textOrNull) {
    return textOrNull == null
        ? List.of()
        : Arrays.stream(textOrNull.split("\\+", -1)).map(Integer::valueOf).toList();
  }

  private static ShardedOptions options(FiberMode mode) {
    return ShardedStoreTest.options(mode).withCount(SHARDS);
  }

  /** Reads some lists, and appends to one by a merge or by writing it anew. */
  private void transact(ShardedStore store, SplittableRandom random) throws IOException {
    int[] reads = random.ints(1 + random.nextInt(3), 0, KEYS).distinct().toArray();
    int appended = random.nextBoolean() ? reads[0] : random.nextInt(KEYS);
    boolean merges = Arrays.stream(reads).noneMatch(key -> key == appended);
    int element = elements.incrementAndGet();
    TransactionKeys keys = new TransactionKeys().writes(key(appended));
    Arrays.stream(reads).forEach(key -> keys.reads(key(key)));
    Entry entry = history.begin();
    Done result =
        store.transact(
            keys,
            view -> {
              List<String> seen = new ArrayList<>();
              for (int key : reads) {
                seen.add(Fixtures.text(view.get(key(key))));
              }
              if (merges) {
                view.merge(key(appended), Fixtures.bytes("" + element));
              } else {
                String before = Fixtures.text(view.get(key(appended)));
                String after = before == null ? "" + element : before + "+" + element;
                view.put(key(appended), Fixtures.bytes(after));
              }
              return new Done(
                  view.number(), Arrays.stream(reads).boxed().toList(), seen, appended, element);
            },
            random.nextInt(4) == 0 ? Durability.SYNCED : Durability.NONE);
    for (int i = 0; i < reads.length; i++) {
      entry.read(reads[i], list(result.seen().get(i)));
    }
    entry.append(appended, element).end(Status.COMMITTED, true);
    done.add(result);
  }

  private void plainWrite(ShardedStore store, SplittableRandom random) throws IOException {
    int key = random.nextInt(KEYS);
    int element = elements.incrementAndGet();
    Entry entry = history.begin();
    store.merge(key(key), Fixtures.bytes("" + element), Durability.NONE);
    entry.append(key, element).end(Status.COMMITTED, false);
  }

  /** Reads and writes as two calls: nobody looks what came between, which others have seen to. */
  private void unchecked(ShardedStore store, SplittableRandom random, CyclicBarrier allHaveRead)
      throws Exception {
    int from = random.nextInt(KEYS);
    int key = random.nextInt(2);
    int element = elements.incrementAndGet();
    Entry entry = history.begin();
    entry.read(from, list(Fixtures.text(store.get(key(from)))));
    String before = Fixtures.text(store.get(key(key)));
    entry.read(key, list(before)).append(key, element);
    int unused = allHaveRead.await();
    String after = before == null ? "" + element : before + "+" + element;
    store.put(key(key), Fixtures.bytes(after), Durability.NONE);
    entry.end(Status.COMMITTED, false);
  }

  private interface Step {
    void run(ShardedStore store, SplittableRandom random) throws Exception;
  }

  /** From threads outside, and from fibers of shards. */
  private static void run(ShardedStore store, long seed, Step step) throws Exception {
    run(store, seed, TRANSACTIONS, step);
  }

  private static void run(ShardedStore store, long seed, int count, Step step) throws Exception {
    SplittableRandom random = new SplittableRandom(seed);
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(CALLERS)) {
      for (int i = 0; i < CALLERS; i++) {
        SplittableRandom own = random.split();
        Callable<Void> caller =
            () -> {
              for (int n = 0; n < count; n++) {
                step.run(store, own);
              }
              return null;
            };
        all.add(i < SHARDS ? store.submit(i, caller) : executor.submit(caller));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
  }

  private static Map<Integer, List<Integer>> lists(ShardedStore store) throws IOException {
    Map<Integer, List<Integer>> lists = new HashMap<>();
    for (int key = 0; key < KEYS; key++) {
      lists.put(key, list(Fixtures.text(store.get(key(key)))));
    }
    return lists;
  }

  @ParameterizedTest
  @CsvSource({"REACTOR, 1", "REACTOR, 2", "VIRTUAL, 1"})
  void transactionsBesidePlainWritesHaveNoAnomalies(FiberMode mode, long seedOfCase)
      throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    try (ShardedStore store =
        ShardedStore.open(Fixtures.DIRECTORY, options(mode), new SimEngine(seed))) {
      run(
          store,
          seed,
          (each, random) -> {
            if (random.nextInt(4) == 0) {
              plainWrite(each, random);
            } else {
              transact(each, random);
            }
          });
      assertEquals(Set.of(), history.check(lists(store)), history::details);
    }
  }

  /** The order is that of the numbers: a model that has it sees the same. */
  @ParameterizedTest
  @CsvSource({"REACTOR, 3", "VIRTUAL, 3"})
  void theResultIsThatOfOneAfterTheOtherByNumber(FiberMode mode, long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    try (ShardedStore store =
        ShardedStore.open(Fixtures.DIRECTORY, options(mode), new SimEngine(seed))) {
      run(store, seed, this::transact);
      Map<Integer, String> model = new HashMap<>();
      List<Done> ordered = done.stream().sorted(Comparator.comparingLong(Done::number)).toList();
      assertEquals(CALLERS * TRANSACTIONS, ordered.stream().map(Done::number).distinct().count());
      for (Done one : ordered) {
        for (int i = 0; i < one.reads().size(); i++) {
          assertEquals(model.get(one.reads().get(i)), one.seen().get(i), "number=" + one.number());
        }
        model.merge(one.key(), "" + one.element(), (before, more) -> before + "+" + more);
      }
      for (int key = 0; key < KEYS; key++) {
        assertEquals(model.get(key), Fixtures.text(store.get(key(key))));
      }
    }
  }

  /** All have read before the first of them writes. */
  @Test
  void withoutTransactionsThereAreAnomalies() throws Exception {
    CyclicBarrier allHaveRead = new CyclicBarrier(CALLERS);
    try (ShardedStore store =
        ShardedStore.open(Fixtures.DIRECTORY, options(FiberMode.AUTO), new SimEngine(1))) {
      run(store, 1, 3, (each, random) -> unchecked(each, random, allHaveRead));
      Set<Anomaly> found = history.check(lists(store));
      assertFalse(found.isEmpty());
    }
  }
}
