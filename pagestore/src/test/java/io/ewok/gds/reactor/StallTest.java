package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD) // our waits ignore interrupts
class StallTest {
  private static Reactor start() throws IOException {
    return Reactor.start(
        ReactorFixture.options(2)
            .withName("stall-test")
            .withStallNanos(TimeUnit.MILLISECONDS.toNanos(2)));
  }

  @Test
  void aCallbackThatHogsTheReactorIsReportedOnceWithItsStack() throws IOException {
    AtomicReference<RecordedEvent> event = new AtomicReference<>();
    Baton told = new Baton();
    try (Reactor reactor = start();
        RecordingStream stream = new RecordingStream()) {
      stream.enable("io.ewok.gds.ReactorStall");
      stream.onEvent(
          "io.ewok.gds.ReactorStall",
          seen -> {
            // Starting up may stall, too.
            if (seen.getString("stack").contains("spinUntilLetGo")
                && event.compareAndSet(null, seen)) {
              told.post();
            }
          });
      stream.startAsync();
      long before = reactor.stats().stallCount();
      var hold = new ReactorFixture.Hold(reactor);
      assertTrue(told.await(TimeUnit.SECONDS.toNanos(30)));
      hold.letGo();
      assertTrue(reactor.stats().stallCount() > before);
      assertEquals("stall-test", event.get().getString("reactor"));
      assertEquals("stall-test", event.get().getString("running"));
      assertTrue(event.get().getLong("atLeastNanos") >= 2_000_000);
    }
  }

  @Test
  void anIdleReactorDoesNotStall() throws IOException {
    try (Reactor idle = start();
        Reactor held = start()) {
      ReactorFixture.on(idle, () -> {});
      long before = idle.stats().stallCount();
      // Until the watch has looked at both several times.
      for (int i = 0; i < 5; i++) {
        long seen = held.stats().stallCount();
        var hold = new ReactorFixture.Hold(held);
        while (held.stats().stallCount() == seen) {
          Thread.onSpinWait();
        }
        hold.letGo();
      }
      assertTrue(idle.stats().stallCount() <= before + 1, "only what was running at first");
    }
  }
}
