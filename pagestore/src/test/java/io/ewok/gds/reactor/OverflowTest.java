package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class OverflowTest {
  private static final int PLACES = 8;
  private Reactor reactor;

  @BeforeEach
  void start() throws IOException {
    reactor = Reactor.start(ReactorFixture.options(2).withOverflowCount(PLACES));
  }

  @AfterEach
  void close() {
    if (reactor != null) {
      reactor.close();
    }
  }

  /** A sync of no file, which the kernel ends with an error. */
  private static final class Quick extends RingOperation {
    private final AtomicInteger ended;
    final Baton done = new Baton();

    Quick(AtomicInteger ended) {
      this.ended = ended;
      prepareSync(-1);
    }

    @Override
    protected boolean completed(int result) {
      ended.incrementAndGet();
      done.post();
      return false;
    }

    @Override
    protected void failed(Throwable cause, boolean memoryInUse) {
      ended.incrementAndGet();
      done.post();
    }
  }

  private final AtomicInteger ended = new AtomicInteger();

  @Test
  void fullIsToldAndCounted() {
    var hold = new ReactorFixture.Hold(reactor);
    List<Quick> accepted = new ArrayList<>();
    for (int i = 0; i < PLACES; i++) {
      Quick operation = new Quick(ended);
      assertTrue(reactor.trySubmit(operation));
      accepted.add(operation);
    }
    assertFalse(reactor.trySubmit(new Quick(ended)));
    assertFalse(reactor.trySubmit(new Quick(ended)));
    assertEquals(PLACES, reactor.overflow.count());
    assertEquals(2, reactor.overflow.refusedCount());
    hold.letGo();
    accepted.forEach(operation -> operation.done.await());
    assertEquals(PLACES, ended.get());
    assertEquals(0, reactor.overflow.count());
    assertTrue(reactor.trySubmit(new Quick(ended)));
  }

  @Test
  void submittersWaitWhileItIsFullAndNothingIsLost() throws Exception {
    int threadCount = 8;
    int each = 2000;
    AtomicInteger most = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < threadCount; t++) {
      threads.add(
          (t % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual())
              .start(
                  () -> {
                    List<Quick> mine = new ArrayList<>();
                    for (int i = 0; i < each; i++) {
                      Quick operation = new Quick(ended);
                      mine.add(operation);
                      reactor.submit(operation);
                      most.accumulateAndGet(reactor.overflow.count(), Math::max);
                    }
                    mine.forEach(operation -> operation.done.await());
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(threadCount * each, ended.get());
    assertTrue(most.get() <= PLACES, "most=" + most);
    assertTrue(reactor.overflow.refusedCount() > 0, "it was full at times");
    assertEquals(0, reactor.overflow.count());
  }

  @Test
  void theReactorItselfIsRefused() {
    List<Quick> accepted = new ArrayList<>();
    ReactorFixture.on(
        reactor,
        () -> {
          for (int i = 0; i < PLACES; i++) {
            accepted.add(new Quick(ended));
            reactor.submit(accepted.getLast());
          }
          assertThrows(RejectedExecutionException.class, () -> reactor.submit(new Quick(ended)));
          assertFalse(reactor.trySubmit(new Quick(ended)));
        });
    accepted.forEach(operation -> operation.done.await());
    assertEquals(PLACES, ended.get());
  }

  @Test
  void whoWaitsIsToldThatTheReactorEnded() throws Exception {
    var hold = new ReactorFixture.Hold(reactor);
    for (int i = 0; i < PLACES; i++) {
      reactor.submit(new Quick(ended));
    }
    AtomicInteger accepted = new AtomicInteger(PLACES);
    AtomicReference<Throwable> told = new AtomicReference<>();
    Thread waiter =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    for (int i = 0; i < 10 * PLACES; i++) {
                      reactor.submit(new Quick(ended));
                      accepted.incrementAndGet();
                    }
                  } catch (IllegalStateException e) {
                    told.set(e);
                  }
                });
    Thread closer = Thread.ofPlatform().start(reactor::close);
    while (waiter.getState() != Thread.State.WAITING || closer.getState() == Thread.State.NEW) {
      Thread.onSpinWait();
    }
    while (!reactorIsClosing()) {
      Thread.onSpinWait();
    }
    hold.letGo();
    closer.join();
    waiter.join();
    assertNotNull(told.get());
    assertInstanceOf(IllegalStateException.class, told.get());
    assertEquals(accepted.get(), ended.get());
  }

  private boolean reactorIsClosing() {
    return reactor.thread().closing;
  }
}
