package io.ewok.gds.reactor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.ewok.gds.ffm.ErrnoException;
import io.ewok.gds.ffm.UringProbe;
import io.ewok.gds.ffm.liburing.Liburing;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Rings whose entries a thread of the kernel takes. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class RingTest {
  private static final int ENTRIES = 4;

  private static Ring open(int takerIdleMillis) {
    UringProbe probe = UringProbe.probe();
    assumeTrue(probe.supported(), probe.message());
    try {
      return Ring.open(ENTRIES, probe.setupFlags(), takerIdleMillis);
    } catch (ErrnoException e) {
      return abort("the kernel refuses its thread: " + e.getMessage());
    }
  }

  private static void pushNoOp(Ring ring, long userData) {
    ring.push(Liburing.IORING_OP_NOP(), 0, -1, 0, 0, 0, 0, 0, userData);
  }

  private static void take(Ring ring, long userData) {
    while (!ring.hasCompletion()) {
      Thread.onSpinWait();
    }
    assertEquals(userData, ring.userData());
    assertEquals(0, ring.result());
    ring.advance();
  }

  @Test
  void thatIsAwakeTakesEntriesWithoutACall() throws ErrnoException {
    try (Ring ring = open(20_000)) {
      pushNoOp(ring, 1);
      boolean unused = ring.enter(0); // it may not have begun
      take(ring, 1);
      for (int i = 0; i < 10; i++) {
        pushNoOp(ring, i);
        assertEquals(1, ring.pendingCount());
        assertFalse(ring.enter(0), "i=" + i);
        assertEquals(0, ring.pendingCount());
        take(ring, i);
      }
    }
  }

  @Test
  void thatSleepsIsWoken() throws ErrnoException {
    try (Ring ring = open(1)) {
      boolean called = false;
      while (!called) {
        LockSupport.parkNanos(5_000_000); // for it to fall asleep
        pushNoOp(ring, 1);
        called = ring.enter(0);
        take(ring, 1);
      }
    }
  }

  @Test
  void enterMakesRoom() throws ErrnoException {
    try (Ring ring = open(1)) {
      int pushed = 0;
      int taken = 0;
      while (taken < 1000) {
        while (ring.hasRoom() && pushed < taken + 2 * ENTRIES) {
          pushNoOp(ring, pushed++);
        }
        boolean unused = ring.enter(1);
        while (ring.hasCompletion()) {
          take(ring, taken++);
        }
      }
      while (taken < pushed) {
        take(ring, taken++);
      }
    }
  }
}
