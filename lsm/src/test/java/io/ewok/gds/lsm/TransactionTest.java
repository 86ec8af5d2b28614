package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogPlace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TransactionTest {
  private static final TransactionOptions SERIALIZABLE = TransactionOptions.defaults();
  private static final TransactionOptions SNAPSHOT = SERIALIZABLE.withIsolation(Isolation.SNAPSHOT);
  private static final StoreOptions OPTIONS =
      Fixtures.TINY.withTree(
          Fixtures.TINY
              .tree()
              .withMergeOperator(MergeOperators.append(new byte[] {','}))
              .withTablesBeforeMerge(2));

  private SimEngine engine = new SimEngine(1);
  private Store store;
  private Family other;

  @BeforeEach
  void open() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
    other = store.createFamily("other");
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

  private static String get(Transaction transaction, Family in, String key) throws IOException {
    return Fixtures.text(transaction.get(in, bytes(key)));
  }

  private static void put(Transaction transaction, Family in, String key, String value)
      throws IOException {
    transaction.put(in, bytes(key), bytes(value));
  }

  private String get(String key) throws IOException {
    return Fixtures.text(store.get(bytes(key)));
  }

  private Transaction begin() {
    return store.transactions().begin(SERIALIZABLE);
  }

  private static void commit(Transaction transaction) throws IOException {
    transaction.commit(Durability.NONE);
  }

  private static String key(ConflictException e) {
    return Fixtures.text(e.key());
  }

  private static ConflictException assertConflict(Transaction transaction) {
    ConflictException e = assertThrows(ConflictException.class, () -> commit(transaction));
    assertThrows(IllegalStateException.class, () -> commit(transaction));
    return e;
  }

  /** What a cursor shows, forward, after it was found to show the same backward. */
  private static String shown(StoreCursor cursor) throws IOException {
    List<String> forward = new ArrayList<>();
    for (cursor.first(); cursor.isValid(); cursor.next()) {
      forward.add(
          Fixtures.text(Fixtures.array(cursor.key()))
              + "="
              + Fixtures.text(Fixtures.array(cursor.value())));
    }
    List<String> backward = new ArrayList<>();
    for (cursor.last(); cursor.isValid(); cursor.previous()) {
      backward.addFirst(
          Fixtures.text(Fixtures.array(cursor.key()))
              + "="
              + Fixtures.text(Fixtures.array(cursor.value())));
    }
    assertEquals(forward, backward);
    return String.join(" ", forward);
  }

  // ---- reads and writes

  @Test
  void whatItWritesIsSeenByItselfAtOnceAndByOthersAfterTheCommit() throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      put(transaction, store, "a", "2");
      put(transaction, other, "a", "3");
      assertEquals("2", get(transaction, store, "a"));
      assertEquals("3", get(transaction, other, "a"));
      assertEquals("1", get("a"));
      assertNull(other.get(bytes("a")));
      commit(transaction);
    }
    assertEquals("2", get("a"));
    assertArrayEquals(bytes("3"), other.get(bytes("a")));
  }

  @Test
  void itReadsTheStoreAsItWasWhenItBegan() throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      put("a", "2");
      put("b", "2");
      assertEquals("1", get(transaction, store, "a"));
      assertNull(get(transaction, store, "b"));
      try (StoreCursor cursor = transaction.cursor(store)) {
        assertEquals("a=1", shown(cursor));
      }
    }
  }

  @Test
  void ownDeletesRangesAndOperandsAreSeenInTheOrderInWhichTheyCame() throws IOException {
    for (String key : List.of("a", "b", "c", "d", "e")) {
      put(key, key + "0");
    }
    try (Transaction transaction = begin()) {
      transaction.merge(store, bytes("a"), bytes("a1"));
      transaction.delete(store, bytes("b"));
      transaction.merge(store, bytes("b"), bytes("b1"));
      put(transaction, store, "c", "gone");
      transaction.deleteRange(store, bytes("c"), bytes("e"));
      transaction.merge(store, bytes("d"), bytes("d1"));
      transaction.merge(store, bytes("d"), bytes("d2"));
      assertEquals("a0,a1", get(transaction, store, "a"));
      assertEquals("b1", get(transaction, store, "b"));
      assertNull(get(transaction, store, "c"));
      assertEquals("d1,d2", get(transaction, store, "d"));
      assertEquals("e0", get(transaction, store, "e"));
      try (StoreCursor cursor = transaction.cursor(store)) {
        assertEquals("a=a0,a1 b=b1 d=d1,d2 e=e0", shown(cursor));
      }
      commit(transaction);
    }
    try (StoreCursor cursor = store.cursor()) {
      assertEquals("a=a0,a1 b=b1 d=d1,d2 e=e0", shown(cursor));
    }
  }

  @Test
  void segmentsAreCopiedInBothDirections() throws IOException {
    put("a", "12345");
    MemorySegment key = MemorySegment.ofArray(bytes("a"));
    MemorySegment into = MemorySegment.ofArray(new byte[5]);
    MemorySegment small = MemorySegment.ofArray(new byte[4]);
    try (Transaction transaction = begin()) {
      assertEquals(5, transaction.get(store, key, into));
      assertEquals(5, transaction.get(store, key, small));
      assertArrayEquals(bytes("12345"), Fixtures.array(into));
      transaction.put(store, key, MemorySegment.ofArray(bytes("67890")));
      assertEquals(5, transaction.getForUpdate(store, key, into));
      assertEquals(5, transaction.get(store, key, small));
      assertArrayEquals(bytes("67890"), Fixtures.array(into));
      assertArrayEquals(new byte[4], Fixtures.array(small));
      transaction.delete(store, key);
      assertEquals(ReadView.NOT_FOUND, transaction.get(store, key, into));
      assertEquals(ReadView.NOT_FOUND, transaction.get(other, key, into));
    }
  }

  @Test
  void cursorShowsWhatWasWrittenBeforeItWasOpenedOrRefreshed() throws IOException {
    put("a", "1");
    put("c", "1");
    try (Transaction transaction = begin();
        StoreCursor early = transaction.cursor(store)) {
      put(transaction, store, "b", "2");
      transaction.deleteRange(store, bytes("c"), bytes("d"));
      try (StoreCursor cursor = transaction.cursor(store)) {
        cursor.seek(bytes("b"));
        for (int i = 0; i < 500; i++) { // the memory of its writes is replaced by larger ones
          put(transaction, store, "b" + i, "3");
          transaction.delete(store, bytes("a"));
        }
        assertArrayEquals(bytes("b"), Fixtures.array(cursor.key()));
        assertArrayEquals(bytes("2"), Fixtures.array(cursor.value()));
        cursor.previous();
        assertArrayEquals(bytes("a"), Fixtures.array(cursor.key()));
        assertEquals("a=1 b=2", shown(cursor));
        assertEquals("a=1 c=1", shown(early));
        cursor.refresh();
        early.refresh();
        cursor.first();
        assertArrayEquals(bytes("b"), Fixtures.array(cursor.key()));
        cursor.last();
        assertArrayEquals(bytes("b99"), Fixtures.array(cursor.key()));
        assertEquals(shown(early), shown(cursor));
      }
    }
  }

  @Test
  void cursorOfATransactionFillsBatchesWithinBoundsAndAsksItsFilter() throws IOException {
    for (int i = 0; i < 10; i += 2) {
      put("k" + i, "store");
    }
    try (Transaction transaction = begin()) {
      for (int i = 1; i < 10; i += 2) {
        put(transaction, store, "k" + i, "own");
      }
      CursorOptions options =
          CursorOptions.defaults()
              .withLower(bytes("k1"))
              .withUpper(bytes("k8"))
              .withFilter(record -> record.key().get(ValueLayout.JAVA_BYTE, 1) != '5');
      try (StoreCursor cursor = transaction.cursor(store, options)) {
        RecordBatch batch = new RecordBatch(MemorySegment.ofArray(new byte[100]), 3);
        StringBuilder keys = new StringBuilder();
        for (cursor.first(); cursor.fill(batch) > 0; ) {
          for (int i = 0; i < batch.count(); i++) {
            keys.append(Fixtures.text(Fixtures.array(batch.key(i)))).append(' ');
          }
        }
        assertEquals("k1 k2 k3 k4 k6 k7 ", keys.toString());
      }
    }
  }

  @Test
  void itsFilterCannotUseATransaction() throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      CursorOptions options =
          CursorOptions.defaults()
              .withFilter(
                  _ -> {
                    return transaction.writeCount() == 0;
                  });
      try (StoreCursor cursor = transaction.cursor(store, options)) {
        assertThrows(IllegalStateException.class, cursor::first);
      }
      assertEquals("1", get(transaction, store, "a"));
    }
  }

  /** What one has kept is used by the next one. */
  @Test
  void transactionsKnowNothingOfThoseBeforeThem() throws IOException {
    for (int round = 0; round < 20; round++) {
      try (Transaction transaction = begin()) {
        assertEquals(0, transaction.writeCount());
        assertEquals(round == 0 ? null : "" + (round - 1), get(transaction, store, "a"));
        try (StoreCursor cursor = transaction.cursor(store)) {
          assertEquals(round == 0 ? "" : "a=" + (round - 1), shown(cursor));
        }
        for (int i = 0; i < 20 * round; i++) {
          put(transaction, store, "b" + i, "of " + round);
          assertNull(get(transaction, other, "b" + i));
        }
        transaction.deleteRange(store, bytes("b"), bytes("c"));
        put(transaction, store, "a", "" + round);
        if (round % 3 == 0) {
          put(transaction, other, "left", "out");
          transaction.rollback();
          store.put(bytes("a"), bytes("" + round), Durability.NONE);
        } else {
          commit(transaction);
        }
        assertThrows(IllegalStateException.class, transaction::writeCount);
      }
    }
    assertEquals("19", get("a"));
    assertNull(other.get(bytes("left")));
  }

  @Test
  void ownWritesStayInSightWhenTheStoreFlushesAndMergesBeneath() throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      transaction.merge(store, bytes("a"), bytes("2"));
      put(transaction, store, "b", "2");
      try (StoreCursor cursor = transaction.cursor(store)) {
        cursor.first();
        for (int i = 0; i < 3; i++) {
          put("c", "3");
          store.flush();
        }
        store.compact();
        assertArrayEquals(bytes("1,2"), Fixtures.array(cursor.value()));
        assertEquals("a=1,2 b=2", shown(cursor));
        cursor.refresh();
        assertEquals("a=1,2 b=2", shown(cursor));
      }
    }
  }

  // ---- conflicts

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void keyThatWasReadAndWrittenSinceIsAConflict(boolean flushed) throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      assertEquals("1", get(transaction, store, "a"));
      put(transaction, store, "b", "2");
      put("a", "3");
      if (flushed) {
        store.flush();
        store.compact();
      }
      ConflictException e = assertConflict(transaction);
      assertEquals("a", key(e));
      assertEquals(Family.DEFAULT_NAME, e.family());
      assertTrue(e.sequence() > transaction.sequence());
      assertTrue(e.getMessage().contains("key=61 "), e.getMessage());
    }
    assertNull(get("b"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"delete", "sdelete", "merge", "range", "absent"})
  void everyKindOfWriteIsAConflict(String kind) throws IOException {
    for (boolean flushed : new boolean[] {false, true}) {
      if (!kind.equals("absent")) {
        put("a", "1");
      } else {
        store.delete(bytes("a"), Durability.NONE);
      }
      try (Transaction transaction = begin()) {
        String unused = get(transaction, store, "a");
        put(transaction, store, "b", "2");
        switch (kind) {
          case "delete" -> store.delete(bytes("a"), Durability.NONE);
          case "sdelete" -> store.singleDelete(bytes("a"), Durability.NONE);
          case "merge" -> store.merge(bytes("a"), bytes("x"), Durability.NONE);
          case "range" -> store.deleteRange(bytes("Z"), bytes("b"), Durability.NONE);
          default -> put("a", "now");
        }
        if (flushed) {
          store.flush();
          store.compact();
        }
        assertTrue(assertConflict(transaction).sequence() > transaction.sequence());
      }
      assertNull(get("b"));
    }
  }

  @Test
  void whatSomebodyElseWroteBeforeOrToOtherKeysOrFamiliesIsNone() throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      assertEquals("1", get(transaction, store, "a"));
      assertNull(get(transaction, other, "b"));
      put("b", "2");
      other.put(bytes("a"), bytes("3"), Durability.NONE);
      store.deleteRange(bytes("b"), bytes("c"), Durability.NONE);
      store.flush();
      put("b", "2");
      put(transaction, store, "c", "4");
      commit(transaction);
    }
    assertEquals("4", get("c"));
  }

  @Test
  void ofTwoTransactionsThatReadWhatTheOtherWritesOneFailsIfTheyAreSerializable()
      throws IOException {
    for (TransactionOptions options : List.of(SERIALIZABLE, SNAPSHOT)) {
      put("a", "1");
      put("b", "1");
      try (Transaction first = store.transactions().begin(options);
          Transaction second = store.transactions().begin(options)) {
        assertEquals("1", get(first, store, "a"));
        assertEquals("1", get(second, store, "b"));
        put(first, store, "b", "0");
        put(second, store, "a", "0");
        commit(first);
        if (options.isolation() == Isolation.SERIALIZABLE) {
          assertEquals("b", key(assertConflict(second)));
        } else {
          commit(second); // write skew
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void ofTwoThatReadAndWriteTheSameKeyTheSecondFails(Isolation isolation) throws IOException {
    TransactionOptions options = SERIALIZABLE.withIsolation(isolation);
    put("a", "1");
    try (Transaction first = store.transactions().begin(options);
        Transaction second = store.transactions().begin(options)) {
      put(first, store, "a", get(first, store, "a") + "1");
      put(second, store, "a", get(second, store, "a") + "2");
      commit(second);
      assertEquals("a", key(assertConflict(first)));
    }
    assertEquals("12", get("a"));
  }

  @Test
  void ofTwoBlindWritesTheSecondFailsAtTheSnapshotLevelOnly() throws IOException {
    for (TransactionOptions options : List.of(SERIALIZABLE, SNAPSHOT)) {
      try (Transaction first = store.transactions().begin(options);
          Transaction second = store.transactions().begin(options)) {
        put(first, store, "a", "1");
        put(second, store, "a", "2");
        commit(first);
        if (options.isolation() == Isolation.SERIALIZABLE) {
          commit(second);
        } else {
          assertEquals("a", key(assertConflict(second)));
        }
      }
    }
  }

  @Test
  void keyReadForUpdateIsAConflictAtTheSnapshotLevelToo() throws IOException {
    try (Transaction transaction = store.transactions().begin(SNAPSHOT)) {
      assertNull(transaction.getForUpdate(store, bytes("a")));
      put(transaction, store, "b", "1");
      put("a", "1");
      assertEquals("a", key(assertConflict(transaction)));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void rangeThatIsDeletedIsAConflictAtTheSnapshotLevel(boolean flushed) throws IOException {
    try (Transaction transaction = store.transactions().begin(SNAPSHOT)) {
      transaction.deleteRange(store, bytes("b"), bytes("d"));
      put("a", "1");
      put("d", "1");
      put("c", "1");
      if (flushed) {
        store.flush();
      }
      assertEquals("c", key(assertConflict(transaction)));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void phantomInWhatWasScannedIsAConflict(boolean flushed) throws IOException {
    for (String key : List.of("a", "c", "e", "g")) {
      put(key, "1");
    }
    for (boolean inside : new boolean[] {true, false}) {
      try (Transaction transaction = begin();
          StoreCursor cursor = transaction.cursor(store)) {
        cursor.seek(bytes("b")); // c
        cursor.next(); // e
        cursor.previous(); // c
        put(transaction, store, "z", "1");
        put(inside ? "d" : "f", "new");
        put("ab", "new");
        if (flushed) {
          store.flush();
        }
        if (inside) {
          assertEquals("d", key(assertConflict(transaction)));
        } else {
          commit(transaction);
        }
      }
      store.delete(bytes("d"), Durability.NONE);
      store.delete(bytes("f"), Durability.NONE);
      store.delete(bytes("ab"), Durability.NONE);
    }
  }

  @Test
  void endsOfWhatWasScannedAreThoseOfItsBounds() throws IOException {
    put("c", "1");
    record Case(String added, boolean isConflict) {}
    for (Case each :
        List.of(
            new Case("a", false),
            new Case("b", true),
            new Case("cc", true),
            new Case("dz", true),
            new Case("e", false))) {
      CursorOptions options = CursorOptions.defaults().withLower(bytes("b")).withUpper(bytes("e"));
      for (boolean backward : new boolean[] {false, true}) {
        try (Transaction transaction = begin();
            StoreCursor cursor = transaction.cursor(store, options)) {
          if (backward) {
            for (cursor.last(); cursor.isValid(); cursor.previous()) {}
          } else {
            for (cursor.first(); cursor.isValid(); cursor.next()) {}
          }
          put(transaction, store, "z", "1");
          put(each.added(), "new");
          if (each.isConflict()) {
            assertEquals(each.added(), key(assertConflict(transaction)));
          } else {
            commit(transaction);
          }
        }
        store.delete(bytes(each.added()), Durability.NONE);
      }
    }
  }

  @Test
  void rangeDeletesMeetWhatWasScannedWhereTheyOverlap() throws IOException {
    put("c", "1");
    for (boolean flushed : new boolean[] {false, true}) {
      for (String first : List.of("a", "d")) {
        try (Transaction transaction = begin();
            StoreCursor cursor = transaction.cursor(store)) {
          cursor.seekForPrev(bytes("cz")); // c to cz
          put(transaction, store, "z", "1");
          store.deleteRange(bytes(first), bytes(first + "z"), Durability.NONE);
          if (flushed) {
            store.flush();
          }
          commit(transaction);
        }
      }
      try (Transaction transaction = begin();
          StoreCursor cursor = transaction.cursor(store)) {
        cursor.seekForPrev(bytes("cz"));
        put(transaction, store, "z", "1");
        store.deleteRange(bytes("cy"), bytes("d"), Durability.NONE);
        if (flushed) {
          store.flush();
        }
        assertEquals("cy", key(assertConflict(transaction)));
      }
    }
  }

  @Test
  void scanIsNoConflictAtTheSnapshotLevel() throws IOException {
    try (Transaction transaction = store.transactions().begin(SNAPSHOT);
        StoreCursor cursor = transaction.cursor(store)) {
      cursor.first();
      put("a", "1");
      put(transaction, store, "z", "1");
      commit(transaction);
    }
  }

  @Test
  void ownWritesThatAreReadAreNoConflict() throws IOException {
    try (Transaction transaction = begin()) {
      put(transaction, store, "a", "1");
      assertEquals("1", get(transaction, store, "a"));
      transaction.deleteRange(store, bytes("c"), bytes("d"));
      assertNull(get(transaction, store, "c"));
      put("a", "2");
      put("c", "2");
      commit(transaction);
    }
    assertEquals("1", get("a"));
    assertNull(get("c"));
  }

  @Test
  void operandsStandOnWhatTheyWereReadOver() throws IOException {
    put("a", "1");
    try (Transaction blind = begin();
        Transaction reader = begin()) {
      blind.merge(store, bytes("a"), bytes("b"));
      reader.merge(store, bytes("a"), bytes("r"));
      assertEquals("1,r", get(reader, store, "a"));
      store.merge(bytes("a"), bytes("x"), Durability.NONE);
      commit(blind);
      assertEquals("a", key(assertConflict(reader)));
    }
    assertEquals("1,x,b", get("a"));
  }

  @Test
  void transactionThatOnlyReadsDoesNotFail() throws IOException {
    put("a", "1");
    try (Transaction transaction = begin()) {
      assertEquals("1", get(transaction, store, "a"));
      put("a", "2");
      commit(transaction);
    }
  }

  /** The write comes when the transaction has looked already, and before it has its place. */
  @Test
  void writeThatComesBetweenTheFirstLookAndThePlaceIsFound() throws Exception {
    for (boolean scans : new boolean[] {false, true}) {
      put("a", "1");
      Transaction transaction = begin();
      if (scans) {
        try (StoreCursor cursor = transaction.cursor(store)) {
          cursor.first();
        }
      } else {
        assertEquals("1", get(transaction, store, "a"));
      }
      put(transaction, store, "b", "2");
      long before = store.stats().sequence();
      CompletableFuture<Void> committed;
      store.writer().committing().lock();
      try {
        committed = commitLater(transaction);
        assertThrows(TimeoutException.class, () -> committed.get(50, TimeUnit.MILLISECONDS));
        put("a", "3");
      } finally {
        store.writer().committing().unlock();
      }
      assertEquals("a", key(assertConflict(committed)));
      assertTrue(store.stats().sequence() > before, "the place in the log was made void");
      assertNull(get("b"));
    }
    store.close();
    reopen();
    assertNull(get("b"));
    assertEquals("3", get("a"));
  }

  private void reopen() throws IOException {
    store = Store.open(Fixtures.DIRECTORY, OPTIONS, engine);
    other = store.family("other").orElseThrow();
  }

  private static CompletableFuture<Void> commitLater(Transaction transaction) {
    CompletableFuture<Void> committed = new CompletableFuture<>();
    Thread unused =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    commit(transaction);
                    committed.complete(null);
                  } catch (Throwable e) {
                    committed.completeExceptionally(e);
                  }
                });
    return committed;
  }

  private static ConflictException assertConflict(CompletableFuture<Void> committed) {
    ExecutionException e =
        assertThrows(ExecutionException.class, () -> committed.get(30, TimeUnit.SECONDS));
    return (ConflictException) e.getCause();
  }

  /** A writer has his place in the log before the transaction's, and is not done. */
  @Test
  void writeThatIsBeforeItInTheLogIsAwaited() throws Exception {
    put("a", "1");
    Transaction transaction = begin();
    assertEquals("1", get(transaction, store, "a"));
    put(transaction, store, "b", "2");
    StoreWriter writer = store.writer();
    MemorySegment record = Fixtures.record(new WriteBatch().put(bytes("a"), bytes("3")));
    Memtable memtable =
        writer.room().enter(200, Manifest.MAIN, null, WriteOptions.of(Durability.NONE));
    LogPlace place = store.parts().log.reserve(record.byteSize());
    long start = place.previousEndLsn();
    long first = place.startLsn() + 1;
    long end = place.endLsn();
    place.put(record);
    place.close();
    CompletableFuture<Void> committed = commitLater(transaction);
    assertThrows(TimeoutException.class, () -> committed.get(100, TimeUnit.MILLISECONDS));
    memtable.insert(record, first);
    assertTrue(writer.versions().order().tryPublish(start, end));
    memtable.exit();
    assertEquals("a", key(assertConflict(committed)));
    assertEquals("3", get("a"));
    assertNull(get("b"));
  }

  /** What is behind it in the log is in the memtable sooner, and none of its business. */
  @Test
  void writeThatIsBehindItInTheLogIsNoConflict() throws IOException {
    put("a", "1");
    ReadSet reads = new ReadSet();
    long since = store.stats().sequence();
    reads.add(store.family(), new SearchKey().set(segment("a")), since);
    put("x", "1");
    long place = store.stats().sequence();
    put("a", "2");
    CommitCheck check = new CommitCheck(reads, new SearchKey());
    Memtable memtable = store.writer().versions().active();
    assertNull(check.inMemtable(memtable, since, place));
    assertEquals("a", Fixtures.text(check.inMemtable(memtable, since, Long.MAX_VALUE >> 8).key()));
    assertNull(check.inMemtable(memtable, store.stats().sequence(), Long.MAX_VALUE >> 8));
  }

  private static MemorySegment segment(String text) {
    return MemorySegment.ofArray(bytes(text));
  }

  // ---- savepoints and ends

  @Test
  void writesSinceASavepointAreTakenBack() throws Exception {
    put("a", "0");
    try (Transaction transaction = begin()) {
      put(transaction, store, "a", "1");
      Transaction.Savepoint first = transaction.savepoint();
      put(transaction, store, "a", "2");
      put(transaction, other, "b", "2");
      transaction.merge(store, bytes("c"), bytes("2"));
      transaction.deleteRange(store, bytes("A"), bytes("Z"));
      Transaction.Savepoint second = transaction.savepoint();
      try (StoreCursor early = transaction.cursor(store);
          StoreCursor refreshed = transaction.cursor(store)) {
        transaction.delete(store, bytes("a"));
        refreshed.refresh();
        try (StoreCursor late = transaction.cursor(store)) {
          assertEquals("c=2", shown(late));
          assertEquals("c=2", shown(refreshed));
          transaction.rollbackTo(second);
          assertThrows(IllegalStateException.class, late::first);
          assertThrows(IllegalStateException.class, refreshed::first);
          assertEquals("a=2 c=2", shown(early));
        }
      }
      assertEquals("2", get(transaction, store, "a"));
      transaction.rollbackTo(first);
      assertThrows(IllegalArgumentException.class, () -> transaction.rollbackTo(second));
      assertEquals(1, transaction.writeCount());
      assertEquals("1", get(transaction, store, "a"));
      assertNull(get(transaction, other, "b"));
      put(transaction, store, "d", "3");
      try (StoreCursor cursor = transaction.cursor(store)) {
        assertEquals("a=1 d=3", shown(cursor));
      }
      transaction.rollbackTo(first);
      put(transaction, store, "e", "4");
      commit(transaction);
    }
    try (StoreCursor cursor = store.cursor()) {
      assertEquals("a=1 e=4", shown(cursor));
    }
    assertEquals(0, Fixtures.contents(other).size(), "only what was not taken back");
  }

  @Test
  void savepointsOfOthersAreRefused() {
    try (Transaction a = begin();
        Transaction b = begin()) {
      Transaction.Savepoint savepoint = a.savepoint();
      assertThrows(IllegalArgumentException.class, () -> b.rollbackTo(savepoint));
    }
  }

  @Test
  void rollbackLeavesNothingAndEndsCursors() throws IOException {
    Transaction transaction = begin();
    put(transaction, store, "a", "1");
    StoreCursor cursor = transaction.cursor(store);
    transaction.rollback();
    assertNull(get("a"));
    assertThrows(IllegalStateException.class, cursor::first);
    assertThrows(IllegalStateException.class, () -> get(transaction, store, "a"));
    assertThrows(IllegalStateException.class, () -> put(transaction, store, "a", "1"));
    assertThrows(IllegalStateException.class, transaction::savepoint);
    assertThrows(IllegalStateException.class, transaction::rollback);
    transaction.close();
    assertEquals(0, store.stats().openCursors());
    assertEquals(-1, store.writer().versions().newestSnapshot());
  }

  @Test
  void tooManyWritesAreRefusedAndTheRestCanBeCommitted() throws IOException {
    byte[] large = new byte[100 << 10];
    try (Transaction transaction = begin()) {
      transaction.put(store, bytes("a"), large);
      assertThrows(IllegalArgumentException.class, () -> transaction.put(store, bytes("b"), large));
      assertNull(transaction.get(store, bytes("b")));
      put(transaction, store, "c", "1");
      commit(transaction);
    }
    assertEquals(large.length, store.get(bytes("a")).length);
    assertNull(get("b"));
    assertEquals("1", get("c"));
  }

  @Test
  void foreignAndDroppedFamiliesAreRefused() throws IOException {
    try (Store foreign = Store.open(Path.of("/foreign"), OPTIONS, engine);
        Transaction transaction = begin()) {
      assertThrows(IllegalArgumentException.class, () -> get(transaction, foreign, "a"));
      assertThrows(IllegalArgumentException.class, () -> put(transaction, foreign, "a", "1"));
      put(transaction, other, "a", "1");
      store.dropFamily(other);
      assertThrows(IllegalStateException.class, () -> get(transaction, other, "a"));
      assertThrows(IllegalStateException.class, () -> commit(transaction));
    }
  }

  @Test
  void closeOfTheStoreEndsTransactions() throws IOException {
    Transaction transaction = begin();
    put(transaction, store, "a", "1");
    StoreCursor cursor = transaction.cursor(store);
    store.close();
    assertThrows(IllegalStateException.class, cursor::first);
    assertThrows(IllegalStateException.class, () -> get(transaction, store, "b"));
    assertThrows(IllegalStateException.class, () -> commit(transaction));
    transaction.close();
    reopen();
    assertNull(get("a"));
  }

  @Test
  void commitIsAsDurableAsItSays() throws IOException {
    try (Transaction transaction = begin()) {
      put(transaction, store, "a", "1");
      put(transaction, other, "a", "1");
      transaction.commit(Durability.SYNCED);
    }
    SimEngine after = engine.crash(7);
    store.close();
    engine = after;
    reopen();
    assertEquals("1", get("a"));
    assertArrayEquals(bytes("1"), other.get(bytes("a")));
  }

  // ---- trying again

  @Test
  void runTriesAgainUntilItMeetsNobody() throws IOException {
    put("a", "0");
    int[] tries = {0};
    int result =
        store
            .transactions()
            .run(
                SERIALIZABLE,
                Durability.NONE,
                transaction -> {
                  String seen = get(transaction, store, "a");
                  if (tries[0]++ < 3) {
                    put("a", "" + tries[0]);
                  }
                  put(transaction, store, "b", seen);
                  return tries[0];
                });
    assertEquals(4, result);
    assertEquals("3", get("b"));
  }

  @Test
  void runGivesUpAndPassesOnWhatTheBodyThrows() throws IOException {
    put("a", "0");
    int[] tries = {0};
    assertThrows(
        ConflictException.class,
        () ->
            store
                .transactions()
                .run(
                    SERIALIZABLE.withTriesMax(2),
                    Durability.NONE,
                    transaction -> {
                      put(transaction, store, "b", get(transaction, store, "a"));
                      put("a", "" + tries[0]++);
                      return null;
                    }));
    assertEquals(2, tries[0]);
    assertThrows(
        IOException.class,
        () ->
            store
                .transactions()
                .run(
                    SERIALIZABLE,
                    Durability.NONE,
                    transaction -> {
                      put(transaction, store, "b", "1");
                      throw new IOException("the body's");
                    }));
    assertNull(get("b"));
    assertEquals(-1, store.writer().versions().newestSnapshot());
  }
}
