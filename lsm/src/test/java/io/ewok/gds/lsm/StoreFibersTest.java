package io.ewok.gds.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.reactor.FiberMode;
import io.ewok.gds.reactor.FiberOptions;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.Task;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A store used by the tasks of one reactor. */
@ParameterizedClass
@EnumSource(names = {"REACTOR", "VIRTUAL"})
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
final class StoreFibersTest {
  private static final int FIBERS = 16;
  private static final int PUTS = 60;

  private final SimEngine engine = new SimEngine(1);
  private final Reactor reactor;

  StoreFibersTest(FiberMode mode) throws IOException {
    reactor =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("store-fibers-test")
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

  private Store open() throws IOException {
    return Store.open(Fixtures.DIRECTORY, Fixtures.TINY, engine);
  }

  private static byte[] key(int fiber, int put) {
    return Fixtures.bytes("key %d %d".formatted(fiber, put));
  }

  /** Enough to fill memtables, so that writers wait for flushes, for the log and for each other. */
  @Test
  void fibersWriteAndDirectTasksRead() throws Exception {
    long seed = Fixtures.seed(20261121);
    byte[] value = Fixtures.randomBytes(new SplittableRandom(seed), 4000);
    try (Store store = open()) {
      List<Tester> writers = new ArrayList<>();
      for (int i = 0; i < FIBERS; i++) {
        int fiber = i;
        writers.add(
            post(
                Task.Kind.FIBER,
                () -> {
                  for (int put = 0; put < PUTS; put++) {
                    Durability durability = put % 4 == 0 ? Durability.SYNCED : Durability.NONE;
                    store.put(key(fiber, put), value, durability);
                  }
                }));
      }
      for (Tester writer : writers) {
        writer.await();
      }
      Tester maintenance =
          post(
              Task.Kind.FIBER,
              () -> {
                store.flush();
                store.compact();
              });
      maintenance.await();
      Tester reader =
          post(
              Task.Kind.DIRECT,
              () -> {
                for (int fiber = 0; fiber < FIBERS; fiber++) {
                  assertArrayEquals(value, store.get(key(fiber, PUTS - 1)));
                }
                assertEquals(FIBERS * PUTS, Fixtures.contents(store).size());
              });
      reader.await();
    }
  }

  @Test
  void aDirectTaskNeitherWritesNorClosesAndTheStoreStaysAsItIs() throws Exception {
    byte[] key = key(0, 0);
    try (Store store = open()) {
      List<Body> refused =
          List.of(
              () -> store.put(key, key, Durability.SYNCED),
              () -> store.delete(key, Durability.NONE),
              store::flush,
              store::compact,
              store::close);
      for (Body body : refused) {
        Tester task = post(Task.Kind.DIRECT, body);
        ExecutionException e = assertThrows(ExecutionException.class, task::await);
        assertInstanceOf(IllegalStateException.class, e.getCause());
      }
      store.put(key, key, Durability.SYNCED);
      assertArrayEquals(key, store.get(key));
    }
  }

  /** The flush that a writer is held back for has its I/O to do there, too. */
  @Test
  void aWriterThatIsHeldBackForAMomentLetsOthersRun() throws Exception {
    AtomicLong nanos = new AtomicLong(1);
    StoreEvents events =
        new StoreEvents(Fixtures.DIRECTORY, StoreListener.NONE, new StoreCounters());
    WriteDelay delay = new WriteDelay(nanos::get, events);
    delay.setTablePressure(0.5);
    int bytes = 256;
    long nanosOfOne = (long) (bytes * 1e9 / (64 << 20)); // of the drain at first
    assertTrue(nanosOfOne < WriteDelay.SPIN_NANOS_MAX);
    AtomicBoolean hasOtherRun = new AtomicBoolean();
    Tester writer =
        post(
            Task.Kind.FIBER,
            () -> {
              post(Task.Kind.FIBER, () -> hasOtherRun.set(true));
              for (int i = 0; i < 1_000 && !hasOtherRun.get(); i++) {
                delay.await(bytes, 0, Long.MAX_VALUE); // the first in line
                delay.await(bytes, 0, Long.MAX_VALUE); // the second waits for its turn
                nanos.addAndGet(2 * nanosOfOne);
              }
              assertTrue(hasOtherRun.get());
            });
    writer.await();
  }
}
