package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Transactions that wait for each other. */
@Timeout(60)
class LockingTransactionTest {
  private static final TransactionOptions AT_ONCE =
      TransactionOptions.defaults().withLocks(Duration.ZERO);
  private static final TransactionOptions WAITING =
      TransactionOptions.defaults().withLocks(Duration.ofSeconds(30));

  private final SimEngine engine = new SimEngine(1);
  private Store store;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
    put("a", "0");
    put("b", "0");
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private static byte[] bytes(String text) {
    return Fixtures.bytes(text);
  }

  private void put(String key, String value) throws IOException {
    store.put(bytes(key), bytes(value), Durability.NONE);
  }

  private String get(Transaction transaction, String key) throws IOException {
    return Fixtures.text(transaction.get(store, bytes(key)));
  }

  private String getForUpdate(Transaction transaction, String key) throws IOException {
    return Fixtures.text(transaction.getForUpdate(store, bytes(key)));
  }

  private void put(Transaction transaction, String key, String value) throws IOException {
    transaction.put(store, bytes(key), bytes(value));
  }

  private String get(String key) throws IOException {
    return Fixtures.text(store.get(bytes(key)));
  }

  private Transaction begin(TransactionOptions options) {
    return store.transactions().begin(options);
  }

  private static void commit(Transaction transaction) throws IOException {
    transaction.commit(Durability.NONE);
  }

  private interface Act {
    void run() throws IOException;
  }

