package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.StorageException;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is prepared is decided later, whatever happens in between. */
@Timeout(60)
class PreparedTransactionTest {
  private static final TransactionOptions LOCKING =
      TransactionOptions.defaults().withLocks(Duration.ZERO);

  /** The filter, which takes all that has a longer key, is not asked about what is prepared. */
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY
              .tree()
              .withTablesBeforeMerge(2)
              .withCompactionFilter(
                  (key, _, _) ->
                      key.byteSize() > 1
                          ? CompactionFilter.Decision.REMOVE
                          : CompactionFilter.Decision.KEEP)
              .withMergeOperator(MergeOperators.append(new byte[] {','})));

  private SimEngine engine = new SimEngine(1);
  private Store store;
  private Family other;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
    other =
        store.family("other").isPresent()
            ? store.family("other").orElseThrow()
            : store.createFamily("other");
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private void reopen() throws IOException {
    store.close();
    open();
  }

  private static byte[] bytes(String text) {
    return Fixtures.bytes(text);
  }

  private void put(String key, String value) throws IOException {
    store.put(bytes(key), bytes(value), Durability.NONE);
  }

  private String get(Family in, String key) throws IOException {
    return Fixtures.text(in.get(bytes(key)));
  }

  private Transaction begin() {
    return store.transactions().begin(LOCKING);
  }

  /** Has read r, and writes a and, in the other family, b. */
  private PreparedTransaction prepare(String name) throws IOException {
    try (Transaction transaction = begin()) {
      byte[] unused = transaction.get(store, bytes("r"));
      transaction.merge(store, bytes("a"), bytes(name));
      transaction.put(other, bytes("b"), bytes(name));
      return transaction.prepare(name);
    }
  }

  private List<String> names() {
    return store.transactions().prepared().stream().map(PreparedTransaction::name).toList();
  }

  @Test
  void nothingIsVisibleBeforeItIsCommittedAndAllOfItThen() throws IOException {
    PreparedTransaction prepared = prepare("one");
    assertEquals(List.of("one"), names());
    assertNull(get(store, "a"));
    assertNull(get(other, "b"));
    assertTrue(store.transactions().locks().count() >= 3);
    prepared.commit(Durability.NONE);
    assertEquals("one", get(store, "a"));
    assertEquals("one", get(other, "b"));
    assertEquals(List.of(), names());
    assertEquals(0, store.transactions().locks().count());
    assertThrows(IllegalStateException.class, () -> prepared.rollback(Durability.NONE));
    reopen();
    assertEquals("one", get(other, "b"));
    assertEquals(List.of(), names());
  }

  @Test
  void whatIsRolledBackLeavesNothing() throws IOException {
    prepare("one").rollback(Durability.SYNCED);
    assertEquals(List.of(), names());
    assertEquals(0, store.transactions().locks().count());
    reopen();
    assertEquals(List.of(), names());
    assertNull(get(other, "b"));
    prepare("one").commit(Durability.SYNCED); // the name may be used again
    assertEquals("one", get(other, "b"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void itSurvivesWithItsLocksUntilItIsDecided(boolean merged) throws IOException {
    put("x", "0");
    PreparedTransaction unused = prepare("one");
    PreparedTransaction before = prepareOther();
    if (merged) {
      store.compact();
      for (Family family : store.families()) {
        family.compact();
      }
    }
    SimEngine after = engine.crash(5);
    store.close();
    engine = after;
    open();
    assertEquals(List.of("one", "two"), names());
    assertNull(get(other, "b"));
    for (String locked : List.of("a", "r")) {
      try (Transaction transaction = begin()) {
        assertThrows(
            LockTimeoutException.class, () -> transaction.put(store, bytes(locked), bytes("1")));
      }
    }
    try (Transaction transaction = begin()) {
      byte[] shared = transaction.get(store, bytes("r"));
      assertNull(shared);
    }
    store.transactions().prepared().getFirst().commit(Durability.SYNCED);
    store.transactions().prepared().getFirst().rollback(Durability.SYNCED);
    assertEquals("two", before.name());
    assertEquals("one", get(other, "b"));
    assertNull(get(store, "z"));
    assertEquals(0, store.transactions().locks().count());
    reopen();
    assertEquals(List.of(), names());
    assertEquals("one", get(other, "b"));
  }

  private PreparedTransaction prepareOther() throws IOException {
    try (Transaction transaction = begin()) {
      byte[] unused = transaction.get(store, bytes("r")); // both have it
      transaction.put(store, bytes("z"), bytes("two"));
      return transaction.prepare("two");
    }
  }

  @Test
  void transactionsThatDoNotLockMayNotWriteWhatItHolds() throws IOException {
    PreparedTransaction prepared = prepare("one");
    TransactionOptions optimistic = TransactionOptions.defaults();
    for (String key : List.of("a", "r")) {
      try (Transaction transaction = store.transactions().begin(optimistic)) {
        transaction.put(store, bytes(key), bytes("1"));
        ConflictException e =
            assertThrows(ConflictException.class, () -> transaction.commit(Durability.NONE));
        assertTrue(e.getMessage().contains("prepared=one"), e.getMessage());
        assertEquals(key, Fixtures.text(e.key()));
        assertEquals(0, e.sequence());
      }
    }
    for (TransactionOptions options : List.of(optimistic, LOCKING)) {
      try (Transaction transaction = store.transactions().begin(options)) {
        transaction.deleteRange(store, bytes("q"), bytes("s"));
        assertThrows(ConflictException.class, () -> transaction.commit(Durability.NONE));
      }
    }
    try (Transaction transaction = store.transactions().begin(optimistic)) {
      assertNull(transaction.get(store, bytes("a"))); // it comes before
      transaction.put(store, bytes("b"), bytes("1")); // of the other family is the other one
      transaction.deleteRange(store, bytes("c"), bytes("r"));
      transaction.commit(Durability.NONE);
    }
    prepared.commit(Durability.NONE);
    try (Transaction transaction = store.transactions().begin(optimistic)) {
      transaction.put(store, bytes("r"), bytes("1"));
      transaction.commit(Durability.NONE);
    }
  }

  @Test
  void whatWasWrittenSinceIsFoundWhenItIsPrepared() throws IOException {
    Transaction transaction = begin();
    assertNull(transaction.get(store, bytes("r")));
    transaction.put(store, bytes("a"), bytes("1"));
    put("r", "0");
    assertThrows(ConflictException.class, () -> transaction.prepare("one"));
    assertThrows(IllegalStateException.class, () -> transaction.prepare("one"));
    assertEquals(List.of(), names());
    assertEquals(0, store.transactions().locks().count());
  }

  @Test
  void whatCannotBePreparedIsRefused() throws IOException {
    PreparedTransaction prepared = prepare("one");
    try (Transaction transaction = store.transactions().begin(TransactionOptions.defaults())) {
      transaction.put(store, bytes("x"), bytes("1"));
      assertThrows(IllegalStateException.class, () -> transaction.prepare("two"));
    }
    try (Transaction transaction = begin()) {
      assertThrows(IllegalStateException.class, () -> transaction.prepare("two"));
      transaction.put(store, bytes("x"), bytes("1"));
      assertThrows(IllegalArgumentException.class, () -> transaction.prepare("one"));
      assertThrows(IllegalArgumentException.class, () -> transaction.prepare(""));
      assertThrows(IllegalArgumentException.class, () -> transaction.prepare("n".repeat(256)));
      Transaction.Savepoint savepoint = transaction.savepoint();
      transaction.deleteRange(store, bytes("x"), bytes("y"));
      assertThrows(IllegalStateException.class, () -> transaction.prepare("two"));
      transaction.rollbackTo(savepoint);
      transaction.put(store, bytes("y"), new byte[OPTIONS.batchBytesMax() - 400]);
      assertThrows(IllegalArgumentException.class, () -> transaction.prepare("two"));
      transaction.rollbackTo(savepoint);
      transaction.prepare("two").commit(Durability.NONE);
    }
    try (Transaction transaction = begin()) {
      transaction.put(store, bytes("w"), bytes("1"));
      try (StoreCursor cursor = transaction.cursor(store)) {
        cursor.first();
      }
      assertThrows(IllegalStateException.class, () -> transaction.prepare("three"));
    }
    assertEquals("1", get(store, "x"));
    assertThrows(
        IllegalArgumentException.class,
        () -> store.dropFamily(store.family(Transactions.FAMILY).orElseThrow()));
    prepared.rollback(Durability.NONE);
    store.dropFamily(store.family(Transactions.FAMILY).orElseThrow());
    assertThrows(IllegalArgumentException.class, () -> store.createFamily(Transactions.FAMILY));
    prepare("one").commit(Durability.NONE);
  }

  @Test
  void whatIsOfADroppedFamilyIsLeftOut() throws IOException {
    PreparedTransaction unused = prepare("one");
    store.dropFamily(other);
    reopen(); // creates another one of the name
    store.transactions().prepared().getFirst().commit(Durability.NONE);
    assertEquals("one", get(store, "a"));
    assertNull(get(other, "b"));
  }

  @Test
  void formatIsAsItWas() {
    PreparedFormat.Content content =
        new PreparedFormat.Content(
            List.of(
                new PreparedFormat.Key(0, bytes("r"), false),
                new PreparedFormat.Key(3, bytes("ab"), true)),
            Fixtures.record(new WriteBatch().put(bytes("k"), bytes("v"))));
    MemorySegment value = PreparedFormat.encode(content);
    String golden =
        "01000000"
            + "02000000" // version, count
            + "00000000"
            + "01010000"
            + "72"
            + "03000000"
            + "02020000"
            + "6162"
            + "01000000"
            + "01000000" // the batch
            + "01010000"
            + "01000000"
            + "6b"
            + "76";
    assertEquals(golden, HexFormat.of().formatHex(Fixtures.array(value)));
    PreparedFormat.Content read = PreparedFormat.decode(value);
    assertArrayEquals(bytes("ab"), read.keys().get(1).key());
    assertTrue(read.keys().get(1).exclusive() && !read.keys().get(0).exclusive());
    assertEquals(3, read.keys().get(1).family());
    assertEquals(-1, content.record().mismatch(read.record()));
  }

  /** Whatever bytes there are, they are read or refused. */
  @Test
  void damagedValuesAreRefused() {
    byte[] sound =
        Fixtures.array(
            PreparedFormat.encode(
                new PreparedFormat.Content(
                    List.of(new PreparedFormat.Key(0, bytes("r"), true)),
                    Fixtures.record(new WriteBatch().put(bytes("k"), bytes("v"))))));
    for (int bytes = 0; bytes < sound.length; bytes++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(sound, bytes));
      assertThrows(IllegalArgumentException.class, () -> PreparedFormat.decode(cut));
    }
    SplittableRandom random = new SplittableRandom(Fixtures.seed(20261122));
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] changed = sound.clone();
      changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
      try {
        PreparedFormat.Content unused = PreparedFormat.decode(MemorySegment.ofArray(changed));
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(refused > 10_000, "refused=" + refused);
  }

  @Test
  void storeWithADamagedOneIsNotOpenedUnnoticed() throws IOException {
    prepare("one").commit(Durability.NONE);
    store
        .family(Transactions.FAMILY)
        .orElseThrow()
        .put(bytes("two"), bytes("nonsense"), Durability.SYNCED);
    store.close();
    StorageException e =
        assertThrows(StorageException.class, () -> Store.open(Fixtures.DIRECTORY, OPTIONS, engine));
    assertTrue(e.getMessage().contains("name=two"), e.getMessage());
    engine = new SimEngine(2); // nothing of that stays open, for the next one to be closed
    open();
  }

  // ---- power cuts

  /** What is known of one transaction at a time. */
  private enum Phase {
    BEGUN,
    PREPARED,
    COMMITTING,
    COMMITTED,
    ROLLING_BACK,
    ROLLED_BACK
  }

  private record Known(int round, Phase phase) {}

  private volatile Known known = new Known(0, Phase.BEGUN);

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void powerCutsAtEachSyncLeaveItPreparedOrDecided(long seedOfCase) throws Exception {
    long seed = Fixtures.seed(seedOfCase);
    SplittableRandom cuts = new SplittableRandom(seed);
    AtomicInteger states = new AtomicInteger();
    AssertionError[] failure = new AssertionError[1];
    engine.onSync(
        () -> {
          synchronized (cuts) {
            if (failure[0] == null) {
              try {
                cut(cuts.nextLong(), cuts.nextBoolean());
                states.incrementAndGet();
              } catch (Exception | AssertionError e) {
                failure[0] = new AssertionError("" + known, e);
              }
            }
          }
        });
    for (int i = 1; i <= 12; i++) {
      known = new Known(i, Phase.BEGUN);
      PreparedTransaction prepared = prepare("t" + i);
      known = new Known(i, Phase.PREPARED);
      if (i % 3 == 0) {
        store.flush();
      }
      if (i % 4 != 0) {
        known = new Known(i, Phase.COMMITTING);
        prepared.commit(Durability.SYNCED);
        known = new Known(i, Phase.COMMITTED);
      } else {
        known = new Known(i, Phase.ROLLING_BACK);
        prepared.rollback(Durability.SYNCED);
        known = new Known(i, Phase.ROLLED_BACK);
      }
      store.flush();
    }
    if (failure[0] != null) {
      throw new AssertionError(Fixtures.replay(getClass(), seed), failure[0]);
    }
    assertTrue(states.get() > 30, "power cuts: " + states);
  }

  private void cut(long crashSeed, boolean commits) throws IOException {
    Known before = known;
    SimEngine after = engine.crash(crashSeed);
    if (!known.equals(before)) {
      return; // it was the background that synced, and something else goes on
    }
    String name = "t" + before.round();
    boolean isThere;
    try (Store left = Store.open(Fixtures.DIRECTORY, OPTIONS, after)) {
      List<PreparedTransaction> prepared = left.transactions().prepared();
      assertTrue(prepared.size() <= 1);
      boolean isPrepared = !prepared.isEmpty() && prepared.getFirst().name().equals(name);
      String list = Fixtures.text(left.get(bytes("a")));
      isThere = list != null && Arrays.asList(list.split(",")).contains(name);
      String value =
          left.family("other").isEmpty()
              ? null
              : Fixtures.text(left.family("other").orElseThrow().get(bytes("b")));
      assertEquals(isThere, name.equals(value), "all of it or nothing");
      assertTrue(!isThere || !isPrepared);
      switch (before.phase()) {
        case BEGUN -> assertTrue(!isThere);
        case PREPARED -> assertTrue(isPrepared);
        case COMMITTING -> assertTrue(isThere || isPrepared);
        case COMMITTED -> assertTrue(isThere);
        case ROLLING_BACK -> assertTrue(!isThere);
        case ROLLED_BACK -> assertTrue(!isThere && !isPrepared);
      }
      if (isPrepared) {
        if (commits) {
          prepared.getFirst().commit(Durability.SYNCED);
          isThere = true;
        } else {
          prepared.getFirst().rollback(Durability.SYNCED);
        }
      }
    }
    try (Store left = Store.open(Fixtures.DIRECTORY, OPTIONS, after.crash(~crashSeed))) {
      assertTrue(left.transactions().prepared().isEmpty());
      String list = Fixtures.text(left.get(bytes("a")));
      assertEquals(isThere, list != null && Arrays.asList(list.split(",")).contains(name));
    }
  }
}
