package io.ewok.gds.reactor;

import io.ewok.gds.ffm.EventThread;
import io.ewok.gds.ffm.LinuxThreads;
import java.io.IOException;
import java.util.BitSet;
import java.util.concurrent.locks.LockSupport;

/**
 * The thread of a reactor: opens the driver, turns the loop, tells everybody when it ends, and
 * frees everything.
 */
final class ReactorThread extends Thread implements EventThread {
  final Reactor reactor;
  private final ReactorOptions options;
  private final LoopDriver.Source source;
  final Baton started = new Baton();
  final Slices slices = new Slices();

  /** Written before {@link #started} is posted, then constant. */
  IOException startFailure;

  LoopDriver driver;
  EventLoop loop;

  /** Whether a wait on this thread turns the loop. Its own. */
  boolean turning;

  /** Why it ends; null while it does not. Its own. */
  private Throwable cause;

  /** Set by the reactor, which then signals. */
  volatile boolean closing;

  /** What ended the reactor, if that was not close. */
  volatile Throwable failure;

  ReactorThread(Reactor reactor, ReactorOptions options, LoopDriver.Source source) {
    super(options.name());
    setDaemon(true);
    this.reactor = reactor;
    this.options = options;
    this.source = source;
  }

  @Override
  public boolean turning() {
    return turning;
  }

  @Override
  public void run() {
    try {
      if (!options.cpus().isEmpty()) {
        BitSet cpus = new BitSet();
        options.cpus().forEach(cpus::set);
        LinuxThreads.setAffinity(cpus);
      }
      LoopWork work = reactor.newWork();
      driver = source.open(options.ring());
      TimerWheel timers = new TimerWheel(System::nanoTime, options.timerTickNanos());
      loop =
          new EventLoop(
              driver,
              work,
              timers,
              reactor.inbox,
              reactor.overflow,
              slices,
              options.ring().reapMax());
    } catch (IOException e) {
      startFailure = e;
    } catch (RuntimeException | Error e) {
      startFailure = new IOException("the reactor did not start", e);
    }
    boolean running = startFailure == null;
    started.post();
    if (running) {
      loopUntilEnded();
    }
    StallWatch.unwatch(this);
  }

  private void loopUntilEnded() {
    turning = true;
    // A fiber that parks pinned does so on this thread, and takes the permit; see FiberScheduler.
    LockSupport.unpark(this);
    loop.work.enter();
    boolean ended = false;
    while (!ended) {
      try {
        ended = endAll();
        if (!ended) {
          loop.turn(null);
        }
      } catch (Throwable e) {
        // Whatever it is, those who wait are told.
        if (cause == null) {
          cause = e;
          failure = e;
        } else if (cause != e) {
          cause.addSuppressed(e);
        }
        if (e instanceof IOException) {
          abandon();
        }
      }
    }
    loop.work.leave();
    turning = false;
    try {
      driver.close();
    } catch (IOException | RuntimeException | Error e) {
      cause.addSuppressed(e);
      failure = cause;
    }
  }

  /**
   * Ends what there is to end, once the reactor is closed or has failed. Also within waits on this
   * thread, some of which end by it.
   *
   * @return whether all has ended
   */
  boolean endAll() {
    if (cause == null && closing) {
      cause = new IllegalStateException("the reactor is closed: name=" + getName());
    }
    return cause != null && loop.endAll(cause);
  }

  /**
   * The ring is unusable with operations in it: nobody knows when the kernel leaves their memory
   * alone, so it stays leased for good.
   */
  private void abandon() {
    failure = cause;
    do {
      try {
        driver.abandon(cause);
      } catch (RuntimeException | Error e) {
        cause.addSuppressed(e);
      }
    } while (driver.inFlight() > 0);
  }
}
