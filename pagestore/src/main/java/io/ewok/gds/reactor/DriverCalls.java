package io.ewok.gds.reactor;

import io.ewok.gds.allocator.Region;
import io.ewok.gds.ffm.Errno;
import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.LinuxMemory;
import io.ewok.gds.ffm.LockedMemory;

/**
 * What other threads have a reactor's driver do: the calls go to the reactor's thread, and who
 * makes them waits.
 *
 * <p>Threads: any.
 */
final class DriverCalls {
  private final Reactor reactor;
  private final ReactorThread thread;

  DriverCalls(Reactor reactor, ReactorThread thread) {
    this.reactor = reactor;
    this.thread = thread;
  }

  /** As {@link Reactor#register}. */
  int register(Region region) {
    try {
      LinuxMemory.populate(region.segment());
    } catch (ErrnoException e) {
      // An older kernel has no call for it, and touches the memory when it pins.
      if (e.errno() != Errno.EINVAL) {
        return e.errno();
      }
    }
    return -LockedMemory.ask(region.sizeBytes(), () -> -registerPopulated(region));
  }

  private int registerPopulated(Region region) {
    Call call = done(driver -> driver.register(region));
    if (call.failure != null) {
      throw new IllegalStateException(reactor.ended().getMessage(), call.failure);
    }
    return call.result;
  }

  /** As {@link Reactor#unregister}. */
  void unregister(Region region) {
    callUnlessEnded(
        driver -> {
          driver.unregister(region);
          return 0;
        });
  }

  /** As {@link Reactor#registerFile}. */
  int registerFile(int descriptor) {
    return callUnlessEnded(driver -> driver.registerFile(descriptor));
  }

  /** As {@link Reactor#unregisterFile}. */
  void unregisterFile(int descriptor) {
    callUnlessEnded(
        driver -> {
          driver.unregisterFile(descriptor);
          return 0;
        });
  }

  private interface DriverCall {
    int call(LoopDriver driver);
  }

  private int callUnlessEnded(DriverCall body) {
    Call call = done(body);
    return call.failure == null ? call.result : Errno.ECANCELED;
  }

  /** Has something done by the reactor's thread, if it is not ours, and waits. */
  private Call done(DriverCall body) {
    Call call = new Call(body);
    if (reactor.isOwnThread()) {
      call.run();
    } else if (reactor.send(call)) {
      call.done.await();
    } else {
      call.refused(thread.failure == null ? reactor.ended() : thread.failure);
    }
    return call;
  }

  private final class Call extends LoopCall {
    private final DriverCall body;
    private final Baton done = new Baton();
    private int result;
    private Throwable failure;

    Call(DriverCall body) {
      this.body = body;
    }

    @Override
    void run() {
      result = body.call(thread.loop.driver);
      done.post();
    }

    @Override
    void refused(Throwable cause) {
      failure = cause;
      done.post();
    }
  }
}
