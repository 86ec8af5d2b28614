package io.ewok.gds.lsm.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.CursorOptions;
import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Fixtures;
import io.ewok.gds.lsm.MergeOperators;
import io.ewok.gds.lsm.NotAStoreException;
import io.ewok.gds.lsm.ReadView;
import io.ewok.gds.lsm.StoreLockedException;
import io.ewok.gds.lsm.StoreOptions;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimOperation;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.GroupOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A store in several shards, whoever runs the fibers. */
@ParameterizedClass
@EnumSource(names = {"REACTOR", "VIRTUAL"})
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class ShardedStoreTest {
  private static final int SHARDS = 3;
  private static final int RECORDS = 500;

  private final SimEngine engine = new SimEngine(1);
  private final ShardedOptions byHash;
  private final ShardedOptions byRanges;

  ShardedStoreTest(FiberMode mode) {
    byHash = options(mode).withCount(SHARDS).withOwnersCompact(true);
    byRanges = options(mode).withRanges(List.of(bytes("key 2"), bytes("key 4")));
  }

  static ShardedOptions options(FiberMode mode) {
    ReactorOptions reactor =
        ReactorOptions.defaults()
            .withName("shard-test")
            .withFibers(FiberOptions.defaults().withMode(mode));
    StoreOptions store =
        Fixtures.TINY
            .withTree(Fixtures.TINY.tree().withMergeOperator(MergeOperators.append(bytes("+"))))
            .withEngine(
                EngineOptions.defaults()
                    .withReactors(GroupOptions.defaults().withReactor(reactor)));
    return ShardedOptions.defaults().withStore(store);
  }

  private static byte[] bytes(String text) {
    return Fixtures.bytes(text);
  }

  private static byte[] key(int number) {
    return bytes("key " + number);
  }

  private ShardedStore open(ShardedOptions options) throws IOException {
    return ShardedStore.open(Fixtures.DIRECTORY, options, engine);
  }

  /** Runs something on a fiber of a shard, and has it back. */
  private static <T> T on(ShardedStore store, int shard, Callable<T> function) throws Exception {
    try {
      return store.submit(shard, function).get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }

  private static byte[] keyOf(ShardedStore store, int shard, String prefix) {
    return IntStream.range(0, 1000)
        .mapToObj(i -> bytes(prefix + i))
        .filter(key -> store.shardOf(key) == shard)
        .findFirst()
        .orElseThrow();
  }

  private static Map<byte[], byte[]> scan(ShardedStore store, CursorOptions options)
      throws IOException {
    Map<byte[], byte[]> found = new TreeMap<>(Fixtures.ORDER);
    byte[] before = null;
    try (ShardedScan scan = store.scan(options)) {
      while (scan.next()) {
        byte[] key = Fixtures.array(scan.key());
        assertTrue(before == null || Fixtures.ORDER.compare(before, key) < 0, "ascending");
        before = key;
        found.put(key, Fixtures.array(scan.value()));
      }
      assertFalse(scan.next(), "it stays at its end");
    }
    return found;
  }

  // ---- calls

  @Test
  void everyCallerPutsGetsMergesAndDeletes() throws Exception {
    try (ShardedStore store = open(byHash)) {
      List<Callable<Void>> callers = new ArrayList<>();
      callers.add(() -> callAll(store, "outside"));
      callers.add(
          () -> {
            Thread virtual = Thread.ofVirtual().unstarted(() -> quietly(() -> callAll(store, "v")));
            virtual.start();
            virtual.join();
            return null;
          });
      for (int i = 0; i < SHARDS; i++) {
        int shard = i;
        callers.add(() -> on(store, shard, () -> callAll(store, "on " + shard)));
      }
      for (Callable<Void> caller : callers) {
        Void unused = caller.call();
      }
      for (String from : List.of("outside", "v", "on 0", "on 1", "on 2")) {
        for (int i = 0; i < 20; i++) {
          byte[] found = store.get(bytes(from + i));
          assertEquals(i % 4 == 3 ? null : "value+more", Fixtures.text(found), from + i);
        }
      }
    }
  }

  private static void quietly(Callable<Void> call) {
    try {
      Void unused = call.call();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static Void callAll(ShardedStore store, String prefix) throws Exception {
    for (int i = 0; i < 20; i++) {
      byte[] key = bytes(prefix + i);
      assertNull(store.get(key));
      store.put(key, bytes("value"), i % 2 == 0 ? Durability.SYNCED : Durability.NONE);
      store.merge(key, bytes("more"), Durability.NONE);
      assertEquals("value+more", Fixtures.text(store.get(key)));
      if (i % 4 == 3) {
        store.delete(key, Durability.NONE);
        assertNull(store.get(key));
      }
    }
    return null;
  }

  /** So nothing else runs on the owner before it is done. */
  @Test
  void aCallForTheShardOfTheCallerIsDoneAtOnce() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[] own = keyOf(store, 1, "k");
      store.put(own, own, Durability.NONE);
      boolean isDone =
          on(
              store,
              1,
              () -> {
                assertSame(store.owner(1), Reactor.current());
                CompletableFuture<Reactor> later = store.submit(1, Reactor::current);
                store.put(own, own, Durability.NONE);
                assertArrayEquals(own, store.get(own));
                return later.isDone();
              });
      assertFalse(isDone);
    }
  }

  @Test
  void callsAreForkedAndJoined() throws Exception {
    try (ShardedStore store = open(byHash);
        Arena arena = Arena.ofShared()) {
      for (int i = 0; i < RECORDS; i++) {
        store.put(key(i), key(i), Durability.NONE);
      }
      int sum =
          on(
              store,
              0,
              () -> {
                ShardCall[] calls = new ShardCall[32];
                MemorySegment room = arena.allocate(32 * 16L);
                for (int i = 0; i < calls.length; i++) {
                  calls[i] = store.newCall();
                  ShardCall unused =
                      calls[i].get(MemorySegment.ofArray(key(i)), room.asSlice(i * 16L, 16));
                }
                int bytes = 0;
                for (int i = 0; i < calls.length; i++) {
                  int found = calls[i].await();
                  assertArrayEquals(key(i), Fixtures.array(room.asSlice(i * 16L, found)));
                  bytes += found;
                }
                return bytes;
              });
      assertEquals(IntStream.range(0, 32).map(i -> key(i).length).sum(), sum);
    }
  }

  @Test
  void aCallIsNotBegunTwice() throws Exception {
    try (ShardedStore store = open(byHash)) {
      ShardCall call = store.newCall();
      MemorySegment key = MemorySegment.ofArray(keyOf(store, 1, "k"));
      Blocker blocker = new Blocker();
      // Keeps the owner busy, so that the call does not end by itself.
      store.owner(1).post(blocker);
      blocker.begun.await();
      try {
        call.put(key, key, Durability.NONE);
        assertFalse(call.isDone());
        assertThrows(IllegalStateException.class, () -> call.get(key, key));
      } finally {
        blocker.cancel();
      }
      int unused = call.await();
      assertEquals(ReadView.NOT_FOUND, call.delete(key, Durability.NONE).await());
    }
  }

  /** Turns its owner in place until it is cancelled. */
  private static final class Blocker extends Task {
    final Baton begun = new Baton();

    Blocker() {
      super(Kind.DIRECT, Scratch.NONE);
    }

    @Override
    protected void run() {
      begun.post();
      while (!isCancelled()) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aTaskOnTheThreadOfAReactorReadsAndDoesNotWrite() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[] own = keyOf(store, 0, "k");
      byte[] other = keyOf(store, 2, "k");
      store.put(own, own, Durability.NONE);
      store.put(other, other, Durability.NONE);
      Task task =
          new Task(Task.Kind.DIRECT, Task.Scratch.NONE) {
            @Override
            protected void run() throws IOException {
              assertArrayEquals(own, store.get(own));
              assertArrayEquals(other, store.get(other));
              assertThrows(IllegalStateException.class, () -> store.put(own, own, Durability.NONE));
              assertThrows(IllegalStateException.class, store::close);
            }
          };
      store.owner(0).post(task);
      task.await();
    }
  }

  @Test
  void multiGetAndFuturesAskAllShards() throws Exception {
    try (ShardedStore store = open(byHash)) {
      for (int i = 0; i < RECORDS; i += 2) {
        store.put(key(i), key(i), Durability.NONE);
      }
      store.flush();
      List<byte[]> keys = IntStream.range(0, RECORDS).mapToObj(ShardedStoreTest::key).toList();
      List<byte[]> found = store.multiGet(keys);
      List<CompletableFuture<byte[]>> futures = keys.stream().map(store::getAsync).toList();
      for (int i = 0; i < RECORDS; i++) {
        byte[] expected = i % 2 == 0 ? key(i) : null;
        assertArrayEquals(expected, found.get(i));
        assertArrayEquals(expected, futures.get(i).get());
      }
    }
  }

  // ---- scans

  @Test
  void aScanHasAllRecordsInOrderHoweverTheyArePartitioned() throws Exception {
    for (ShardedOptions options : List.of(byHash, byRanges)) {
      SimEngine own = new SimEngine(2);
      try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, options, own)) {
        assertEquals(0, scan(store, CursorOptions.defaults()).size());
        TreeMap<byte[], byte[]> model = new TreeMap<>(Fixtures.ORDER);
        for (int i = 0; i < RECORDS; i++) {
          byte[] value = new byte[i % 50 == 7 ? 40_000 : i % 90];
          Arrays.fill(value, (byte) i);
          store.put(key(i), value, Durability.NONE);
          model.put(key(i), value);
          if (i == RECORDS / 2) {
            store.flush();
          }
        }
        assertSameRecords(model, scan(store, CursorOptions.defaults()));
        CursorOptions some =
            CursorOptions.defaults().withLower(bytes("key 17")).withUpper(bytes("key 45"));
        assertSameRecords(model.subMap(bytes("key 17"), bytes("key 45")), scan(store, some));
        ShardedScan left = store.scan(CursorOptions.defaults());
        assertThrows(IllegalStateException.class, left::key);
        assertTrue(left.next());
        left.close();
        left.close();
        assertThrows(IllegalStateException.class, left::next);
      }
    }
  }

  private static void assertSameRecords(Map<byte[], byte[]> expected, Map<byte[], byte[]> found) {
    assertEquals(expected.size(), found.size());
    expected.forEach((key, value) -> assertArrayEquals(value, found.get(key)));
  }

  // ---- batches and transactions

  @Test
  void aBatchOverShardsIsThereAsAWhole() throws Exception {
    for (ShardedOptions options : List.of(byHash, byRanges)) {
      SimEngine own = new SimEngine(3);
      try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, options, own)) {
        ShardedBatch batch = store.newBatch();
        for (int i = 0; i < 60; i++) {
          batch.put(key(i), bytes("a")).merge(key(i), bytes("b"));
        }
        batch.delete(key(7));
        assertTrue(batch.isOfSeveral());
        store.write(batch, Durability.NONE);
        assertEquals(1, store.stats().transactions());
        ShardedBatch single = store.newBatch().put(key(1), bytes("c")).delete(key(1));
        store.write(single, Durability.SYNCED);
        assertEquals(1, store.stats().transactions());
      }
      try (ShardedStore store = ShardedStore.open(Fixtures.DIRECTORY, options, own)) {
        for (int i = 0; i < 60; i++) {
          assertEquals(i == 7 || i == 1 ? null : "a+b", Fixtures.text(store.get(key(i))));
        }
      }
    }
  }

  @Test
  void transactionsSeeThoseBeforeThemAndEndAsTheBodySays() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[][] keys = {keyOf(store, 0, "k"), keyOf(store, 1, "k"), keyOf(store, 2, "k")};
      TransactionKeys all = new TransactionKeys().updates(keys);
      List<CompletableFuture<Long>> numbers = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        int round = i;
        numbers.add(
            store.transactAsync(
                all,
                view -> {
                  byte[] before = view.get(keys[round % 3]);
                  if (round % 10 == 9) {
                    throw new IOException("not this one");
                  }
                  String text = before == null ? "" : Fixtures.text(before);
                  view.put(keys[(round + 1) % 3], bytes(text + round % 10));
                  return view.number();
                },
                Durability.NONE));
      }
      String[] model = {"", "", ""};
      long last = 0;
      for (int i = 0; i < 100; i++) {
        if (i % 10 == 9) {
          CompletableFuture<Long> failed = numbers.get(i);
          ExecutionException e = assertThrows(ExecutionException.class, failed::get);
          assertEquals("not this one", e.getCause().getMessage());
        } else {
          assertTrue(numbers.get(i).get() > last, "in the order of submission");
          last = numbers.get(i).get();
          model[(i + 1) % 3] = model[i % 3] + i % 10;
        }
      }
      for (int i = 0; i < 3; i++) {
        assertEquals(model[i], Fixtures.text(store.get(keys[i])));
      }
      assertTrue(store.stats().epochs() <= store.stats().transactions());
    }
  }

  @Test
  void whatComesWhileTheSequencerIsAtWorkSharesAnEpoch() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[] from = keyOf(store, 0, "k");
      byte[] to = keyOf(store, 1, "k");
      TransactionKeys keys = new TransactionKeys().updates(from, to);
      Baton begun = new Baton();
      Baton go = new Baton();
      CompletableFuture<Void> first =
          store.transactAsync(
              keys,
              view -> {
                begun.post();
                go.await();
                return of(view.put(from, bytes("0")));
              },
              Durability.SYNCED);
      begun.await();
      List<CompletableFuture<Void>> all = new ArrayList<>();
      for (int i = 1; i <= 50; i++) {
        String expected = "" + (i - 1);
        String own = "" + i;
        all.add(
            store.transactAsync(
                keys,
                view -> {
                  assertEquals(expected, Fixtures.text(view.get(from)));
                  return of(view.put(from, bytes(own)).put(to, bytes(own)));
                },
                Durability.SYNCED));
      }
      go.post();
      Void unused = first.get();
      for (CompletableFuture<Void> each : all) {
        unused = each.get();
      }
      assertEquals("50", Fixtures.text(store.get(to)));
      assertEquals(51, store.stats().transactions());
      assertEquals(2, store.stats().epochs());
    }
  }

  @Test
  void whatATransactionMergedTheNextOneReads() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[] from = keyOf(store, 0, "k");
      byte[] to = keyOf(store, 1, "k");
      TransactionKeys keys = new TransactionKeys().updates(from, to);
      List<CompletableFuture<String>> reads = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        String operand = "" + i % 10;
        reads.add(
            store.transactAsync(
                keys,
                view -> {
                  String read = Fixtures.text(view.get(from));
                  view.merge(from, bytes(operand)).merge(to, bytes(operand));
                  return read;
                },
                Durability.SYNCED));
      }
      String expected = null;
      for (int i = 0; i < 20; i++) {
        assertEquals(expected, reads.get(i).get());
        expected = expected == null ? "" + i % 10 : expected + "+" + i % 10;
      }
      assertEquals(expected, Fixtures.text(store.get(to)));
    }
  }

  @Test
  void aBodyUsesItsKeysAndItsViewAlone() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[] read = keyOf(store, 0, "r");
      byte[] written = keyOf(store, 1, "w");
      TransactionKeys keys = new TransactionKeys().reads(read).writes(written);
      List<SequencedBody<Void>> refused =
          List.of(
              view -> of(view.get(written)),
              view -> of(view.put(read, read)),
              view -> of(view.get(bytes("other"))),
              view -> of(view.delete(bytes("other"))));
      for (SequencedBody<Void> body : refused) {
        assertThrows(
            IllegalArgumentException.class, () -> store.transact(keys, body, Durability.NONE));
      }
      List<SequencedBody<Void>> outside =
          List.of(
              view -> {
                store.put(written, written, Durability.NONE);
                return null;
              },
              view -> of(store.transact(keys, inner -> null, Durability.NONE)),
              view -> of(store.newCall().put(segment(read), segment(read), Durability.NONE)));
      for (SequencedBody<Void> body : outside) {
        assertThrows(
            IllegalStateException.class, () -> store.transact(keys, body, Durability.NONE));
      }
      SequencedView kept = store.transact(keys, view -> view, Durability.NONE);
      assertThrows(IllegalStateException.class, () -> kept.get(read));
      assertEquals(0, scan(store, CursorOptions.defaults()).size());
    }
  }

  private static Void of(Object unused) {
    return null;
  }

  private static MemorySegment segment(byte[] bytes) {
    return MemorySegment.ofArray(bytes);
  }

  @Test
  void whatIsTooLargeIsRefusedAndOthersGoOn() throws Exception {
    try (ShardedStore store = open(byHash)) {
      byte[] a = keyOf(store, 0, "k");
      byte[] b = keyOf(store, 1, "k");
      byte[] large = new byte[store.options().store().batchBytesMax()];
      ShardedBatch batch = store.newBatch().put(a, large).put(b, a);
      assertThrows(IllegalArgumentException.class, () -> store.write(batch, Durability.NONE));
      // Together they are too large for one batch of a shard, so they take several epochs.
      byte[] half = new byte[large.length / 2];
      TransactionKeys keys = new TransactionKeys().writes(a, b);
      List<CompletableFuture<Void>> all = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        half[0] = (byte) i;
        byte[] value = half.clone();
        all.add(
            store.transactAsync(
                keys, view -> of(view.put(a, value).put(b, value)), Durability.NONE));
      }
      for (CompletableFuture<Void> one : all) {
        Void unused = one.get();
      }
      assertEquals(29, store.get(a)[0]);
      assertEquals(29, store.get(b)[0]);
    }
  }

  @Test
  void withoutAnOperatorNothingIsMerged() throws Exception {
    ShardedOptions plain = byHash.withStore(byHash.store().withTree(Fixtures.TINY.tree()));
    try (ShardedStore store = open(plain)) {
      byte[] a = keyOf(store, 0, "k");
      byte[] b = keyOf(store, 1, "k");
      ShardedBatch batch = store.newBatch().merge(a, a).merge(b, b);
      assertThrows(IllegalStateException.class, () -> store.write(batch, Durability.NONE));
      store.write(store.newBatch().put(a, a).put(b, b), Durability.NONE);
      assertArrayEquals(b, store.get(b));
    }
  }

  // ---- failures

  @Test
  void afterASequenceLogThatCannotBeSyncedItsShardsAreNotWritten() throws Exception {
    byte[] a;
    byte[] b;
    byte[] other;
    ShardedStore store = open(byHash);
    a = keyOf(store, 0, "k");
    b = keyOf(store, 1, "k");
    other = keyOf(store, 2, "k");
    store.write(store.newBatch().put(a, a).put(b, b), Durability.NONE);
    ShardedBatch batch = store.newBatch().put(a, other).put(b, other);
    engine.failNth(SimOperation.WRITE, 1, 5);
    assertThrows(StorageException.class, () -> store.write(batch, Durability.NONE));
    assertThrows(StorageException.class, () -> store.put(a, b, Durability.NONE));
    assertThrows(StorageException.class, () -> store.write(batch, Durability.NONE));
    assertArrayEquals(a, store.get(a));
    store.put(other, other, Durability.SYNCED);
    assertThrows(IOException.class, store::close);
    try (ShardedStore again = open(byHash)) {
      boolean isThere = Arrays.equals(other, again.get(a));
      assertArrayEquals(isThere ? other : a, again.get(a));
      assertArrayEquals(isThere ? other : b, again.get(b), "the batch is whole or not there");
      assertArrayEquals(other, again.get(other));
      again.write(again.newBatch().put(a, b).put(b, a), Durability.NONE);
    }
  }

  @Test
  void afterCloseNothingIsDone() throws Exception {
    ShardedStore store = open(byHash);
    byte[] a = keyOf(store, 0, "k");
    byte[] b = keyOf(store, 1, "k");
    ShardedBatch batch = store.newBatch().put(a, a).put(b, b);
    store.close();
    store.close();
    assertThrows(IllegalStateException.class, () -> store.get(a));
    assertThrows(IllegalStateException.class, () -> store.put(a, a, Durability.NONE));
    assertThrows(IllegalStateException.class, () -> store.write(batch, Durability.NONE));
    assertThrows(IllegalStateException.class, store::stats);
    assertEquals(0, store.usedBytes());
  }

  // ---- opening

  @Test
  void otherShardsThanItHasAreRefused() throws Exception {
    try (ShardedStore store = open(byHash)) {
      store.put(key(1), key(1), Durability.NONE);
      assertThrows(StoreLockedException.class, () -> open(byHash));
    }
    assertThrows(IllegalArgumentException.class, () -> open(byHash.withCount(2)));
    assertThrows(IllegalArgumentException.class, () -> open(byRanges));
    try (ShardedStore store = open(byHash)) {
      assertArrayEquals(key(1), store.get(key(1)));
    }
  }

  @Test
  void aShardOrLogThatIsMissingIsDamage() throws Exception {
    open(byHash).close();
    engine.rename(Fixtures.DIRECTORY.resolve("shard-1"), Fixtures.DIRECTORY.resolve("gone"));
    assertThrows(CorruptFileException.class, () -> open(byHash));
    engine.rename(Fixtures.DIRECTORY.resolve("gone"), Fixtures.DIRECTORY.resolve("shard-1"));
    engine.rename(Fixtures.DIRECTORY.resolve("sequence"), Fixtures.DIRECTORY.resolve("gone"));
    assertThrows(CorruptFileException.class, () -> open(byHash));
    engine.rename(Fixtures.DIRECTORY.resolve("gone"), Fixtures.DIRECTORY.resolve("sequence"));
    open(byHash).close();
  }

  @Test
  void whatIsNoShardedStoreIsNotTouched() throws Exception {
    engine.createDirectories(Fixtures.DIRECTORY);
    engine.open(Fixtures.DIRECTORY.resolve("letter"), OpenMode.CREATE_NEW).close();
    assertThrows(NotAStoreException.class, () -> open(byHash));
    engine.delete(Fixtures.DIRECTORY.resolve("letter"));
    ShardedOptions none = byHash.withStore(byHash.store().withCreateIfMissing(false));
    assertThrows(NotAStoreException.class, () -> open(none));
    open(byHash).close();
    open(none).close();
  }

  @Test
  void onARealDeviceTheEngineHasAReactorForEachShard(@TempDir Path directory) throws Exception {
    try (ShardedStore store = ShardedStore.open(directory.resolve("store"), byHash)) {
      for (int i = 0; i < RECORDS; i++) {
        store.put(key(i), key(i), i % 50 == 0 ? Durability.SYNCED : Durability.NONE);
      }
      store.write(store.newBatch().put(key(1), key(2)).put(key(2), key(3)), Durability.SYNCED);
      store.flush();
      assertEquals(RECORDS, scan(store, CursorOptions.defaults()).size());
    }
    try (ShardedStore store = ShardedStore.open(directory.resolve("store"), byHash)) {
      assertArrayEquals(key(2), store.get(key(1)));
      assertArrayEquals(key(77), store.get(key(77)));
    }
  }
}
