package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.numa.NumaTopology;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.ResourceLimits;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorGroup;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.RingOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.ToIntFunction;

/**
 * The engine over io_uring, with one or several reactors. A request goes through the ring that
 * {@link ReactorGroup#reactorFor} says, which knows files and regions as all of them do.
 */
final class UringEngine extends LinuxEngine {
  private final ReactorGroup group;

  /** What the rings came to be: without what the kernel refused. */
  private final RingOptions ring;

  /** What the kernel refused of what was wanted. */
  private final String refusedPolling;

  /** Why some region is not registered with the kernel, or null. */
  private volatile String refusal;

  /** Files whose device is not polled although it should be, and why the first is not. By this. */
  private int unpolledFiles;

  private String unpolled;

  UringEngine(EngineOptions options, int setupFlags, EngineChoice choice) throws IOException {
    this(options, setupFlags, choice, NumaTopology.read(), NodeTraffic::nodeOf);
  }

  /** As the above, on a declared machine. */
  UringEngine(
      EngineOptions options,
      int setupFlags,
      EngineChoice choice,
      NumaTopology machine,
      ToIntFunction<MemorySegment> nodeOf)
      throws IOException {
    super(
        options,
        choice,
        options.queueDepth() * options.reactors().count(),
        NodeTraffic.of(machine, nodeOf));
    ReactorOptions reactor = options.reactors().reactor();
    PolledRings rings =
        PolledRings.start(
            reactor.ring().withQueueDepth(options.queueDepth()).withSetupFlags(setupFlags),
            ring ->
                ReactorGroup.start(
                    options.reactors().withReactor(reactor.withRing(ring)), machine));
    group = rings.group();
    ring = rings.ring();
    refusedPolling = rings.refusals();
    if (!group.reactors().getFirst().hasFixedBuffers()) {
      refusal = "the kernel has no table for them";
    }
  }

  @Override
  public String description() {
    String why = refusal;
    int count = group.reactors().size();
    return "URING: io_uring "
        + (why == null ? "with fixed buffers" : "without fixed buffers (" + why + ")")
        + (ring.sqPollIdleMillis() == 0 ? "" : ", submissions polled")
        + (ring.ioPoll() ? ", devices polled" + unpolledClause() : "")
        + refusedPolling
        + (count == 1 ? "" : ", " + count + " reactors of each")
        + ", queue depth "
        + ring.queueDepth()
        + choice().rejectionClauses();
  }

  private synchronized String unpolledClause() {
    return unpolled == null ? "" : " but for " + unpolledFiles + " files (first " + unpolled + ")";
  }

  @Override
  public IoStats stats() {
    return counters().snapshot(group.reactors().stream().mapToLong(Reactor::enterCount).sum());
  }

  @Override
  public List<Reactor> reactors() {
    return group.reactors();
  }

  @Override
  void enqueue(IoRequest request) {
    Reactor reactor = hand(request);
    if (reactor != null) {
      reactor.wakeUp();
    }
  }

  @Override
  void enqueueAll(IoRequest[] batch, int count) {
    Reactor last = null;
    for (int i = 0; i < count; i++) {
      Reactor next = endsAtOnce(batch[i]) ? null : hand(batch[i]);
      if (next != null && next != last) {
        if (last != null) {
          last.wakeUp();
        }
        last = next;
      }
    }
    if (last != null) {
      last.wakeUp();
    }
  }

  @Override
  void withdraw(IoRequest request) {
    request.ringTransfer().cancel();
  }

  /** Returns the reactor that has it and need not see it before it is woken; null if it ended. */
  private Reactor hand(IoRequest request) {
    Reactor reactor =
        group.reactorFor(counters().nodeTraffic().nodeOf(request.region(), request.regionOffset()));
    RingTransfer transfer = request.ringTransfer();
    transfer.start(this, reactor);
    try {
      reactor.enqueue(transfer);
      return reactor;
    } catch (IllegalStateException | RejectedExecutionException e) {
      // The reactor has failed or is full; the waiter is told, as those whose requests were in it.
      fail(request, e);
      return null;
    }
  }

  /* Each ring counts what it pins, so with several the limit is reached sooner. */
  @Override
  void registerWithKernel(Region region) {
    int errno = 0;
    boolean complete = false;
    try {
      for (Reactor reactor : group.reactors()) {
        int result = reactor.register(region);
        errno = errno == 0 ? result : errno;
      }
      complete = true;
    } finally {
      if (!complete) {
        unregisterFromKernel(region);
      }
    }
    if (errno == Errno.ENOMEM) {
      refusal =
          "RLIMIT_MEMLOCK is too small for this beside what is locked already: needBytes="
              + region.sizeBytes() * group.reactors().size()
              + " haveBytes="
              + memlockBytes();
    } else if (errno != 0) {
      refusal = "the kernel refused: errno=" + Errno.name(errno);
    }
  }

  private static String memlockBytes() {
    try {
      long softBytes = ResourceLimits.memlock().softBytes();
      return softBytes == ResourceLimits.UNLIMITED ? "unlimited" : Long.toString(softBytes);
    } catch (ErrnoException e) {
      return "unknown (" + e.errnoName() + ")";
    }
  }

  @Override
  void unregisterFromKernel(Region region) {
    group.reactors().forEach(reactor -> reactor.unregister(region));
  }

  /* Where the kernel refuses, transfers go by descriptor. */
  @Override
  void registerWithKernel(LinuxFile file) {
    group.reactors().forEach(reactor -> reactor.registerFile(file.descriptor()));
    file.polled = ring.ioPoll() && file.isDirect();
  }

  @Override
  void unregisterFromKernel(LinuxFile file) {
    group.reactors().forEach(reactor -> reactor.unregisterFile(file.descriptor()));
  }

  /** The file's device or file system cannot be polled. */
  synchronized void pollingRefused(LinuxFile file, int errno) {
    if (file.polled) {
      file.polled = false;
      unpolledFiles++;
      if (unpolled == null) {
        unpolled = Errno.name(errno) + ": path=" + file.path();
      }
    }
  }

  @Override
  boolean isOwnThread() {
    Reactor current = Reactor.current();
    return current != null && group.reactors().contains(current);
  }

  @Override
  void stop() {
    group.close();
  }
}
