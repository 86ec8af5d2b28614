package io.ewok.gds.buffers.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.ewok.gds.buffers.PageSize;
import io.ewok.gds.buffers.TornPages;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.sim.SimEngine;
import io.ewok.gds.pagestore.sim.SimFault;
import io.ewok.gds.pagestore.sim.SimOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class CounterHeapTest {
  private static final Path DIRECTORY = Path.of("/heap");
  private static final int COUNTERS = 20 * CounterHeap.COUNTERS_PER_PAGE;

  /**
   * What the counters were after each change of one life, and how many changes are acknowledged.
   */
  private static final class History {
    final List<long[]> states = new ArrayList<>();
    int acknowledged;

    void restart(long[] state) {
      states.clear();
      states.add(state);
      acknowledged = 0;
    }

    /** The state is that after some change, and after no less than those acknowledged. */
    void check(long[] found) {
      for (int i = states.size() - 1; i >= acknowledged; i--) {
        if (Arrays.equals(states.get(i), found)) {
          return;
        }
      }
      fail("no such state: changes=%d acknowledged=%d".formatted(states.size(), acknowledged));
    }
  }

  @Test
  void countersComeBackAfterClose() throws IOException {
    SimEngine engine = new SimEngine(1);
    CounterHeap.create(engine, DIRECTORY, PageSize.BYTES_512, TornPages.AUTO);
    History history = new History();
    history.restart(new long[COUNTERS]);
    try (CounterHeap heap = CounterHeap.open(engine, DIRECTORY, PageSize.BYTES_512)) {
      change(heap, history, new SplittableRandom(1), 3000);
      assertTrue(heap.stats().evictions() > 100, () -> heap.stats().toString());
    }
    try (CounterHeap heap = CounterHeap.open(engine.crash(1), DIRECTORY, PageSize.BYTES_512)) {
      assertArrayEquals(history.states.getLast(), read(heap));
    }
  }

  /** Pages, and a device: how much it transfers at least, and what it can write atomically. */
  private record Case(TornPages mode, PageSize size, int alignmentBytes, int atomicBytesMax) {
    SimEngine engine(long seed) {
      SimOptions options =
          SimOptions.defaults()
              .withAlignmentBytes(alignmentBytes)
              .withAtomicBytesMax(atomicBytesMax);
      return new SimEngine(seed, options);
    }
  }

  @Test
  void acknowledgedChangesSurviveAPowerCutAtAnyMoment() throws IOException {
    Case[] cases = {
      new Case(TornPages.NONE, PageSize.BYTES_512, 512, 0), // of one sector: it is not torn
      new Case(TornPages.AUTO, PageSize.BYTES_8192, 4096, 0),
      new Case(TornPages.DOUBLE_WRITE, PageSize.BYTES_1024, 4096, 0),
      new Case(TornPages.BACKUP, PageSize.BYTES_4096, 512, 0),
      new Case(TornPages.BACKUP, PageSize.BYTES_2048, 4096, 0),
      new Case(TornPages.AUTO, PageSize.BYTES_16384, 512, 16384),
    };
    int[] cuts = {0};
    for (Case one : cases) {
      for (long seed = 0; seed < 8; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        SimEngine engine = one.engine(seed);
        CounterHeap.create(engine, DIRECTORY, one.size(), one.mode());
        History history = new History();
        history.restart(new long[COUNTERS]);
        for (int life = 0; life < 4; life++) {
          CounterHeap heap = CounterHeap.open(engine, DIRECTORY, one.size());
          history.check(read(heap));
          history.restart(read(heap));
          SimEngine running = engine;
          SplittableRandom futures = random.split();
          engine.setRate(SimFault.TORN_SECTOR, one.mode() == TornPages.NONE ? 0 : 0.05);
          engine.onSync(
              () -> {
                if (futures.nextInt(24) == 0) {
                  cuts[0]++;
                  recoverAndCheck(running.crash(futures.nextLong()), history, one);
                }
              });
          change(heap, history, random, 200 + random.nextInt(200));
          engine = engine.crash(random.nextLong());
        }
      }
    }
    assertTrue(cuts[0] > 300, () -> "cuts=" + cuts[0]);
  }

  /** So the tests of the other modes can see. */
  @Test
  void aTornPageIsReportedAndNeverReadAsIfItWereWhole() throws IOException {
    int torn = 0;
    int whole = 0;
    for (long seed = 0; seed < 60; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      SimEngine engine = new SimEngine(seed);
      CounterHeap.create(engine, DIRECTORY, PageSize.BYTES_4096, TornPages.NONE);
      CounterHeap heap = CounterHeap.open(engine, DIRECTORY, PageSize.BYTES_4096);
      History history = new History();
      history.restart(new long[COUNTERS]);
      change(heap, history, random, 150);
      heap.checkpoint();
      history.acknowledged = history.states.size() - 1;
      change(heap, history, random, 50);
      try {
        history.check(read(CounterHeap.open(engine.crash(seed), DIRECTORY, PageSize.BYTES_4096)));
        whole++;
      } catch (CorruptFileException e) {
        torn++;
      }
    }
    assertTrue(torn > 0 && whole > 0, "torn=" + torn + " whole=" + whole);
  }

  private static void recoverAndCheck(SimEngine engine, History history, Case one) {
    try (CounterHeap heap = CounterHeap.open(engine, DIRECTORY, one.size())) {
      history.check(read(heap));
    } catch (IOException e) {
      throw new AssertionError(one.toString(), e);
    }
  }

  private static void change(
      CounterHeap heap, History history, SplittableRandom random, int changes) throws IOException {
    for (int i = 0; i < changes; i++) {
      int counter = random.nextInt(COUNTERS);
      long[] state = history.states.getLast().clone();
      state[counter] = random.nextLong();
      history.states.add(state);
      if (heap.isLogNearlyFull() || random.nextInt(200) == 0) {
        heap.checkpoint();
      }
      if (random.nextInt(20) == 0) {
        heap.clean();
      }
      heap.set(counter, state[counter]);
      if (random.nextInt(10) == 0) {
        heap.sync();
        history.acknowledged = history.states.size() - 1;
      }
    }
  }

  private static long[] read(CounterHeap heap) throws IOException {
    long[] values = new long[COUNTERS];
    for (int counter = 0; counter < COUNTERS; counter++) {
      values[counter] = heap.get(counter);
    }
    return values;
  }
}
