package io.ewok.gds.pagestore.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Transfers that take time, on the virtual clock. */
class SimLatencyTest {
  private static final int UNIT = 4096;
  private static final long LEAST = 50_000;
  private static final long MOST = 150_000;
  private static final long TAIL = 10_000_000;
  private static final Path FILE = Path.of("/f");
  private static final SimOptions OPTIONS =
      SimOptions.defaults().withLatency(new SimLatency(LEAST, MOST, 0.1, TAIL));

  private final MemoryBudget budget = MemoryBudget.root("test", 1 << 20);
  private final Region region = Region.map(budget, RegionOptions.ofSize(1 << 20));
  private final SimEngine engine = new SimEngine(1, OPTIONS);
  private final SimClock clock = engine.clock();

  @AfterEach
  void close() {
    engine.close();
    region.close();
  }

  private IoFile create() throws IOException {
    IoFile file = engine.open(FILE, OpenMode.CREATE_NEW);
    engine.syncDirectory(FILE.getParent());
    return file;
  }

  private IoRequest write(IoFile file, int unit, int value) {
    region.segment().asSlice((long) unit * UNIT, UNIT).fill((byte) value);
    long at = (long) unit * UNIT;
    IoRequest request = new IoRequest().prepareWrite(file, at, region, at, UNIT);
    engine.submit(request);
    return request;
  }

  private byte firstByte(SimEngine from, int unit) throws IOException {
    try (IoFile file = from.open(FILE, OpenMode.READ_ONLY);
        Region memory = Region.map(MemoryBudget.root("read", UNIT), RegionOptions.ofSize(UNIT))) {
      int count = file.read((long) unit * UNIT, memory, 0, UNIT);
      return count == 0 ? 0 : memory.segment().get(ValueLayout.JAVA_BYTE, 0);
    }
  }

  @Test
  void requestEndsWhenItsTimeHasPassed() throws IOException {
    IoFile file = create();
    IoRequest request = write(file, 0, 1);
    assertFalse(request.isDone());
    assertEquals(0, file.sizeBytes(), "it has had no effect yet");
    assertThrows(IllegalStateException.class, region::close);
    clock.advance(LEAST - 1);
    assertFalse(request.isDone());
    clock.advance(MOST + TAIL);
    assertTrue(request.isDone());
    assertEquals(UNIT, file.sizeBytes());
    assertEquals(LEAST - 1 + MOST + TAIL, clock.getAsLong());
  }

  @Test
  void awaitMovesTheClockNoFurtherThanNeeded() throws IOException {
    IoFile file = create();
    IoRequest request = write(file, 0, 1);
    assertEquals(UNIT, request.await());
    long took = clock.getAsLong();
    assertTrue(took >= LEAST && took <= MOST + TAIL, "took=" + took);
    assertEquals(UNIT, request.await());
    assertEquals(took, clock.getAsLong());
    file.write(0, region, 0, UNIT);
    assertTrue(clock.getAsLong() >= took + LEAST, "blocking calls take time too");
  }

  @Test
  void timesAreWithinTheirBoundsAndSomeAreOfTheTail() throws IOException {
    IoFile file = create();
    int tails = 0;
    for (int i = 0; i < 1000; i++) {
      long before = clock.getAsLong();
      file.read(0, region, 0, UNIT);
      long took = clock.getAsLong() - before;
      long rest = took >= TAIL ? took - TAIL : took;
      assertTrue(rest >= LEAST && rest <= MOST, "took=" + took);
      tails += took >= TAIL ? 1 : 0;
    }
    assertTrue(tails > 50 && tails < 150, "tails=" + tails);
  }

