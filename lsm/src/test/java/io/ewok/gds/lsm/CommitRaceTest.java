package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.lsm.memtable.EntryFormat;
import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.record.RecordKind;
import io.ewok.gds.lsm.record.SearchKey;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Commits that come at the same moment, again and again. */
@Timeout(120)
class CommitRaceTest {
  private static final int ROUNDS = 3_000;
  private static final int PAUSE_MAX = 3_000;
  private static final int INGESTS = 300;

  /** About what an ingestion takes. */
  private static final long INGEST_NANOS = 3_000_000;

  private static final byte[] X = Fixtures.bytes("x");
  private static final byte[] Y = Fixtures.bytes("y");
  private static final byte[] VALUE = new byte[20];

  private final SimEngine engine = new SimEngine(1);
  private final AtomicInteger go = new AtomicInteger();
  private final SplittableRandom random = new SplittableRandom(Fixtures.seed(20261122));
  private Store store;

  @BeforeEach
  void open() throws IOException {
    // One memtable for all.
    StoreOptions options = Fixtures.TINY.withMemtableBytes(4 << 20).withLogSegmentBytes(8 << 20);
    store = Store.open(Fixtures.DIRECTORY, options, engine);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private interface Act {
    boolean run() throws Exception;
  }

  /** Both at once, as far as that can be, now this one a little later and now that one. */
  private boolean[] race(ExecutorService other, Act mine, Act theirs) throws Exception {
    int minePause = random.nextInt(PAUSE_MAX);
    int theirPause = random.nextInt(PAUSE_MAX);
    CyclicBarrier ready = new CyclicBarrier(2);
    go.set(0);
    Future<Boolean> result =
        other.submit(
            () -> {
              int unused = ready.await(30, TimeUnit.SECONDS);
              go.incrementAndGet();
              pause(theirPause);
              return theirs.run();
            });
    int unused = ready.await(30, TimeUnit.SECONDS);
    while (go.get() == 0) {
      Thread.onSpinWait();
    }
    pause(minePause);
    boolean first = mine.run();
    return new boolean[] {first, result.get()};
  }

  private static void pause(int steps) {
    for (int i = 0; i < steps; i++) {
      Thread.onSpinWait();
    }
  }

  private Transaction reads(byte[] read, byte[] written) throws IOException {
    Transaction transaction = store.transactions().begin(TransactionOptions.defaults());
    byte[] unused = transaction.get(store, read);
    transaction.put(store, written, VALUE);
    return transaction;
  }

  private static boolean commits(Transaction transaction) throws IOException {
    try (transaction) {
      transaction.commit(Durability.NONE);
      return true;
    } catch (ConflictException e) {
      return false;
    }
  }

  @Test
  void ofTwoThatReadWhatTheOtherWritesExactlyOneCommits() throws Exception {
    int first = 0;
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      for (int round = 0; round < ROUNDS; round++) {
        Transaction a = reads(X, Y);
        Transaction b = reads(Y, X);
        boolean[] committed = race(other, () -> commits(a), () -> commits(b));
        assertEquals(1, (committed[0] ? 1 : 0) + (committed[1] ? 1 : 0), "round " + round);
        first += committed[0] ? 1 : 0;
      }
    }
    assertTrue(first > 0 && first < ROUNDS, "the same one each time: " + first);
  }

  /** A transaction that commits beside a plain write of what it has read is before it. */
  @Test
  void transactionIsBeforeThePlainWriteThatItHasNotSeenOrFails() throws Exception {
    int before = 0;
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      for (int round = 0; round < ROUNDS; round++) {
        Transaction transaction = reads(X, Y);
        boolean[] committed =
            race(
                other,
                () -> commits(transaction),
                () -> {
                  store.put(X, VALUE, Durability.NONE);
                  return true;
                });
        if (committed[0]) {
          assertTrue(sequence(Y) < sequence(X), "round " + round);
          before++;
        }
      }
    }
    assertTrue(before > 0 && before < ROUNDS, "they never met: " + before);
  }

  /** Ingested records have their number some time before they are there. */
  @Test
  void transactionIsBeforeIngestedRecordsThatItHasNotSeenOrFails() throws Exception {
    byte[] ingested = Fixtures.bytes("ingested");
    int before = 0;
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      for (int round = 0; round < INGESTS; round++) {
        Transaction transaction = reads(X, X);
        long pauseNanos = random.nextLong(INGEST_NANOS);
        boolean[] committed =
            race(
                other,
                () -> {
                  LockSupport.parkNanos(pauseNanos);
                  return commits(transaction);
                },
                () -> {
                  try (SortedIngest ingest = store.ingest()) {
                    ingest.put(X, ingested);
                    return ingest.commit() > 0;
                  }
                });
        if (committed[0]) {
          assertArrayEquals(ingested, store.get(X), "round " + round);
          before++;
        }
      }
    }
    assertTrue(before > 0 && before < INGESTS, "they never met: " + before);
  }

  /** The number of the last write to a key. */
  private long sequence(byte[] key) {
    Memtable memtable = store.writer().versions().active();
    long entry =
        memtable.find(
            Manifest.MAIN,
            new SearchKey().set(MemorySegment.ofArray(key)),
            RecordKind.SEQUENCE_MAX);
    return RecordKind.sequence(EntryFormat.stamp(entry));
  }
}
