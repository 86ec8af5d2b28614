package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LockedMemoryTest {
  private final AtomicInteger calls = new AtomicInteger();

  /** Refuses some calls. */
  private int ask(long bytes, int refused) {
    return LockedMemory.ask(bytes, () -> calls.incrementAndGet() <= refused ? -Errno.ENOMEM : 7);
  }

  private static long limit() throws ErrnoException {
    long limit = ResourceLimits.memlock().softBytes();
    assumeTrue(limit != ResourceLimits.UNLIMITED && limit < Long.MAX_VALUE, "there is no limit");
    return limit;
  }

  @Test
  void refusalWithinTheLimitIsAskedAgain() throws Exception {
    assertEquals(7, ask(limit(), 3));
    assertEquals(4, calls.get());
  }

  @Test
  void refusalBeyondTheLimitIsFinal() throws Exception {
    assertEquals(-Errno.ENOMEM, ask(limit() + 1, 3));
    assertEquals(1, calls.get());
  }

  @Test
  void otherErrorsAreFinal() {
    assertEquals(-Errno.EINVAL, LockedMemory.ask(0, () -> -Errno.EINVAL));
  }

  @Test
  void askingEnds() throws Exception {
    assertTrue(limit() > 0);
    assertEquals(-Errno.ENOMEM, ask(0, Integer.MAX_VALUE));
    assertTrue(calls.get() > 1);
  }

  @Test
  void threadThatMayNotBlockAsksOnce() throws Exception {
    assertTrue(limit() > 0);
    FutureTask<Integer> asking = new FutureTask<>(() -> ask(0, 3));
    Thread.ofVirtual().start(asking);
    assertEquals(-Errno.ENOMEM, asking.get());
  }
}
