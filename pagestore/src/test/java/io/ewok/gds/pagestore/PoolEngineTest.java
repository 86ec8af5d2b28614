package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;

/** The thread pool, smaller than its load. */
class PoolEngineTest extends LinuxEngineTest {
  private static final int THREADS = 4;

  @Override
  IoEngine openEngine() throws IOException {
    return new PoolEngine(
        EngineOptions.defaults().withQueueDepth(8).withPoolThreads(THREADS),
        new EngineChoice("POOL", List.of()));
  }

  private static void passed(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static void passed(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Thread> workers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("gds-io-pool-"))
        .toList();
  }

  /** Each completion waits for the others, which no fewer threads could do. */
  @Test
  void asManyThreadsWorkAsTheBatchNeeds() throws Exception {
    CyclicBarrier all = new CyclicBarrier(THREADS + 1);
    try (IoFile file = create("data")) {
      IoRequest[] batch = new IoRequest[THREADS];
      for (int i = 0; i < THREADS; i++) {
        batch[i] =
            new IoRequest()
                .prepareRead(file, 0, region, (long) i * UNIT, UNIT)
                .onComplete((r, b, f) -> passed(all));
      }
      engine.submitAll(batch, THREADS);
      passed(all);
    }
  }

  @Test
  void piecesOfMemoryAreOneCall() throws IOException {
    try (IoFile file = create("data")) {
      long before = engine.stats().nativeCalls();
      IoRequest request = new IoRequest();
      long[] at = {0, 5L * UNIT, 2L * UNIT};
      engine.submit(request.prepareWrite(file, 0, region, at, 0, 3, UNIT));
      assertEquals(3 * UNIT, request.await());
      assertEquals(before + 1, engine.stats().nativeCalls());
    }
  }

  @Test
  void idleThreadIsWokenBeforeAnotherIsStarted() throws IOException {
    List<Thread> before = workers();
    assertEquals(1, before.size());
    try (IoFile file = create("data")) {
      IoRequest request = new IoRequest();
      for (int i = 0; i < 100; i++) {
        while (before.getFirst().getState() != Thread.State.WAITING) {
          Thread.onSpinWait();
        }
        engine.submit(request.prepareRead(file, 0, region, 0, UNIT));
        request.await();
      }
    }
    assertEquals(before, workers());
  }

  @Test
  void queuedRequestIsCancelled() throws Exception {
    CountDownLatch busy = new CountDownLatch(THREADS);
    CountDownLatch free = new CountDownLatch(1);
    try (IoFile file = create("data")) {
      for (int i = 0; i < THREADS; i++) {
        engine.submit(
            new IoRequest()
                .prepareRead(file, 0, region, 0, UNIT)
                .onComplete(
                    (r, b, f) -> {
                      busy.countDown();
                      passed(free);
                    }));
      }
      passed(busy);
      IoRequest[] queued = new IoRequest[3];
      for (int i = 0; i < queued.length; i++) {
        queued[i] = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
      }
      engine.submitAll(queued, queued.length);
      engine.cancel(queued[2]);
      engine.cancel(queued[0]);
      assertThrows(CancellationException.class, queued[0]::await);
      assertThrows(CancellationException.class, queued[2]::await);
      engine.submit(queued[2].prepareWrite(file, UNIT, region, 0, UNIT));
      free.countDown();
      assertEquals(UNIT, queued[1].await());
      assertEquals(UNIT, queued[2].await());
      assertEquals(2L * UNIT, file.sizeBytes());
    }
  }
}
