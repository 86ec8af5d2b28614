package io.ewok.gds.pagestore.sim;

import io.ewok.gds.pagestore.IoRequest;
import io.ewok.gds.pagestore.WorkDispatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The requests that take their time: held back by limits, then with the device, then being told.
 * Takes the engine's lock itself, and guards all with it; the dispatch has its own, which is taken
 * without the engine's.
 */
final class SimInFlight {
  private final SimEngine engine;
  private final SimDevice device;
  private final SimLatency latency;
  private final SplittableRandom random;
  private final WorkDispatch dispatch;
  private final Runnable alarm;

  /** Those that have not come to their end. */
  private final IdentityHashMap<IoRequest, SimTransfer> transfers = new IdentityHashMap<>();

  /** The threads that are in completions, as often as they are. */
  private final List<Thread> tellers = new ArrayList<>();

  SimInFlight(SimEngine engine, SimDevice device, SimOptions options, SplittableRandom random) {
    this.engine = engine;
    this.device = device;
    this.latency = options.latency();
    this.random = random;
    this.dispatch =
        new WorkDispatch(options.queueDepth(), engine.clock(), this::begin, this::setAlarm);
    this.alarm = dispatch::pump;
  }

  /** The limits, and who keeps them. */
  WorkDispatch dispatch() {
    return dispatch;
  }

  private void setAlarm() {
    engine.clock().cancel(alarm);
    long nanos = dispatch.dueInNanos();
    if (nanos != WorkDispatch.NEVER) {
      engine.clock().after(nanos, alarm);
    }
  }

  /** Starts all, or on an exception none. */
  void start(IoRequest[] requests, int count) {
    List<SimTransfer> started = new ArrayList<>();
    List<IoRequest> limited = new ArrayList<>();
    try (SimEngine.Held _ = engine.hold()) {
      try {
        for (int i = 0; i < count; i++) {
          engine.requireOpen((SimFile) requests[i].file());
          started.add(new SimTransfer(this, requests[i]));
        }
      } catch (RuntimeException e) {
        started.forEach(SimTransfer::rollBack);
        throw e;
      }
      for (SimTransfer transfer : started) {
        transfer.file().inFlight++;
        transfers.put(transfer.request(), transfer);
        if (dispatch.isLimited() && !transfer.isSync()) {
          limited.add(transfer.request());
        } else {
          engine.clock().after(latency.next(random), transfer);
        }
      }
    }
    if (!limited.isEmpty()) {
      limited.forEach(dispatch::offer);
      dispatch.pump();
    }
  }

  /** A request comes out of the dispatch. */
  private void begin(IoRequest request) {
    try (SimEngine.Held _ = engine.hold()) {
      engine.clock().after(latency.next(random), transfers.get(request));
    }
  }

  /** The time of a transfer has come. */
  int perform(SimTransfer transfer) throws IOException {
    try (SimEngine.Held _ = engine.hold()) {
      transfers.remove(transfer.request());
      return transfer.perform(device);
    }
  }

  /**
   * Ends a transfer whose time has come: tells its owner, who may start the request anew. A
   * completion finds the file without it, so that it can close it.
   */
  void end(SimTransfer transfer, Runnable tell) {
    boolean placeFree = dispatch.ended(transfer.request());
    if (transfer.isTold()) {
      try (SimEngine.Held _ = engine.hold()) {
        transfer.file().inFlight--;
        tellers.add(Thread.currentThread());
      }
    }
    try {
      tell.run();
    } finally {
      try (SimEngine.Held _ = engine.hold()) {
        if (transfer.isTold()) {
          tellers.remove(Thread.currentThread());
        } else {
          transfer.file().inFlight--;
        }
      }
      if (placeFree) {
        dispatch.pump();
      }
    }
  }

  /** As promised: half of those that the device has end as if nothing had been asked. */
  void cancel(IoRequest request) {
    boolean heldBack = dispatch.withdraw(request);
    SimTransfer transfer;
    try (SimEngine.Held _ = engine.hold()) {
      transfer = transfers.get(request);
      if (!heldBack
          && (transfer == null || random.nextBoolean() || !engine.clock().cancel(transfer))) {
        return;
      }
      transfers.remove(request);
    }
    transfer.cancel();
    if (heldBack) {
      dispatch.pump(); // what it was due for may be nobody's any more
    }
  }

  /** What is done by whoever awaits a transfer; false if it is being ended by another thread. */
  boolean move(SimTransfer transfer) {
    if (engine.clock().step()) {
      return true;
    }
    try (SimEngine.Held _ = engine.hold()) {
      if (transfers.get(transfer.request()) != transfer) {
        return false;
      }
    }
    giveWay(); // another thread is about to hand it over
    return true;
  }

  /** Refuses what would wait for its own end. The caller holds the engine's lock. */
  void requireNotTelling() {
    if (tellers.contains(Thread.currentThread())) {
      throw new IllegalStateException("a completion cannot close the engine: name=SIM");
    }
  }

  /** Waits for completions that other threads are in. */
  void awaitTellers() {
    while (isTelling()) {
      giveWay();
    }
  }

  private boolean isTelling() {
    try (SimEngine.Held _ = engine.hold()) {
      return !tellers.isEmpty();
    }
  }

  /** Lets a file's transfers end. */
  void drain(SimFile file) {
    while (isInFlight(file)) {
      if (!engine.clock().step()) {
        giveWay(); // another thread is ending the last ones
      }
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // virtual threads could take its last carrier
  private static void giveWay() {
    Thread.yield();
  }

  private boolean isInFlight(SimFile file) {
    try (SimEngine.Held _ = engine.hold()) {
      return file.inFlight > 0;
    }
  }
}
