package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.UringProbe;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** What tests of the reactor share. */
final class ReactorFixture {
  private ReactorFixture() {}

  /** Returns options for a ring of this depth; the test is left out where there is no io_uring. */
  static ReactorOptions options(int queueDepth) {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    return ReactorOptions.defaults()
        .withName("reactor-test")
        .withRing(
            RingOptions.defaults().withQueueDepth(queueDepth).withSetupFlags(probe.setupFlags()));
  }

  static Reactor start(int queueDepth) throws IOException {
    return Reactor.start(options(queueDepth));
  }

  /** Runs on the reactor's thread and waits for it. */
  static void on(Reactor reactor, Runnable body) {
    Baton done = new Baton();
    List<Throwable> failures = new ArrayList<>();
    reactor.send(
        new LoopCall() {
          @Override
          void run() {
            try {
              body.run();
            } catch (RuntimeException | Error e) {
              failures.add(e);
            }
            done.post();
          }

          @Override
          void refused(Throwable cause) {
            failures.add(cause);
            done.post();
          }
        });
    done.await();
    assertEquals(List.of(), failures);
  }

  /** Keeps the reactor's thread in a callback until it is let go. */
  static final class Hold {
    private final Baton held = new Baton();
    private final AtomicBoolean letGo = new AtomicBoolean();

    Hold(Reactor reactor) {
      reactor.send(
          new LoopCall() {
            @Override
            void run() {
              held.post();
              spinUntilLetGo();
            }

            @Override
            void refused(Throwable cause) {
              held.post();
            }
          });
      held.await();
    }

    private void spinUntilLetGo() {
      while (!letGo.get()) {
        Thread.onSpinWait();
      }
    }

    void letGo() {
      letGo.set(true);
    }
  }
}
