package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Closing gives everything back, whatever fails and whoever still writes. */
final class BufferCloseTest {
  private static final Path FILE = Path.of("/pages");
  private static final Path OTHER = Path.of("/other");
  private static final BufferOptions OPTIONS =
      new BufferOptions(8 * 4096, 4096, null).withWaitMax(Duration.ofMillis(1));

  private final SimEngine engine = new SimEngine(1);
  private final MemoryBudget budget = BufferFixture.budget();

  @Test
  void anEngineThatWasClosedFirstCostsNoMemory() throws IOException {
    BufferManager manager = new BufferManager(engine, budget, OPTIONS);
    createDirty(manager, FILE);
    createDirty(manager, OTHER);
    engine.close();
    IllegalStateException e = assertThrows(IllegalStateException.class, manager::close);
    assertTrue(e.getSuppressed().length >= 2, "the other file's and the engine's failure");
    assertEquals(0, budget.usedBytes());
    manager.close();
  }

  @Test
  void aFileThatFailsUncheckedKeepsNoOtherFromBeingWritten() throws IOException {
    int[] syncs = {0};
    int[] failing = {-1};
    IoEngine breakable =
        GatedEngine.before(
            "sync",
            engine,
            () -> {
              if (syncs[0]++ == failing[0]) {
                throw new IllegalArgumentException("a bug");
              }
            });
    BufferManager manager = new BufferManager(breakable, budget, OPTIONS);
    createDirty(manager, FILE);
    createDirty(manager, OTHER);
    failing[0] = syncs[0];
    assertThrows(IllegalArgumentException.class, manager::close);
    assertEquals(failing[0] + 2, syncs[0]);
    assertEquals(0, budget.usedBytes());
  }

  @Test
  void closingAFileWaitsForAWriteWithoutADeadline() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch mayWrite = new CountDownLatch(1);
    boolean[] gated = {false};
    IoEngine slow =
        GatedEngine.before(
            "write",
            engine,
            () -> {
              if (gated[0]) {
                writing.countDown();
                await(mayWrite);
              }
            });
    try (BufferManager manager = new BufferManager(slow, budget, OPTIONS)) {
      CachedPageFile file = createDirty(manager, FILE);
      gated[0] = true;
      FutureTask<Throwable> flush = new FutureTask<>(() -> failureOf(file::flush));
      Thread flusher = Thread.ofPlatform().start(flush);
      await(writing);
      FutureTask<Throwable> close = new FutureTask<>(() -> failureOf(file::close));
      Thread closer = Thread.ofPlatform().start(close);
      try {
        awaitUntimedWait(closer);
      } finally {
        mayWrite.countDown();
      }
      flusher.join();
      closer.join();
      assertNull(close.get());
      assertEquals(8, manager.stats().freeFrames());
    }
    assertEquals(0, budget.usedBytes());
  }

  private interface Work {
    void run() throws IOException;
  }

  private static Throwable failureOf(Work work) {
    try {
      work.run();
      return null;
    } catch (Throwable e) {
      return e;
    }
  }

  private static CachedPageFile createDirty(BufferManager manager, Path path) throws IOException {
    CachedPageFile file =
        manager.openPages(path, PageSize.BYTES_1024, OpenMode.CREATE_NEW, TornPages.NONE);
    try (Fix fix = new Fix()) {
      file.create(fix);
    }
    return file;
  }

  /** Returns when a thread waits and no clock will wake it. */
  private static void awaitUntimedWait(Thread thread) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (thread.getState() != Thread.State.WAITING) {
      assertTrue(System.nanoTime() < deadline, () -> "has a deadline or ended: " + thread);
      Thread.onSpinWait();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
