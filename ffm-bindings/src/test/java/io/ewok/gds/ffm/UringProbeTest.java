package io.ewok.gds.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.ffm.UringProbe.Reason;
import io.ewok.gds.ffm.liburing.Liburing;
import io.ewok.gds.ffm.liburing.io_uring;
import io.ewok.gds.ffm.liburing.io_uring_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UringProbeTest {

  private static final long UNLIMITED = ResourceLimits.UNLIMITED;

  @TempDir(factory = BuildDirectory.class)
  Path directory;

  @Test
  void theMachineGivesARingOrAReason() {
    UringProbe probe = UringProbe.probe();
    if (probe.supported()) {
      assertEquals(Reason.AVAILABLE, probe.reason());
      assertTrue(probe.supports(Liburing.IORING_OP_READ_FIXED()));
      assertNotEquals(0, probe.features());
    } else {
      assertNotEquals(Reason.AVAILABLE, probe.reason());
      assertEquals(0, probe.setupFlags());
    }
    assertTrue(probe.message().matches(".+: \\w[\\w.]*=.+"), probe.message());
    assertFalse(probe.supports(-1));
    assertFalse(probe.supports(64));
  }

  @Test
  void whereAPlainRingCanBeMadeTheProbeFindsIt() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ring = io_uring.allocate(arena);
      MemorySegment params = io_uring_params.allocate(arena);
      int result = Liburing.io_uring_queue_init_params(1, ring, params);
      if (result == 0) {
        Liburing.io_uring_queue_exit(ring);
      }
      assertEquals(result == 0, UringProbe.probe().supported(), "result=" + result);
    }
  }

  @Test
  void aVirtualThreadMayAsk() throws Exception {
    UringProbe[] found = new UringProbe[1];
    Thread.ofVirtual().start(() -> found[0] = UringProbe.probe()).join();
    assertEquals(UringProbe.probe(), found[0]);
  }

  @Test
  void aProcessWithSeccompIsToldThatItIsForbidden() throws Exception {
    for (String errno : new String[] {"EPERM", "EACCES"}) {
      Path launcher = CProgram.compile("seccomp_launcher.c", directory.resolve(errno), errno);
      ChildJvm.Result result = ChildJvm.run(ProbeMain.class, launcher.toString());
      assertTrue(result.output().startsWith("FORBIDDEN "), result.output());
      assertTrue(result.output().contains("errno=" + errno), result.output());
      assertEquals(0, result.exitCode());
    }
  }

  @Test
  void aRefusalIsExplainedByTheSysctlWhereThatIsSet() {
    assertEquals(
        Reason.DISABLED_BY_SYSCTL, UringProbe.refused(Errno.EPERM, 4, 2, UNLIMITED).reason());
    assertEquals(
        Reason.DISABLED_BY_SYSCTL, UringProbe.refused(Errno.EPERM, 4, 1, UNLIMITED).reason());
    assertEquals(Reason.FORBIDDEN, UringProbe.refused(Errno.EPERM, 4, 0, UNLIMITED).reason());
    assertEquals(Reason.FORBIDDEN, UringProbe.refused(Errno.EPERM, 4, -1, UNLIMITED).reason());
  }

  @Test
  void anAbsentCallInAKernelThatHasItIsAFilter() {
    assertEquals(Reason.NOT_IN_KERNEL, UringProbe.refused(Errno.ENOSYS, 4, -1, UNLIMITED).reason());
    assertEquals(Reason.FORBIDDEN, UringProbe.refused(Errno.ENOSYS, 4, 0, UNLIMITED).reason());
  }

  @Test
  void missingMemoryNamesNeedAndLimit() {
    UringProbe probe = UringProbe.refused(Errno.ENOMEM, 4, 0, 4096);
    assertEquals(Reason.NO_MEMLOCK, probe.reason());
    assertEquals(4096, probe.memlockLimitBytes());
    assertEquals(2 * LinuxMemory.pageSizeBytes(), probe.memlockNeededBytes());
    assertTrue(
        probe.message().endsWith("needBytes=" + probe.memlockNeededBytes() + " haveBytes=4096"),
        probe.message());
  }

  @Test
  void largerRingNeedsMoreMemory() {
    long small = UringProbe.refused(Errno.ENOMEM, 64, 0, 4096).memlockNeededBytes();
    long large = UringProbe.refused(Errno.ENOMEM, 65, 0, 4096).memlockNeededBytes();
    assertTrue(large > small, "small=" + small + " large=" + large);
    assertThrows(IllegalArgumentException.class, () -> UringProbe.probe(0));
    assertThrows(IllegalArgumentException.class, () -> UringProbe.probe(1 << 16));
  }

  @Test
  void otherErrorsKeepTheirName() {
    UringProbe probe = UringProbe.refused(Errno.EMFILE, 4, 0, UNLIMITED);
    assertEquals(Reason.FAILED, probe.reason());
    assertTrue(probe.message().endsWith("errno=EMFILE"), probe.message());
  }

  @Test
  void aMissingOperationIsNamed() {
    long all = -1;
    assertEquals(Reason.AVAILABLE, UringProbe.judge(0, 0, all).reason());
    UringProbe probe = UringProbe.judge(0, 0, all & ~(1L << Liburing.IORING_OP_FALLOCATE()));
    assertEquals(Reason.MISSING_OPERATION, probe.reason());
    assertTrue(probe.message().endsWith("operation=FALLOCATE"), probe.message());
    assertEquals(Reason.MISSING_OPERATION, UringProbe.judge(0, 0, 0).reason());
  }

  /** Prints what a process of its own finds. */
  static final class ProbeMain {
    private ProbeMain() {}

    public static void main(String[] args) {
      UringProbe probe = UringProbe.probe();
      System.out.println(probe.reason() + " " + probe.message());
    }
  }
}
