package io.ewok.gds.buffers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimLatency;
import io.ewok.gds.pagestore.sim.SimOptions;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tasks of one reactor that wait in one pool and one log. What ends each wait is another task of
 * the same reactor, so it never comes where a wait stops the loop.
 */
@ParameterizedClass
@EnumSource(names = {"REACTOR", "VIRTUAL"})
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class FiberWaitsTest {
  private static final Path FILE = Path.of("/blocks");
  private static final int FRAME = 4096;
  private static final BufferOptions OPTIONS = new BufferOptions(8 * FRAME, FRAME, null);

  private final SimEngine sim = new SimEngine(1);
  private final Reactor reactor;

  /**
   * What the device does, once {@link #slow} is set, in the operation it is asked to be slow in.
   */
  private final Baton busy = new Baton();

  private final Baton go = new Baton();
  private final AtomicInteger appended = new AtomicInteger();
  private boolean slow;

  FiberWaitsTest(FiberMode mode) throws IOException {
    reactor =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("fiber-waits-test")
                .withFibers(FiberOptions.defaults().withMode(mode)));
  }

  @AfterEach
  @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // of a loop that stands still
  void close() {
    reactor.close();
  }

  private interface Body {
    void run() throws Exception;
  }

  private static final class Tester extends Task {
    private final Body body;

    Tester(Kind kind, Body body) {
      super(kind, Scratch.NONE);
      this.body = body;
    }

    @Override
    protected void run() throws Exception {
      body.run();
    }
  }

  private Tester post(Task.Kind kind, Body body) {
    Tester task = new Tester(kind, body);
    reactor.post(task);
    return task;
  }

  private static void awaitAll(List<Tester> tasks) throws ExecutionException {
    for (Tester task : tasks) {
      task.await();
    }
  }

  /** An engine whose next such operation after {@link #slow} lasts until {@link #go}. */
  private IoEngine slowIn(String operation) {
    return GatedEngine.before(
        operation,
        sim,
        () -> {
          if (slow) {
            slow = false;
            busy.post();
            go.await();
          }
        });
  }

  private static void fixShortly(CachedBlockFile file) throws IOException {
    try (Fix fix = new Fix()) {
      file.fix(0, 512, fix);
    }
  }

  @Test
  void allWaitForTheReadOfOneFiber() throws Exception {
    BufferFixture.writeBlocks(sim, FILE, 8);
    try (BufferManager manager =
            new BufferManager(slowIn("read"), BufferFixture.budget(), OPTIONS);
        CachedBlockFile file = manager.openBlocks(FILE, BufferFixture::verifyBlock)) {
      slow = true;
      List<Tester> tasks = new ArrayList<>();
      tasks.add(post(Task.Kind.FIBER, () -> fixShortly(file)));
      busy.await();
      for (int i = 0; i < 20; i++) {
        tasks.add(post(Task.Kind.FIBER, () -> fixShortly(file)));
      }
      tasks.add(post(Task.Kind.DIRECT, () -> fixShortly(file)));
      post(Task.Kind.DIRECT, go::post).await();
      awaitAll(tasks);
      assertEquals(1, manager.stats().misses());
      assertEquals(21, manager.stats().hits());
    }
  }

  @Test
  void whatADirectTaskReadsIsRefusedToTheOnesOnTopOfIt() throws Exception {
    BufferFixture.writeBlocks(sim, FILE, 8);
    try (BufferManager manager =
            new BufferManager(slowIn("read"), BufferFixture.budget(), OPTIONS);
        CachedBlockFile file = manager.openBlocks(FILE, BufferFixture::verifyBlock)) {
      slow = true;
      Tester reading = post(Task.Kind.DIRECT, () -> fixShortly(file));
      busy.await();
      Tester fiber = post(Task.Kind.FIBER, () -> fixShortly(file));
      Tester onTop = post(Task.Kind.DIRECT, () -> fixShortly(file));
      ExecutionException e = assertThrows(ExecutionException.class, onTop::await);
      assertInstanceOf(IllegalStateException.class, e.getCause());
      post(Task.Kind.DIRECT, go::post).await();
      reading.await();
      fiber.await();
    }
  }

  @Test
  void latchesAreWaitedForWithTheLoopTurning() throws Exception {
    try (BufferManager manager = new BufferManager(sim, BufferFixture.budget(), OPTIONS);
        CachedPageFile file =
            manager.openPages(Path.of("/pages"), PageSize.BYTES_4096, OpenMode.CREATE_NEW)) {
      Tester holder =
          post(
              Task.Kind.FIBER,
              () -> {
                try (Fix fix = new Fix()) {
                  file.create(fix);
                  busy.post();
                  go.await();
                }
              });
      busy.await();
      Body reading =
          () -> {
            try (Fix fix = new Fix()) {
              file.fixShared(1, fix);
            }
          };
      List<Tester> tasks = new ArrayList<>();
      tasks.add(holder);
      tasks.add(post(Task.Kind.FIBER, reading));
      tasks.add(post(Task.Kind.DIRECT, reading));
      tasks.add(post(Task.Kind.DIRECT, file::flush));
      post(Task.Kind.DIRECT, go::post).await();
      awaitAll(tasks);
      assertEquals(0, manager.stats().dirty());
    }
  }

  @Test
  void roomIsWaitedForWithTheLoopTurning() throws Exception {
    BufferFixture.writeBlocks(sim, FILE, 64);
    try (BufferManager manager = new BufferManager(sim, BufferFixture.budget(), OPTIONS);
        CachedBlockFile file = manager.openBlocks(FILE, BufferFixture::verifyBlock)) {
      Tester holder =
          post(
              Task.Kind.FIBER,
              () -> {
                try (Fix fix = new Fix()) {
                  file.fix(512, 7 * FRAME, fix);
                  busy.post();
                  go.await();
                }
              });
      busy.await();
      Body wanting =
          () -> {
            try (Fix fix = new Fix()) {
              file.fix(0, 2 * FRAME, fix);
            }
          };
      List<Tester> tasks = new ArrayList<>();
      tasks.add(holder);
      tasks.add(post(Task.Kind.FIBER, wanting));
      tasks.add(post(Task.Kind.DIRECT, wanting));
      post(Task.Kind.DIRECT, go::post).await();
      awaitAll(tasks);
    }
  }

  private WriteAheadLog openLog(IoEngine engine) throws IOException {
    return WriteAheadLog.open(
        engine,
        Path.of("/log"),
        new LogOptions(64 << 10, 4, 8 << 10),
        BufferFixture.budget(),
        (lsn, record) -> {});
  }

  private void commit(WriteAheadLog log) throws IOException {
    long lsn = log.append(MemorySegment.ofArray(new byte[100]));
    appended.incrementAndGet();
    log.sync(lsn);
    assertTrue(log.durableLsn() >= lsn);
  }

  /** Whoever is handed the turn takes it, also if he lies beneath others who wait for it. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void turnsOfTheLogAreWaitedForWithTheLoopTurning(boolean directFirst) throws Exception {
    try (WriteAheadLog log = openLog(slowIn("writeSynced"))) {
      slow = true;
      List<Tester> tasks = new ArrayList<>();
      tasks.add(post(Task.Kind.FIBER, () -> commit(log)));
      busy.await();
      int direct = directFirst ? 0 : 20;
      for (int i = 0; i < 22; i++) {
        Task.Kind kind = i == direct || i == direct + 1 ? Task.Kind.DIRECT : Task.Kind.FIBER;
        tasks.add(post(kind, () -> commit(log)));
        while (appended.get() < tasks.size()) {
          Thread.onSpinWait();
        }
      }
      post(Task.Kind.DIRECT, go::post).await();
      awaitAll(tasks);
      assertEquals(2, log.stats().syncs(), () -> log.stats().toString());
    }
  }

  @Test
  void theTurnOfADirectTaskIsRefusedToTheOnesOnTopOfItAndNothingIsLost() throws Exception {
    try (WriteAheadLog log = openLog(slowIn("writeSynced"))) {
      slow = true;
      Tester writing = post(Task.Kind.DIRECT, () -> commit(log));
      busy.await();
      Tester onTop = post(Task.Kind.DIRECT, () -> commit(log));
      ExecutionException e = assertThrows(ExecutionException.class, onTop::await);
      assertInstanceOf(IllegalStateException.class, e.getCause());
      Tester closing = post(Task.Kind.DIRECT, log::close);
      e = assertThrows(ExecutionException.class, closing::await);
      assertInstanceOf(IllegalStateException.class, e.getCause());
      post(Task.Kind.DIRECT, go::post).await();
      writing.await();
      log.sync(log.endLsn());
      assertEquals(2, log.stats().records());
    }
  }

  /** A frame that a thread waits to write may hold another file's page when the thread goes on. */
  @Test
  void aFlushEndsWithTheFileThatItWaitsFor() throws Exception {
    BufferOptions options = OPTIONS.withWaitMax(Duration.ofMillis(200));
    try (BufferManager manager = new BufferManager(sim, BufferFixture.budget(), options)) {
      CachedPageFile file = createPages(manager, "/first", 1);
      CachedPageFile other = createPages(manager, "/other", options.frameCount());
      boolean[] waits = new boolean[1];
      Tester flush =
          new Tester(
              Task.Kind.FIBER,
              () -> {
                waits[0] = true;
                file.flush();
              });
      Tester closing =
          post(
              Task.Kind.FIBER,
              () -> {
                Fix fix = new Fix();
                file.fixExclusive(1, fix);
                fix.markDirty(0);
                reactor.post(flush);
                while (!waits[0]) {
                  Task.yieldNow();
                }
                fix.unfix();
                file.close();
                List<Fix> all = new ArrayList<>();
                for (int page = 1; page <= options.frameCount(); page++) {
                  all.add(new Fix());
                  other.fixExclusive(page, all.getLast());
                }
                flush.await();
                all.forEach(Fix::close);
              });
      closing.await();
    }
  }

  private static CachedPageFile createPages(BufferManager manager, String path, int count)
      throws IOException {
    CachedPageFile file =
        manager.openPages(Path.of(path), PageSize.BYTES_4096, OpenMode.CREATE_NEW);
    for (int page = 1; page <= count; page++) {
      try (Fix fix = new Fix()) {
        file.create(fix);
      }
    }
    return file;
  }

  /** As when a ring is lost: nobody knows when the kernel leaves the frame alone. */
  @Test
  void aFrameThatTheDeviceKeepsIsWaitedForNoLongerThanAnyOther() throws Exception {
    SimEngine engine =
        new SimEngine(1, SimOptions.defaults().withLatency(new SimLatency(1000, 1000, 0, 0)));
    BufferFixture.writeBlocks(engine, FILE, 64);
    BufferOptions options = OPTIONS.withWaitMax(Duration.ofMillis(20));
    BufferManager[] made = new BufferManager[1];
    IoRequest lost = new IoRequest();
    boolean[] loses = {true};
    try (IoFile kept = engine.open(FILE, OpenMode.READ_ONLY)) {
      IoEngine losing =
          GatedEngine.before(
              "read",
              engine,
              () -> {
                if (loses[0]) {
                  loses[0] = false;
                  Region region = made[0].table().frames()[0].region;
                  engine.submit(lost.prepareRead(kept, 0, region, 0, 8 * FRAME));
                  throw new IOException("lost");
                }
              });
      try (BufferManager manager = new BufferManager(losing, BufferFixture.budget(), options);
          CachedBlockFile file = manager.openBlocks(FILE, BufferFixture::verifyBlock)) {
        made[0] = manager;
        assertThrows(IOException.class, () -> file.fix(0, 8 * FRAME, new Fix()));
        assertThrows(PoolExhaustedException.class, () -> fixShortly(file));
        lost.await();
        fixShortly(file);
        assertFalse(loses[0]);
      }
    }
  }
}
