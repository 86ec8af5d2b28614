package io.ewok.gds.pagestore;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.ResourceLimits;
import io.ewok.gds.reactor.Reactor;
import io.ewok.gds.reactor.ReactorOptions;
import io.ewok.gds.reactor.RingOptions;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;

/** The engine over io_uring: one reactor. */
final class UringEngine extends LinuxEngine {
  private final Reactor reactor;
  private final int queueDepth;

  /** Why some region is not registered with the kernel, or null. */
  private volatile String refusal;

  UringEngine(EngineOptions options, int setupFlags, EngineChoice choice) throws IOException {
    super(options, choice);
    queueDepth = options.queueDepth();
    reactor =
        Reactor.start(
            ReactorOptions.defaults()
                .withName("gds-io-reactor")
                .withRing(
                    RingOptions.defaults().withQueueDepth(queueDepth).withSetupFlags(setupFlags)));
    if (!reactor.hasFixedBuffers()) {
      refusal = "the kernel has no table for them";
    }
  }

  @Override
  public String description() {
    String why = refusal;
    return "URING: io_uring "
        + (why == null ? "with fixed buffers" : "without fixed buffers (" + why + ")")
        + ", queue depth "
        + queueDepth
        + choice().rejectionClauses();
  }

  @Override
  public IoStats stats() {
    return counters().snapshot(reactor.enterCount());
  }

  @Override
  void enqueue(IoRequest request) {
    if (hand(request)) {
      reactor.wakeUp();
    }
  }

  @Override
  void enqueueAll(IoRequest[] batch, int count) {
    for (int i = 0; i < count; i++) {
      if (!endsAtOnce(batch[i])) {
        hand(batch[i]);
      }
    }
    reactor.wakeUp();
  }

  @Override
  void withdraw(IoRequest request) {
    reactor.cancel(request.ringTransfer());
  }

  private boolean hand(IoRequest request) {
    RingTransfer transfer = request.ringTransfer();
    transfer.start(this);
    try {
      reactor.enqueue(transfer);
      return true;
    } catch (IllegalStateException | RejectedExecutionException e) {
      // The reactor has failed or is full; the waiter is told, as those whose requests were in it.
      fail(request, e);
      return false;
    }
  }

  @Override
  void registerWithKernel(Region region) {
    int errno = reactor.register(region);
    if (errno == Errno.ENOMEM) {
      refusal =
          "RLIMIT_MEMLOCK is too small: needBytes="
              + region.sizeBytes()
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
    reactor.unregister(region);
  }

  /* Where the kernel refuses, transfers go by descriptor. */
  @Override
  void registerWithKernel(LinuxFile file) {
    reactor.registerFile(file.descriptor());
  }

  @Override
  void unregisterFromKernel(LinuxFile file) {
    reactor.unregisterFile(file.descriptor());
  }

  @Override
  boolean isOwnThread() {
    return Reactor.current() == reactor;
  }

  @Override
  void stop() {
    reactor.close();
  }
}
