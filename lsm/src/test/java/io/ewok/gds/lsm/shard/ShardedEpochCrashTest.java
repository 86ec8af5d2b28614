package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The power fails while several transactions share an epoch and plain writes go on beside them. A
 * writer of each shard counts there, mostly without a sync; each transaction reads one of these
 * counters and writes, to all shards, its own number. So whatever a cut leaves has the same number
 * in all shards, at least that of the last one that was acknowledged, and counters that are no less
 * than those transactions have read that are there.
 */
@Timeout(value = 300, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ShardedEpochCrashTest {
  private static final int SHARDS = 3;
  private static final int GROUPS = 10;
  private static final int GROUP = 10;
  private static final int WAITING_MAX = 5;

  /** Between the writes of a counter: they are not what takes the time. */
  private static final long PAUSE_NANOS = 200_000;

  /** The sequence log is soon full. */
  private static final ShardedOptions OPTIONS = options();

  private static ShardedOptions options() {
    ShardedOptions options = ShardedStoreTest.options(FiberMode.AUTO);
    return options
        .withStore(options.store().withLogSegmentCount(2))
        .withRanges(List.of(Fixtures.bytes("b"), Fixtures.bytes("c")));
  }

  /** What was acknowledged when the power failed; of counters those that are to be durable. */
  private record Cut(SimEngine after, long transaction, List<Long> counters) {}

  /** What a transaction has read. */
  private record Seen(int shard, long counter) {}

  private final Map<Long, Seen> seen = new ConcurrentHashMap<>();
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicLongArray counters = new AtomicLongArray(SHARDS);
  private final Queue<Cut> cuts = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean enough = new AtomicBoolean();
  private int looks;

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void powerCutsLeaveWholeEpochsBesidePlainWrites(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    try {
      run(new SimEngine(seed), null, new SplittableRandom(seed));
    } catch (Exception | AssertionError e) {
      throw new AssertionError(Fixtures.replay(getClass(), seed), e);
    }
    assertTrue(looks > 20, "power cuts: " + looks);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sequence in SequenceLog.append", "shard- in Shard.syncPlainWrites"})
  void withoutOneOfTheSyncsThereAreParts(String sync) {
    assertThrows(
        AssertionError.class,
        () -> {
          for (int seed = 1; seed <= 10; seed++) {
            run(new SimEngine(seed), sync, new SplittableRandom(seed));
          }
        });
  }

  // ---- a life

  private void run(SimEngine engine, String syncOrNull, SplittableRandom random) throws Exception {
    seen.clear();
    acknowledged.set(0);
    enough.set(false);
    for (int shard = 0; shard < SHARDS; shard++) {
      counters.set(shard, 0);
    }
    SplittableRandom chance = random.split();
    Runnable hook =
        () -> {
          if (cuts.size() < WAITING_MAX && chance.nextInt(6) == 0) {
            cut(engine, chance.nextLong());
          }
        };
    IoEngine used =
        syncOrNull == null
            ? engine
            : ShardedCrashTest.without(engine, IoEngine.class, syncOrNull, "");
    try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, OPTIONS, used)) {
      engine.onSync(hook);
      engine.onWrite(hook);
      List<Future<Void>> counting = new ArrayList<>();
      for (int shard = 0; shard < SHARDS; shard++) {
        int own = shard;
        counting.add(store.submit(shard, () -> count(store, own)));
      }
      try {
        for (int group = 0; group < GROUPS; group++) {
          transact(store, random);
          cut(engine, random.nextLong());
          lookAtCuts();
        }
      } finally {
        enough.set(true);
        for (Future<Void> one : counting) {
          Void unused = one.get();
        }
      }
      assertTrue(store.stats().epochs() < store.stats().transactions());
    }
    cuts.clear();
    cut(engine, random.nextLong());
    lookAtCuts();
  }

  /** With the engine's lock, or when nothing is written: what was acknowledged comes first. */
  private void cut(SimEngine engine, long seed) {
    long transaction = acknowledged.get();
    List<Long> counted = IntStream.range(0, SHARDS).mapToObj(counters::get).toList();
    cuts.add(new Cut(engine.crash(seed), transaction, counted));
  }

  private Void count(ShardedStore store, int shard) throws IOException {
    byte[] key = counterKey(shard);
    for (long counter = 1; !enough.get(); counter++) {
      boolean isSynced = counter % 16 == 0;
      store.put(key, number(counter), isSynced ? Durability.SYNCED : Durability.NONE);
      if (isSynced) {
        counters.set(shard, counter);
      }
      Task.pause(PAUSE_NANOS);
    }
    return null;
  }

  /** Several at once: the first one waits until the others are there, which share an epoch. */
  private void transact(ShardedStore store, SplittableRandom random) throws Exception {
    Baton go = new Baton();
    List<CompletableFuture<Long>> all = new ArrayList<>();
    for (int i = 0; i < GROUP; i++) {
      int from = random.nextInt(SHARDS);
      byte[] ballast = new byte[random.nextInt(4) == 0 ? 9_000 : 20];
      boolean waits = i == 0;
      TransactionKeys keys = new TransactionKeys().reads(counterKey(from));
      for (int shard = 0; shard < SHARDS; shard++) {
        keys.writes(numberKey(shard), ballastKey(shard));
      }
      all.add(
          store.transactAsync(
              keys,
              view -> {
                if (waits) {
                  go.await();
                }
                seen.put(view.number(), new Seen(from, number(view.get(counterKey(from)))));
                for (int shard = 0; shard < SHARDS; shard++) {
                  view.put(numberKey(shard), number(view.number()));
                  view.put(ballastKey(shard), ballast);
                }
                return view.number();
              },
              Durability.NONE));
    }
    go.post();
    for (CompletableFuture<Long> one : all) {
      acknowledged.set(one.get());
    }
  }

  // ---- what is there

  private void lookAtCuts() throws IOException {
    List<Cut> some = new ArrayList<>(); // others come meanwhile
    for (int i = 0; i < WAITING_MAX && !cuts.isEmpty(); i++) {
      some.add(cuts.remove());
    }
    for (Cut cut : some) {
      looks++;
      try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, OPTIONS, cut.after())) {
        check(store, cut);
      }
    }
  }

  private void check(ShardedStore store, Cut cut) throws IOException {
    long number = number(store.get(numberKey(0)));
    byte[] ballast = store.get(ballastKey(0));
    for (int shard = 1; shard < SHARDS; shard++) {
      assertEquals(number, number(store.get(numberKey(shard))), "whole: shard=" + shard);
      assertArrayEquals(ballast, store.get(ballastKey(shard)), "whole: shard=" + shard);
    }
    assertTrue(number >= cut.transaction(), "acknowledged: number=" + number);
    for (int shard = 0; shard < SHARDS; shard++) {
      int own = shard;
      long counter = number(store.get(counterKey(shard)));
      assertTrue(counter >= cut.counters().get(shard), "acknowledged: counter=" + counter);
      seen.forEach(
          (transaction, read) -> {
            if (transaction <= number && read.shard() == own) {
              assertTrue(
                  counter >= read.counter(),
                  "what was read is there: number=%d counter=%d read=%d"
                      .formatted(transaction, counter, read.counter()));
            }
          });
    }
  }

  private static byte[] counterKey(int shard) {
    return Fixtures.bytes((char) ('a' + shard) + " counter");
  }

  private static byte[] numberKey(int shard) {
    return Fixtures.bytes((char) ('a' + shard) + " number");
  }

  private static byte[] ballastKey(int shard) {
    return Fixtures.bytes((char) ('a' + shard) + " ballast");
  }

  private static byte[] number(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  private static long number(byte[] valueOrNull) {
    return valueOrNull == null ? 0 : ByteBuffer.wrap(valueOrNull).getLong();
  }
}
