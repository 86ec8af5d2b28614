package io.ewok.gds.pagestore.sim;

import io.ewok.gds.pagestore.IoRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.SplittableRandom;

/** The requests that take their time. Takes the engine's lock itself, and guards all with it. */
final class SimInFlight {
  private final SimEngine engine;
  private final SimDevice device;
  private final SimLatency latency;
  private final SplittableRandom random;
  private final IdentityHashMap<IoRequest, SimTransfer> transfers = new IdentityHashMap<>();

  SimInFlight(SimEngine engine, SimDevice device, SimLatency latency, SplittableRandom random) {
    this.engine = engine;
    this.device = device;
    this.latency = latency;
    this.random = random;
  }

  /** Starts all, or on an exception none. */
  void start(IoRequest[] requests, int count) {
    List<SimTransfer> started = new ArrayList<>();
    try (SimEngine.Held _ = engine.hold()) {
      try {
        for (int i = 0; i < count; i++) {
          engine.requireOpen((SimFile) requests[i].file());
          started.add(new SimTransfer(engine.clock(), this, requests[i]));
        }
      } catch (RuntimeException e) {
        started.forEach(SimTransfer::rollBack);
        throw e;
      }
      for (SimTransfer transfer : started) {
        transfer.file().inFlight++;
        transfers.put(transfer.request(), transfer);
        engine.clock().after(latency.next(random), transfer);
      }
    }
  }

  /** The time of a transfer has come. */
  int perform(SimTransfer transfer) throws IOException {
    try (SimEngine.Held _ = engine.hold()) {
      transfers.remove(transfer.request());
      return transfer.perform(device);
    }
  }

  /** The transfer's request has ended, and may be in flight again. */
  void ended(SimTransfer transfer) {
    try (SimEngine.Held _ = engine.hold()) {
      transfer.file().inFlight--;
    }
  }

  /** As promised: half of those that are cancelled in time end as if nothing had been asked. */
  void cancel(IoRequest request) {
    SimTransfer transfer;
    try (SimEngine.Held _ = engine.hold()) {
      transfer = transfers.get(request);
      if (transfer == null || random.nextBoolean() || !engine.clock().cancel(transfer)) {
        return;
      }
      transfers.remove(request);
    }
    transfer.cancel();
  }

  /** Lets a file's transfers end. */
  void drain(SimFile file) {
    while (isInFlight(file)) {
      if (!engine.clock().step()) {
        Thread.onSpinWait(); // another thread is ending the last ones
      }
    }
  }

  private boolean isInFlight(SimFile file) {
    try (SimEngine.Held _ = engine.hold()) {
      return file.inFlight > 0;
    }
  }
}
