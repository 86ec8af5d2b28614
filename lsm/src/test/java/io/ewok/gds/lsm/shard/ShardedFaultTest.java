package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.GroupOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorGroup;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A store in several shards that lacks something: space, fibers, syncs, room in a batch. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class ShardedFaultTest {
  private static final int EIO = 5;
  private static final int FIBERS = 3;

  private final SimEngine engine = new SimEngine(1);
  private final ShardedOptions tiny = ShardedStoreTest.options(FiberMode.AUTO);

  private ShardedStore open(ShardedOptions options) throws IOException {
    return ShardedStore.open(Fixtures.DIRECTORY, options, engine);
  }

  private static byte[] bytes(String text) {
    return Fixtures.bytes(text);
  }

  private static byte[] keyOf(ShardedStore store, int shard) {
    return keyOf(store, shard, "key ");
  }

  private static byte[] keyOf(ShardedStore store, int shard, String prefix) {
    return IntStream.range(0, 1000)
        .mapToObj(i -> bytes(prefix + i))
        .filter(key -> store.shardOf(key) == shard)
        .findFirst()
        .orElseThrow();
  }

  /** Options for a store whose reactors have no fiber to spare. */
  private static ShardedOptions fewFibers(FiberMode mode) {
    ReactorOptions reactor =
        ReactorOptions.defaults()
            .withName("shard-test")
            .withFibers(FiberOptions.defaults().withMode(mode).withFibers(FIBERS, FIBERS));
    ShardedOptions options = ShardedStoreTest.options(mode);
    StoreOptions store = options.store();
    return options.withStore(
        store
            .withEngine(store.engine().withReactors(GroupOptions.defaults().withReactor(reactor)))
            .withLogSegmentCount(2));
  }

  // ---- space

  /** Three others of a disk that is full, and goes on being used. */
  @Test
  void theSequenceLogKeepsWhatAShardLacks() throws Exception {
    StoreOptions smallLog = tiny.store().withLogSegmentCount(2);
    ShardedOptions options = tiny.withStore(smallLog).withCount(4);
    byte[][] keys;
    ShardedStore store = open(options);
    try {
      keys = IntStream.range(0, 4).mapToObj(i -> keyOf(store, i)).toArray(byte[][]::new);
      byte[] large = new byte[60_000];
      store.write(store.newBatch().put(keys[0], large).put(keys[1], large), Durability.SYNCED);
      engine.setCapacityBytes(engine.usedBytes());
      byte[] filling = keyOf(store, 1, "filling ");
      assertThrows(IOException.class, () -> fill(store, filling, large), "no space for a flush");
      ShardedBatch decided = store.newBatch().put(keys[0], bytes("a")).put(keys[1], large.clone());
      decided.put(keys[1], bytes("b"));
      assertThrows(IOException.class, () -> store.write(decided, Durability.SYNCED));
      assertThrows(StorageException.class, () -> store.put(keys[0], bytes("c"), Durability.SYNCED));
      engine.setCapacityBytes(Long.MAX_VALUE);
      ShardedBatch others = store.newBatch().put(keys[2], large).put(keys[3], large);
      assertThrows(
          StorageException.class,
          () -> {
            for (int i = 0; i < 20; i++) { // more than the sequence log has room for
              store.write(others, Durability.SYNCED);
            }
          });
      store.put(keys[2], bytes("d"), Durability.SYNCED);
    } finally {
      store.close();
    }
    try (ShardedStore again = open(options)) {
      assertEquals("a", Fixtures.text(again.get(keys[0])));
      assertEquals("b", Fixtures.text(again.get(keys[1])), "the batch is whole");
      assertEquals("d", Fixtures.text(again.get(keys[2])));
      again.write(again.newBatch().put(keys[0], keys[0]).put(keys[1], keys[1]), Durability.SYNCED);
    }
  }

  private static void fill(ShardedStore store, byte[] key, byte[] value) throws IOException {
    for (int i = 0; i < 100; i++) {
      store.put(key, value, Durability.NONE);
    }
  }

  // ---- sizes

  /** The logs keep their sizes, and many small operations count more in a batch than in a log. */
  @Test
  void whatDoesNotFitTheLogOfAShardIsNotDecided() throws Exception {
    open(tiny.withCount(2)).close();
    ShardedOptions larger = tiny.withStore(larger()).withCount(2);
    byte[] first = bytes("00000000");
    try (ShardedStore store = open(larger)) {
      ShardedBatch batch = store.newBatch();
      for (int i = 0; i < 10_000; i++) {
        batch.put(bytes("%08d".formatted(i)), bytes(""));
      }
      assertThrows(IllegalArgumentException.class, () -> store.write(batch, Durability.SYNCED));
      store.put(first, bytes("value"), Durability.SYNCED);
      assertNull(store.get(bytes("00000001")));
    }
    try (ShardedStore store = open(larger)) {
      assertEquals("value", Fixtures.text(store.get(first)));
    }
  }

  private StoreOptions larger() {
    return tiny.store()
        .withMemtableBytes(4 << 20)
        .withPoolBytes(16 << 20)
        .withLogSegmentBytes(2 << 20)
        .withBatchBytesMax(1 << 20);
  }

  @Test
  void whatWasDecidedIsRedoneWithASmallerBatchMax() throws Exception {
    ShardedOptions large = tiny.withStore(larger()).withCount(2);
    int refused = 0;
    try (ShardedStore store = open(large)) {
      byte[] a = keyOf(store, 0);
      byte[] b = keyOf(store, 1);
      ShardedBatch batch = store.newBatch();
      for (int i = 0; i < 15; i++) { // 300 KB in each shard
        batch.put(keyOf(store, 0, i + " "), new byte[20_000]);
        batch.put(keyOf(store, 1, i + " "), new byte[20_000]);
      }
      store.write(batch.put(a, bytes("a")).put(b, bytes("b")), Durability.SYNCED);
      List<SimEngine> cuts = IntStream.range(0, 8).mapToObj(seed -> engine.crash(seed)).toList();
      StoreOptions smallBatch = larger().withBatchBytesMax(128 << 10);
      ShardedOptions lower = tiny.withStore(smallBatch).withCount(2);
      StoreOptions smallMemtable = smallBatch.withMemtableBytes(256 << 10);
      for (SimEngine cut : cuts) {
        SimEngine other = cut.crash(1);
        requireBoth(cut, lower, a, b);
        // A memtable has no room for it, whatever a batch may have, or the log's buffers: larger
        // ones have.
        for (StoreOptions lowest : List.of(smallMemtable, tiny.store())) {
          try {
            requireBoth(other.crash(1), tiny.withStore(lowest).withCount(2), a, b);
          } catch (StorageException e) {
            assertTrue(e.getMessage().contains("larger"), e.getMessage());
            refused++;
          }
        }
        requireBoth(other, lower, a, b);
      }
    }
    assertTrue(refused > 0, "some shard has lost its part");
  }

  private static void requireBoth(SimEngine engine, ShardedOptions options, byte[] a, byte[] b)
      throws IOException {
    try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, options, engine)) {
      assertEquals("a", Fixtures.text(store.get(a)));
      assertEquals("b", Fixtures.text(store.get(b)));
    }
  }

  /** The family of epochs has smaller blocks than all others, so the pool has more of them. */
  @Test
  void theBudgetHasRoomForTheFamilyOfEpochs() throws Exception {
    ShardedOptions options =
        tiny.withStore(tiny.store().withBlockBytes(64 << 10).withPoolBytes(64 << 20)).withCount(2);
    try (ShardedStore store = open(options)) {
      assertTrue(store.usedBytes() <= options.memoryBytes(), "used: " + store.usedBytes());
      store.put(keyOf(store, 0), bytes("a"), Durability.NONE);
    }
  }

  // ---- fibers

  /** Calls that wait for its keys have all fibers when a transaction is to be written. */
  @ParameterizedTest
  @EnumSource(names = {"REACTOR", "VIRTUAL"})
  void anEpochThatWasDecidedNeedsNoFiberOfItsShards(FiberMode mode) throws Exception {
    byte[] a;
    byte[] b;
    try (ShardedStore store = open(fewFibers(mode).withCount(2))) {
      a = keyOf(store, 0);
      b = keyOf(store, 1);
      Baton begun = new Baton();
      Baton go = new Baton();
      Future<Void> transaction =
          store.transactAsync(
              new TransactionKeys().writes(a, b),
              view -> {
                begun.post();
                go.await();
                view.put(a, bytes("1")).put(b, bytes("2"));
                return null;
              },
              Durability.SYNCED);
      begun.await();
      List<ShardCall> calls = new ArrayList<>();
      MemorySegment more = MemorySegment.ofArray(bytes("more"));
      for (int i = 0; i < 2 * FIBERS; i++) {
        for (byte[] key : List.of(a, b)) {
          calls.add(store.newCall().merge(MemorySegment.ofArray(key), more, Durability.NONE));
        }
      }
      for (int i = 0; i < 4 * FIBERS; i++) {
        awaitTurn(store.owner(0)); // each lets one that waits for a fiber begin
        awaitTurn(store.owner(1));
      }
      go.post();
      Void unused = transaction.get();
      for (ShardCall call : calls) {
        int unusedBytes = call.await();
      }
      String merged = "+more".repeat(2 * FIBERS);
      assertEquals("1" + merged, Fixtures.text(store.get(a)));
      assertEquals("2" + merged, Fixtures.text(store.get(b)));
      store.write(store.newBatch().put(a, b).put(b, a), Durability.SYNCED);
    }
  }

  private static void awaitTurn(Reactor reactor) throws Exception {
    Task task =
        new Task(Task.Kind.DIRECT, Task.Scratch.NONE) {
          @Override
          protected void run() {}
        };
    reactor.post(task);
    task.await();
  }

  /** Neither to hold its keys and read them, nor to write them, nor to empty the sequence log. */
  @ParameterizedTest
  @EnumSource(names = {"REACTOR", "VIRTUAL"})
  void transactionsGoOnWhileAllFibersOfAShardAreBusy(FiberMode mode) throws Exception {
    try (ShardedStore store = open(fewFibers(mode).withCount(3))) {
      byte[] a = keyOf(store, 0);
      byte[] b = keyOf(store, 1);
      List<Future<Void>> busy = new ArrayList<>();
      List<Baton> ends = new ArrayList<>();
      for (int i = 0; i < FIBERS; i++) {
        Baton begun = new Baton();
        Baton end = new Baton();
        ends.add(end);
        busy.add(
            store.submit(
                1,
                () -> {
                  begun.post();
                  end.await();
                  return null;
                }));
        begun.await();
      }
      TransactionKeys keys = new TransactionKeys().reads(b).writes(a, b);
      for (int i = 0; i < 12; i++) { // more than the sequence log has room for
        byte[] value = new byte[60_000];
        value[0] = (byte) i;
        int expected = i - 1;
        Void unused =
            store.transact(
                keys,
                view -> {
                  byte[] before = view.get(b);
                  assertEquals(expected, before == null ? -1 : before[0]);
                  view.put(a, value).put(b, value);
                  return null;
                },
                Durability.SYNCED);
      }
      ends.forEach(Baton::post);
      for (Future<Void> one : busy) {
        Void unused = one.get();
      }
      assertEquals(11, store.get(b)[0]);
    }
  }

  /** Who waits for a transaction would wait for ever. */
  @Test
  void withoutAFiberForTheSequencerNothingIsOpened() throws Exception {
    FiberOptions one = FiberOptions.defaults().withFibers(1, 1);
    GroupOptions two =
        GroupOptions.defaults()
            .withCount(2)
            .withReactor(ReactorOptions.defaults().withName("lent").withFibers(one));
    try (ReactorGroup group = ReactorGroup.start(two)) {
      Reactor owner = group.reactors().getFirst();
      IoEngine lent = withReactors(engine, List.of(owner));
      Baton begun = new Baton();
      Baton end = new Baton();
      CompletableFuture<Void> busy =
          owner.submit(
              () -> {
                begun.post();
                end.await();
                return null;
              });
      begun.await();
      CompletableFuture<ShardedStore> opening =
          group
              .reactors()
              .getLast()
              .submit(() -> ShardedStore.open(Fixtures.DIRECTORY, tiny, lent));
      ExecutionException e = assertThrows(ExecutionException.class, opening::get);
      assertInstanceOf(StorageException.class, e.getCause());
      assertTrue(e.getCause().getMessage().contains("fibers.count"), e.getCause().getMessage());
      end.post();
      Void unused = busy.get();
    }
    open(tiny).close();
  }

  private static IoEngine withReactors(IoEngine engine, List<Reactor> reactors) {
    return (IoEngine)
        Proxy.newProxyInstance(
            IoEngine.class.getClassLoader(),
            new Class<?>[] {IoEngine.class},
            (proxy, method, arguments) -> {
              try {
                return method.getName().equals("reactors")
                    ? reactors
                    : method.invoke(engine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  // ---- syncs

  /** What was read may be gone after a crash, and what was written from it would stay. */
  @Test
  void nothingStandsOnAWriteWhoseSyncFailed() throws Exception {
    ShardedStore store = open(tiny.withCount(2));
    byte[] a = keyOf(store, 0);
    byte[] b = keyOf(store, 1);
    store.put(a, bytes("old"), Durability.SYNCED);
    engine.failNth(SimOperation.WRITE, 1, EIO);
    assertThrows(StorageException.class, () -> store.put(a, bytes("new"), Durability.SYNCED));
    assertEquals("new", Fixtures.text(store.get(a)), "it is visible, and not durable");
    TransactionKeys keys = new TransactionKeys().reads(a).writes(b);
    assertThrows(
        StorageException.class,
        () -> store.transact(keys, view -> view.put(b, view.get(a)), Durability.SYNCED));
    SimEngine after = engine.crash(1);
    assertThrows(IOException.class, store::close);
    try (ShardedStore again = ShardedStore.open(Fixtures.DIRECTORY, tiny.withCount(2), after)) {
      assertEquals("old", Fixtures.text(again.get(a)));
      assertNull(again.get(b));
    }
  }

  @Test
  void nothingStandsOnABatchWhoseSyncFailed() throws Exception {
    ShardedStore store = open(tiny.withCount(2));
    byte[] a = keyOf(store, 0);
    byte[] b = keyOf(store, 1);
    engine.failNth(SimOperation.WRITE, 1, EIO);
    ShardedBatch batch = store.newBatch().put(a, bytes("new")).put(a, bytes("newer"));
    assertThrows(StorageException.class, () -> store.write(batch, Durability.SYNCED));
    TransactionKeys keys = new TransactionKeys().reads(a).writes(b);
    assertThrows(
        StorageException.class,
        () -> store.transact(keys, view -> view.put(b, view.get(a)), Durability.SYNCED));
    assertThrows(IOException.class, store::close);
  }

  // ---- the sequencer

  /** Nobody is left waiting, whatever ends the fiber. */
  @Test
  void whoWaitsIsToldWhenTheSequencerEndsBeforeItsTime() throws Exception {
    Closings closings = new Closings();
    try {
      ShardedOptions options = tiny.withCount(2);
      ShardedOpener opener = new ShardedOpener(engine, Fixtures.DIRECTORY, options, closings);
      opener.open();
      ShardMap map = new ShardMap(options.partitioning(), options.count());
      Sequencer sequencer = new Sequencer(opener.shards, map, opener.log, opener.next());
      TransactionKeys keys = new TransactionKeys().writes(bytes("a"));
      Baton begun = new Baton();
      Baton go = new Baton();
      SequencedBody<Void> waits =
          view -> {
            begun.post();
            go.await();
            return null;
          };
      CompletableFuture<Void> first = new CompletableFuture<>();
      sequencer.submit(new Submission<>(keys, waits, Durability.NONE, first));
      begun.await();
      CompletableFuture<Void> fatal =
          new CompletableFuture<>() {
            @Override
            public boolean complete(Void value) {
              throw new StackOverflowError("of who is told");
            }
          };
      CompletableFuture<Void> behind = new CompletableFuture<>();
      sequencer.submit(new Submission<>(keys, view -> null, Durability.NONE, fatal));
      sequencer.submit(new Submission<>(keys, view -> null, Durability.NONE, behind));
      go.post();
      Void unused = first.get();
      ExecutionException told = assertThrows(ExecutionException.class, behind::get);
      assertInstanceOf(StackOverflowError.class, told.getCause());
      Submission<Void> late = new Submission<>(keys, view -> null, Durability.NONE, null);
      assertThrows(IllegalStateException.class, () -> sequencer.submit(late));
      sequencer.close();
    } finally {
      closings.close();
    }
  }

  /** It is not tried again for ever, and others have their turn. */
  @Test
  void aTransactionThatFailsOutsideOfItsBodyEnds() throws Exception {
    try (ShardedStore store = open(tiny.withCount(2))) {
      byte[] a = keyOf(store, 0);
      TransactionKeys keys = new TransactionKeys().writes(a);
      Operation elsewhere = Operation.put(7, a, a); // there is no such shard
      CompletableFuture<Void> failed =
          store.transactAsync(keys, view -> view.addAll(List.of(elsewhere)), Durability.NONE);
      ExecutionException e = assertThrows(ExecutionException.class, failed::get);
      assertInstanceOf(IndexOutOfBoundsException.class, e.getCause());
      SequencedView unused = store.transact(keys, view -> view.put(a, a), Durability.SYNCED);
      assertEquals(Fixtures.text(a), Fixtures.text(store.get(a)));
    }
  }

  @Test
  void transactionsThatWaitForTheirTurnAtCloseAreTold() throws Exception {
    ShardedOptions options = tiny.withCount(2);
    ShardedStore store = open(options);
    byte[] a = keyOf(store, 0);
    byte[] b = keyOf(store, 1);
    TransactionKeys keys = new TransactionKeys().writes(a, b);
    Baton begun = new Baton();
    Baton go = new Baton();
    CompletableFuture<Void> first =
        store.transactAsync(
            keys,
            view -> {
              begun.post();
              go.await();
              view.put(a, bytes("first")).put(b, bytes("first"));
              return null;
            },
            Durability.SYNCED);
    begun.await();
    FutureTask<Void> closing =
        new FutureTask<>(
            () -> {
              store.close();
              return null;
            });
    Thread unused = Thread.ofPlatform().start(closing);
    SequencedBody<Void> late =
        view -> {
          view.put(a, bytes("late")).put(b, bytes("late"));
          return null;
        };
    List<CompletableFuture<Void>> queued = new ArrayList<>();
    assertThrows(
        IllegalStateException.class,
        () -> {
          while (true) { // until the close has begun
            queued.add(store.transactAsync(keys, late, Durability.SYNCED));
          }
        });
    go.post();
    assertNull(first.get());
    assertNull(closing.get());
    for (CompletableFuture<Void> each : queued) {
      ExecutionException e = assertThrows(ExecutionException.class, each::get);
      assertInstanceOf(IllegalStateException.class, e.getCause());
    }
    try (ShardedStore again = open(options)) {
      assertEquals("first", Fixtures.text(again.get(a)));
      assertEquals("first", Fixtures.text(again.get(b)));
    }
  }

  // ---- guards, calls, scans

  @Test
  void whatWasHeldIsLetGoWhenHoldingFails() {
    Shard shard = new Shard(0, Fixtures.DIRECTORY, null, null, null);
    EpochPart part = new EpochPart(shard);
    List<byte[]> keys = IntStream.range(0, 2).mapToObj(i -> bytes("key" + i)).toList();
    int[] stripes =
        keys.stream()
            .mapToInt(key -> KeyGuards.stripe(ShardMap.hash(MemorySegment.ofArray(key))))
            .sorted()
            .toArray();
    keys.forEach(key -> part.add(key, false));
    shard.guards.hold(new int[] {stripes[1]});
    assertThrows(AssertionError.class, part::work, "it is held already");
    part.free();
    shard.guards.enter(stripes);
    shard.guards.exit(stripes);
  }

  @Test
  void aCallThatWasNotAwaitedIsNotBegunAnew() throws Exception {
    try (ShardedStore store = open(tiny.withCount(2))) {
      MemorySegment key = MemorySegment.ofArray(keyOf(store, 1));
      MemorySegment into = MemorySegment.ofArray(new byte[8]);
      ShardCall call = store.newCall();
      assertThrows(IllegalStateException.class, call::await, "nothing was begun");
      ShardCall begun = call.get(key, into);
      while (!begun.isDone()) {
        Thread.onSpinWait();
      }
      assertThrows(IllegalStateException.class, () -> call.get(key, into), "not awaited");
      CallPool pool = new CallPool(store);
      pool.give(call);
      assertTrue(pool.take() != call, "its end is for who has begun it");
      int result = call.await();
      assertEquals(result, call.await());
      assertEquals(result, call.get(key, into).await());
      pool.give(call);
      assertEquals(call, pool.take());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aScanThatFailedStaysFailed(boolean byHash) throws Exception {
    ShardedOptions options =
        byHash ? tiny.withCount(3) : tiny.withRanges(List.of(bytes("key 4"), bytes("key 7")));
    try (ShardedStore store = open(options)) {
      for (int i = 0; i < 900; i++) {
        store.put(bytes("key " + i), new byte[300], Durability.NONE);
      }
      store.flush();
    }
    try (ShardedStore store = open(options);
        ShardedScan scan = store.scan(CursorOptions.defaults())) {
      assertTrue(scan.next());
      engine.failNth(SimOperation.READ, 1, EIO);
      IOException failure = assertThrows(IOException.class, () -> readAll(scan));
      assertThrows(IllegalStateException.class, scan::key);
      assertEquals(failure, assertThrows(IOException.class, scan::next));
      assertEquals(failure, assertThrows(IOException.class, scan::next));
    }
  }

  private static int readAll(ShardedScan scan) throws IOException {
    int count = 0;
    while (scan.next()) {
      count++;
    }
    return count;
  }

  // ---- opening

  @Test
  void aSequenceLogWithoutFilesIsDamage() throws Exception {
    open(tiny.withCount(2)).close();
    for (Path file : engine.list(Fixtures.DIRECTORY.resolve("sequence"))) {
      engine.delete(file);
    }
    assertThrows(CorruptFileException.class, () -> open(tiny.withCount(2)));
  }

  /** Each of these makes one shard differ from the others, or leaves no fiber for callers. */
  @Test
  void whatShardsCannotHaveIsRefused() {
    for (Map<String, String> bad :
        List.of(
            Map.of("fibers.count", "1"),
            Map.of("fibers.count", "2", "shards.background", "owner"),
            Map.of("log.recovery", "point-in-time"),
            Map.of("log.recovery", "salvage"),
            Map.of("store.archive", "/archive"))) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> ShardedOptions.defaults().with(bad));
      assertTrue(e.getMessage().contains("="), e.getMessage());
    }
    for (Map<String, String> good :
        List.of(
            Map.of("fibers.count", "2"),
            Map.of("fibers.count", "3", "shards.background", "owner"),
            Map.of("log.recovery", "strict"),
            Map.of("store.archive", "none"))) {
      assertEquals(1, ShardedOptions.defaults().with(good).count());
    }
  }
}
