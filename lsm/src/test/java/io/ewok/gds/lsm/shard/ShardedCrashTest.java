package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.FiberMode;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The power fails at syncs and writes of a store in several shards, and between its operations. Of
 * each shard there is a prefix of what was written to it, with all that was acknowledged as
 * durable; what was written to several is there in all of them or in none; and nothing is there
 * that stands on what is gone. Recovery is cut, too.
 */
@Timeout(value = 300, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class ShardedCrashTest {
  private static final int SHARDS = 3;
  private static final int KEYS = 12;

  /** Cuts that nobody has looked at yet. */
  private static final int WAITING_MAX = 10;

  /** The sequence log is soon full, as all logs are. */
  private static final ShardedOptions HASH = soonFull().withCount(SHARDS).withOwnersCompact(true);

  private static final ShardedOptions RANGES =
      soonFull().withRanges(List.of(Fixtures.bytes("b"), Fixtures.bytes("c")));

  private static ShardedOptions soonFull() {
    ShardedOptions options = ShardedStoreTest.options(FiberMode.AUTO);
    return options.withStore(options.store().withLogSegmentCount(2));
  }

  /**
   * One write: what it does, and whose keys it has named. The last operations put its number to a
   * key of each shard that it writes.
   */
  private record Write(List<Operation> operations, SortedSet<Integer> participants) {
    SortedSet<Integer> written() {
      SortedSet<Integer> shards = new TreeSet<>();
      operations.forEach(operation -> shards.add(operation.shard()));
      return shards;
    }
  }

  /** What was written, and how much of it must survive. */
  private static final class History {
    final List<Write> writes = new ArrayList<>();

    /** Of each shard: the number of the newest write that is durable, 0 for none. */
    final int[] durable = new int[SHARDS];

    synchronized History copy() {
      History copy = new History();
      copy.writes.addAll(writes);
      System.arraycopy(durable, 0, copy.durable, 0, SHARDS);
      return copy;
    }

    synchronized int begin(Write write) {
      writes.add(write);
      return writes.size();
    }

    synchronized void setDurable(int number) {
      for (int shard : writes.get(number - 1).written()) {
        durable[shard] = Math.max(durable[shard], number);
      }
    }

    /** All that was written to a shard is durable, since a later write to it is, in its log. */
    synchronized void setAllDurable() {
      Arrays.fill(durable, writes.size());
    }

    /** A write is gone; its number stays. */
    synchronized void forget(int number) {
      writes.set(number - 1, new Write(List.of(), new TreeSet<>()));
    }

    /** The newest write to a shard up to a number; 0 if there is none. */
    int newest(int shard, int upTo) {
      for (int number = upTo; number > 0; number--) {
        if (writes.get(number - 1).written().contains(shard)) {
          return number;
        }
      }
      return 0;
    }
  }

  /** What a power cut has left, and what is known of it. */
  private record Cut(SimEngine after, History history, long seed) {
    @Override
    public String toString() {
      return "seed=%d writes=%d durable=%s"
          .formatted(seed, history.writes.size(), Arrays.toString(history.durable));
    }
  }

  private final ConcurrentLinkedQueue<Cut> cuts = new ConcurrentLinkedQueue<>();
  private ShardedOptions options = RANGES;
  private int states;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void powerCutsLeaveWholeWritesInOrder(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    options = seed % 2 == 0 ? HASH : RANGES;
    try {
      run(new SimEngine(seed), null, new History(), new SplittableRandom(seed), 60, 2);
    } catch (Exception | AssertionError e) {
      throw new AssertionError(Fixtures.replay(getClass(), seed), e);
    }
    assertTrue(states > 100, "power cuts: " + states);
  }

  /** Each sync between shards is needed: without it the test above sees that something is wrong. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sequence in SequenceLog.append",
        "shard- in Shard.syncPlainWrites",
        "shard- in OwnerTask$Each.work",
        "shard- in ShardedOpener.openLog"
      })
  void withoutOneOfTheSyncsThereAreParts(String sync) {
    assertThrows(
        AssertionError.class,
        () -> {
          for (int seed = 1; seed <= 6; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            run(new SimEngine(seed), sync, new History(), random, 120, 1);
          }
        });
  }

  // ---- a life

  /**
   * Opens a store and works in it, and keeps what power cuts leave meanwhile, to look at.
   *
   * @param syncOrNull what is not synced
   * @param depth how many more times a life after a power cut is cut
   */
  private void run(
      SimEngine engine,
      String syncOrNull,
      History history,
      SplittableRandom random,
      int operations,
      int depth)
      throws Exception {
    SplittableRandom chance = random.split();
    Runnable hook =
        () -> {
          if (cuts.size() < WAITING_MAX && chance.nextInt(depth == 2 ? 3 : 8) == 0) {
            long seed = chance.nextLong();
            cuts.add(new Cut(engine.crash(seed), history.copy(), seed));
          }
        };
    engine.onSync(hook);
    engine.onWrite(hook);
    IoEngine used = syncOrNull == null ? engine : without(engine, IoEngine.class, syncOrNull, "");
    try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, options, used)) {
      check(store, history);
      for (int i = 0; i < operations; i++) {
        step(store, history, random);
        if (random.nextInt(4) == 0) {
          long seed = random.nextLong();
          cuts.add(new Cut(engine.crash(seed), history.copy(), seed));
        }
        lookAtCuts(syncOrNull, depth);
      }
    }
    history.setAllDurable();
    cuts.add(new Cut(engine.crash(random.nextLong()), history.copy(), 1));
    lookAtCuts(syncOrNull, depth);
  }

  private void lookAtCuts(String syncOrNull, int depth) throws Exception {
    List<Cut> all = new ArrayList<>();
    for (Cut cut = cuts.poll(); cut != null; cut = cuts.poll()) {
      all.add(cut);
    }
    for (Cut cut : all) {
      states++;
      try {
        if (depth > 0 && Math.floorMod(cut.seed(), 12) == 0) {
          run(
              cut.after(),
              syncOrNull,
              cut.history(),
              new SplittableRandom(cut.seed()),
              6,
              depth - 1);
        } else {
          try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, options, cut.after())) {
            check(store, cut.history());
          }
        }
      } catch (AssertionError | CorruptFileException e) {
        throw new AssertionError(cut.toString(), e); // what nobody can open is wrong, too
      } catch (Exception e) {
        throw new IllegalStateException(cut.toString(), e); // nothing that a check has found
      }
    }
  }

  // ---- operations

  /** A key of a shard, whatever they are partitioned by. */
  private byte[] key(ShardedStore store, int shard, int number) {
    for (int i = 0; ; i++) {
      byte[] key = Fixtures.bytes((char) ('a' + shard) + " " + number + " " + i);
      if (store.shardOf(key) == shard) {
        return key;
      }
    }
  }

  private byte[] numberKey(ShardedStore store, int shard) {
    return key(store, shard, KEYS);
  }

  private static byte[] number(int number) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
  }

  private void step(ShardedStore store, History history, SplittableRandom random) throws Exception {
    switch (random.nextInt(20)) {
      case 0 -> {
        store.flush();
        history.setAllDurable();
      }
      case 1 -> {
        store.compact();
        history.setAllDurable();
      }
      case 2, 3, 4, 5, 6, 7 -> write(store, history, random, List.of(random.nextInt(SHARDS)));
      case 8, 9, 10, 11, 12 -> write(store, history, random, some(random));
      default -> transact(store, history, random);
    }
  }

  private static List<Integer> some(SplittableRandom random) {
    int left = random.nextInt(SHARDS);
    return random.nextBoolean()
        ? List.of(0, 1, 2)
        : List.of((left + 1) % SHARDS, (left + 2) % SHARDS);
  }

  private void write(
      ShardedStore store, History history, SplittableRandom random, List<Integer> shards)
      throws Exception {
    ShardedBatch batch = store.newBatch();
    for (int shard : shards) {
      for (int i = random.nextInt(3); i >= 0; i--) {
        byte[] key = key(store, shard, random.nextInt(KEYS));
        byte[] value = Fixtures.randomBytes(random, random.nextInt(4) == 0 ? 30_000 : 20);
        switch (random.nextInt(4)) {
          case 0 -> batch.delete(key);
          case 1 -> batch.merge(key, Arrays.copyOf(value, 10));
          default -> batch.put(key, value);
        }
      }
    }
    int next = history.copy().writes.size() + 1;
    shards.forEach(shard -> batch.put(numberKey(store, shard), number(next)));
    Write write = new Write(List.copyOf(batch.operations()), new TreeSet<>(shards));
    int begun = history.begin(write);
    Durability durability = random.nextInt(3) == 0 ? Durability.SYNCED : Durability.NONE;
    store.write(batch, durability);
    if (shards.size() > 1 || durability == Durability.SYNCED) {
      history.setDurable(begun);
    }
  }

  /** Writes to some shards what it has read in another. */
  private void transact(ShardedStore store, History history, SplittableRandom random)
      throws Exception {
    int from = random.nextInt(SHARDS);
    byte[] read = key(store, from, random.nextInt(KEYS));
    List<Integer> to = random.nextInt(3) == 0 ? List.of((from + 1) % SHARDS) : some(random);
    byte[] before = contents(store).get(read);
    byte[] value = before == null ? Fixtures.bytes("none") : before;
    int next = history.copy().writes.size() + 1;
    TransactionKeys keys = new TransactionKeys().reads(read);
    List<Operation> operations = new ArrayList<>();
    for (int shard : to) {
      byte[] key = key(store, shard, random.nextInt(KEYS));
      keys.writes(key, numberKey(store, shard));
      operations.add(Operation.put(shard, key, value));
      operations.add(Operation.put(shard, numberKey(store, shard), number(next)));
    }
    SortedSet<Integer> participants = new TreeSet<>(to);
    participants.add(from);
    int begun = history.begin(new Write(operations, participants));
    Durability durability = random.nextInt(3) == 0 ? Durability.SYNCED : Durability.NONE;
    store.transact(
        keys,
        view -> {
          byte[] found = view.get(read);
          byte[] copied = found == null ? Fixtures.bytes("none") : found;
          operations.forEach(
              each -> view.put(each.key(), each.value() == value ? copied : each.value()));
          return null;
        },
        durability);
    if (to.size() > 1 || durability == Durability.SYNCED) {
      history.setDurable(begun);
    }
  }

  // ---- what is there

  private static SortedMap<byte[], byte[]> contents(ShardedStore store) throws Exception {
    SortedMap<byte[], byte[]> found = new TreeMap<>(Fixtures.ORDER);
    try (ShardedScan scan = store.scan(CursorOptions.defaults())) {
      while (scan.next()) {
        found.put(Fixtures.array(scan.key()), Fixtures.array(scan.value()));
      }
    }
    return found;
  }

  /** Finds how many writes each shard has, checks that, and forgets those that are gone. */
  private void check(ShardedStore store, History history) throws Exception {
    int[] survived = new int[SHARDS];
    for (int shard = 0; shard < SHARDS; shard++) {
      byte[] number = store.get(numberKey(store, shard));
      survived[shard] = number == null ? 0 : ByteBuffer.wrap(number).getInt();
      assertTrue(
          survived[shard] >= history.newest(shard, history.durable[shard]),
          "acknowledged: shard=%d survived=%d".formatted(shard, survived[shard]));
    }
    SortedMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
    for (int i = 1; i <= history.writes.size(); i++) {
      int number = i;
      Write write = history.writes.get(number - 1);
      long there = write.written().stream().filter(shard -> survived[shard] >= number).count();
      assertTrue(
          there == 0 || there == write.written().size(),
          "a write is whole: number=%d survived=%s".formatted(number, Arrays.toString(survived)));
      if (there == 0) {
        history.forget(number);
        continue;
      }
      if (write.participants().size() > 1) {
        for (int shard : write.participants()) {
          assertTrue(
              survived[shard] >= history.newest(shard, number - 1),
              "what a write stands on is there: number=%d survived=%s"
                  .formatted(number, Arrays.toString(survived)));
        }
      }
      write.operations().forEach(operation -> apply(operation, model));
    }
    SortedMap<byte[], byte[]> found = contents(store);
    assertEquals(model.size(), found.size(), "survived=" + Arrays.toString(survived));
    model.forEach((key, value) -> assertArrayEquals(value, found.get(key), Fixtures.text(key)));
  }

  private static void apply(Operation operation, Map<byte[], byte[]> to) {
    switch (operation.kind()) {
      case RecordKind.PUT -> to.put(operation.key(), operation.value());
      case RecordKind.OPERAND ->
          to.merge(
              operation.key(),
              operation.value(),
              (before, operand) -> {
                byte[] both = Arrays.copyOf(before, before.length + 1 + operand.length);
                both[before.length] = '+';
                System.arraycopy(operand, 0, both, before.length + 1, operand.length);
                return both;
              });
      default -> to.remove(operation.key());
    }
  }

  // ---- what is left out

  /** An engine, or a file of it, that leaves out the syncs of some files within some method. */
  static <T> T without(T real, Class<T> type, String which, String path) {
    String[] parts = which.split(" in ", -1);
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          boolean isSync =
              method.getName().equals("sync") || method.getName().equals("writeSynced");
          Method done = method;
          if (isSync && path.contains(parts[0]) && isWithin(parts[1])) {
            if (method.getName().equals("sync")) {
              return null;
            }
            done = IoFile.class.getMethod("write", method.getParameterTypes());
          }
          try {
            Object result = done.invoke(real, arguments);
            // Tables that are read go to native calls, which want to know them.
            return result instanceof IoFile opened && arguments[1] != OpenMode.READ_ONLY
                ? without(opened, IoFile.class, which, opened.path().toString())
                : result;
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private static boolean isWithin(String name) {
    String[] parts = name.split("\\.", -1);
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames.anyMatch(
                    frame ->
                        frame.getClassName().endsWith("shard." + parts[0])
                            && frame.getMethodName().equals(parts[1])));
  }
}
