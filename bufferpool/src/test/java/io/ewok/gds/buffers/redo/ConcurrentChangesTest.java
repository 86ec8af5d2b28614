package io.ewok.gds.buffers.redo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.wal.LogFullException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Money moves between pages; there is always as much of it. */
final class ConcurrentChangesTest {
  private static final int PAGES = 6;
  private static final int BALANCE = 64;
  private static final long MONEY = 1000;
  private static final int TRANSFERS = 1500;
  private static final int CUTS_MAX = 20;

  @Test
  void everybodySeesChangesAsAWholeAndSoDoesRecovery() throws Exception {
    for (long seed = 0; seed < 3; seed++) {
      SimEngine engine = new SimEngine(seed);
      RedoFixture.create(engine);
      AtomicReference<Throwable> failure = new AtomicReference<>();
      List<SimEngine> cuts = new ArrayList<>();
      try (RedoFixture store = RedoFixture.open(engine)) {
        open(store);
        engine.onSync(
            () -> {
              if (cuts.size() < CUTS_MAX) {
                cuts.add(engine.crash(cuts.size()));
              }
            });
        AtomicBoolean ended = new AtomicBoolean();
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          SplittableRandom random = new SplittableRandom(seed * 31 + i);
          writers.add(start(failure, () -> transfer(store, random)));
        }
        Thread reader =
            start(
                failure,
                () -> {
                  while (!ended.get()) {
                    assertEquals(MONEY, sum(store));
                  }
                });
        for (Thread writer : writers) {
          writer.join();
        }
        ended.set(true);
        reader.join();
        assertNull(failure.get(), () -> "failure=" + failure.get());
        assertEquals(MONEY, sum(store));
      }
      for (SimEngine cut : cuts) {
        try (RedoFixture store = RedoFixture.open(cut, RedoFixture::redo, 4)) {
          assertEquals(MONEY, sum(store), "seed=" + seed);
        }
      }
      assertTrue(cuts.size() > 1, () -> "cuts=" + cuts.size());
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static Thread start(AtomicReference<Throwable> failure, Work work) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                work.run();
              } catch (Throwable e) {
                failure.compareAndSet(null, e);
              }
            });
  }

  private static void open(RedoFixture store) throws IOException {
    try (Change change = store.newChange()) {
      for (int i = 0; i < PAGES; i++) {
        RedoFixture.add(change.create(store.file), BALANCE, i == 0 ? MONEY : 0);
      }
      store.log.sync(change.commit());
    }
  }

  private static void transfer(RedoFixture store, SplittableRandom random) throws IOException {
    try (Change change = store.newChange()) {
      for (int i = 0; i < TRANSFERS; i++) {
        long one = random.nextLong(1, PAGES);
        long other = random.nextLong(one + 1, PAGES + 1); // in their order
        long amount = random.nextLong(-50, 50);
        RedoFixture.add(change.fix(store.file, one), BALANCE, amount);
        RedoFixture.add(change.fix(store.file, other), BALANCE, -amount);
        if (random.nextInt(10) == 0) {
          change.rollBack();
          continue;
        }
        try {
          long lsn = change.commit();
          if (random.nextInt(20) == 0) {
            store.log.sync(lsn);
          }
        } catch (LogFullException e) {
          return;
        }
      }
    }
  }

  private static long sum(RedoFixture store) throws IOException {
    List<Fix> fixes = new ArrayList<>();
    try {
      long sum = 0;
      for (long page = 1; page <= PAGES; page++) {
        Fix fix = new Fix();
        fixes.add(fix);
        store.pages().fixShared(page, fix);
        sum += fix.segment().get(RedoFormat.LONG, BALANCE);
      }
      return sum;
    } finally {
      fixes.forEach(Fix::unfix);
    }
  }
}