  private static CompletableFuture<Void> later(Act act) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread unused =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    act.run();
                    done.complete(null);
                  } catch (Throwable e) {
                    done.completeExceptionally(e);
                  }
                });
    return done;
  }

  private static void assertWaits(CompletableFuture<Void> done) {
    assertThrows(TimeoutException.class, () -> done.get(50, TimeUnit.MILLISECONDS));
  }

  @Test
  void whoWaitsForAKeyReadsWhatWasCommittedMeanwhileAndDoesNotFail() throws Exception {
    Transaction first = begin(WAITING);
    Transaction second = begin(WAITING);
    assertEquals("0", getForUpdate(first, "a"));
    CompletableFuture<Void> done =
        later(
            () -> {
              put(second, "a", getForUpdate(second, "a") + "2");
              commit(second);
            });
    assertWaits(done);
    put(first, "a", "1");
    commit(first);
    done.get(30, TimeUnit.SECONDS);
    assertEquals("12", get("a"));
    assertEquals(0, store.transactions().locks().count());
  }

  @Test
  void readersShareAKeyAndAWriterFindsItLocked() throws IOException {
    try (Transaction first = begin(AT_ONCE);
        Transaction second = begin(AT_ONCE);
        Transaction writer = begin(AT_ONCE)) {
      assertEquals("0", get(first, "a"));
      assertEquals("0", get(second, "a"));
      LockTimeoutException e =
          assertThrows(LockTimeoutException.class, () -> put(writer, "a", "1"));
      assertTrue(e.getMessage().contains("family=default key=61"), e.getMessage());
      assertThrows(IllegalStateException.class, () -> get(writer, "b")); // it is rolled back
      commit(first);
    }
    assertEquals(0, store.transactions().locks().count());
  }

  @Test
  void lockIsWaitedForAsLongAsTheOptionsSay() throws IOException {
    try (Transaction holder = begin(AT_ONCE);
        Transaction waiter =
            begin(TransactionOptions.defaults().withLocks(Duration.ofMillis(30)))) {
      put(holder, "a", "1");
      long start = System.nanoTime();
      assertThrows(LockTimeoutException.class, () -> get(waiter, "a"));
      assertTrue(System.nanoTime() - start >= TimeUnit.MILLISECONDS.toNanos(30));
    }
  }

  @Test
  void transactionsThatWouldWaitForEachOtherAreNamed() throws Exception {
    Transaction first = begin(WAITING);
    Transaction second = begin(WAITING);
    put(first, "a", "1");
    put(second, "b", "2");
    CompletableFuture<Void> done = later(() -> put(first, "b", "1"));
    assertWaits(done);
    DeadlockException e = assertThrows(DeadlockException.class, () -> put(second, "a", "2"));
    assertEquals(List.of(second.number(), first.number()), e.transactions());
    assertTrue(
        e.getMessage()
            .contains("transaction=%d waits for family=default key=62".formatted(first.number())),
        e.getMessage());
    done.get(30, TimeUnit.SECONDS);
    commit(first);
    assertEquals("1", get("b"));
  }

  /** Neither asks for locks. */
  @Test
  void plainWritesAndOptimisticTransactionsAreConflicts() throws IOException {
    for (boolean plain : new boolean[] {true, false}) {
      try (Transaction transaction = begin(WAITING)) {
        String seen = get(transaction, "a");
        if (plain) {
          put("a", seen + "1");
        } else {
          try (Transaction optimistic = begin(TransactionOptions.defaults())) {
            put(optimistic, "a", seen + "2");
            commit(optimistic);
          }
        }
        put(transaction, "b", "1");
        assertThrows(ConflictException.class, () -> commit(transaction));
      }
    }
    assertEquals("0", get("b"));
  }

  /** The delete is dropped by the compaction with what it deletes, unless it is kept for it. */
  @Test
  void deleteThatACompactionDropsIsAConflictToo() throws IOException {
    try (Transaction transaction = begin(WAITING)) {
      put("c", "1"); // after it began
      assertEquals("1", get(transaction, "c"));
      store.delete(bytes("c"), Durability.NONE);
      store.compact();
      put(transaction, "d", "1");
      assertThrows(ConflictException.class, () -> commit(transaction));
    }
  }

  @Test
  void oneThatOnlyReadsAtSeveralTimesFailsIfTheseDoNotFit() throws IOException {
    try (Transaction transaction = begin(WAITING)) {
      assertEquals("0", get(transaction, "a"));
      put("a", "1");
      put("b", "1");
      assertEquals("1", get(transaction, "b"));
      assertThrows(ConflictException.class, () -> commit(transaction));
    }
    try (Transaction transaction = begin(WAITING)) {
      assertEquals("1", get(transaction, "a"));
      put("b", "2");
      assertEquals("2", get(transaction, "b"));
      commit(transaction);
    }
  }

  @Test
  void rangeThatWasScannedIsLookedAtByTheCommit() throws IOException {
    try (Transaction scanner = begin(WAITING);
        Transaction writer = begin(WAITING)) {
      try (StoreCursor cursor = scanner.cursor(store)) {
        for (cursor.first(); cursor.isValid(); cursor.next()) {}
      }
      put(writer, "ab", "1");
      commit(writer);
      put(scanner, "c", "1");
      assertThrows(ConflictException.class, () -> commit(scanner));
    }
  }

  @Test
  void atTheSnapshotLevelReadsLockNothingAndALockedKeyMustBeAsItWas() throws IOException {
    TransactionOptions options = AT_ONCE.withIsolation(Isolation.SNAPSHOT);
    try (Transaction first = begin(options);
        Transaction second = begin(options);
        Transaction third = begin(options)) {
      put(first, "a", "1");
      assertEquals("0", get(second, "a"));
      assertThrows(LockTimeoutException.class, () -> getForUpdate(second, "a"));
      commit(first);
      assertEquals("0", get(third, "a"));
      assertThrows(ConflictException.class, () -> put(third, "a", "2"));
      assertThrows(IllegalStateException.class, () -> commit(third));
    }
    assertEquals("1", get("a"));
    assertEquals(0, store.transactions().locks().count());
  }

  @Test
  void endsOfAllKindsGiveUpTheLocks() throws IOException {
    for (String end : Set.of("commit", "rollback", "close", "conflict")) {
      Transaction transaction = begin(AT_ONCE);
      assertEquals("0", get(transaction, "a"));
      put(transaction, "b" + end, "1");
      assertEquals(2, store.transactions().locks().count());
      switch (end) {
        case "commit" -> commit(transaction);
        case "rollback" -> transaction.rollback();
        case "close" -> transaction.close();
        default -> {
          put("a", "0");
          assertThrows(ConflictException.class, () -> commit(transaction));
        }
      }
      assertEquals(0, store.transactions().locks().count());
    }
    assertNull(get("bclose"));
  }

  // ---- on fibers

  private final class Adder extends Task {
    Adder() {
      super(Kind.FIBER, Scratch.NONE);
    }

    @Override
    protected void run() throws Exception {
      for (int i = 0; i < 20; i++) {
        boolean locks = i % 2 == 0;
        Object unused =
            store
                .transactions()
                .run(
                    (locks ? WAITING : TransactionOptions.defaults()).withTriesMax(10_000),
                    i % 5 == 0 ? Durability.SYNCED : Durability.NONE,
                    transaction -> {
                      int sum = Integer.parseInt(getForUpdate(transaction, "a"));
                      put(transaction, "a", "" + (sum + 1));
                      return null;
                    });
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"REACTOR", "VIRTUAL"})
  void fibersOfOneReactorWaitForEachOther(FiberMode mode) throws Exception {
    try (Reactor reactor =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("transactions-test")
                .withFibers(FiberOptions.defaults().withMode(mode)))) {
      List<Adder> adders = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        adders.add(new Adder());
        reactor.post(adders.getLast());
      }
      for (Adder adder : adders) {
        adder.await();
      }
      assertEquals("240", get("a"));
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }
}
