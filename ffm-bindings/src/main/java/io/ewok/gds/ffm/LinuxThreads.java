package io.ewok.gds.ffm;

import static io.ewok.gds.ffm.ErrnoException.check;

import io.ewok.gds.ffm.natives.Gds;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * On which CPUs the calling thread runs, and whether it may wait there.
 *
 * <p>Threads: where it runs now is for any; what it may run on is for platform threads only, since
 * on a virtual thread it would bind whatever carrier is under it at the moment.
 *
 * {@snippet :
 * BitSet cpus = new BitSet();
 * cpus.set(3);
 * LinuxThreads.setAffinity(cpus);
 * }
 */
public final class LinuxThreads {

  /** More than any kernel is built for; it refuses to answer into less than it was built for. */
  private static final int CPUS_MAX = 8192;

  private LinuxThreads() {}

  /**
   * Returns whether the calling thread may wait in the kernel: neither does it turn an event loop,
   * nor is it a virtual one, which would hold its carrier.
   */
  public static boolean mayBlock() {
    Thread self = Thread.currentThread();
    return !self.isVirtual() && !(self instanceof EventThread loop && loop.turning());
  }

  /** The CPU on which the calling thread runs; it may be another one already. */
  public static int currentCpu() {
    return (int) current();
  }

  /** The NUMA node of the CPU on which the calling thread runs; it may be another one already. */
  public static int currentNode() {
    return (int) (current() >>> 32);
  }

  private static long current() {
    try {
      return check("getcpu", Gds.gds_getcpu());
    } catch (ErrnoException e) {
      // Only an address it cannot write to is an error, and it is given none.
      throw new UncheckedIOException(e);
    }
  }

  /** The CPUs on which the calling thread may run. */
  public static BitSet affinity() throws ErrnoException {
    requirePlatformThread();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(CPUS_MAX / Byte.SIZE, Long.BYTES);
      check("sched_getaffinity", Gds.gds_sched_getaffinity(0, mask, mask.byteSize()));
      return BitSet.valueOf(mask.toArray(ValueLayout.JAVA_LONG));
    }
  }

  /**
   * Restricts the calling thread, and threads it starts from now on, to some CPUs.
   *
   * @throws ErrnoException EINVAL where none of them may be used by this process
   */
  public static void setAffinity(BitSet cpus) throws ErrnoException {
    requirePlatformThread();
    if (cpus.length() > CPUS_MAX) {
      throw new IllegalArgumentException("no kernel has such a CPU: cpu=" + (cpus.length() - 1));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment mask = arena.allocate(CPUS_MAX / Byte.SIZE, Long.BYTES);
      mask.copyFrom(MemorySegment.ofArray(cpus.toLongArray()));
      check("sched_setaffinity", Gds.gds_sched_setaffinity(0, mask, mask.byteSize()));
    }
  }

  private static void requirePlatformThread() {
    if (Thread.currentThread().isVirtual()) {
      throw new IllegalStateException("a virtual thread has no CPUs of its own");
    }
  }
}