  @Test
  void requestsOvertakeEachOther() throws IOException {
    IoFile file = create();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      int number = i;
      IoRequest request = new IoRequest().prepareRead(file, 0, region, 0, UNIT);
      engine.submit(request.onComplete((_, _, _) -> order.add(number)));
    }
    clock.advance(MOST);
    assertTrue(order.size() < 50, "those of the tail are still under way");
    clock.advance(TAIL);
    assertEquals(50, order.size());
    assertNotEquals(order.stream().sorted().toList(), order);
  }

  /** What a sync promises, and no more: whoever does not wait for his write is found out. */
  @Test
  void syncIsOfWhatHadEndedWhenItBegan() throws IOException {
    for (int order = 0; order < 2; order++) {
      boolean patient = order == 0;
      int lost = 0;
      for (long seed = 0; seed < 40; seed++) {
        try (SimEngine mine = new SimEngine(seed, OPTIONS)) {
          IoFile file = mine.open(FILE, OpenMode.CREATE_NEW);
          mine.syncDirectory(FILE.getParent());
          region.segment().fill((byte) 1);
          IoRequest write = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
          IoRequest sync = new IoRequest().prepareSync(file);
          mine.submit(write);
          if (patient) {
            write.await();
          }
          mine.submit(sync);
          write.await();
          sync.await();
          lost += firstByte(mine.crash(seed), 0) == 1 ? 0 : 1;
        }
      }
      assertEquals(patient, lost == 0, "lost=" + lost);
    }
  }

  @Test
  void syncIsNotOfWhatEndedWhileItWasUnderWay() throws IOException {
    int overtaken = 0;
    int lost = 0;
    for (long seed = 0; seed < 40; seed++) {
      try (SimEngine mine = new SimEngine(seed, OPTIONS)) {
        IoFile file = mine.open(FILE, OpenMode.CREATE_NEW);
        mine.syncDirectory(FILE.getParent());
        region.segment().fill((byte) 1);
        IoRequest write = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
        IoRequest sync = new IoRequest().prepareSync(file);
        mine.submit(sync);
        mine.submit(write);
        write.await();
        if (!sync.isDone()) {
          overtaken++;
          sync.await();
          lost += firstByte(mine.crash(seed), 0) == 1 ? 0 : 1;
        }
      }
    }
    assertTrue(overtaken > 5 && lost > 0, "overtaken=%d lost=%d".formatted(overtaken, lost));
  }

  @Test
  void syncedWriteMakesNothingElseDurable() throws IOException {
    IoFile file = create();
    write(file, 0, 1).await();
    IoRequest request = new IoRequest().prepareWrite(file, UNIT, region, 0, UNIT).synced();
    engine.submit(request);
    request.await();
    boolean lost = false;
    for (long seed = 0; seed < 20; seed++) {
      SimEngine after = engine.crash(seed);
      assertEquals(1, firstByte(after, 1));
      lost |= firstByte(after, 0) == 0;
    }
    assertTrue(lost);
  }

  @Test
  void crashForgetsWhatIsInFlight() throws IOException {
    IoFile file = create();
    IoRequest request = write(file, 0, 1);
    try (SimEngine after = engine.crash(1)) {
      assertFalse(request.isDone());
      assertEquals(0, firstByte(after, 0));
      assertFalse(request.isDone(), "what is done after the crash does not move this engine");
      after.clock().advance(10 * TAIL);
      assertFalse(request.isDone());
    }
  }

  @Test
  void closeLetsWhatIsInFlightEnd() throws IOException {
    IoFile file = create();
    IoRequest first = write(file, 0, 1);
    file.close();
    assertTrue(first.isDone());
    IoFile again = engine.open(FILE, OpenMode.READ_WRITE);
    IoRequest second = write(again, 1, 1);
    engine.close();
    assertTrue(second.isDone());
    assertThrows(IllegalStateException.class, () -> write(again, 0, 1));
  }

  @Test
  void completionMayCloseItsFileButNotTheEngine() throws IOException {
    IoFile file = create();
    List<String> told = new ArrayList<>();
    IoRequest request = new IoRequest().prepareRead(file, 0, region, 0, UNIT);
    engine.submit(
        request.onComplete(
            (_, _, _) -> {
              try {
                assertThrows(IllegalStateException.class, engine::close);
                file.close();
                told.add("closed");
              } catch (IOException e) {
                told.add(e.toString());
              }
            }));
    clock.advance(MOST + TAIL);
    assertEquals(List.of("closed"), told);
    assertThrows(IllegalStateException.class, file::sizeBytes);
    engine.open(FILE, OpenMode.READ_ONLY).close();
  }

  @Test
  void cancelledRequestsEndAtOnceOrAsIfNothingHadBeenAsked() throws IOException {
    IoFile file = create();
    file.write(0, region, 0, UNIT);
    int cancelled = 0;
    int count = 100;
    for (int i = 0; i < count; i++) {
      IoRequest request = new IoRequest().prepareRead(file, 0, region, 0, UNIT);
      engine.submit(request);
      engine.cancel(request);
      boolean atOnce = request.isDone();
      try {
        assertEquals(UNIT, request.await());
        assertFalse(atOnce);
      } catch (CancellationException e) {
        assertTrue(atOnce);
        cancelled++;
      }
      engine.cancel(request);
    }
    assertTrue(cancelled > 20 && cancelled < 80, "cancelled=" + cancelled);
  }

  @Test
  void failuresAreToldWhenTheTimeHasPassed() throws IOException {
    IoFile file = create();
    engine.failNth(SimOperation.WRITE, 1, Errno.EIO);
    IoRequest request = write(file, 0, 1);
    StorageException e = assertThrows(StorageException.class, request::await);
    assertTrue(e.getMessage().contains("errno=EIO"), e.getMessage());
    engine.onSync(
        () -> {
          throw new AssertionError("of the hook");
        });
    assertThrows(AssertionError.class, file::sync);
  }

  @Test
  void batchThatCannotStartLeavesNothing() throws IOException {
    IoFile file = create();
    IoFile closed = engine.open(Path.of("/g"), OpenMode.CREATE_NEW);
    IoRequest good = new IoRequest().prepareWrite(file, 0, region, 0, UNIT);
    IoRequest bad = new IoRequest().prepareWrite(closed, 0, region, 0, UNIT);
    closed.close();
    assertThrows(
        IllegalStateException.class, () -> engine.submitAll(new IoRequest[] {good, bad}, 2));
    assertFalse(clock.step());
    engine.submit(good);
    assertEquals(UNIT, good.await());
  }

  @Test
  void sameSeedIsTheSameTrace() throws IOException {
    assertEquals(-54572449630032109L, trace(5), "golden: a seed means the same for ever");
    assertEquals(trace(5), trace(5));
    assertNotEquals(trace(5), trace(6));
  }

  /** Runs a load with faults and many requests in flight; returns the hash of what happened. */
  private long trace(long seed) throws IOException {
    SimOptions options =
        OPTIONS
            .withRate(SimFault.SHORT_TRANSFER, 0.2)
            .withRate(SimFault.READ_ERROR, 0.1)
            .withRate(SimFault.MISDIRECTED_WRITE, 0.1);
    SplittableRandom random = new SplittableRandom(7);
    try (SimEngine mine = new SimEngine(seed, options)) {
      IoFile file = mine.open(FILE, OpenMode.CREATE_NEW);
      IoRequest[] requests = new IoRequest[16];
      Arrays.setAll(requests, _ -> new IoRequest());
      for (int round = 0; round < 100; round++) {
        for (IoRequest request : requests) {
          long at = (long) random.nextInt(50) * UNIT;
          if (random.nextBoolean()) {
            request.prepareRead(file, at, region, at, UNIT);
          } else {
            request.prepareWrite(file, at, region, at, UNIT);
          }
        }
        mine.submitAll(requests, requests.length);
        for (IoRequest request : requests) {
          try {
            request.await();
          } catch (StorageException expected) {
            // In the trace.
          }
        }
      }
      return mine.traceHash();
    }
  }

  @Test
  void clockRunsEventsInTheirOrder() {
    List<String> done = new ArrayList<>();
    SimClock alone = new SimClock();
    Runnable never = () -> done.add("never");
    alone.after(20, () -> done.add("c" + alone.getAsLong()));
    alone.after(10, () -> done.add("a" + alone.getAsLong()));
    alone.after(15, never);
    alone.after(10, () -> alone.after(5, () -> done.add("b" + alone.getAsLong())));
    assertTrue(alone.cancel(never));
    assertFalse(alone.cancel(never));
    alone.advance(19);
    assertEquals(List.of("a10", "b15"), done);
    assertEquals(19, alone.getAsLong());
    assertTrue(alone.step());
    assertFalse(alone.step());
    assertEquals(List.of("a10", "b15", "c20"), done);
    assertEquals(20, alone.getAsLong());
    assertThrows(IllegalArgumentException.class, () -> alone.advance(-1));
  }

  @Test
  void latenciesAreChecked() {
    assertThrows(IllegalArgumentException.class, () -> new SimLatency(-1, 0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new SimLatency(2, 1, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new SimLatency(0, 0, 2, 0));
    assertThrows(IllegalArgumentException.class, () -> new SimLatency(0, 0, 0, -1));
  }
}
