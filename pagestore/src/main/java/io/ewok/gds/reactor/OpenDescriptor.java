package io.ewok.gds.reactor;

import io.ewok.gds.ffm.LinuxSockets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A descriptor, and who is about to use it: it is closed by close, or by the last user if there are
 * some then, so that nobody's operation meets what the kernel gives the number to next. Holds
 * places in the reactor's ring meanwhile.
 *
 * <p>Threads: any.
 */
final class OpenDescriptor {
  private static final int CLOSED = Integer.MIN_VALUE;

  final Reactor reactor;
  final int number;
  private final int places;

  /** Whether it is closed with us. */
  private final boolean ours;

  /** Who uses it; CLOSED is added by close. */
  private final AtomicInteger users = new AtomicInteger();

  private final Baton released = new Baton();

  /**
   * Takes over a descriptor and places of the ring that are reserved already.
   *
   * @param ours whether the descriptor is closed in the end
   */
  OpenDescriptor(Reactor reactor, int number, int places, boolean ours) {
    this.reactor = reactor;
    this.number = number;
    this.places = places;
    this.ours = ours;
  }

  interface Opening {
    int open() throws IOException;
  }

  /**
   * Opens a socket that is closed in the end.
   *
   * @throws IOException if there is no descriptor, or no places in the ring
   */
  static OpenDescriptor socket(Reactor reactor, int places, Opening opening) throws IOException {
    reactor.reserve(places);
    boolean open = false;
    try {
      OpenDescriptor socket = new OpenDescriptor(reactor, opening.open(), places, true);
      open = true;
      return socket;
    } finally {
      if (!open) {
        reactor.unreserve(places);
      }
    }
  }

  /** Begins to use it, unless it is closed; each true is followed by one {@link #exit}. */
  boolean tryEnter() {
    int count;
    do {
      count = users.get();
      if (count < 0) {
        return false;
      }
    } while (!users.compareAndSet(count, count + 1));
    return true;
  }

  /** Ends what {@link #tryEnter} began. */
  void exit() {
    if (users.decrementAndGet() == CLOSED) {
      release();
      released.post();
    }
  }

  boolean isClosed() {
    return users.get() < 0;
  }

  /**
   * Lets nobody use it any more, ends what is under way (null is none), and waits for that; save on
   * the reactor's own thread, which would keep the others from it. Twice does nothing.
   */
  void close(SocketOperation... operations) {
    // Partner of SocketOperation.start: what it does not see closed was submitted before.
    int before = users.getAndAccumulate(CLOSED, (a, b) -> a < 0 ? a : a + b);
    if (before < 0) {
      return;
    }
    if (before == 0) {
      release();
      return;
    }
    for (SocketOperation operation : operations) {
      if (operation != null) {
        reactor.cancel(operation);
      }
    }
    if (Thread.currentThread() != reactor.thread()) {
      released.await();
    }
  }

  private void release() {
    reactor.unreserve(places);
    if (ours) {
      closeNow(number);
    }
  }

  /** Closes a socket that nobody uses. */
  static void closeNow(int descriptor) {
    try {
      LinuxSockets.close(descriptor);
    } catch (IOException e) {
      throw new UncheckedIOException("somebody else closed it: descriptor=" + descriptor, e);
    }
  }
}
