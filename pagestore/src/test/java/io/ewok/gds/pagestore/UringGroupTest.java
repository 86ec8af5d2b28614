package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.allocator.numa.NumaNode;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.ffm.LinuxThreads;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.reactor.GroupOptions;
import io.ewok.gds.reactor.Reactor;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** Two rings, each shallower than its load. */
class UringGroupTest extends LinuxEngineTest {
  private static final int NODE = 7;
  private static final long PIECE = NodeTraffic.PIECE_BYTES;

  private static EngineOptions options() {
    return EngineOptions.defaults()
        .withWanted(EngineKind.URING)
        .withQueueDepth(8)
        .withSyncMethod(SyncMethod.FDATASYNC)
        .withReactors(EngineOptions.defaults().reactors().withCount(2));
  }

  @Override
  IoEngine openEngine() throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    return IoEngines.open(options());
  }

  private static NumaNode node(int id, int cpu) {
    BitSet cpus = new BitSet();
    cpus.set(cpu);
    return new NumaNode(id, cpus, 1 << 20, 1 << 20, List.of(10, 20));
  }

  /** An engine on two nodes, memory in turn on each, with a reactor on each. */
  private static IoEngine onTwoNodes() throws IOException {
    BitSet own = LinuxThreads.affinity();
    assumeTrue(own.cardinality() > 1, "one CPU alone");
    int first = own.nextSetBit(0);
    NumaTopology machine =
        NumaTopology.declared(List.of(node(0, first), node(NODE, own.nextSetBit(first + 1))));
    GroupOptions group = options().reactors().withNodes(List.of(0, NODE));
    return new UringEngine(
        options().withReactors(group),
        UringProbe.probe().setupFlags(),
        new EngineChoice("URING", List.of()),
        machine,
        piece -> piece.address() / PIECE % 2 == 0 ? 0 : NODE);
  }

  private static long served(IoEngine engine, int reactor) {
    return engine.reactors().get(reactor).stats().completedCount();
  }

  @Test
  void theyAreTold() {
    assertEquals(2, engine.reactors().size());
    assertTrue(engine.description().contains(", 2 reactors of each"), engine.description());
  }

  @Test
  void threadsAreServedByBoth() throws Exception {
    try (IoFile file = create("data")) {
      file.write(0, region, 0, UNIT);
      onThreads(true, 16, i -> () -> file.read(0, region, (long) i * UNIT, UNIT));
      assertTrue(served(engine, 0) > 0 && served(engine, 1) > 0);
      assertEquals(16, served(engine, 0) + served(engine, 1));
    }
  }

  @Test
  void fiberIsServedByItsReactor() throws Exception {
    try (IoFile file = create("data")) {
      file.write(0, region, 0, UNIT);
      for (int i = 0; i < 2; i++) {
        long other = served(engine, 1 - i);
        long own = served(engine, i);
        long signals = engine.reactors().get(1 - i).stats().signalCount();
        int bytes =
            engine
                .reactors()
                .get(i)
                .submit(
                    () -> {
                      int sum = 0;
                      for (int read = 0; read < 10; read++) {
                        sum += file.read(0, region, 0, UNIT);
                      }
                      return sum;
                    })
                .get();
        assertEquals(10 * UNIT, bytes);
        assertEquals(own + 10, served(engine, i));
        assertEquals(other, served(engine, 1 - i));
        assertEquals(signals, engine.reactors().get(1 - i).stats().signalCount());
      }
    }
  }

  @Test
  void memoryIsServedOnItsNodeAndTheRestIsCounted() throws Exception {
    try (IoEngine placed = onTwoNodes();
        Region pieces = Region.map(budget, RegionOptions.ofSize(4 * PIECE));
        IoFile file = placed.open(directory.resolve("data"), OpenMode.CREATE_NEW)) {
      placed.register(pieces);
      IoRequest[] requests = new IoRequest[20];
      for (int i = 0; i < requests.length; i++) {
        long at = i % 2 * PIECE + (long) i * UNIT;
        requests[i] = new IoRequest().prepareWrite(file, (long) i * UNIT, pieces, at, UNIT);
      }
      placed.submitAll(requests, requests.length);
      for (IoRequest request : requests) {
        assertEquals(UNIT, request.await());
      }
      assertEquals(10, served(placed, 0));
      assertEquals(10, served(placed, 1));
      assertEquals(0, placed.stats().remoteOperations());

      Reactor second = placed.reactors().get(1);
      for (int i = 0; i < 2; i++) {
        long at = i * PIECE;
        int before = (int) placed.stats().remoteOperations();
        assertEquals(UNIT, second.submit(() -> file.read(0, pieces, at, UNIT)).get());
        boolean remote = placed.stats().remoteOperations() > before;
        int node = (pieces.address() + at) / PIECE % 2 == 0 ? 0 : NODE;
        assertEquals(node == 0, remote, "i=" + i);
      }
      assertEquals(UNIT, placed.stats().remoteBytes());
      assertEquals(12, served(placed, 1));
      placed.unregister(pieces);
    }
  }

  @Test
  void capsHoldForAllTogether() throws Exception {
    int count = 16;
    ClassLimits one = ClassLimits.NONE.withRead(IoRate.ofBytes(1)); // the next in an hour
    try (IoFile file = create("data")) {
      file.write(0, region, 0, UNIT);
      engine.setThrottle(ThrottleOptions.UNLIMITED.with(WorkClass.FOREGROUND, one));
      IoRequest[] requests = new IoRequest[count];
      onThreads(
          true,
          count,
          i ->
              () -> {
                requests[i] = new IoRequest().prepareRead(file, 0, region, 0, UNIT);
                engine.submit(requests[i]);
              });
      ClassStats stats = engine.stats(WorkClass.FOREGROUND);
      assertEquals(1, stats.operations(), stats.toString());
      assertEquals(count - 1, stats.waiting(), stats.toString());
      engine.setThrottle(ThrottleOptions.UNLIMITED);
      for (IoRequest request : requests) {
        assertEquals(UNIT, request.await());
      }
    }
  }

  @Test
  void waitingRequestsAreCancelledWhereTheyAre() throws Exception {
    int count = 100;
    int cancelled = 0;
    try (IoFile file = create("data")) {
      for (int round = 0; round < 100 && cancelled == 0; round++) {
        IoRequest[] requests = new IoRequest[count];
        onThreads(
            true,
            count,
            i ->
                () -> {
                  requests[i] = new IoRequest().prepareWrite(file, 0, region, 0, UNIT).synced();
                  engine.submit(requests[i]);
                  engine.cancel(requests[i]);
                });
        for (IoRequest request : requests) {
          try {
            assertEquals(UNIT, request.await());
          } catch (CancellationException e) {
            cancelled++;
          }
        }
      }
      assertTrue(cancelled > 0, "nothing was cancelled");
    }
  }

  @Test
  void closeIsRefusedOnItsReactors() throws Exception {
    Reactor second = engine.reactors().get(1);
    ExecutionException e =
        assertThrows(
            ExecutionException.class,
            () ->
                second
                    .submit(
                        () -> {
                          engine.close();
                          return null;
                        })
                    .get());
    assertTrue(e.getCause() instanceof IllegalStateException, e.toString());
    create("data").close();
  }

  @Test
  void settingsMakeThem() throws IOException {
    EngineOptions two = EngineOptions.from(Map.of("reactor.count", "2", "io.queue-depth", "3"));
    assertEquals(2, two.reactors().count());
    try (IoEngine opened = IoEngines.open(two)) {
      assertEquals(2, opened.reactors().size());
    }
  }
}
