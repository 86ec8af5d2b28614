package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** The supervisor has to notice what the burn test relies on. */
class BurnTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  private final Burn burn = new Burn(1, Duration.ofMillis(200));

  @Test
  void workerThatFailsEndsTheBurn() {
    IllegalStateException broken = new IllegalStateException("broken");
    burn.add("good", _ -> Thread.onSpinWait());
    burn.add(
        "bad",
        _ -> {
          throw broken;
        });
    AssertionError e = assertThrows(AssertionError.class, () -> burn.run(LONG));
    assertEquals(broken, e.getCause());
  }

  @Test
  void workerThatHangsIsReportedWithTheStacksOfAll() {
    CountDownLatch never = new CountDownLatch(1);
    burn.add("stuck", _ -> never.await());
    burn.add("stuck", _ -> never.await());
    AssertionError e = assertThrows(AssertionError.class, () -> burn.run(LONG));
    never.countDown();
    assertTrue(e.getMessage().contains("thread=burn-stuck"), e.getMessage());
    assertEquals(2, e.getCause().getSuppressed().length);
    assertTrue(
        Arrays.toString(e.getCause().getStackTrace()).contains("CountDownLatch"), e.toString());
  }

  @Test
  void workersEndAfterTheirLastStep() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    burn.add(
        "good",
        new Burn.Worker() {
          @Override
          public void step(SplittableRandom random) {
            Thread.onSpinWait();
          }

          @Override
          public void end() {
            ended.countDown();
          }
        });
    burn.run(Duration.ofMillis(10));
    assertEquals(0, ended.getCount());
    assertTrue(burn.steps() > 0);
  }
}
