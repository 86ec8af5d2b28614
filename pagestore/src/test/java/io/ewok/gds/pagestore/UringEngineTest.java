package io.ewok.gds.pagestore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

/** The ring, shallower than its load. */
class UringEngineTest extends LinuxEngineTest {
  @Override
  IoEngine openEngine() throws IOException {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    return new UringEngine(
        EngineOptions.defaults().withQueueDepth(8).withSyncMethod(SyncMethod.DSYNC),
        probe.setupFlags(),
        new EngineChoice("URING", List.of()));
  }

  @Test
  void longTransfersGoInParts() throws IOException {
    int length = 8 << 20;
    Region large = Region.map(budget, RegionOptions.ofSize(length));
    try (IoFile file = create("data")) {
      file.truncate(length);
      long before = engine.stats().nativeCalls();
      IoRequest request = new IoRequest();
      engine.submit(request.prepareRead(file, 0, large, 0, length));
      assertEquals(length, request.await());
      long calls = engine.stats().nativeCalls() - before;
      assertTrue(calls >= length / TransferProgress.CALL_BYTES_MAX, "calls=" + calls);
      assertEquals(1, engine.stats().reads());
    } finally {
      large.close();
    }
  }

  /** More than the ring takes, so that some are cancelled before the kernel has them. */
  @Test
  void waitingRequestsAreCancelled() throws IOException {
    int count = 100;
    IoRequest[] requests = new IoRequest[count];
    int cancelled = 0;
    try (IoFile file = create("data")) {
      for (int round = 0; round < 100 && cancelled == 0; round++) {
        for (int i = 0; i < count; i++) {
          requests[i] = new IoRequest().prepareWrite(file, 0, region, 0, UNIT).synced();
        }
        engine.submitAll(requests, count);
        for (int i = count - 1; i >= 0; i--) {
          engine.cancel(requests[i]);
        }
        for (IoRequest request : requests) {
          try {
            assertEquals(UNIT, request.await());
          } catch (CancellationException e) {
            cancelled++;
          }
        }
      }
      assertTrue(cancelled > 0, "nothing was cancelled");
      file.writeSynced(0, region, 0, UNIT);
    }
  }
}
