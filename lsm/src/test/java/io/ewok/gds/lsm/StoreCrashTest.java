package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The power fails at sync points and between operations, in many ways. What was acknowledged as
 * durable is there afterwards, of the rest a prefix, and batches are whole. Recovery itself is cut
 * too, and so is the life after it.
 */
class StoreCrashTest {
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY
              .tree()
              .withTablesBeforeMerge(2)
              .withMergeOperator(MergeOperators.append(new byte[0]))
              .withCompactionFilter(StoreCrashTest::withoutEmpty)
              .withFiltersFlushes(true));

  /** The same, with most values in value files, which are soon rewritten. */
  private static final StoreOptions SEPARATED =
      OPTIONS.withTree(OPTIONS.tree().withSeparatedValueBytes(20).withValueGarbagePercent(10));

  private static final int KEYS = 60;

  /** Each write also puts its number: so a store says how many it has. */
  private static final byte[] NUMBER = Fixtures.bytes("number");

  /**
   * One operation in a family: its key and value, which are the keys of a range if it is the delete
   * of one.
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Operation(String family, int kind, byte[] key, byte[] valueOrNull) {
    void apply(NavigableMap<byte[], byte[]> to) {
      switch (kind) {
        case RecordKind.PUT -> to.put(key, valueOrNull);
        case RecordKind.OPERAND -> to.merge(key, valueOrNull, StoreCrashTest::appended);
        case RecordKind.RANGE_DELETE -> to.subMap(key, valueOrNull).clear();
        default -> to.remove(key);
      }
    }
  }

  /** One write: some operations. */
  private record Write(List<Operation> operations) {
    void add(String family, int kind, byte[] key, byte[] valueOrNull) {
      operations.add(new Operation(family, kind, key, valueOrNull));
    }
  }

  /** What is known of a family. No name is used again. */
  private enum Presence {
    THERE,
    GONE,
    /** It is being created or dropped. */
    OPEN
  }

  /**
   * Where a family begins that is a clone.
   *
   * @param from the family that it is one of
   * @param writes so many of its writes the clone has, too
   */
  private record Origin(String from, int writes) {}

  /** What was written, and how much of it must survive. Read by whichever thread syncs. */
  private static final class History {
    final List<Write> writes = new ArrayList<>();

    /** By name, but for the default one. Guarded by the writes. */
    final Map<String, Presence> families = new TreeMap<>();

    /** Of those that are clones. Guarded by the writes. */
    final Map<String, Origin> origins = new TreeMap<>();

    /** Writes that began. */
    volatile int begun;

    /** Writes that are durable: the store said so. */
    volatile int durable;

    History copy() {
      History copy = new History();
      synchronized (writes) {
        copy.durable = durable;
        copy.begun = begun;
        copy.writes.addAll(writes.subList(0, copy.begun));
        copy.families.putAll(families);
        copy.origins.putAll(origins);
      }
      return copy;
    }

    /** Whether what the write of this number did to one family is in another, or in itself. */
    boolean has(String family, String written, int write) {
      Origin origin = origins.get(family);
      return family.equals(written)
          || (origin != null && write < origin.writes && has(origin.from, written, write));
    }

    void set(String family, Presence presence) {
      synchronized (writes) {
        families.put(family, presence);
      }
    }

    List<String> there() {
      return families.keySet().stream()
          .filter(name -> families.get(name) == Presence.THERE)
          .toList();
    }
  }

  private final AtomicInteger states = new AtomicInteger();
  private StoreOptions options = OPTIONS;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 8, 10})
  void acknowledgedWritesSurvivePowerCuts(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    options = seed % 2 == 0 ? SEPARATED : OPTIONS;
    SplittableRandom random = new SplittableRandom(seed);
    SimEngine engine = new SimEngine(random.nextLong());
    History history = new History();
    try {
      run(engine, engine, history, random, 150, 2);
    } catch (Exception | AssertionError e) {
      throw new AssertionError(Fixtures.replay(getClass(), seed), e);
    }
    assertTrue(states.get() > 150, "power cuts: " + states);
  }

  /**
   * Each sync of tables, names and log is needed: without it the test above sees that something is
   * gone.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sync .table",
        "sync .table in FlushJob",
        "sync .table in Compaction",
        "sync .values",
        "sync .values in FlushJob",
        "sync .values in Compaction",
        "sync MANIFEST.tmp",
        "sync MANIFEST.tmp in FamilyChanges",
        "names of tables",
        "names of tables in FlushJob",
        "names of tables in Compaction",
        "name of manifest",
        "sync .log in FlushJob",
        "sync .log in StoreWriter"
      })
  void withoutOneOfTheSyncsAcknowledgedWritesAreLost(String sync) {
    options = sync.contains(".values") ? SEPARATED : OPTIONS;
    assertThrows(
        AssertionError.class,
        () -> {
          for (int seed = 1; seed <= 6; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            SimEngine engine = new SimEngine(random.nextLong());
            IoEngine forgetful = without(engine, IoEngine.class, sync, "");
            run(engine, forgetful, new History(), random, 150, 2);
          }
        });
  }

  /**
   * An engine, or a new file of it, that leaves out a sync.
   *
   * @param which which; of a file, how its name ends; perhaps only within a class
   */
  private static <T> T without(T real, Class<T> type, String which, String file) {
    String sync = which.replaceFirst(" in .*", "");
    String within = which.substring(sync.length()).replace(" in ", ".");
    boolean[] renamed = new boolean[1];
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          boolean leftOut =
              switch (method.getName()) {
                case "sync", "writeSynced" ->
                    sync.startsWith("sync ") && file.endsWith(sync.substring(5));
                case "syncDirectory" ->
                    arguments[0].equals(Fixtures.DIRECTORY)
                        && sync.equals(renamed[0] ? "name of manifest" : "names of tables");
                default -> false;
              };
          if (method.getName().equals("rename") || method.getName().equals("syncDirectory")) {
            renamed[0] = method.getName().equals("rename");
          }
          Method done = method;
          if (leftOut && isWithin(within)) {
            if (!method.getName().equals("writeSynced")) {
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

  private static boolean isWithin(String end) {
    return StackWalker.getInstance()
        .walk(frames -> frames.anyMatch(frame -> frame.getClassName().endsWith(end)));
  }

  /**
   * Opens a store and works in it, and cuts the power of copies meanwhile.
   *
   * @param used the engine as the store has it
   * @param depth how many more times a life after a power cut is cut
   */
  private void run(
      SimEngine engine,
      IoEngine used,
      History history,
      SplittableRandom random,
      int operations,
      int depth)
      throws Exception {
    SplittableRandom cuts = random.split();
    AssertionError[] failure = new AssertionError[1];
    engine.onSync(
        () -> {
          // Recovery and the background thread sync too; each state is checked by itself.
          if (failure[0] == null && cuts.nextInt(depth == 2 ? 1 : 12) == 0) {
            try {
              cut(engine, history.copy(), cuts.nextLong(), depth);
            } catch (Exception | AssertionError e) {
              failure[0] = new AssertionError("a state after a power cut is wrong", e);
            }
          }
        });
    try (Store store = Store.open(Fixtures.DIRECTORY, options, used)) {
      check(store, history);
      for (int i = 0; i < operations; i++) {
        step(store, history, random);
        if (random.nextInt(depth == 2 ? 8 : 30) == 0) {
          cut(engine, history.copy(), random.nextLong(), depth);
        }
      }
    }
    history.durable = history.begun;
    cut(engine, history.copy(), random.nextLong(), 0);
    if (failure[0] != null) {
      throw failure[0];
    }
  }

  private void cut(SimEngine engine, History history, long crashSeed, int depth) throws Exception {
    states.incrementAndGet();
    SimEngine after = engine.crash(crashSeed);
    try {
      if (depth > 0 && Math.floorMod(crashSeed, 6) == 0) {
        run(after, after, history, new SplittableRandom(crashSeed), 12, depth - 1);
      } else {
        try (Store store = Store.open(Fixtures.DIRECTORY, options, after)) {
          check(store, history);
        }
      }
    } catch (Exception | AssertionError e) {
      throw new AssertionError(
          "crashSeed=%d durable=%d begun=%d".formatted(crashSeed, history.durable, history.begun),
          e);
    }
  }

  private void step(Store store, History history, SplittableRandom random) throws Exception {
    switch (random.nextInt(30)) {
      case 0 -> {
        store.flush();
        history.durable = history.begun;
      }
      case 1 -> {
        store.compact();
        history.durable = history.begun;
      }
      case 2 -> changeFamilies(store, history, random);
      default -> write(store, history, random);
    }
  }

  private static void changeFamilies(Store store, History history, SplittableRandom random)
      throws Exception {
    List<String> there = history.there();
    if (there.size() == 3 || (!there.isEmpty() && random.nextInt(4) == 0)) {
      String dropped = there.get(random.nextInt(there.size()));
      history.set(dropped, Presence.OPEN);
      store.dropFamily(store.family(dropped).orElseThrow());
      history.set(dropped, Presence.GONE);
    } else {
      String created = "family" + history.families.size();
      if (random.nextBoolean()) {
        history.set(created, Presence.OPEN);
        Family unused = store.createFamily(created);
      } else {
        String from = there.isEmpty() ? Family.DEFAULT_NAME : there.getFirst();
        synchronized (history.writes) {
          history.origins.put(created, new Origin(from, history.begun));
          history.set(created, Presence.OPEN);
        }
        Family unused = store.cloneFamily(store.family(from).orElseThrow(), created);
        history.durable = history.begun;
      }
      history.set(created, Presence.THERE);
    }
  }

  private void write(Store store, History history, SplittableRandom random) throws Exception {
    WriteBatch batch = new WriteBatch();
    Write write = new Write(new ArrayList<>());
    List<String> families = new ArrayList<>(history.there());
    families.add(Family.DEFAULT_NAME);
    int count = random.nextInt(4) == 0 ? 1 + random.nextInt(8) : 1;
    for (int i = 0; i < count; i++) {
      byte[] key = Fixtures.bytes("key" + random.nextInt(KEYS));
      String name = families.get(random.nextInt(families.size()));
      Family in = store.family(name).orElseThrow();
      if (random.nextInt(4) == 0) {
        byte[] operand = Fixtures.randomBytes(random, random.nextInt(100));
        write.add(name, RecordKind.OPERAND, key, operand);
        batch.merge(in, key, operand);
      } else if (random.nextInt(12) == 0) {
        byte[] end = Fixtures.bytes("key" + (KEYS + random.nextInt(KEYS)));
        byte[] first = Fixtures.ORDER.compare(key, end) < 0 ? key : Fixtures.bytes("key");
        write.add(name, RecordKind.RANGE_DELETE, first, end);
        batch.deleteRange(in, first, end);
      } else if (random.nextInt(4) == 0) {
        write.add(name, RecordKind.DELETE, key, null);
        if (random.nextInt(3) == 0) {
          batch.singleDelete(in, key);
        } else {
          batch.delete(in, key);
        }
      } else {
        int bound = random.nextInt(10) == 0 ? 20_000 : 100;
        byte[] value = Fixtures.randomBytes(random, Math.max(0, random.nextInt(bound) - 10));
        write.add(name, RecordKind.PUT, key, value);
        batch.put(in, key, value);
      }
    }
    synchronized (history.writes) {
      byte[] number = ByteBuffer.allocate(Integer.BYTES).putInt(history.begun + 1).array();
      write.add(Family.DEFAULT_NAME, RecordKind.PUT, NUMBER, number);
      batch.put(NUMBER, number);
    }
    boolean synced = random.nextInt(3) == 0;
    synchronized (history.writes) {
      history.writes.add(write);
      history.begun = history.writes.size();
    }
    store.write(batch, synced ? Durability.SYNCED : Durability.NONE);
    if (synced) {
      history.durable = history.begun;
    }
  }

  /** Whoever looks takes an empty value for none, and operands that follow it do not show it. */
  private static CompactionFilter.Decision withoutEmpty(
      MemorySegment key, MemorySegment value, ResultBytes result) {
    return value.byteSize() == 0
        ? CompactionFilter.Decision.REMOVE
        : CompactionFilter.Decision.KEEP;
  }

  private static byte[] appended(byte[] before, byte[] operand) {
    byte[] both = Arrays.copyOf(before, before.length + operand.length);
    System.arraycopy(operand, 0, both, before.length, operand.length);
    return both;
  }

  /** Finds how many writes the store has, checks it, and cuts the history down to these. */
  private static void check(Store store, History history) throws Exception {
    byte[] number = store.get(NUMBER);
    int survived = number == null ? 0 : ByteBuffer.wrap(number).getInt();
    Map<String, TreeMap<byte[], byte[]>> models = new TreeMap<>();
    models.put(Family.DEFAULT_NAME, new TreeMap<>(Fixtures.ORDER));
    for (String name : List.copyOf(history.families.keySet())) {
      boolean isThere = store.family(name).isPresent();
      Presence known = history.families.get(name);
      assertTrue(known == Presence.OPEN || isThere == (known == Presence.THERE), name + known);
      history.set(name, isThere ? Presence.THERE : Presence.GONE);
      if (isThere) {
        models.put(name, new TreeMap<>(Fixtures.ORDER));
        Origin origin = history.origins.get(name);
        assertTrue(origin == null || survived >= origin.writes(), "a clone has all that was");
      }
    }
    assertEquals(models.size(), store.families().size());
    for (int i = 0; i < survived; i++) {
      for (Operation operation : history.writes.get(i).operations()) {
        for (Map.Entry<String, TreeMap<byte[], byte[]>> model : models.entrySet()) {
          if (history.has(model.getKey(), operation.family(), i)) {
            operation.apply(model.getValue());
          }
        }
      }
    }
    assertTrue(
        survived >= history.durable,
        "acknowledged writes are there: survived=" + survived + " durable=" + history.durable);
    for (Family family : store.families()) {
      TreeMap<byte[], byte[]> model = models.get(family.name());
      Map<byte[], byte[]> found = Fixtures.contents(family);
      found.values().removeIf(value -> value.length == 0);
      model.values().removeIf(value -> value.length == 0);
      assertEquals(
          model.size(), found.size(), "records of %s after %d".formatted(family.name(), survived));
      for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
        assertArrayEquals(entry.getValue(), found.get(entry.getKey()));
        assertArrayEquals(entry.getValue(), family.get(entry.getKey()));
      }
    }
    synchronized (history.writes) {
      history.writes.subList(survived, history.writes.size()).clear();
      history.begun = survived;
      // A prefix survived this cut, but nobody was told that it is durable.
      history.durable = Math.min(history.durable, survived);
    }
  }
}
